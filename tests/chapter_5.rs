//! The promises of chapter 5, over the wire: one module for each step.

use serde_json::{Value, json};
use support::{Server, socket_io::SocketIo};

#[path = "chapter_5/check.rs"]
mod check;
#[path = "chapter_5/layers.rs"]
mod layers;
#[path = "chapter_5/packets.rs"]
mod packets;
#[path = "chapter_5/roles.rs"]
mod roles;

// What other programs promise too.
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/page.rs"]
mod page;
#[path = "promises/random.rs"]
mod random;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-5");

// What the shared promises have to know.
const UNKNOWN: [&str; 4] = ["/nowhere", "/socket.io/nothing.js", "/admin", "/busy"];

/// The `auth` of a guest, as it is sent.
const AUTH: &str = r#"{"token":"guest-token"}"#;

fn guest() -> Option<Value> {
    Some(json!({ "token": "guest-token" }))
}

fn admin() -> Option<Value> {
    Some(json!({ "token": "admin-token" }))
}

/// What clients may send instead of `{token: "…"}`.
fn bad_auths() -> Vec<Option<Value>> {
    vec![
        None,
        Some(json!({})),
        Some(json!({ "token": null })),
        Some(json!({ "token": 7 })),
        Some(json!({ "token": ["guest-token"] })),
        Some(json!({ "token": { "token": "guest-token" } })),
        Some(json!({ "Token": "guest-token" })),
        Some(json!({ "token": "" })),
        Some(json!({ "token": "guest-toke" })),
        Some(json!({ "token": "guest-token " })),
        Some(json!({ "token": "GUEST-TOKEN" })),
        Some(json!({ "token": "guest-token\u{0}" })),
        Some(json!({ "token": "x".repeat(100_000) })),
    ]
}

/// A connection on which no namespace was asked for.
async fn open(server: &Server) -> SocketIo {
    SocketIo::open(server, "").await
}

/// A guest in `/`.
async fn connect(server: &Server) -> SocketIo {
    connect_as(server, guest()).await
}

/// A client in `/`, with this token.
async fn connect_as(server: &Server, auth: Option<Value>) -> SocketIo {
    let mut client = open(server).await;
    client.join("/", auth).await.expect("let in");
    client
}

/// Some conversation. When a client has its refusal, the library has one last thing to do, and
/// until then ignores the same question.
async fn settle(client: &mut SocketIo) {
    for _ in 0..50 {
        client.join("/nowhere", None).await.expect_err("unknown");
    }
}

/// An event that is always accepted.
fn question() -> (&'static str, Value) {
    ("role", json!([]))
}
