//! Step 2.3: no bad event is met with silence, and one limit on every transport.

use serde_json::{Value, json};
use support::{Server, polling::Polling, record::transcript, socket_io::SocketIo};

use crate::CHAPTER;

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
        ("askMe", json!([])),
        ("askMe", json!(["one argument"])),
        ("askMe", json!(["two of the wrong types", "5000"])),
        ("askMe", json!(["a negative time", -1])),
        ("askMe", json!(["three", 5000, 7])),
        ("askMe", json!(["for ever", 10_001])),
        ("askMe", json!(["x".repeat(1001), 5000])),
        ("mirror", json!([])),
        ("mirror", json!(["text"])),
        ("mirror", json!([[1, 2, 3]])),
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
async fn a_long_text_does_not_fill_the_log() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = SocketIo::connect(&server).await;
    let long = "x".repeat(900_000);
    client.emit("reply", json!([long])).await;
    client.emit(&long, json!([])).await;
    let answer = client.ask("howAreYou", json!([{ "message": long }])).await;
    assert_eq!(answer["ok"], true, "no limit but that of all messages: {answer}");
    server.logged("xxxx", 1).await;
    let log = server.log();
    assert!(log.len() < 10_000, "a long text is cut: {} bytes", log.len());
}

#[tokio::test]
async fn the_open_packet_announces_the_limit() {
    let server = Server::start(CHAPTER).await;
    assert_eq!(Polling::open(&server).await.open["maxPayload"], 1_000_000);
}
