//! The promises of chapter 4, over the wire. Each module holds those of one step.

use std::collections::HashSet;

use serde_json::{Value, json};
use support::{Server, own_name, polling::Polling, socket_io::SocketIo};

#[path = "chapter_4/buffers.rs"]
mod buffers;
#[path = "chapter_4/members.rs"]
mod members;
#[path = "chapter_4/operators.rs"]
mod operators;
#[path = "chapter_4/outside.rs"]
mod outside;
#[path = "chapter_4/rooms.rs"]
mod rooms;
#[path = "chapter_4/whispers.rs"]
mod whispers;

// What other programs promise too.
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/page.rs"]
mod page;
#[path = "promises/random.rs"]
mod random;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-4");

// What the shared promises have to know.
const AUTH: &str = "";
const UNKNOWN: [&str; 5] =
    ["/nowhere", "/rooms", "/rooms/", "/rooms/red/members", "/notice"];

async fn connect(server: &Server) -> SocketIo {
    SocketIo::connect(server).await
}

fn question() -> (&'static str, Value) {
    ("joinRoom", json!([{ "room": own_name("first") }]))
}

/// A client, and its id for others.
struct Member {
    client: SocketIo,
    id: String,
}

impl Member {
    /// Connects and joins `room`.
    async fn of(server: &Server, room: &str) -> Self {
        let mut client = SocketIo::connect(server).await;
        let answer = join(&mut client, room).await;
        let id = answer["you"]["id"].as_str().expect("an id").to_owned();
        Self { client, id }
    }

    /// What came before the answer to a question asked now, as `heard` tells it.
    async fn heard(&mut self) -> Vec<String> {
        heard(&mut self.client).await
    }
}

/// What came to `client` before the answer to a question asked now.
async fn so_far(client: &mut SocketIo) -> Vec<String> {
    client.so_far("who", json!([{ "room": "nowhere" }])).await
}

/// The same without what other tests say to everybody: they may share the server with this
/// one.
async fn heard(client: &mut SocketIo) -> Vec<String> {
    let mut packets = so_far(client).await;
    packets.retain(|packet| !packet.contains(ALOUD));
    packets
}

/// How a text begins that is said to everybody.
const ALOUD: &str = "aloud";

/// Joins `room` and returns the whole answer.
async fn join(client: &mut SocketIo, room: &str) -> Value {
    let answer = client.ask("joinRoom", json!([{ "room": room }])).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer
}

/// Joins `room` in a polling session, and returns the packet with the answer.
async fn join_by_polling(server: &Server, client: &Polling, room: &str) -> String {
    let join = json!(["joinRoom", { "room": room }]);
    client.post(server, &format!("420{join}")).await;
    client.packet(server, "430").await
}

/// The ids of those in `room`.
async fn who(client: &mut SocketIo, room: &str) -> HashSet<String> {
    let answer = client.ask("who", json!([{ "room": room }])).await;
    assert_eq!(answer["ok"], true, "{answer}");
    ids(&answer)
}

fn ids(answer: &Value) -> HashSet<String> {
    let members = answer["members"].as_array().expect("a list of members");
    let id = |member: &Value| member["id"].as_str().expect("an id").to_owned();
    let ids: HashSet<_> = members.iter().map(id).collect();
    assert_eq!(ids.len(), members.len(), "nobody twice: {answer}");
    ids
}

fn set<const N: usize>(members: [&Member; N]) -> HashSet<String> {
    members.map(|member| member.id.clone()).into()
}

/// A server of the library alone: what a test promises about the library needs no program.
async fn serve(app: axum::Router) -> Server {
    let listener =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("BUG: it is bound").to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    Server::at(&address)
}
