//! The promises of chapter 4, over the wire.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use socketioxide::{
    SendError, SocketError,
    extract::{Extension, MaybeExtension, SocketRef},
};
use support::{
    Server,
    effort::{left_out, times},
    http,
    official::{self, Official},
    own_name,
    polling::Polling,
    record::transcript,
    socket_io::SocketIo,
    within, within_after,
};

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

async fn move_room(server: &Server, from: &str, body: &str) -> u16 {
    let headers = [("content-type", "application/json")];
    let path = format!("/rooms/{from}/move");
    http::send(server, "POST", &path, &headers, body.to_owned()).await.status.as_u16()
}

/// The body of a request to move a room.
fn to(room: &str) -> String {
    json!({ "to": room }).to_string()
}

async fn delete_room(server: &Server, room: &str) -> u16 {
    let path = format!("/rooms/{room}");
    http::send(server, "DELETE", &path, &[], "").await.status.as_u16()
}

// --- HTTP ---

#[tokio::test]
async fn the_wrong_method_is_405() {
    let server = Server::start(CHAPTER).await;
    for path in ["/rooms/red", "/rooms/red/move"] {
        assert_eq!(http::get(&server, path).await.status, 405, "{path}");
    }
}

// --- Joining ---

#[tokio::test]
async fn joining_is_answered_with_the_room_you_and_all_members() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut other = SocketIo::connect(&server).await;
    let answer = join(&mut other, &red).await;
    let you = answer["you"]["id"].as_str().unwrap();
    assert_eq!(answer["room"], red);
    assert_ne!(you, one.id);
    assert_eq!(ids(&answer), [you.to_owned(), one.id.clone()].into());
    assert_eq!(ids(&answer), who(&mut one.client, &red).await);
    assert_eq!(answer.as_object().map(|answer| answer.len()), Some(4), "{answer}");
}

#[tokio::test]
async fn whoever_joins_a_room_leaves_the_one_before_and_keeps_the_id() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &red).await;
    let answer = join(&mut one.client, &blue).await;
    assert_eq!(answer["you"]["id"], json!(one.id));
    assert_eq!(ids(&answer), set([&one]));
    assert_eq!(who(&mut one.client, &red).await, set([&other]));
    assert_eq!(who(&mut one.client, &blue).await, set([&one]));
    // Joining the same room again changes nothing.
    assert_eq!(ids(&join(&mut one.client, &blue).await), set([&one]));
    other.client.ask("chatInput", json!([{ "nick": "o", "msg": "to red" }])).await;
    assert_eq!(one.heard().await, [""; 0]);
}

#[tokio::test]
async fn nobody_is_in_a_room_before_joining_one() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    assert_eq!(heard(&mut client).await, [""; 0]);
    assert_eq!(who(&mut client, &red).await, HashSet::new());
}

#[tokio::test]
async fn a_room_name_has_1_to_50_characters_whatever_their_size_in_bytes() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    for room in ["x", " ", "방", "__proto__"] {
        assert_eq!(join(&mut client, room).await["room"], room);
        assert!(!who(&mut client, room).await.is_empty(), "{room}");
    }
    let own = own_name("");
    let longest = "👋".repeat(50 - own.len());
    for room in ["방", "a/b?c#d", "__proto__", "<b>red</b>", &longest] {
        let room = &format!("{room}{own}");
        assert_eq!(join(&mut client, room).await["room"], *room);
        assert_eq!(who(&mut client, room).await.len(), 1, "{room}");
    }
    for room in [String::new(), "x".repeat(51), "👋".repeat(51)] {
        let answer = client.ask("joinRoom", json!([{ "room": room }])).await;
        assert_eq!(answer["ok"], false, "{room}");
    }
}

#[tokio::test]
async fn joins_that_are_sent_all_at_once_end_in_exactly_one_room() {
    let server = Server::start(CHAPTER).await;
    let mut watcher = SocketIo::connect(&server).await;
    for round in 0..times(200) {
        let own = own_name("hasty");
        let mut hasty = SocketIo::connect(&server).await;
        for n in 0..20 {
            hasty.send(&format!(r#"429{n:02}["joinRoom",{{"room":"{own}-{n}"}}]"#)).await;
        }
        for n in 0..20 {
            hasty.packet(&format!("439{n:02}[")).await;
        }
        let mut rooms = 0;
        for n in 0..20 {
            rooms += who(&mut watcher, &format!("{own}-{n}")).await.len();
        }
        assert_eq!(rooms, 1, "round {round}");
    }
}

#[tokio::test]
async fn whoever_vanishes_while_joining_leaves_no_trace() {
    let server = Server::start(CHAPTER).await;
    let trap = own_name("trap");
    for _ in 0..times(2000) {
        let mut hasty = SocketIo::connect(&server).await;
        for n in 0..5 {
            hasty.emit("joinRoom", json!([{ "room": format!("{trap}-{n}") }])).await;
        }
        hasty.vanish();
    }
    let mut watcher = SocketIo::connect(&server).await;
    for n in 0..5 {
        within("an empty room", async {
            while !who(&mut watcher, &format!("{trap}-{n}")).await.is_empty() {}
        })
        .await;
    }
}

// --- Chat ---

#[tokio::test]
async fn a_chat_message_reaches_the_whole_room_sender_included_and_nobody_else() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut two = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    let mut nowhere = SocketIo::connect(&server).await;
    let message = json!({ "nick": "Ada", "msg": "<i>hello</i> 👋" });
    let answer = one.client.ask("chatInput", json!([message])).await;
    assert_eq!(answer, json!({ "ok": true }));
    assert_eq!(one.client.event("chatMessage").await, json!([message]));
    assert_eq!(two.client.event("chatMessage").await, json!([message]));
    assert_eq!(other.heard().await, [""; 0]);
    assert_eq!(heard(&mut nowhere).await, [""; 0]);
}

#[tokio::test]
async fn a_chat_message_from_somebody_in_no_room_is_refused() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    let args = json!([{ "nick": "Ada", "msg": "hello" }]);
    let answer = client.ask("chatInput", args.clone()).await;
    assert_eq!(answer, json!({ "ok": false, "error": "join a room first" }));
    client.emit("chatInput", args).await;
    assert_eq!(client.event("rejected").await[0]["event"], "chatInput");
}

#[tokio::test]
async fn two_members_talk_and_one_leaves() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut ada = Member::of(&server, &red).await;
    let mut bob = SocketIo::connect(&server).await;
    let mut record = Vec::new();
    let join = json!(["joinRoom", { "room": red }]);
    for (what, packet, answers) in [
        ("Bob joins, after Ada", &*format!("420{join}"), &["430["][..]),
        (
            "and speaks: his own copy, then the answer",
            r#"421["chatInput",{"nick":"Bob","msg":"Hello"}]"#,
            &["42[", "431["],
        ),
        ("the others hear it", r#"422["say",{"how":"to","msg":"Hello"}]"#, &["432["]),
        ("a slip", r#"42["say",{"how":"at","msg":"Hello"}]"#, &["42["]),
    ] {
        record.extend([format!("# {what}"), format!("> {packet}")]);
        bob.send(packet).await;
        for answer in answers {
            record.push(format!("< {}", bob.packet(answer).await));
        }
    }
    bob.send("41").await;
    record.extend(["# Bob leaves".to_owned(), "> 41".to_owned()]);
    record.push("# all that Ada heard".to_owned());
    for event in ["chatMessage", r#"said",{"how":"to"#, "user has left"] {
        record.push(format!("< {}", ada.client.packet(&format!("42[\"{event}\"")).await));
    }
    let record = record.join("\n").replace(&red, "red");
    let mut record = record.replace(&ada.id, "<ada>");
    let bob = record.split(r#""you":{"id":""#).nth(1).and_then(|rest| rest.get(..36));
    record = record.replace(bob.expect("an id"), "<bob>");
    // The list is in no particular order.
    record = record.replace(
        r#"[{"id":"<ada>"},{"id":"<bob>"}]"#,
        r#"[{"id":"<bob>"},{"id":"<ada>"}]"#,
    );
    transcript("chapter-4", "room", &record);
}

// --- Operators ---

/// Who hears what one member of a room says: itself, another one in its room, one in another
/// room, and one in no room.
async fn hears(how: &str, room: Meant) -> [bool; 4] {
    let server = Server::start(CHAPTER).await;
    let (red, blue) = (own_name("red"), own_name("blue"));
    let mut sender = Member::of(&server, &red).await;
    let mut one = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    let mut nowhere =
        Member { client: SocketIo::connect(&server).await, id: String::new() };
    let text = own_name(ALOUD);
    let mut say = json!({ "how": how, "msg": text });
    match room {
        Meant::Own => say["room"] = red.into(),
        Meant::Other => say["room"] = blue.into(),
        Meant::Unnamed => {}
    }
    let answer = sender.client.ask("say", json!([say])).await;
    assert_eq!(answer, json!({ "ok": true }), "{say}");
    let said = format!("42{}", json!(["said", { "how": how, "msg": text }]));
    let mut heard = [false; 4];
    for (heard, member) in
        heard.iter_mut().zip([&mut sender, &mut one, &mut other, &mut nowhere])
    {
        // Two questions: a volatile packet has a way of its own and may come after one.
        let mut packets = so_far(&mut member.client).await;
        packets.extend(so_far(&mut member.client).await);
        packets.retain(|packet| packet.contains(&text) || !packet.contains(ALOUD));
        assert!(packets.len() <= 1 && packets.iter().all(|packet| *packet == said));
        *heard = !packets.is_empty();
    }
    heard
}

/// The room that a member names when it speaks.
#[derive(Clone, Copy)]
enum Meant {
    Own,
    Other,
    Unnamed,
}

#[tokio::test]
async fn to_reaches_the_others_in_a_room() {
    assert_eq!(hears("to", Meant::Own).await, [false, true, false, false]);
    assert_eq!(hears("to", Meant::Other).await, [false, false, true, false]);
}

#[tokio::test]
async fn within_reaches_a_room_and_its_sender_too() {
    assert_eq!(hears("within", Meant::Own).await, [true, true, false, false]);
    assert_eq!(hears("within", Meant::Other).await, [false, false, true, false]);
}

#[tokio::test]
async fn except_reaches_all_others_outside_a_room() {
    assert_eq!(hears("except", Meant::Own).await, [false, false, true, true]);
    assert_eq!(hears("except", Meant::Other).await, [false, true, false, true]);
}

#[tokio::test]
async fn broadcast_reaches_everybody_but_the_sender() {
    assert_eq!(hears("broadcast", Meant::Unnamed).await, [false, true, true, true]);
}

#[tokio::test]
async fn volatile_reaches_the_others_in_a_room_as_long_as_they_keep_up() {
    assert_eq!(hears("volatile", Meant::Own).await, [false, true, false, false]);
}

#[tokio::test]
async fn local_reaches_everybody_on_this_server_but_the_sender() {
    assert_eq!(hears("local", Meant::Unnamed).await, [false, true, true, true]);
}

#[tokio::test]
async fn without_a_room_the_senders_own_is_meant() {
    for (how, sender) in [("to", false), ("within", true), ("volatile", false)] {
        let heard = hears(how, Meant::Unnamed).await;
        assert_eq!(heard, [sender, true, false, false], "{how}");
    }
    assert_eq!(hears("except", Meant::Unnamed).await, [false, false, true, true]);
}

#[tokio::test]
async fn somebody_in_no_room_may_speak_to_one_but_has_to_name_it() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut red_one = Member::of(&server, &red).await;
    let mut client = SocketIo::connect(&server).await;
    for how in ["to", "within", "except", "volatile"] {
        let answer = client.ask("say", json!([{ "how": how, "msg": "hello" }])).await;
        assert_eq!(answer["ok"], false, "{how}");
    }
    let say = json!([{ "how": "within", "room": red, "msg": "from outside" }]);
    assert_eq!(client.ask("say", say).await, json!({ "ok": true }));
    let said = r#"42["said",{"how":"within","msg":"from outside"}]"#;
    red_one.client.packet(said).await;
    let say = json!([{ "how": "to", "room": "nobody is here", "msg": "hello" }]);
    assert_eq!(client.ask("say", say).await, json!({ "ok": true }));
}

#[tokio::test]
async fn of_many_volatile_messages_a_client_that_does_not_read_keeps_the_last() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut sender = Member::of(&server, &red).await;
    let slow = Polling::connect(&server, AUTH).await;
    join_by_polling(&server, &slow, &red).await;
    for n in 0..10 {
        let say = json!([{ "how": "volatile", "msg": format!("position {n}") }]);
        sender.client.ask("say", say).await;
    }
    let say = json!([{ "how": "to", "msg": "not volatile" }]);
    sender.client.ask("say", say).await;
    // Between two polls nobody reads: nine of the ten are gone, and nobody was told. Two
    // questions: a volatile packet has a way of its own and may come after one.
    let mut got = String::new();
    for id in 1..=2 {
        slow.post(&server, &format!(r#"42{id}["who",{{"room":"nowhere"}}]"#)).await;
        within("the answer", async {
            while !got.contains(&format!("43{id}[")) {
                got += &slow.get(&server).await.text();
            }
        })
        .await;
    }
    assert!(got.contains("not volatile"), "{got}");
    assert_eq!(got.matches("position").count(), 1, "{got}");
    assert!(got.contains("position 9"), "{got}");
}

// --- Whispers ---

#[tokio::test]
async fn a_whisper_reaches_one_member_of_the_room_and_nobody_else() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut two = Member::of(&server, &red).await;
    let mut three = Member::of(&server, &red).await;
    let whisper = json!([{ "to": two.id, "msg": "psst" }]);
    assert_eq!(one.client.ask("whisper", whisper).await, json!({ "ok": true }));
    let whispered = two.client.event("whispered").await;
    assert_eq!(whispered, json!([{ "from": one.id, "msg": "psst" }]));
    assert_eq!(one.heard().await, [""; 0]);
    assert_eq!(three.heard().await, [""; 0]);
    // An answer, by the id that came with it.
    let back = json!([{ "to": whispered[0]["from"], "msg": "what?" }]);
    assert_eq!(two.client.ask("whisper", back).await, json!({ "ok": true }));
    assert_eq!(one.client.event("whispered").await[0]["from"], json!(two.id));
}

#[tokio::test]
async fn a_whisper_to_somebody_in_another_room_or_to_nobody_is_refused() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    let mut gone = Member::of(&server, &red).await;
    gone.client.send("41").await;
    one.client.event("user has left").await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    for to in [other.id.as_str(), gone.id.as_str(), nobody] {
        let answer =
            one.client.ask("whisper", json!([{ "to": to, "msg": "psst" }])).await;
        assert_eq!(answer["error"], "nobody in your room has this id", "{answer}");
    }
    assert_eq!(other.heard().await, [""; 0]);
    let mut outside = SocketIo::connect(&server).await;
    let answer = outside.ask("whisper", json!([{ "to": one.id, "msg": "psst" }])).await;
    assert_eq!(answer, json!({ "ok": false, "error": "join a room first" }));
}

#[tokio::test]
async fn joining_a_room_that_is_named_like_a_member_does_not_show_its_whispers() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut two = Member::of(&server, &red).await;
    let mut spy = Member::of(&server, &two.id).await;
    one.client.ask("whisper", json!([{ "to": two.id, "msg": "psst" }])).await;
    two.client.event("whispered").await;
    assert_eq!(spy.heard().await, [""; 0]);
}

// --- Ids ---

#[tokio::test]
async fn whoever_knows_the_id_of_a_polling_session_speaks_for_it() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut friend = Member::of(&server, &red).await;
    let victim = Polling::connect(&server, AUTH).await;
    let joined = join_by_polling(&server, &victim, &red).await;
    let joined: Value = serde_json::from_str(&joined[3..]).unwrap();
    // Another computer, another connection, no cookie: the id in the address is all it has.
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", victim.sid);
    let whisper =
        json!(["whisper", { "to": friend.id, "msg": "please send me the key" }]);
    let post = http::send(&server, "POST", &path, &[], format!("42{whisper}")).await;
    assert_eq!(post.status, 200);
    let whispered = friend.client.event("whispered").await;
    assert_eq!(whispered[0]["from"], joined[0]["you"]["id"], "as if from the victim");
}

#[tokio::test]
async fn the_id_of_a_socket_is_the_id_of_its_session() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    client.post(&server, "40").await;
    let connected = client.packet(&server, "40").await;
    assert_eq!(connected, format!("40{}", json!({ "sid": client.sid })));
}

#[tokio::test]
async fn no_client_ever_sees_the_session_id_of_another() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let victim = Polling::connect(&server, AUTH).await;
    let joined = join_by_polling(&server, &victim, &red).await;
    assert!(!joined.contains(&victim.sid));
    let mut other = SocketIo::connect(&server).await;
    let mut seen = vec![join(&mut other, &red).await.to_string()];
    seen.push(other.ask("who", json!([{ "room": red }])).await.to_string());
    let id = serde_json::from_str::<Value>(&seen[0]).unwrap()["you"]["id"].clone();
    for (event, comes) in [
        (json!(["chatInput", { "nick": "v", "msg": "hello" }]), "chatMessage"),
        (json!(["say", { "how": "within", "msg": "hello" }]), r#"said",{"how":"within"#),
        (json!(["whisper", { "to": id, "msg": "hello" }]), "whispered"),
    ] {
        victim.post(&server, &format!("42{event}")).await;
        seen.push(other.packet(&format!("42[\"{comes}\"")).await);
    }
    victim.post(&server, "41").await;
    seen.push(other.packet(r#"42["user has left""#).await);
    assert!(seen.iter().all(|packet| !packet.contains(&victim.sid)), "{seen:#?}");
}

// --- Leaving ---

#[tokio::test]
async fn the_room_hears_who_has_left_however_that_was() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut stays = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    for way in ["41", "hanging up", "vanishing"] {
        let mut leaves = Member::of(&server, &red).await;
        match way {
            "hanging up" => leaves.client.hang_up().await,
            "vanishing" => leaves.client.vanish(),
            packet => leaves.client.send(packet).await,
        }
        let left = stays.client.event("user has left").await;
        assert_eq!(left, json!([{ "id": leaves.id }]), "{way}");
        assert_eq!(who(&mut stays.client, &red).await, set([&stays]));
    }
    assert_eq!(other.heard().await, [""; 0]);
}

#[tokio::test]
async fn a_close_packet_of_the_engine_is_a_farewell_on_a_websocket_too() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut stays = Member::of(&server, &red).await;
    let mut leaves = Member::of(&server, &red).await;
    leaves.client.send("1").await;
    let question = json!([{ "room": red }]);
    assert_eq!(leaves.client.try_ask("who", question).await, None, "the end");
    let left = stays.client.event("user has left").await;
    assert_eq!(left, json!([{ "id": leaves.id }]));
}

#[tokio::test]
async fn the_room_hears_of_the_one_it_lost_and_not_of_one_who_moved_on() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut stays = Member::of(&server, &red).await;
    let mut wanders = Member::of(&server, &red).await;
    join(&mut wanders.client, &blue).await;
    wanders.client.send("41").await;
    let mut last = Member::of(&server, &red).await;
    last.client.send("41").await;
    let left = stays.client.event("user has left").await;
    assert_eq!(left, json!([{ "id": last.id }]));
}

#[tokio::test]
async fn whoever_leaves_and_hangs_up_at_once_is_missed_all_the_same() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut stays = Member::of(&server, &red).await;
    for _ in 0..times(3000) {
        let mut leaves = Member::of(&server, &red).await;
        leaves.client.send("41").await;
        leaves.client.send("1").await;
        leaves.client.vanish();
        let left = stays.client.event("user has left").await;
        assert_eq!(left, json!([{ "id": leaves.id }]));
    }
}

#[tokio::test]
async fn hundreds_who_leave_at_once_are_all_missed_and_none_stays_behind() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut stays = Member::of(&server, &red).await;
    for round in 0..times(50) {
        let guests = join_all((0..50).map(|_| Member::of(&server, &red))).await;
        let mut expected: HashSet<_> =
            guests.iter().map(|guest| guest.id.clone()).collect();
        for (n, mut guest) in guests.into_iter().enumerate() {
            match n % 3 {
                0 => guest.client.send("41").await,
                1 => guest.client.send("1").await,
                _ => {}
            }
            guest.client.vanish();
        }
        while !expected.is_empty() {
            let left = stays.client.event("user has left").await;
            assert!(expected.remove(left[0]["id"].as_str().unwrap()), "{round}: {left}");
        }
        assert_eq!(who(&mut stays.client, &red).await, set([&stays]));
    }
}

/// A server of the library alone, with a safe namespace and an unsafe one.
async fn unsafe_server() -> (Server, socketioxide::SocketIo) {
    #[derive(Clone)]
    struct Missing;
    let (layer, io) = socketioxide::SocketIo::new_layer();
    io.ns("/", async |socket: SocketRef| {
        socket.join("room");
        socket.on_disconnect(async |_: MaybeExtension<Missing>| {});
    });
    io.ns("/unsafe", async |socket: SocketRef| {
        socket.join("room");
        socket.on_disconnect(async |_: Extension<Missing>| {});
        socket.emit("ready", &()).expect("an empty buffer");
    });
    (serve(axum::Router::new().layer(layer)).await, io)
}

async fn serve(app: axum::Router) -> Server {
    let listener =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("BUG: it is bound").to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    Server::at(&address)
}

#[tokio::test]
async fn an_extractor_that_fails_in_a_disconnect_handler_leaves_a_ghost_in_the_room() {
    if !support::is_ours("it is about the library by itself") {
        return;
    }
    let (server, io) = unsafe_server().await;
    for _ in 0..20 {
        let mut client = SocketIo::connect(&server).await;
        client.join("/unsafe", None).await.unwrap();
        client.event_in("/unsafe", "ready").await;
        client.vanish();
    }
    let sockets = |namespace| io.of(namespace).unwrap().within("room").sockets().len();
    within("the last of the safe ones to go", async {
        while sockets("/") > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(sockets("/unsafe"), 20, "connections that ended, still in the room");
}

// --- Full buffers ---

#[tokio::test]
async fn of_500_events_emitted_in_one_go_at_most_128_arrive() {
    if !support::is_ours("it is about the library by itself") {
        return;
    }
    let (layer, io) = socketioxide::SocketIo::new_layer();
    let lost = Arc::new(AtomicUsize::new(0));
    let counter = lost.clone();
    io.ns("/", async move |socket: SocketRef| {
        for n in 0..500 {
            match socket.emit("burst", &n) {
                Ok(()) => {}
                Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                    counter.fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => panic!("{error}"),
            }
        }
        // The cure: who waits for room loses nothing.
        for n in 0..500 {
            while let Err(error) = socket.emit("patient", &n) {
                assert!(matches!(
                    error,
                    SendError::Socket(SocketError::InternalChannelFull)
                ));
                tokio::task::yield_now().await;
            }
        }
    });
    let server = serve(axum::Router::new().layer(layer)).await;
    let mut client = SocketIo::connect(&server).await;
    for n in 0..500 {
        assert_eq!(client.event("patient").await, json!([n]));
    }
    let lost = lost.load(Ordering::SeqCst);
    let mut arrived = 0;
    for n in 0..500 - lost {
        assert_eq!(client.event("burst").await, json!([n]), "the first ones, in order");
        arrived += 1;
    }
    assert!(arrived <= 128, "{arrived} arrived, {lost} lost");
}

#[tokio::test]
async fn who_reads_too_slowly_misses_messages_and_the_sender_is_told_how_many_did() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut sender = Member::of(&server, &red).await;
    let mut slow = Member::of(&server, &red).await;
    let text = "👋".repeat(1000);
    let mut sent = 0;
    // On a busy machine megabytes take a while.
    let least = Duration::from_secs(10);
    let answer = within_after(least, "somebody to miss a message", async {
        loop {
            let message = json!([{ "nick": sent.to_string(), "msg": text }]);
            let answer = sender.client.ask("chatInput", message).await;
            assert_eq!(answer["ok"], true);
            // Its own copy was sent before the answer.
            sender.client.event("chatMessage").await;
            if answer["missed"].is_number() {
                return answer;
            }
            sent += 1;
            // Far more than the connection itself can hold.
            assert!(sent < 10_000, "waited in vain for somebody to miss a message");
        }
    })
    .await;
    assert_eq!(answer, json!({ "ok": true, "missed": 1 }));
    // It reads again: all that was sent before, in order, and then what is sent from now on.
    for n in 0..sent {
        let message = slow.client.event("chatMessage").await;
        assert_eq!(message[0]["nick"], n.to_string());
    }
    let message = json!([{ "nick": "again", "msg": "hello" }]);
    assert_eq!(sender.client.ask("chatInput", message).await, json!({ "ok": true }));
    assert_eq!(slow.client.event("chatMessage").await[0]["nick"], "again");
}

#[tokio::test]
async fn whoever_waits_for_each_answer_loses_nothing_of_a_thousand_messages() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut sender = Member::of(&server, &red).await;
    let mut reader = Member::of(&server, &red).await;
    let many = times(10_000);
    let send = async {
        for n in 0..many {
            let message = json!([{ "nick": n.to_string(), "msg": "hello" }]);
            let answer = sender.client.ask("chatInput", message).await;
            assert_eq!(answer, json!({ "ok": true }), "{n}");
        }
    };
    let read = async {
        for n in 0..many {
            let message = reader.client.event("chatMessage").await;
            assert_eq!(message[0]["nick"], n.to_string());
        }
    };
    tokio::join!(send, read);
}

#[tokio::test]
async fn a_flood_costs_the_flooder_messages_and_the_others_nothing() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut flooder = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    for n in 0..times(30_000) {
        let message = json!({ "nick": n.to_string(), "msg": "hello" });
        flooder.client.send(&format!("429{n:04}{}", json!(["chatInput", message]))).await;
        if n % 100 == 0 {
            let message = json!([{ "nick": "o", "msg": "still served" }]);
            let answer = other.client.ask("chatInput", message).await;
            assert_eq!(answer, json!({ "ok": true }));
        }
    }
    // However much of its own it has lost, it is still connected, and in its room. The answer
    // to a question can be lost as well, but only if other packets are on their way: so each
    // packet is a reason to ask again.
    within("an answer", async {
        while !flooder.client.packet("").await.starts_with(r#"42["rejected""#) {
            flooder.client.emit("joinRoom", json!([])).await;
        }
    })
    .await;
    assert_eq!(who(&mut other.client, &red).await, set([&flooder]));
}

// --- Rooms from outside ---

#[tokio::test]
async fn everybody_in_a_room_is_moved_to_another_and_told() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut two = Member::of(&server, &red).await;
    let mut three = Member::of(&server, &blue).await;
    let mut green = Member::of(&server, &own_name("green")).await;
    assert_eq!(move_room(&server, &red, &to(&blue)).await, 204);
    for moved in [&mut one, &mut two] {
        assert_eq!(moved.client.event("moved").await, json!([{ "room": blue }]));
    }
    assert_eq!(who(&mut green.client, &red).await, HashSet::new());
    assert_eq!(who(&mut green.client, &blue).await, set([&one, &two, &three]));
    one.client.ask("chatInput", json!([{ "nick": "o", "msg": "hello, blue" }])).await;
    for member in [&mut one, &mut two, &mut three] {
        assert_eq!(member.client.event("chatMessage").await[0]["msg"], "hello, blue");
        assert_eq!(member.heard().await, [""; 0]);
    }
    assert_eq!(green.heard().await, [""; 0]);
}

#[tokio::test]
async fn moving_a_room_to_itself_or_an_empty_one_changes_nothing() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let nobody = own_name("nobody");
    assert_eq!(move_room(&server, &red, &to(&red)).await, 204);
    assert_eq!(move_room(&server, &nobody, &to(&red)).await, 204);
    assert_eq!(delete_room(&server, &nobody).await, 204);
    assert_eq!(who(&mut one.client, &red).await, set([&one]));
    assert_eq!(one.heard().await, [""; 0]);
}

#[tokio::test]
async fn a_room_is_named_in_a_path_as_every_other_text() {
    let server = Server::start(CHAPTER).await;
    let own = own_name("");
    let (from, next) = (format!("방 1/2?{own}"), format!("방 3{own}"));
    let mut one = Member::of(&server, &from).await;
    let path = format!("%EB%B0%A9%201%2F2%3F{own}");
    assert_eq!(move_room(&server, &path, &to(&next)).await, 204);
    assert_eq!(one.client.event("moved").await, json!([{ "room": next }]));
    assert_eq!(delete_room(&server, &format!("%EB%B0%A9%203{own}")).await, 204);
    assert_eq!(one.client.packet("41").await, "41");
    for bad in ["%FF", &"x".repeat(51)] {
        assert_eq!(move_room(&server, bad, r#"{"to":"red"}"#).await, 400, "{bad}");
        assert_eq!(delete_room(&server, bad).await, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_move_that_is_not_as_it_should_be_is_400_and_moves_nobody() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let too_long = json!({ "to": "x".repeat(51) }).to_string();
    for body in [
        "",
        "{",
        "7",
        "[]",
        "{}",
        r#"["blue"]"#,
        r#"{"to":7}"#,
        r#"{"to":null}"#,
        r#"{"to":""}"#,
        &too_long,
    ] {
        assert_eq!(move_room(&server, &red, body).await, 400, "{body}");
    }
    // What a form of another site could send.
    let headers = [("content-type", "text/plain")];
    let path = format!("/rooms/{red}/move");
    let answer = http::send(&server, "POST", &path, &headers, r#"{"to":"b"}"#).await;
    assert_eq!(answer.status, 400);
    let huge = json!({ "to": "x".repeat(3_000_000) }).to_string();
    assert_eq!(move_room(&server, &red, &huge).await, 413);
    assert_eq!(who(&mut one.client, &red).await, set([&one]));
}

#[tokio::test]
async fn everybody_in_a_deleted_room_is_disconnected_and_nobody_else() {
    if official::skip() {
        return;
    }
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut official = Official::connect(&server, 4).await;
    official.ask("joinRoom", json!([{ "room": red }])).await;
    let mut red_one = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    assert_eq!(delete_room(&server, &red).await, 204);
    assert_eq!(official.on("disconnect").await["reason"], "io server disconnect");
    assert_eq!(red_one.client.packet("41").await, "41");
    assert_eq!(who(&mut other.client, &red).await, HashSet::new());
    assert_eq!(other.heard().await, [""; 0]);
    // It is the room that was closed, not the door.
    official.reconnect().await;
    official.on("connect").await;
    let answer = official.ask("joinRoom", json!([{ "room": red }])).await;
    assert_eq!(answer[0]["members"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn moves_and_joins_at_once_lose_nobody_and_double_nobody() {
    let server = Server::start(CHAPTER).await;
    let mut watcher = SocketIo::connect(&server).await;
    for round in 0..times(100) {
        let rooms: Vec<_> = (0..3).map(|_| own_name("mixed")).collect();
        let guests = (0..10).map(async |n| {
            let mut guest = Member::of(&server, &rooms[n % 3]).await;
            for step in 0..10 {
                join(&mut guest.client, &rooms[(n + step) % 3]).await;
            }
            guest
        });
        let moves = async {
            for n in 0..15 {
                let body = json!({ "to": rooms[(n + 1) % 3] }).to_string();
                assert_eq!(move_room(&server, &rooms[n % 3], &body).await, 204);
            }
        };
        let (guests, ()) = tokio::join!(join_all(guests), moves);
        let mut found = Vec::new();
        for room in &rooms {
            found.extend(who(&mut watcher, room).await);
        }
        let everybody: HashSet<_> = guests.iter().map(|guest| guest.id.clone()).collect();
        assert_eq!(found.len(), 10, "round {round}");
        assert_eq!(HashSet::from_iter(found), everybody);
    }
}

// --- Bad events ---

/// Events that are refused, with their arguments.
fn bad_events() -> Vec<(&'static str, Value)> {
    let (long_name, long_text) = ("x".repeat(51), "ü".repeat(1001));
    let id = "00000000-0000-4000-8000-000000000000";
    let mut bad = vec![
        ("joinRoom", json!([])),
        ("joinRoom", json!(["red"])),
        ("joinRoom", json!([{}])),
        ("joinRoom", json!([["red"]])),
        ("joinRoom", json!([{ "room": 7 }])),
        ("joinRoom", json!([{ "room": null }])),
        ("joinRoom", json!([{ "room": ["red"] }])),
        ("joinRoom", json!([{ "room": "" }])),
        ("joinRoom", json!([{ "room": long_name }])),
        ("who", json!([])),
        ("who", json!([["red"]])),
        ("who", json!([{ "room": {} }])),
        ("who", json!([{ "room": long_name }])),
        ("chatInput", json!([])),
        ("chatInput", json!(["hello"])),
        ("chatInput", json!([["a", "hello"]])),
        ("chatInput", json!([{ "nick": "a" }])),
        ("chatInput", json!([{ "msg": "hello" }])),
        ("chatInput", json!([{ "nick": 7, "msg": "hello" }])),
        ("chatInput", json!([{ "nick": "a", "msg": ["hello"] }])),
        ("chatInput", json!([{ "nick": "", "msg": "hello" }])),
        ("chatInput", json!([{ "nick": long_name, "msg": "hello" }])),
        ("chatInput", json!([{ "nick": "a", "msg": long_text }])),
        ("say", json!([])),
        ("say", json!([{ "msg": "hello" }])),
        ("say", json!([{ "how": "to" }])),
        ("say", json!([["to", "red", "hello"]])),
        ("say", json!([{ "how": "loudly", "msg": "hello" }])),
        ("say", json!([{ "how": "To", "msg": "hello" }])),
        ("say", json!([{ "how": 1, "msg": "hello" }])),
        ("say", json!([{ "how": "to", "room": 7, "msg": "hello" }])),
        ("say", json!([{ "how": "to", "room": "", "msg": "hello" }])),
        ("say", json!([{ "how": "to", "room": long_name, "msg": "hello" }])),
        ("say", json!([{ "how": "broadcast", "msg": long_text }])),
        ("whisper", json!([])),
        ("whisper", json!([{ "msg": "hello" }])),
        ("whisper", json!([{ "to": id }])),
        ("whisper", json!([[id, "hello"]])),
        ("whisper", json!([{ "to": "red", "msg": "hello" }])),
        ("whisper", json!([{ "to": 7, "msg": "hello" }])),
        ("whisper", json!([{ "to": id, "msg": long_text }])),
        ("whisper", json!([{ "to": id, "msg": "to nobody" }])),
        ("joinroom", json!([{ "room": "the wrong case" }])),
        ("noSuchEvent", json!([])),
        ("", json!([])),
        ("__proto__", json!([])),
    ];
    // Without arguments, and with bare ones, whatever the event.
    for event in ["joinRoom", "who", "chatInput", "say", "whisper"] {
        bad.extend([json!([null]), json!([7]), json!([true])].map(|args| (event, args)));
    }
    bad
}

#[tokio::test]
async fn a_bad_event_with_an_acknowledgement_is_answered_with_a_sentence() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut witness = Member::of(&server, &red).await;
    let mut outside =
        Member { client: SocketIo::connect(&server).await, id: String::new() };
    let mut inside = Member::of(&server, &red).await;
    for client in [&mut outside, &mut inside] {
        for (event, args) in bad_events() {
            let answer = client.client.ask(event, args.clone()).await;
            assert_eq!(answer["ok"], false, "{event} {args}: {answer}");
            let error = answer["error"].as_str();
            assert!(error.is_some_and(|error| error.contains(' ')), "{answer}");
            assert_eq!(
                answer.as_object().map(|answer| answer.len()),
                Some(2),
                "{answer}"
            );
        }
        assert_eq!(client.heard().await, [""; 0]);
    }
    assert_eq!(who(&mut inside.client, &red).await, set([&witness, &inside]));
    assert_eq!(witness.heard().await, [""; 0]);
}

#[tokio::test]
async fn a_bad_event_without_an_acknowledgement_comes_back_as_rejected() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut inside = Member::of(&server, &red).await;
    for (event, args) in bad_events() {
        inside.client.emit(event, args.clone()).await;
        let rejected = inside.client.event("rejected").await;
        assert_eq!(rejected[0]["event"], event, "{args}: {rejected}");
        let error = rejected[0]["error"].as_str();
        assert!(error.is_some_and(|error| error.contains(' ')), "{rejected}");
    }
    assert_eq!(who(&mut inside.client, &red).await, set([&inside]));
}

#[tokio::test]
async fn binary_where_text_is_expected_is_rejected() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut client = Member::of(&server, &red).await.client;
    let hole = r#"{"_placeholder":true,"num":0}"#;
    for (event, args) in [
        ("joinRoom", hole.to_owned()),
        ("joinRoom", format!(r#"{{"room":{hole}}}"#)),
        ("chatInput", format!(r#"{{"nick":"a","msg":{hole}}}"#)),
        ("say", format!(r#"{{"how":"to","msg":{hole}}}"#)),
        ("whisper", format!(r#"{{"to":{hole},"msg":"hello"}}"#)),
        ("who", hole.to_owned()),
        ("noSuchEvent", hole.to_owned()),
    ] {
        client.send(&format!(r#"451-["{event}",{args}]"#)).await;
        client.send_binary(&[1, 2, 3]).await;
        assert_eq!(client.event("rejected").await[0]["event"], event, "{args}");
        client.send(&format!(r#"451-77["{event}",{args}]"#)).await;
        client.send_binary(&[0x66, 0x6f, 0x6f]).await;
        let answer = client.packet("4377[").await;
        assert!(answer.starts_with(r#"4377[{"ok":false,"#), "{event} {args}: {answer}");
    }
    assert_eq!(who(&mut client, &red).await.len(), 1);
}

#[tokio::test]
async fn a_text_of_1000_characters_passes_whatever_their_size_in_bytes() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    for text in ["x".repeat(1000), "👋".repeat(1000), String::new()] {
        let nick = "ü".repeat(50);
        let answer =
            one.client.ask("chatInput", json!([{ "nick": nick, "msg": text }])).await;
        assert_eq!(answer, json!({ "ok": true }));
        assert_eq!(one.client.event("chatMessage").await[0]["msg"], text);
    }
}

// --- What earlier chapters promised ---

#[tokio::test]
async fn every_official_client_joins_a_room_and_hears_it_on_every_transport() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &(version, transports) in official::ways() {
        let way = format!("version {version} by {}", transports.join(" then "));
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        let room = own_name("red");
        let joined = client.ask("joinRoom", json!([{ "room": room }])).await;
        assert_eq!(joined[0]["room"], room, "{way}");
        let message = json!({ "nick": "Ada", "msg": "hello" });
        let answer = client.ask("chatInput", json!([message])).await;
        assert_eq!(answer, json!([{ "ok": true }]), "{way}");
        assert_eq!(client.event("chatMessage").await, json!([message]), "{way}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn thousands_who_come_join_and_go_leave_memory_where_it_was() {
    if left_out("thousands of connections") {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let cycle = async |n: usize| {
        let mut client = SocketIo::connect(&server).await;
        client.emit("joinRoom", json!([{ "room": own_name("room") }])).await;
        match n % 3 {
            0 => client.send("41").await,
            1 => client.send("1").await,
            _ => {}
        }
        client.vanish();
    };
    server.keeps_nothing_of(" disconnected ", 1024, cycle).await;
}
