//! The promises of chapter 2, over the wire.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    Server,
    effort::{deadline, left_out, takes_too_long, times},
    official::{self, Official},
    polling::Polling,
    record::transcript,
    socket_io::SocketIo,
    within,
    ws::{self, RawWebSocket, WebSocket},
};
use tokio::io::AsyncWriteExt;

// What every later program promises too.
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/page.rs"]
mod page;
#[path = "promises/random.rs"]
mod random;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-2");

/// News come so often.
const NEWS: Duration = Duration::from_secs(3);

// What the shared promises have to know.
const AUTH: &str = "";
const UNKNOWN: [&str; 3] = ["/nowhere", "/socket.io/nothing.js", "/socket.iofoo"];

async fn connect(server: &Server) -> SocketIo {
    SocketIo::connect(server).await
}

fn question() -> (&'static str, Value) {
    ("reply", json!(["first"]))
}

// --- Hello, news, reply ---

#[tokio::test]
async fn hello_is_the_first_event_and_news_follows_every_three_seconds() {
    let server = Server::start(CHAPTER).await;
    let before = Instant::now();
    let mut client = SocketIo::connect(&server).await;
    let hello = client.packet("42").await;
    assert_eq!(hello, r#"42["hello",{"message":"Welcome to Socket.IO"}]"#);
    for n in 1..=2 {
        let news = client.packet_after(NEWS, "42").await;
        assert_eq!(news, r#"42["news","Hello Socket.IO"]"#);
        // Too late says nothing on a busy machine; too early would be a broken promise.
        assert!(before.elapsed() >= n * NEWS, "news {n} after {:?}", before.elapsed());
    }
}

#[tokio::test]
async fn every_official_client_gets_news_and_its_reply_arrives() {
    if official::skip() {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    for &(version, transports) in official::ways() {
        let way = format!("version {version} by {}", transports.join(" then "));
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        let hello = client.event("hello").await;
        assert_eq!(hello, json!([{ "message": "Welcome to Socket.IO" }]), "{way}");
        let news = client.event_after(NEWS, "news").await;
        assert_eq!(news, json!(["Hello Socket.IO"]), "{way}");
        client.emit("reply", json!([way])).await;
        server.logged(&format!("text={way:?}"), 1).await;
    }
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
async fn an_official_client_without_options_starts_by_polling_and_moves_to_websocket() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for version in [3, 4] {
        let mut client = Official::connect(&server, version).await;
        assert_eq!(client.on("upgrade").await["transport"], "websocket", "{version}");
        let answer = client.ask("howAreYou", json!([{ "message": "still?" }])).await;
        assert_eq!(answer[0]["ok"], true, "{version}");
    }
}

#[tokio::test]
async fn one_clients_reply_is_not_heard_by_another() {
    let server = Server::start(CHAPTER).await;
    let mut one = SocketIo::connect(&server).await;
    let mut other = SocketIo::connect(&server).await;
    one.ask("reply", json!(["only for the log"])).await;
    let heard = other.so_far("reply", json!(["mine"])).await;
    assert!(!heard.iter().any(|packet| packet.contains("only for the log")), "{heard:?}");
}

#[tokio::test]
async fn a_polling_client_hears_the_same_and_is_heard() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    client.post(&server, "40").await;
    let hello = client.packet(&server, "42").await;
    assert_eq!(hello, r#"42["hello",{"message":"Welcome to Socket.IO"}]"#);
    client.post(&server, r#"420["howAreYou",{"message":"?"}]"#).await;
    let answer = client.packet(&server, "430").await;
    assert_eq!(answer, r#"430[{"ok":true,"message":"Fine, thank you"}]"#);
    let news = client.packet_after(NEWS, &server, "42").await;
    assert_eq!(news, r#"42["news","Hello Socket.IO"]"#);
}

#[tokio::test]
async fn a_session_begins_with_four_packets_over_http() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    let hide = |text: &str| text.replace(&client.sid, "<sid>");
    let mut record = vec![
        "# GET /socket.io/?EIO=4&transport=polling".to_owned(),
        hide(&format!("< {}", client.packet)),
        "# POST /socket.io/?EIO=4&transport=polling&sid=<sid>".to_owned(),
        "> 40".to_owned(),
    ];
    let taken = client.post(&server, "40").await;
    record.push(format!("< {}", taken.text()));
    record.push("# GET /socket.io/?EIO=4&transport=polling&sid=<sid>".to_owned());
    let mut packets = Vec::new();
    within("three packets", async {
        while packets.len() < 3 {
            let text = client.get(&server).await.text();
            let said = text.split('\u{1e}');
            let said = said.filter(|packet| !packet.starts_with(r#"42["news""#));
            packets.extend(said.map(|packet| format!("< {}", hide(packet))));
        }
    })
    .await;
    // The first ping leaves with the handshake: its place among the others is not fixed.
    packets.sort();
    record.extend(packets);
    transcript("chapter-2", "polling", &record.join("\n"));
}

#[tokio::test]
async fn an_upgrade_moves_the_session_from_http_to_a_websocket() {
    let server = Server::start(CHAPTER).await;
    let session = Polling::open(&server).await;
    session.post(&server, "40").await;
    session.packet(&server, "42").await;
    let path = format!("/socket.io/?EIO=4&transport=websocket&sid={}", session.sid);
    let mut websocket = WebSocket::open(&server, &path).await;
    let mut record = vec!["# the WebSocket, opened with the session's sid".to_owned()];
    websocket.send("2probe").await;
    assert_eq!(websocket.text().await, "3probe");
    record
        .extend(["> 2probe", "< 3probe", "# the poll under way ends"].map(str::to_owned));
    assert_eq!(session.packet(&server, "6").await, "6");
    websocket.send("5").await;
    record.extend(["< 6", "# the WebSocket again"].map(str::to_owned));
    let question = r#"420["howAreYou",{"message":"Here too?"}]"#;
    websocket.send(question).await;
    let answer = within("the answer", async {
        loop {
            let packet = websocket.text().await;
            if packet.starts_with("43") {
                return packet;
            }
        }
    })
    .await;
    record.extend(["> 5".to_owned(), format!("> {question}"), format!("< {answer}")]);
    transcript("chapter-2", "upgrade", &record.join("\n"));
}

#[tokio::test]
async fn no_event_is_met_with_silence() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    let mut record = Vec::new();
    for (what, packet, answer) in [
        (
            "an event with an acknowledgement",
            r#"420["howAreYou",{"message":"Well?"}]"#,
            "430",
        ),
        ("the same, malformed", r#"421["howAreYou","Well?"]"#, "431"),
        (
            "an event without an acknowledgement, malformed",
            r#"42["reply",7]"#,
            r#"42["rejected""#,
        ),
        ("an event that nobody knows", r#"42["repyl","a slip"]"#, r#"42["rejected""#),
    ] {
        client.send(packet).await;
        let answer = client.packet(answer).await;
        record.extend([
            format!("# {what}"),
            format!("> {packet}"),
            format!("< {answer}"),
        ]);
    }
    transcript("chapter-2", "answers", &record.join("\n"));
}

#[tokio::test]
async fn the_open_packet_announces_nodes_values() {
    let server = Server::start(CHAPTER).await;
    let open = Polling::open(&server).await.open;
    assert_eq!(open["pingInterval"], 25_000);
    assert_eq!(open["pingTimeout"], 20_000);
    assert_eq!(open["maxPayload"], 1_000_000);
    assert_eq!(open["upgrades"], json!(["websocket"]));
}

// --- Bad events ---

/// Events that are refused, with their arguments.
fn bad_events() -> Vec<(&'static str, Value)> {
    vec![
        ("reply", json!([])),
        ("reply", json!([7])),
        ("reply", json!([null])),
        ("reply", json!([["a", "list"]])),
        ("reply", json!([{ "text": "an object" }])),
        ("reply", json!(["x".repeat(1001)])),
        ("reply", json!(["ü".repeat(1001)])),
        ("howAreYou", json!([])),
        ("howAreYou", json!(["How are you?"])),
        ("howAreYou", json!([{}])),
        ("howAreYou", json!([["an array of the values"]])),
        ("howAreYou", json!([{ "message": 7 }])),
        ("howareyou", json!([{ "message": "the wrong case" }])),
        ("noSuchEvent", json!([])),
        ("", json!([])),
        ("__proto__", json!([])),
    ]
}

#[tokio::test]
async fn a_bad_event_with_an_acknowledgement_is_answered_with_a_sentence() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    for (event, args) in bad_events() {
        let answer = client.ask(event, args.clone()).await;
        assert_eq!(answer["ok"], false, "{event} {args}: {answer}");
        assert!(
            answer["error"].as_str().is_some_and(|error| error.contains(' ')),
            "{answer}"
        );
        assert_eq!(answer.as_object().map(|answer| answer.len()), Some(2), "{answer}");
    }
    assert_eq!(client.ask("reply", json!(["still here"])).await, json!({ "ok": true }));
}

#[tokio::test]
async fn a_bad_event_without_an_acknowledgement_comes_back_as_rejected() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    for (event, args) in bad_events() {
        client.emit(event, args.clone()).await;
        let rejected = client.event("rejected").await;
        assert_eq!(rejected[0]["event"], event, "{args}: {rejected}");
        assert!(rejected[0]["error"].as_str().is_some_and(|error| error.contains(' ')));
    }
    assert_eq!(client.ask("reply", json!(["still here"])).await, json!({ "ok": true }));
}

#[tokio::test]
async fn binary_where_text_is_expected_is_rejected() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.send(r#"451-["reply",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[1, 2, 3]).await;
    assert_eq!(client.event("rejected").await[0]["event"], "reply");
    client.send(r#"451-7["howAreYou",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[1, 2, 3]).await;
    let answer = client.packet("437").await;
    assert!(answer.starts_with(r#"437[{"ok":false,"#), "{answer}");
    assert_eq!(client.ask("reply", json!(["still here"])).await, json!({ "ok": true }));
}

#[tokio::test]
async fn a_reply_of_1000_characters_is_taken_whatever_their_size_in_bytes() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    for reply in ["x".repeat(1000), "👋".repeat(1000), String::new()] {
        assert_eq!(client.ask("reply", json!([reply])).await, json!({ "ok": true }));
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
async fn an_event_name_that_json_has_to_escape_costs_its_sender_the_connection() {
    let server = Server::start(CHAPTER).await;
    let mut bad = SocketIo::connect(&server).await;
    // It makes sense, but is too much for the library.
    assert_eq!(bad.try_ask(r#"a"b"#, json!([])).await, None);
}

#[tokio::test]
async fn an_event_that_is_called_by_a_number_costs_its_sender_the_connection() {
    let server = Server::start(CHAPTER).await;
    let mut bad = SocketIo::connect(&server).await;
    bad.send("42[7]").await;
    bad.closed().await;
}

#[tokio::test]
async fn an_event_for_a_namespace_that_does_not_exist_is_ignored() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.send("42/nowhere,[\"x\"]").await;
    assert_eq!(client.ask("reply", json!(["still here"])).await, json!({ "ok": true }));
}

#[tokio::test]
async fn a_log_line_cannot_be_forged_by_an_event() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = SocketIo::connect(&server).await;
    let forged = "innocent\n2026-01-01 INFO forged\u{1b}[31m";
    client.ask("reply", json!([forged])).await;
    client.ask("howAreYou", json!([{ "message": forged }])).await;
    client.ask("howAreYou", json!([{ "message": "x".repeat(900_000) }])).await;
    client.ask(&"x".repeat(900_000), json!([])).await;
    server.logged("xxxx", 1).await;
    let log = server.log();
    for line in log.lines().filter(|line| line.contains("forged")) {
        assert!(line.contains("innocent"), "the whole text is on one line: {log}");
    }
    assert!(!log.contains('\u{1b}'), "no control character reaches the log: {log:?}");
    assert!(log.len() < 10_000, "a long text is cut: {} bytes", log.len());
}

// --- Limits ---

#[tokio::test]
async fn a_client_that_never_answers_a_ping_is_dropped() {
    if takes_too_long(Duration::from_secs(20)) {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let client = Polling::open(&server).await;
    client.post(&server, "40").await;
    // The first ping leaves with the handshake, and 20 seconds are left for the pong.
    server.logged_within(3 * deadline(), " disconnected ", 1).await;
    assert_eq!(client.post(&server, "3").await.status, 400, "the session is gone");
    assert!(server.log().contains("reason=HeartbeatTimeout"), "{}", server.log());
}

// --- The end of a connection ---

#[tokio::test]
async fn the_log_tells_why_a_client_left() {
    if official::skip() {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = Official::connect(&server, 4).await;
    client.disconnect().await;
    server.logged("reason=ClientNSDisconnect", 1).await;
    SocketIo::connect(&server).await.vanish();
    server.logged("reason=TransportError", 1).await;
}

#[tokio::test]
async fn a_client_that_disconnected_can_come_back() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut client = Official::connect(&server, 4).await;
    client.event("hello").await;
    client.disconnect().await;
    assert_eq!(client.on("disconnect").await["reason"], "io client disconnect");
    client.reconnect().await;
    client.event("hello").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_is_a_transport_close_and_clients_come_back_by_themselves() {
    if official::skip() {
        return;
    }
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let mut clients = Vec::new();
    for &(version, transports) in official::ways() {
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        client.event("hello").await;
        // Who is in the middle of it when the server stops may call it an error.
        if transports == ["polling", "websocket"] {
            client.on("upgrade").await;
        }
        clients.push((client, version, transports));
    }
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
    for (client, version, transports) in &mut clients {
        let reason = client.on("disconnect").await;
        assert_eq!(reason["reason"], "transport close", "{version} {transports:?}");
    }
    let _again = Server::own_with(CHAPTER, &[("PORT", &port)]).await;
    for (client, ..) in &mut clients {
        client.event("hello").await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_does_not_wait_for_a_client_that_no_longer_reads() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let mut stuck =
        RawWebSocket::open(&server, "/socket.io/?EIO=4&transport=websocket").await;
    stuck.write_frame(0x81, b"40").await;
    within("the connection to /", async {
        while !stuck.frame().await.unwrap().payload.starts_with(b"42") {}
    })
    .await;
    let question = format!(r#"420["{}"]"#, "x".repeat(1000));
    let question = ws::frame(0x81, true, question.as_bytes()).repeat(100);
    // Every one is rejected, and nobody reads the rejections: thirty megabytes of them, more
    // than the connection itself can hold, and in a longer run a hundred.
    for _ in 0..times(10_000).max(300) {
        within("room to write", stuck.tcp.write_all(&question)).await.unwrap();
    }
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn thousands_of_connections_leave_tasks_memory_and_descriptors_where_they_were() {
    if left_out("thousands of connections") {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    // A task that did not end holds ten kilobytes.
    let cycle = async |n: usize| {
        let mut client = SocketIo::connect(&server).await;
        match n % 3 {
            0 => client.send("41").await,
            1 => client.send("1").await,
            _ => {}
        }
        client.vanish();
    };
    server.keeps_nothing_of(" disconnected ", 1024, cycle).await;
}

// --- Starting ---

#[tokio::test]
async fn a_taken_port_or_a_bad_setting_is_one_clear_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    for (name, value) in
        [("PORT", taken.as_str()), ("PORT", "http"), ("HOST", "192.0.2.1")]
    {
        let Some((code, output, errors)) =
            Server::refused(CHAPTER, &[(name, value)]).await
        else {
            return;
        };
        assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
        assert_eq!(errors.lines().count(), 1, "one sentence: {errors}");
        assert!(errors.contains(value), "{errors}");
    }
}
