//! The promises of chapter 3, over the wire.

use serde_json::{Value, json};
use support::{Server, http, own_digits, socket_io::SocketIo};

// What other programs promise too.
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/page.rs"]
mod page;
#[path = "promises/random.rs"]
mod random;

#[path = "chapter_3/dynamic.rs"]
mod dynamic;
#[path = "chapter_3/namespaces.rs"]
mod namespaces;
#[path = "chapter_3/notices.rs"]
mod notices;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-3");

/// The namespaces of the first step, with the event that greets in each.
const NAMESPACES: [(&str, &str, &str); 3] = [
    ("/", "hi", "everyone"),
    ("/room", "newRoom", "a room"),
    ("/chat", "join", "joined"),
];

/// The one that comes with the notices.
const SYSTEM: (&str, &str, &str) = ("/system", "message", "Notice !");

// What the shared promises have to know.
const AUTH: &str = "";
const UNKNOWN: [&str; 5] =
    ["/nowhere", "/room", "/chat", "/dynamic-7", "/socket.io/nothing.js"];

async fn connect(server: &Server) -> SocketIo {
    SocketIo::connect(server).await
}

fn question() -> (&'static str, Value) {
    ("whereAmI", json!([]))
}

/// A client that is in `namespace` and in no other.
async fn enter(server: &Server, namespace: &str) -> SocketIo {
    let mut client = SocketIo::open(server, "").await;
    let entered = client.join(namespace, None).await;
    entered.unwrap_or_else(|error| panic!("{namespace} is refused: {error}"));
    client
}

/// Asks `namespace` for its name. The answer is its own, and comes after all that it sent
/// before.
async fn is_in(client: &mut SocketIo, namespace: &str) {
    let answer = client.ask_in(namespace, "whereAmI", json!([])).await;
    assert_eq!(answer, json!({ "ok": true, "namespace": namespace }));
}

/// A client that enters `namespace` hears its greeting, and nothing else.
async fn greets(server: &Server, namespace: &str, event: &str, text: &str) {
    let mut client = enter(server, namespace).await;
    client.packet(&packet(namespace, event, text)).await;
    is_in(&mut client, namespace).await;
    let rest = client.so_far_in(namespace, "whereAmI").await;
    assert_eq!(without_notices(rest), [""; 0], "{namespace}");
}

/// A dynamic namespace that no other test enters.
fn own_dynamic() -> String {
    format!("/dynamic-{}", own_digits())
}

/// The packet that brings an event with one string to a client.
fn packet(namespace: &str, event: &str, text: &str) -> String {
    let namespace =
        if namespace == "/" { String::new() } else { format!("{namespace},") };
    format!("42{namespace}{}", json!([event, text]))
}

/// Without the notices of other tests, which may share the server with this one.
fn without_notices(mut packets: Vec<String>) -> Vec<String> {
    packets.retain(|packet| !packet.contains(r#"["message","notice-"#));
    packets
}

/// Sends a notice and returns the status.
async fn notice(server: &Server, namespace: &str, message: &str) -> u16 {
    let body = json!({ "namespace": namespace, "message": message }).to_string();
    post_notice(server, &body).await
}

async fn post_notice(server: &Server, body: &str) -> u16 {
    let headers = [("content-type", "application/json")];
    http::send(server, "POST", "/notice", &headers, body.to_owned()).await.status.as_u16()
}
