//! Step 2.2: handlers in time, acknowledgements both ways, several arguments, bytes.

use std::time::{Duration, Instant};

use serde_json::json;
use support::{
    Server,
    effort::times,
    official::{self, Official},
    polling::Polling,
    record::transcript,
    socket_io::SocketIo,
};

use crate::CHAPTER;

#[tokio::test]
async fn an_event_sent_at_once_is_logged_every_time() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    for round in 1..=times(300) {
        // A client that is gone might not have been heard: all stay until all are logged.
        let mut clients = Vec::new();
        for _ in 0..100 {
            let mut client = SocketIo::connect(&server).await;
            client.emit("reply", json!(["sent at once"])).await;
            clients.push(client);
        }
        server.logged("sent at once", 100 * round).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_at_once_is_noticed_every_time() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let tries = times(10_000);
    for _ in 0..tries {
        SocketIo::connect(&server).await.vanish();
    }
    server.logged(" disconnected", tries).await;
}

#[tokio::test]
async fn every_official_client_gets_its_question_answered() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &(version, transports) in official::ways() {
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        let answer =
            client.ask("howAreYou", json!([{ "message": "How are you?" }])).await;
        assert_eq!(answer, json!([{ "ok": true, "message": "Fine, thank you" }]));
    }
}

#[tokio::test]
async fn a_polling_client_gets_its_answer_too() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::connect(&server, "").await;
    client.post(&server, r#"420["howAreYou",{"message":"?"}]"#).await;
    let answer = client.packet(&server, "430").await;
    assert_eq!(answer, r#"430[{"ok":true,"message":"Fine, thank you"}]"#);
}

#[tokio::test]
async fn a_reply_is_acknowledged() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    assert_eq!(
        client.ask("reply", json!(["Did you get it?"])).await,
        json!({ "ok": true })
    );
}

#[tokio::test]
async fn the_server_asks_a_question_back_and_passes_the_answer_on() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    let asked = r#"427["askMe","Your favourite colour?",5000]"#;
    client.send(asked).await;
    let question = loop {
        let packet = client.packet("42").await;
        if packet.contains(r#"["question""#) {
            break packet;
        }
    };
    let id: String = question[2..].chars().take_while(char::is_ascii_digit).collect();
    assert!(question.ends_with(r#"["question","Your favourite colour?"]"#), "{question}");
    client.send(&format!(r#"43{id}["blue"]"#)).await;
    let answer = client.packet("437").await;
    assert_eq!(answer, r#"437[{"ok":true,"answer":"blue"}]"#);
    let question = question.replacen(&id, "<id>", 1);
    let record = format!(
        "# the client asks to be asked\n> {asked}\n# the server asks\n< {question}\n\
         # the client answers the question\n> 43<id>[\"blue\"]\n\
         # the server answers the client's event\n< {answer}"
    );
    transcript("chapter-2", "acknowledgements", &record);
}

#[tokio::test]
async fn a_question_that_is_not_answered_in_time_is_given_up() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    let before = Instant::now();
    let answer = client.ask("askMe", json!(["Are you there?", 300])).await;
    assert_eq!(answer, json!({ "ok": false, "error": "no answer in time" }));
    assert!(before.elapsed() >= Duration::from_millis(300), "{:?}", before.elapsed());
}

#[tokio::test]
async fn the_official_client_answers_the_servers_question() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &(version, transports) in official::ways() {
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        client.acknowledge("question", json!(["blue"])).await;
        let answer = client.ask("askMe", json!(["Your favourite colour?", 5000])).await;
        assert_eq!(answer, json!([{ "ok": true, "answer": "blue" }]), "{version}");
    }
}

#[tokio::test]
async fn bytes_come_back_in_reverse_order() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    let sent = r#"451-3["mirror",{"_placeholder":true,"num":0}]"#;
    client.send(sent).await;
    client.send_binary(&[1, 2, 3]).await;
    let answer = client.packet("461-3").await;
    assert_eq!(answer, r#"461-3[{"ok":true,"bytes":{"_placeholder":true,"num":0}}]"#);
    assert_eq!(client.packet("binary").await, r#"binary: b"\x03\x02\x01""#);
    let record = format!("> {sent}\n> 01 02 03\n< {answer}\n< 03 02 01");
    transcript("chapter-2", "bytes", &record);
}

#[tokio::test]
async fn the_official_client_sends_and_gets_bytes_by_every_transport() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &(version, transports) in official::ways() {
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        let answer = client.ask("mirror", json!([{ "$binary": "0102ff" }])).await;
        assert_eq!(answer, json!([{ "ok": true, "bytes": { "$binary": "ff0201" } }]));
    }
}

#[tokio::test]
async fn a_packet_that_makes_no_sense_costs_only_its_sender_the_connection() {
    let server = Server::start(CHAPTER).await;
    let mut good = SocketIo::connect(&server).await;
    for nonsense in ["42[", "42{}", "42[]", "4", "9", "hello", "45-[\"x\"]"] {
        let mut bad = SocketIo::connect(&server).await;
        bad.send(nonsense).await;
        bad.closed().await;
        assert_eq!(
            good.ask("reply", json!(["fine"])).await,
            json!({ "ok": true }),
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn an_event_for_a_namespace_that_does_not_exist_is_ignored() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.send("42/nowhere,[\"x\"]").await;
    assert_eq!(client.ask("reply", json!(["still here"])).await, json!({ "ok": true }));
}
