//! Who is in a room, and what a client is told: no bad event is met with silence.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use socketioxide::extract::{Extension, MaybeExtension, SocketRef};
use support::{
    Server,
    effort::times,
    official::{self, Official},
    own_name,
    socket_io::SocketIo,
    within,
};

use crate::{
    CHAPTER, Member, heard, ids, join,
    rooms::{enter, settle},
    serve, set, who,
};

#[tokio::test]
async fn a_room_hears_that_a_member_has_left() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut stays = SocketIo::connect(&server).await;
    let mut leaves = SocketIo::connect(&server).await;
    enter(&mut stays, &red, None).await;
    enter(&mut leaves, &red, None).await;
    leaves.vanish();
    let left = stays.event("user has left").await;
    assert!(left[0]["id"].is_string(), "{left}");
}

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
    let own = own_name("hasty");
    let mut watcher = SocketIo::connect(&server).await;
    let mut hasty = SocketIo::connect(&server).await;
    for round in 0..times(40_000) {
        for n in 0..8 {
            hasty.send(&format!(r#"4290{n}["joinRoom",{{"room":"{own}-{n}"}}]"#)).await;
        }
        for n in 0..8 {
            hasty.packet(&format!("4390{n}[")).await;
        }
        let mut rooms = 0;
        for n in 0..8 {
            rooms += who(&mut watcher, &format!("{own}-{n}")).await.len();
        }
        assert_eq!(rooms, 1, "round {round}");
    }
}

#[tokio::test]
async fn whoever_leaves_while_joining_leaves_no_trace() {
    let server = Server::start(CHAPTER).await;
    let trap = own_name("trap");
    for _ in 0..times(2000) {
        let mut hasty = SocketIo::connect(&server).await;
        for n in 0..5 {
            hasty.emit("joinRoom", json!([{ "room": format!("{trap}-{n}") }])).await;
        }
        hasty.send("41").await;
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

#[tokio::test]
async fn a_late_join_does_not_move_the_client_that_has_come_back() {
    let server = Server::start(CHAPTER).await;
    let mut watcher = SocketIo::connect(&server).await;
    for round in 0..times(2000) {
        let (old, new) = (own_name("old"), own_name("new"));
        let mut client = SocketIo::connect(&server).await;
        settle(&mut client).await;
        for _ in 0..100 {
            client.emit("joinRoom", json!([{ "room": old }])).await;
        }
        client.send("41").await;
        client.join("/", None).await.expect("let in again");
        if round % 2 == 1 {
            join(&mut client, &new).await;
        }
        for _ in 0..20 {
            let late = who(&mut watcher, &old).await;
            assert_eq!(late, HashSet::new(), "round {round}: in a room it did not join");
            let present = who(&mut watcher, &new).await.len();
            assert_eq!(present, round % 2, "round {round}: not in the room it joined");
        }
    }
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
async fn a_close_packet_of_the_engine_ends_a_websocket_too() {
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
async fn the_room_hears_of_a_member_that_left_and_not_of_one_that_moved_on() {
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

/// Events that are refused, with their arguments.
fn bad_events() -> Vec<(&'static str, Value)> {
    let (long_name, long_text) = ("x".repeat(51), "ü".repeat(1001));
    let id = "00000000-0000-4000-8000-000000000000";
    let mut bad = vec![
        ("joinRoom", json!([])),
        ("joinRoom", json!(["red"])),
        ("joinRoom", json!([{}])),
        ("joinRoom", json!([{ "room": 7 }])),
        ("joinRoom", json!([{ "room": null }])),
        ("joinRoom", json!([{ "room": ["red"] }])),
        ("joinRoom", json!([{ "room": "" }])),
        ("joinRoom", json!([{ "room": long_name }])),
        ("who", json!([])),
        ("who", json!([{ "room": {} }])),
        ("who", json!([{ "room": long_name }])),
        ("chatInput", json!([])),
        ("chatInput", json!(["hello"])),
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
        ("say", json!([{ "how": "loudly", "msg": "hello" }])),
        ("say", json!([{ "how": "To", "msg": "hello" }])),
        ("say", json!([{ "how": 1, "msg": "hello" }])),
        ("say", json!([{ "how": "to", "room": 7, "msg": "hello" }])),
        ("say", json!([{ "how": "to", "room": "", "msg": "hello" }])),
        ("say", json!([{ "how": "to", "room": long_name, "msg": "hello" }])),
        ("say", json!([{ "how": "broadcast", "msg": long_text }])),
        ("announce", json!([])),
        ("announce", json!([{ "to": ["red"] }])),
        ("announce", json!([{ "to": "red", "msg": "hello" }])),
        ("announce", json!([{ "to": [""], "msg": "hello" }])),
        ("announce", json!([{ "except": [long_name], "msg": "hello" }])),
        ("announce", json!([{ "except": [7], "msg": "hello" }])),
        ("announce", json!([{ "msg": long_text }])),
        ("ask", json!([])),
        ("ask", json!([{}])),
        ("ask", json!([{ "msg": 7 }])),
        ("ask", json!([{ "msg": long_text }])),
        ("whisper", json!([])),
        ("whisper", json!([{ "msg": "hello" }])),
        ("whisper", json!([{ "to": id }])),
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
    for event in ["joinRoom", "who", "chatInput", "say", "announce", "ask", "whisper"] {
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
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    for (event, args) in bad_events() {
        client.emit(event, args.clone()).await;
        let rejected = client.event("rejected").await;
        assert_eq!(rejected[0]["event"], event, "{args}: {rejected}");
        let error = rejected[0]["error"].as_str();
        assert!(error.is_some_and(|error| error.contains(' ')), "{rejected}");
    }
    join(&mut client, &own_name("red")).await;
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
