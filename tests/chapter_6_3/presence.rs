//! Who is in a room. These promises hold from chapter 6-3 to the end of chapter 6.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use support::{
    Server,
    chat::{CHAT, Chat, LOBBY, Visitor, heard, join, two},
    crooked::Rng,
    effort, http,
    official::{self, Official},
    socket_io::SocketIo,
    within,
};
use tokio::task::JoinSet;

use crate::CHAPTER;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// The keys of an object, in alphabetical order.
fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let mut keys: Vec<_> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn refused(word: &str) -> Value {
    json!({ "ok": false, "error": word })
}

/// How many are in a room, as the lobby says.
async fn count(chat: &Server, room: &str) -> u64 {
    let (_, rooms) = Visitor::nobody().watch(chat).await;
    let room = rooms.iter().find(|known| known["id"] == room).expect("the room");
    room["members"].as_u64().expect("a number")
}

/// Waits until the lobby says that so many are in a room.
async fn counted(lobby: &mut SocketIo, room: &str, members: u64) {
    loop {
        let told = lobby.event_in(LOBBY, "updateRoom").await;
        if told[0]["id"] == room && told[0]["members"] == members {
            return;
        }
    }
}

// --- The door ---

#[tokio::test]
async fn nobody_comes_to_chat_without_a_cookie() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = Visitor::new(&chat).await;
    let forged = Visitor { cookie: visitor.cookie.replace("visitor=", "visitor=x") };
    for nobody in [Visitor::nobody(), forged] {
        let refused = nobody.try_connect(&chat, CHAT).await.err();
        assert_eq!(refused, Some(json!({ "message": "no visitor" })));
        nobody.connect(&chat, LOBBY).await;
    }
    visitor.connect(&chat, CHAT).await;
}

#[tokio::test]
async fn the_official_clients_join_by_websocket_by_polling_and_by_the_upgrade() {
    if official::skip() {
        return;
    }
    let chat = Chat::start(CHAPTER).await;
    let visitor = Visitor::new(&chat).await;
    let room = visitor.create(&chat, "Cats").await;
    for version in [3, 4] {
        for transports in [json!(["polling"]), json!(["polling", "websocket"])] {
            let options = json!({
                "transports": transports,
                "extraHeaders": { "cookie": visitor.cookie },
            });
            let mut client = Official::connect_with(&chat, version, CHAT, options).await;
            let answer = client.ask("join", json!([{ "room": room }])).await;
            assert_eq!(answer[0]["ok"], true, "{version} {transports}: {answer}");
        }
    }
}

// --- Joining ---

#[tokio::test]
async fn a_join_is_answered_with_the_room_you_and_everybody() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = ada.create_with(&chat, &[("title", "Cats & dogs"), ("max", "7")]).await;
    let (_ada, first) = ada.join(&chat, &room).await;
    let (_bob, second) = bob.join(&chat, &room).await;
    assert_eq!(keys(&second), ["members", "ok", "room", "seq", "you"]);
    let expected = [
        ("id", json!(room)),
        ("title", json!("Cats & dogs")),
        ("max", json!(7)),
        ("owner", json!(ada.colour(&chat).await)),
        ("secret", json!(false)),
        ("members", json!(2)),
    ];
    for (key, value) in expected {
        assert_eq!(second["room"][key], value, "{key}");
    }
    let all = ["createdAt", "id", "max", "members", "owner", "secret", "title"];
    assert_eq!(keys(&second["room"]), all);
    assert_eq!(keys(&second["you"]), ["id", "owner", "user"]);
    assert_eq!(second["you"]["user"], bob.colour(&chat).await);
    assert_eq!(second["members"], json!([first["you"], second["you"]]));
    assert_eq!((&first["members"], &first["seq"]), (&json!([first["you"]]), &json!(0)));
    assert_ne!(first["you"]["id"], second["you"]["id"]);
}

#[tokio::test]
async fn only_who_made_a_room_is_its_owner_and_a_name_is_good_for_one_room() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let hers = ada.create(&chat, "Hers").await;
    let his = bob.create(&chat, "His").await;
    let mut names = HashSet::new();
    for (visitor, room, owner) in [
        (&ada, &hers, true),
        (&bob, &hers, false),
        (&ada, &his, false),
        (&bob, &his, true),
    ] {
        let (_tab, answer) = visitor.join(&chat, room).await;
        assert_eq!(answer["you"]["owner"], owner);
        let id = answer["you"]["id"].as_str().expect("a name").to_owned();
        assert!(!id.is_empty() && names.insert(id), "{answer}");
        // And the same name in the next tab.
        assert_eq!(visitor.join(&chat, room).await.1["you"], answer["you"]);
    }
}

#[tokio::test]
async fn a_join_that_names_no_room_is_unknown() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = Visitor::new(&chat).await;
    let room = visitor.create(&chat, "Cats").await;
    let mut socket = visitor.connect(&chat, CHAT).await;
    let long = "x".repeat(900_000);
    let capitals = room.to_uppercase();
    let braces = format!("{{{room}}}");
    let bare = room.replace('-', "");
    let padded = format!(" {room}");
    for id in [
        UNKNOWN, "", "null", "../..", "\0", "😀", &long, &capitals, &braces, &bare,
        &padded,
    ] {
        let answer = join(&mut socket, id).await;
        assert_eq!(
            answer,
            refused("unknown"),
            "{}",
            id.chars().take(40).collect::<String>()
        );
    }
    // None of that has cost the tab its one room.
    assert_eq!(join(&mut socket, &room).await["ok"], true);
}

/// Arguments of `join` that are no question.
fn nonsense(room: &str) -> Vec<Value> {
    vec![
        json!([]),
        json!([null]),
        json!([7]),
        json!([room]),
        json!([[room]]),
        json!([[]]),
        json!([true]),
        json!([{}]),
        json!([{ "room": null }]),
        json!([{ "room": 7 }]),
        json!([{ "room": [room] }]),
        json!([{ "room": { "id": room } }]),
        json!([{ "Room": room }]),
        json!([null, { "room": room }]),
        json!([[{ "room": room }]]),
        json!([{ "room": "x", "more": "y".repeat(900_000) }, 7]),
    ]
}

#[tokio::test]
async fn a_join_that_is_no_question_is_invalid() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = Visitor::new(&chat).await;
    let room = visitor.create(&chat, "Cats").await;
    let mut socket = visitor.connect(&chat, CHAT).await;
    let mut all = nonsense(&room);
    let last = all.pop().expect("it is long, and names no room");
    assert_eq!(socket.ask_in(CHAT, "join", last).await, refused("unknown"));
    for args in all {
        let answer = socket.ask_in(CHAT, "join", args.clone()).await;
        assert_eq!(answer, refused("invalid"), "{args}");
        // Who asks for no acknowledgement is told by an event.
        socket.emit_in(CHAT, "join", args).await;
        let told = socket.event_in(CHAT, "rejected").await;
        assert_eq!(told, json!([{ "event": "join", "error": "invalid" }]));
    }
    // The same key twice, and bytes.
    let twice =
        format!("42/chat,900[\"join\",{{\"room\":\"{room}\",\"room\":\"{room}\"}}]");
    socket.send(&twice).await;
    assert_eq!(socket.packet("43/chat,900").await, answer_to(900, "invalid"));
    for (number, value) in [(901, "{\"_placeholder\":true,\"num\":0}"), (902, IN_ROOM)] {
        socket.send(&format!("451-/chat,{number}[\"join\",{value}]")).await;
        socket.send_binary(room.as_bytes()).await;
        let answer = socket.packet(&format!("43/chat,{number}")).await;
        assert_eq!(answer, answer_to(number, "invalid"));
    }
    assert_eq!(count(&chat, &room).await, 0);
    assert_eq!(join(&mut socket, &room).await["ok"], true);
}

const IN_ROOM: &str = "{\"room\":{\"_placeholder\":true,\"num\":0}}";

fn answer_to(number: u64, word: &str) -> String {
    format!("43/chat,{number}[{{\"ok\":false,\"error\":\"{word}\"}}]")
}

#[tokio::test]
async fn whatever_else_a_join_brings_is_ignored() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = Visitor::new(&chat).await;
    let room = visitor.create(&chat, "Cats").await;
    let more = json!({ "room": room, "owner": true, "visitor": "x", "members": 0 });
    for args in [json!([more, 7, [8]]), json!([{ "room": room }, null])] {
        let mut socket = visitor.connect(&chat, CHAT).await;
        let answer = socket.ask_in(CHAT, "join", args).await;
        assert_eq!(
            (&answer["ok"], &answer["you"]["owner"]),
            (&json!(true), &json!(true))
        );
    }
    // And without an acknowledgement it is a join as well.
    let mut socket = Visitor::new(&chat).await.connect(&chat, CHAT).await;
    socket.emit_in(CHAT, "join", json!([{ "room": room }])).await;
    assert_eq!(join(&mut socket, &room).await["ok"], true);
    assert_eq!(count(&chat, &room).await, 2);
}

#[tokio::test]
async fn nonsense_in_one_tab_is_not_noticed_in_another() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let long = format!("42/chat,[\"join\",{{\"room\":\"{}\"}}]", "x".repeat(1_000_001));
    let cut = format!("42/chat,[\"join\",{{\"room\":\"{room}\"");
    for packet in [
        "42/chat,[\"exit\",{}]",
        "42/chat,[\"roomClosed\",{}]",
        "42/chat,[]",
        "42/chat,{}",
        "42/chat,\"join\"",
        "42/chat,[7]",
        "43/chat,0[]",
        "452-/chat,[\"join\"]",
        "459999999999-/chat,[\"join\"]",
        "44/chat,{}",
        "49/chat,",
        "8",
        "",
        &long,
        &cut,
    ] {
        let mut socket = bob.connect(&chat, CHAT).await;
        socket.try_send(packet).await;
    }
    assert_eq!(heard(&mut witness).await, Vec::<String>::new());
    assert_eq!(bob.join(&chat, &room).await.1["room"]["members"], 2);
}

#[tokio::test]
async fn the_same_room_again_is_the_same_answer_and_no_event() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let (mut socket, answer) = bob.join(&chat, &room).await;
    witness.event_in(CHAT, "join").await;
    for _ in 0..3 {
        assert_eq!(join(&mut socket, &room).await, answer);
    }
    assert_eq!(heard(&mut witness).await, Vec::<String>::new());
    assert_eq!(heard(&mut socket).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_tab_is_in_one_room_and_another_is_invalid() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = Visitor::new(&chat).await;
    let (cats, dogs) =
        (visitor.create(&chat, "C").await, visitor.create(&chat, "D").await);
    let (mut socket, answer) = visitor.join(&chat, &cats).await;
    assert_eq!(join(&mut socket, &dogs).await, refused("invalid"));
    assert_eq!((count(&chat, &cats).await, count(&chat, &dogs).await), (1, 0));
    // It is still where it was, and another tab may be in the other room.
    assert_eq!(join(&mut socket, &cats).await, answer);
    visitor.join(&chat, &dogs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_joins_at_once_on_one_socket_one_room_wins() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = Visitor::new(&chat).await;
    for round in 0..effort::times(500) {
        let mut rooms = [String::new(), String::new()];
        for room in &mut rooms {
            *room = visitor.create(&chat, "Cats").await;
        }
        let mut socket = visitor.connect(&chat, CHAT).await;
        for (number, room) in (900..).zip(&rooms) {
            let packet = format!("42/chat,{number}[\"join\",{{\"room\":\"{room}\"}}]");
            socket.send(&packet).await;
        }
        let mut oks = vec![];
        for number in [900, 901] {
            let answer = socket.packet(&format!("43/chat,{number}")).await;
            oks.push(answer.contains("\"ok\":true"));
            assert!(
                oks[oks.len() - 1] || answer == answer_to(number, "invalid"),
                "{answer}"
            );
        }
        assert_eq!(oks.iter().filter(|&&ok| ok).count(), 1, "round {round}");
        for (room, ok) in rooms.iter().zip(oks) {
            assert_eq!(count(&chat, room).await, u64::from(ok), "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_joins_at_once_are_one_seat_and_one_event() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let mut socket = bob.connect(&chat, CHAT).await;
    for number in 0..1000 {
        socket.send(&format!("42/chat,{number}[\"join\",{{\"room\":\"{room}\"}}]")).await;
    }
    for number in 0..1000 {
        let answer = socket.packet(&format!("43/chat,{number}[")).await;
        assert!(answer.contains("\"ok\":true"), "{answer}");
    }
    assert_eq!(count(&chat, &room).await, 2);
    assert_eq!(witness.event_in(CHAT, "join").await[0]["members"], 2);
    assert_eq!(heard(&mut witness).await, Vec::<String>::new());
}

// --- What the others hear ---

#[tokio::test]
async fn the_others_hear_of_a_visitor_once_and_not_of_each_tab() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", "100")]).await else {
        return;
    };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let (one, answer) = bob.join(&chat, &room).await;
    let user = answer["you"]["user"].as_str().expect("a colour");
    let mut told = json!({
        "id": answer["you"]["id"],
        "user": user,
        "owner": false,
        "members": 2,
        "chat": format!("{user} has joined the room."),
    });
    assert_eq!(witness.event_in(CHAT, "join").await, json!([told]));
    let (mut two, again) = bob.join(&chat, &room).await;
    assert_eq!(again, answer);
    drop(one);
    // The tab that stays is not told about itself, and nobody is told about the other.
    assert_eq!(heard(&mut two).await, Vec::<String>::new());
    drop(two);
    told["members"] = json!(1);
    told["chat"] = json!(format!("{user} has left the room."));
    assert_eq!(witness.event_in(CHAT, "exit").await, json!([told]));
    assert_eq!(heard(&mut witness).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_room_hears_nothing() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", "0")]).await else {
        return;
    };
    let (ada, bob) = two(&chat).await;
    let (cats, dogs) = (ada.create(&chat, "Cats").await, ada.create(&chat, "Dogs").await);
    let (mut with_cats, _) = ada.join(&chat, &cats).await;
    let (mut with_dogs, _) = ada.join(&chat, &dogs).await;
    // Somebody who is at the door, and has not joined.
    let mut outside = bob.connect(&chat, CHAT).await;
    drop(bob.join(&chat, &cats).await);
    with_cats.event_in(CHAT, "exit").await;
    assert_eq!(heard(&mut with_dogs).await, Vec::<String>::new());
    assert_eq!(heard(&mut outside).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_lobby_hears_how_many_are_in_a_room() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", "50")]).await else {
        return;
    };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut lobby, rooms) = Visitor::nobody().watch(&chat).await;
    let mut known = rooms[0].clone();
    let tabs = (ada.join(&chat, &room).await, bob.join(&chat, &room).await);
    // A second tab changes nothing, so nobody is told.
    let second = ada.join(&chat, &room).await;
    drop(tabs.1);
    for members in [1, 2, 1] {
        known["members"] = json!(members);
        assert_eq!(lobby.event_in(LOBBY, "updateRoom").await, json!([known]));
    }
    drop((tabs.0, second));
    known["members"] = json!(0);
    assert_eq!(lobby.event_in(LOBBY, "updateRoom").await, json!([known]));
    let page = ada.get(&chat, "/").await.text();
    assert!(page.contains("class=\"room-members\">0<"), "{page}");
}

// --- Seats ---

/// Joins from a task of its own.
async fn try_join(address: String, visitor: Visitor, room: String) -> (SocketIo, Value) {
    visitor.try_join(&Server::at(&address), &room).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_50_visitors_for_5_seats_exactly_5_get_one() {
    let chat = Chat::start(CHAPTER).await;
    let mut visitors = vec![];
    for _ in 0..50 {
        visitors.push(Visitor::new(&chat).await);
    }
    for round in 0..effort::times(60) {
        let room = visitors[0].create_with(&chat, &[("title", "C"), ("max", "5")]).await;
        let mut joins = JoinSet::new();
        for visitor in visitors.clone() {
            joins.spawn(try_join(chat.address().to_owned(), visitor, room.clone()));
        }
        let mut tabs = within("all answers", joins.join_all()).await;
        let answers = tabs.iter().map(|(_, answer)| answer);
        let seated = answers.clone().filter(|answer| answer["ok"] == true).count();
        let full = answers.filter(|answer| **answer == refused("full")).count();
        assert_eq!((seated, full), (5, 45), "round {round}");
        assert_eq!(count(&chat, &room).await, 5, "round {round}");
        // Nobody who was refused hears what happens inside.
        tabs.retain(|(_, answer)| answer["ok"] == false);
        for (socket, _) in &mut tabs {
            assert_eq!(heard(socket).await, Vec::<String>::new(), "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tabs_of_one_visitor_are_one_seat() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = ada.create_with(&chat, &[("title", "Cats"), ("max", "2")]).await;
    let mut joins = JoinSet::new();
    for _ in 0..50 {
        joins.spawn(try_join(chat.address().to_owned(), ada.clone(), room.clone()));
    }
    let tabs = within("all answers", joins.join_all()).await;
    assert!(tabs.iter().all(|(_, answer)| answer["ok"] == true));
    assert_eq!(bob.join(&chat, &room).await.1["room"]["members"], 2);
}

#[tokio::test]
async fn a_full_room_lets_its_members_back_in_and_nobody_else() {
    let chat = Chat::start_with(CHAPTER, &[("LEAVE_GRACE_MS", "100")]).await;
    let (ada, bob) = two(&chat).await;
    let stranger = Visitor::new(&chat).await;
    let room = ada.create_with(&chat, &[("title", "Cats"), ("max", "2")]).await;
    let (_ada, _) = ada.join(&chat, &room).await;
    let (tab, first) = bob.join(&chat, &room).await;
    let (mut outside, answer) = stranger.try_join(&chat, &room).await;
    assert_eq!(answer, refused("full"));
    // A reload: the old tab is gone before the new one comes.
    drop(tab);
    let (tab, again) = bob.join(&chat, &room).await;
    assert_eq!(again["you"], first["you"]);
    assert_eq!(join(&mut outside, &room).await, refused("full"));
    // The owner has no seat reserved either.
    let (mut lobby, _) = Visitor::nobody().watch(&chat).await;
    drop((_ada, tab));
    counted(&mut lobby, &room, 0).await;
    assert_eq!(join(&mut outside, &room).await["ok"], true);
    let (_bob, _) = bob.join(&chat, &room).await;
    assert_eq!(ada.try_join(&chat, &room).await.1, refused("full"));
}

/// What one visitor does in [`whoever_is_in_a_room_is_in_it_and_nobody_else`].
struct Walker {
    visitor: Visitor,
    tabs: Vec<SocketIo>,
}

impl Walker {
    /// Opens a tab in the room, or closes one in some way, or does both in a hurry. Returns
    /// whether the visitor is in the room afterwards.
    async fn step(&mut self, chat: &Server, room: &str, random: &mut Rng) -> bool {
        let ask = format!("42/chat,900[\"join\",{{\"room\":\"{room}\"}}]");
        let tab = (!self.tabs.is_empty())
            .then(|| self.tabs.swap_remove(random.usize(..self.tabs.len())));
        match (random.usize(..6), tab) {
            (0, Some(tab)) => tab.vanish(),
            (1, Some(tab)) => tab.hang_up().await,
            (2, Some(mut tab)) => {
                tab.send("41/chat,").await;
                drop(tab);
            }
            // Gone before the answer.
            (3, tab) => {
                self.tabs.extend(tab);
                let mut hasty = self.visitor.connect(chat, CHAT).await;
                hasty.send(&ask).await;
                hasty.vanish();
            }
            (_, tab) => {
                self.tabs.extend(tab);
                if self.tabs.len() < 3 {
                    self.tabs.push(self.visitor.join(chat, room).await.0);
                }
            }
        }
        !self.tabs.is_empty()
    }
}

/// Whether the lobby and every tab in the room are told of `inside` members.
async fn all_count(
    chat: &Chat,
    room: &str,
    walkers: &mut [(Walker, bool)],
    inside: usize,
) -> bool {
    if count(chat, room).await != inside as u64 {
        return false;
    }
    for tab in walkers.iter_mut().flat_map(|(walker, _)| &mut walker.tabs) {
        if join(tab, room).await["room"]["members"] != inside {
            return false;
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_in_a_room_is_in_it_and_nobody_else() {
    const WALKERS: usize = 5;
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", "1")]).await else {
        return;
    };
    // Ten thousand steps in a soak. After every hundred of them everybody stands still, and
    // the room must have exactly those in it who have a tab: no ghost, and nobody lost.
    for seed in 0..effort::times(100) {
        let owner = Visitor::new(&chat).await;
        let (mut lobby, _) = owner.watch(&chat).await;
        let room = owner.create(&chat, "Cats").await;
        let mut walks = JoinSet::new();
        for number in 0..WALKERS {
            let (address, room) = (chat.address().to_owned(), room.clone());
            let visitor = Visitor::new(&chat).await;
            walks.spawn(async move {
                let chat = Server::at(&address);
                let mut random = Rng::with_seed((seed * WALKERS + number) as u64);
                let mut walker = Walker { visitor, tabs: vec![] };
                let mut inside = false;
                for _ in 0..100 / WALKERS {
                    inside = walker.step(&chat, &room, &mut random).await;
                }
                (walker, inside)
            });
        }
        let mut walkers = within("all walkers", walks.join_all()).await;
        let inside = walkers.iter().filter(|(_, inside)| *inside).count();
        // Those who are gone may still be noticed, and of the hasty ones a join may still be
        // on its way: each change is told, and after the last one all agree.
        while !all_count(&chat, &room, &mut walkers, inside).await {
            let told = lobby.event_in(LOBBY, "updateRoom").await;
            assert_eq!(told[0]["id"], room.as_str(), "seed {seed}");
        }
        owner.delete(&chat, &format!("/room/{room}")).await;
    }
}

// --- What the lobby is told adds up ---

/// Opens the lobby in the middle of everything, and applies what it is told to the list it
/// was sent, up to the room called `Mark`.
async fn apply_all(address: String) -> BTreeMap<String, Value> {
    let server = Server::at(&address);
    let (mut lobby, rooms) = Visitor::nobody().watch(&server).await;
    let id = |room: &Value| room["id"].as_str().expect("an id").to_owned();
    let mut known: BTreeMap<_, _> =
        rooms.into_iter().map(|room| (id(&room), room)).collect();
    while !known.values().any(|room| room["title"] == "Mark") {
        let packet = lobby.packet("42/room,").await;
        let array = packet.strip_prefix("42/room,").expect("BUG: it starts so");
        let told: Value = serde_json::from_str(array).expect("an event");
        match told[0].as_str().expect("a name") {
            "newRoom" => {
                let again = known.insert(id(&told[1]), told[1].clone());
                assert_eq!(again, None, "a room that was known");
            }
            "updateRoom" => {
                let before = known.insert(id(&told[1]), told[1].clone());
                assert!(before.is_some(), "a room that was not known");
            }
            "removeRoom" => {
                let before = known.remove(told[1].as_str().expect("an id"));
                assert!(before.is_some(), "a room that was not known");
            }
            other => panic!("{other}"),
        }
    }
    known
}

/// Somebody makes rooms, goes in and out, and deletes every other one.
async fn stir(address: String) {
    let server = Server::at(&address);
    let (ada, bob) = two(&server).await;
    for round in 0..effort::times(300) {
        let room = ada.create(&server, "Cats").await;
        let tabs = (ada.join(&server, &room).await, bob.join(&server, &room).await);
        if round % 2 == 0 {
            drop(tabs.0);
        } else {
            ada.delete(&server, &format!("/room/{room}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_and_what_is_told_after_it_add_up_whenever_somebody_comes() {
    let times = [("LEAVE_GRACE_MS", "5"), ("EMPTY_ROOM_MS", "20")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let mut stirring = JoinSet::new();
    for _ in 0..4 {
        stirring.spawn(stir(chat.address().to_owned()));
    }
    let mut watching = JoinSet::new();
    while let Some(done) = {
        for _ in 0..5 {
            watching.spawn(apply_all(chat.address().to_owned()));
        }
        within("a stirrer", stirring.join_next()).await
    } {
        done.expect("no stirrer panics");
    }
    let (mut lobby, rooms) = Visitor::nobody().watch(&chat).await;
    // All rooms end: nobody is in them.
    let mut left: HashSet<_> = rooms.iter().map(|room| room["id"].to_string()).collect();
    while !left.is_empty() {
        left.remove(&lobby.event_in(LOBBY, "removeRoom").await[0].to_string());
    }
    Visitor::nobody().create(&chat, "Mark").await;
    for known in within("all watchers", watching.join_all()).await {
        assert_eq!(known.len(), 1, "{known:?}");
    }
}

// --- What stays a secret ---

#[tokio::test]
async fn no_event_no_page_and_no_line_of_the_log_names_a_visitor_or_a_session() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", "0")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut lobby, rooms) = ada.watch(&chat).await;
    let (mut witness, first) = ada.join(&chat, &room).await;
    let (tab, second) = bob.join(&chat, &room).await;
    let mut secrets: Vec<String> = vec![];
    for socket in [&lobby, &witness, &tab] {
        secrets.push(socket.open["sid"].as_str().expect("a session id").to_owned());
    }
    for visitor in [&ada, &bob] {
        let id = visitor.cookie.len() - 36;
        secrets.push(visitor.cookie[id..].to_owned());
        secrets.push(visitor.cookie[id..].replace('-', ""));
    }
    let mut seen = vec![format!("{rooms:?} {first} {second}")];
    for path in ["/", "/room", &format!("/room/{room}"), "/room/x"] {
        let page = bob.get(&chat, path).await;
        seen.push(format!("{:?} {}", page.headers, page.text()));
    }
    drop(tab);
    seen.push(witness.event_in(CHAT, "exit").await.to_string());
    seen.extend(heard(&mut witness).await);
    ada.delete(&chat, &format!("/room/{room}")).await;
    seen.push(witness.event_in(CHAT, "roomClosed").await.to_string());
    seen.extend(lobby.before("42/room,[\"removeRoom\"").await);
    seen.push(chat.log());
    for (secret, text) in
        secrets.iter().flat_map(|secret| seen.iter().map(move |text| (secret, text)))
    {
        assert!(!text.contains(secret.as_str()), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn an_unknown_event_is_answered_and_a_page_says_who_may_delete() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut socket, _) = bob.join(&chat, &room).await;
    let answer = socket.ask_in(CHAT, "roomClosed", json!([])).await;
    assert_eq!(answer["ok"], false);
    for (visitor, button) in [(&ada, true), (&bob, false)] {
        let page = visitor.get(&chat, &format!("/room/{room}")).await.text();
        assert_eq!(page.contains("id=\"delete\""), button);
    }
    assert_eq!(http::get(&chat, "/assets/room.js").await.status, 200);
}
