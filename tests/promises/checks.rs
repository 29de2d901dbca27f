//! What the programs of chapter 5 promise: a token is checked when a client connects, and every
//! event is answered.

use serde_json::{Value, json};
use support::{Server, socket_io::SocketIo};

use crate::CHAPTER;

/// The `auth` of a guest, as it is sent.
pub(crate) const AUTH: &str = r#"{"token":"guest-token"}"#;

pub(crate) fn guest() -> Option<Value> {
    Some(json!({ "token": "guest-token" }))
}

/// A connection on which nobody has asked for a namespace.
pub(crate) async fn open(server: &Server) -> SocketIo {
    SocketIo::open(server, "").await
}

/// A guest in `/`.
pub(crate) async fn connect(server: &Server) -> SocketIo {
    let mut client = open(server).await;
    client.join("/", guest()).await.expect("a guest is let in");
    client
}

/// Some conversation. When a client has its refusal, the library has one last thing to do,
/// and until then takes no notice of the same question.
pub(crate) async fn settle(client: &mut SocketIo) {
    for _ in 0..50 {
        client.join("/nowhere", None).await.expect_err("unknown");
    }
}

/// An event that is always accepted.
pub(crate) fn question() -> (&'static str, Value) {
    ("role", json!([]))
}

#[tokio::test]
async fn a_client_that_leaves_and_comes_back_at_once_is_let_in() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    for _ in 0..20 {
        // Some conversation first: a connection that is just being made is not left yet.
        for _ in 0..20 {
            assert_eq!(client.ask("role", json!([])).await["role"], "guest");
        }
        client.send("41").await;
        client.join("/", guest()).await.expect("let in again");
    }
}

#[tokio::test]
async fn a_bad_event_is_refused_and_the_socket_lives_on() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let error = "there is no such event";
    for event in
        ["noSuchEvent", "Role", "", "__proto__", "constructor", "welcome", "rejected"]
    {
        let answer = client.ask(event, json!([])).await;
        assert_eq!(answer, json!({ "ok": false, "error": error }), "{event}");
        client.emit(event, json!([{ "any": "thing" }])).await;
        let rejected = client.event("rejected").await;
        assert_eq!(rejected, json!([{ "event": event, "error": error }]));
    }
    client.send(r#"451-["bytes",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[1, 2, 3]).await;
    assert_eq!(client.event("rejected").await[0]["event"], "bytes");
    assert_eq!(client.ask("role", json!(["ignored"])).await["role"], "guest");
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_ends_with_0_also_while_it_is_checking_somebody() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let mut waiting = open(&server).await;
    waiting.send("40/slow,").await;
    server.logged("a slow check begins", 1).await;
    let mut client = connect(&server).await;
    server.signal("TERM").await;
    client.closed().await;
    assert_eq!(server.exit().await.code(), Some(0));
}
