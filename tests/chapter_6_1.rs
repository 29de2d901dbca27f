//! The promises of chapter 6-1, over the wire.

use serde_json::json;
use support::{
    chat::{Chat, LOBBY, Visitor, form},
    http,
    record::transcript,
    socket_io::SocketIo,
};

// What every later step promises too.
#[path = "chapter_6_1/lobby.rs"]
mod lobby;

#[path = "promises/crooked.rs"]
mod crooked;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6-1");

#[tokio::test]
async fn a_room_belongs_to_nobody_and_asks_for_nothing() {
    let chat = Chat::start(CHAPTER).await;
    let id = Visitor::nobody().create(&chat, "Cats").await;
    let (_, rooms) = Visitor::nobody().watch(&chat).await;
    let room = rooms.iter().find(|room| room["id"] == id.as_str()).expect("the room");
    assert_eq!((&room["owner"], &room["secret"]), (&json!(null), &json!(false)));
    assert_eq!(room["members"], 0);
}

#[tokio::test]
async fn nobody_gets_a_cookie() {
    let chat = Chat::start(CHAPTER).await;
    for path in ["/", "/room", "/nowhere", "/socket.io/?EIO=4&transport=polling"] {
        assert_eq!(http::get(&chat, path).await.header("set-cookie"), "", "{path}");
    }
    let fields = [("title", "Cats"), ("max", "10")];
    let made = Visitor::nobody().post_form(&chat, "/room", &fields).await;
    assert_eq!((made.status.as_u16(), made.header("set-cookie")), (303, ""));
}

#[tokio::test]
async fn a_form_becomes_an_event() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let mut socket = SocketIo::open(&chat, "").await;
    socket.send("40/room,").await;
    let connected = socket.packet("40/room,").await;
    let list = socket.packet("42/room,").await;
    let fields = [("title", "Cats & dogs"), ("max", "10")];
    let made = Visitor::nobody().post_form(&chat, "/room", &fields).await;
    let told = socket.packet("42/room,").await;
    let (_, rooms) = Visitor::nobody().watch(&chat).await;
    let (id, created) = (rooms[0]["id"].as_str(), rooms[0]["createdAt"].as_str());
    let (id, created) = (id.expect("an id"), created.expect("a time"));
    let sid = connected.split('"').nth(3).expect("a session id").to_owned();
    let record = [
        "# somebody opens the lobby".to_owned(),
        format!("> 40{LOBBY},"),
        format!("< {connected}"),
        format!("< {list}"),
        "# somebody else sends the form".to_owned(),
        format!("> POST /room  {}", form(&fields)),
        format!("< {}  location: {}", made.status, made.header("location")),
        "# and the first one hears of it".to_owned(),
        format!("< {told}"),
    ];
    let record = record.join("\n").replace(&sid, "<sid>").replace(id, "<id>");
    let record = record.replace(created, "<time>");
    transcript("chapter-6-1", "lobby", &record);
}
