//! Joining a room and speaking to it. These promises know nothing but `joinRoom`, `chatInput`
//! and `chatMessage`: a first server acknowledges nothing.

use serde_json::{Value, json};
use support::{Server, own_name, polling::Polling, socket_io::SocketIo, within};

use crate::CHAPTER;

/// How a nickname begins that only asks whether anybody hears it.
const KNOCK: &str = "knock";

/// What came to `client` before the answer to a packet sent now. Every server refuses a
/// namespace that does not exist.
async fn so_far(client: &mut SocketIo) -> Vec<String> {
    let nowhere = own_name("/nowhere");
    client.send(&format!("40{nowhere},")).await;
    client.before(&format!("44{nowhere},")).await
}

/// A long conversation. When a client has its answer to `40`, the library has one last thing to
/// do, and until then takes no notice of another `40`. On a busy machine the thread that has to
/// do it may wait for its turn.
pub(crate) async fn settle(client: &mut SocketIo) {
    for _ in 0..100 {
        so_far(client).await;
    }
}

/// The chat messages among them.
async fn messages(client: &mut SocketIo) -> Vec<String> {
    let mut packets = so_far(client).await;
    packets.retain(|packet| packet.contains("chatMessage") && !packet.contains(KNOCK));
    packets
}

/// Sends `joinRoom`, and knocks until somebody hears it: `witness`, who is in the room
/// already, or the client itself, if it was in no room before.
pub(crate) async fn enter(
    client: &mut SocketIo,
    room: &str,
    mut witness: Option<&mut SocketIo>,
) {
    let knock = own_name(KNOCK);
    // The first server has its handlers only when the client has been told that it is
    // connected.
    so_far(client).await;
    client.emit("joinRoom", json!([{ "room": room }])).await;
    within("a message in the room that was joined", async {
        loop {
            say(client, &knock, "is anybody here?").await;
            let mut heard = so_far(client).await;
            if let Some(witness) = &mut witness {
                heard = so_far(witness).await;
            }
            if heard.iter().any(|packet| packet.contains(&knock)) {
                return;
            }
        }
    })
    .await;
}

async fn say(client: &mut SocketIo, nick: &str, msg: &str) {
    client.emit("chatInput", json!([{ "nick": nick, "msg": msg }])).await;
}

/// The next message that is not a knock.
async fn message(client: &mut SocketIo) -> Value {
    loop {
        let message = client.event("chatMessage").await;
        if !message[0]["nick"].as_str().is_some_and(|nick| nick.starts_with(KNOCK)) {
            return message;
        }
    }
}

#[tokio::test]
async fn a_chat_message_reaches_the_whole_room_sender_included_and_nobody_else() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut nowhere = SocketIo::connect(&server).await;
    let [mut ada, mut bob, mut carol] = [
        SocketIo::connect(&server).await,
        SocketIo::connect(&server).await,
        SocketIo::connect(&server).await,
    ];
    enter(&mut ada, &red, None).await;
    enter(&mut bob, &red, None).await;
    enter(&mut carol, &blue, None).await;
    say(&mut ada, "Ada", "<i>hello</i> 👋").await;
    let said = json!([{ "nick": "Ada", "msg": "<i>hello</i> 👋" }]);
    assert_eq!(message(&mut ada).await, said);
    assert_eq!(message(&mut bob).await, said);
    assert_eq!(messages(&mut carol).await, [""; 0]);
    assert_eq!(messages(&mut nowhere).await, [""; 0]);
}

#[tokio::test]
async fn who_joins_another_room_no_longer_hears_the_one_before() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut stays = SocketIo::connect(&server).await;
    let mut waits = SocketIo::connect(&server).await;
    let mut moves = SocketIo::connect(&server).await;
    enter(&mut stays, &red, None).await;
    enter(&mut waits, &blue, None).await;
    enter(&mut moves, &red, None).await;
    enter(&mut moves, &blue, Some(&mut waits)).await;
    say(&mut stays, "Ada", "to red").await;
    assert_eq!(message(&mut stays).await[0]["msg"], "to red");
    say(&mut waits, "Bob", "to blue").await;
    assert_eq!(message(&mut moves).await, json!([{ "nick": "Bob", "msg": "to blue" }]));
}

#[tokio::test]
async fn a_client_that_leaves_and_comes_back_at_once_is_let_in() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    for _ in 0..15 {
        settle(&mut client).await;
        client.send("41").await;
        client.join("/", None).await.expect("let in again");
    }
}

/// Why a chapter about rooms makes ids of its own.
#[tokio::test]
async fn the_id_of_a_socket_is_the_id_of_its_session() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    client.post(&server, "40").await;
    let connected = client.packet(&server, "40").await;
    assert_eq!(connected, format!("40{}", json!({ "sid": client.sid })));
}
