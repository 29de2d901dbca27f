//! What is said. These promises hold from chapter 6-5 to the end of chapter 6.
//!
//! Two of them open the database: one counts what is left of rooms that are gone, which no
//! client can see, and one makes storing fail.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::{Value, json};
use support::{
    Server,
    chat::{CHAT, Chat, Visitor, heard, message},
    effort,
    http::Response,
    socket_io::SocketIo,
    within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::CHAPTER;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const JSON: (&str, &str) = ("content-type", "application/json");
const MAX_BODY: usize = 16 * 1024;
const SECOND: Duration = Duration::from_secs(1);

/// Two visitors in a room, each with a tab that has heard of everything so far.
async fn two_in_a_room(
    chat: &Server,
) -> (String, (Visitor, SocketIo), (Visitor, SocketIo)) {
    let (ada, bob) = (Visitor::new(chat).await, Visitor::new(chat).await);
    let room = ada.create(chat, "Cats").await;
    let (mut hers, _) = ada.join(chat, &room).await;
    let (mut his, _) = bob.join(chat, &room).await;
    hers.event_in(CHAT, "join").await;
    heard(&mut his).await;
    (room, (ada, hers), (bob, his))
}

/// Sends any body.
async fn post(
    chat: &Server,
    who: &Visitor,
    room: &str,
    body: impl Into<Vec<u8>>,
) -> Response {
    who.send(chat, "POST", &format!("/room/{room}/chat"), &[JSON], body.into()).await
}

/// A refusal for a script: a status, and one sentence that gives nothing away.
fn refused(answer: &Response, status: u16) -> String {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert_eq!(answer.header("content-type"), "application/json", "{text}");
    let json = answer.json();
    assert_eq!(keys(&json), ["error"], "{text}");
    for told in ["panicked", "SQL", "sqlite", "/src/", ".rs", "serde", "line 1"] {
        assert!(!text.contains(told), "{text}");
    }
    json["error"].as_str().expect("a sentence").to_owned()
}

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    object.keys().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect()
}

fn seqs(messages: &[Value]) -> Vec<i64> {
    messages.iter().map(|message| message["seq"].as_i64().expect("a number")).collect()
}

/// The same message for those who did not write it.
fn for_others(mut message: Value) -> Value {
    message.as_object_mut().expect("an object").remove("mine");
    message
}

// --- Saying something ---

#[tokio::test]
async fn a_message_reaches_every_tab_in_the_room_its_senders_too() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, mut hers), (_, mut his)) = two_in_a_room(&chat).await;
    let (mut second, joined) = ada.join(&chat, &room).await;
    let stored = ada.said(&chat, &room, "Miaow").await;
    let others = ["author", "chat", "createdAt", "id", "room", "seq", "user"];
    assert_eq!(keys(&stored)[..4], ["author", "chat", "createdAt", "id"]);
    assert_eq!(stored["mine"], true);
    assert_eq!(stored["chat"], "Miaow");
    assert_eq!(stored["seq"], 1);
    assert_eq!(stored["room"], room.as_str());
    assert_eq!(stored["author"], joined["you"]["id"]);
    assert_eq!(stored["user"], joined["you"]["user"]);
    let id = stored["id"].as_str().expect("an id");
    assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "a random UUID: {id}");
    let time = stored["createdAt"].as_str().expect("a time");
    let shape: String =
        time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    let event = for_others(stored.clone());
    assert_eq!(keys(&event), others);
    for tab in [&mut hers, &mut his, &mut second] {
        assert_eq!(message(tab).await, event, "the same for everybody, and never `mine`");
        assert!(heard(tab).await.is_empty(), "once");
    }
}

#[tokio::test]
async fn only_the_author_reads_that_a_message_is_theirs() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), (bob, _his)) = two_in_a_room(&chat).await;
    let stored = ada.said(&chat, &room, "Miaow").await;
    assert_eq!(ada.history(&chat, &room, "").await.json(), json!([stored]));
    let his = bob.history(&chat, &room, "").await;
    assert_eq!(his.header("cache-control"), "no-store");
    assert_eq!(his.json(), json!([for_others(stored)]));
    let line = |page: &str| {
        let start = page.find("<li class=\"message ").expect("a message on the page");
        page[start..].split("data-seq=\"1\"").next().expect("its line").to_owned()
    };
    let page = format!("/room/{room}");
    assert!(line(&ada.get(&chat, &page).await.text()).contains("mine"));
    assert!(!line(&bob.get(&chat, &page).await.text()).contains("mine"));
}

#[tokio::test]
async fn only_members_may_post() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), (_, mut his)) = two_in_a_room(&chat).await;
    let eve = Visitor::new(&chat).await;
    refused(&eve.say(&chat, &room, "I am not here").await, 403);
    let nobody = Visitor::nobody().say(&chat, &room, "Nor am I").await;
    assert_eq!(refused(&nobody, 403), "no visitor");
    // Her seat is in another room.
    let other = eve.create(&chat, "Dogs").await;
    let _tab = eve.join(&chat, &other).await;
    refused(&eve.say(&chat, &room, "I am elsewhere").await, 403);
    // A page that was opened is not a seat, and neither is a password that was known.
    let secret = [("title", "Owls"), ("max", "2"), ("password", "hoo")];
    let secret = eve.create_with(&chat, &secret).await;
    refused(&eve.say(&chat, &secret, "Hoo").await, 403);
    let cross = [JSON, ("sec-fetch-site", "cross-site")];
    let path = format!("/room/{room}/chat");
    let body = json!({ "chat": "I am another site" }).to_string();
    refused(&ada.send(&chat, "POST", &path, &cross, body).await, 403);
    assert_eq!(ada.said(&chat, &room, "Only me").await["seq"], 1);
    assert_eq!(message(&mut his).await["chat"], "Only me");
}

#[tokio::test]
async fn who_is_away_for_a_moment_may_post_and_who_has_left_may_not() {
    let times = [("LEAVE_GRACE_MS", "4000000")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let (room, (_, mut hers), (bob, his)) = two_in_a_room(&chat).await;
    his.vanish();
    bob.said(&chat, &room, "I am in a tunnel").await;
    assert_eq!(message(&mut hers).await["chat"], "I am in a tunnel");

    let times = [("LEAVE_GRACE_MS", "0")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let (room, (_, mut hers), (bob, his)) = two_in_a_room(&chat).await;
    his.vanish();
    hers.event_in(CHAT, "exit").await;
    refused(&bob.say(&chat, &room, "I have left").await, 403);
    assert!(heard(&mut hers).await.is_empty());
}

#[tokio::test]
async fn many_who_post_at_once_get_numbers_from_1_without_gaps_in_one_order() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, mut hers), (_, mut his)) = two_in_a_room(&chat).await;
    let mut crowd = vec![];
    for _ in 0..8 {
        let visitor = Visitor::new(&chat).await;
        let (tab, _) = visitor.join(&chat, &room).await;
        crowd.push((visitor, tab));
    }
    let (chat, room) = (&chat, &room);
    let posts = crowd.iter().enumerate().flat_map(|(who, (visitor, _))| {
        (0..10).map(move |what| async move {
            visitor.said(chat, room, &format!("{who}: {what}")).await
        })
    });
    let answers = join_all(posts).await;
    let ids: BTreeSet<_> = answers.iter().map(|it| it["id"].to_string()).collect();
    assert_eq!(ids.len(), 80);
    let mut told = vec![];
    for _ in 0..80 {
        told.push(message(&mut hers).await);
    }
    assert_eq!(seqs(&told), (1..=80).collect::<Vec<_>>());
    for (_, tab) in &mut crowd {
        for expected in &told {
            assert_eq!(message(tab).await, *expected);
        }
    }
    for expected in &told {
        assert_eq!(message(&mut his).await, *expected);
    }
    for answer in answers {
        let seq = answer["seq"].as_u64().expect("a number");
        assert_eq!(told[seq as usize - 1], for_others(answer));
    }
    assert_eq!(ada.everything(chat, room).await, told);
}

#[tokio::test]
async fn other_rooms_and_the_lobby_hear_nothing() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), (bob, mut his)) = two_in_a_room(&chat).await;
    let other = bob.create(&chat, "Dogs").await;
    let (mut dogs, _) = bob.join(&chat, &other).await;
    let (mut lobby, _) = bob.watch(&chat).await;
    ada.said(&chat, &room, "Miaow").await;
    bob.said(&chat, &other, "Woof").await;
    assert_eq!(message(&mut his).await["chat"], "Miaow");
    assert!(heard(&mut his).await.is_empty());
    // Each room counts for itself.
    let woof = message(&mut dogs).await;
    assert_eq!((&woof["chat"], &woof["seq"]), (&json!("Woof"), &json!(1)));
    assert!(heard(&mut dogs).await.is_empty());
    let last = ada.create(&chat, "Last").await;
    let packets =
        lobby.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{last}\"")).await;
    assert!(!packets.iter().any(|packet| packet.contains("Miaow")), "{packets:?}");
}

#[tokio::test]
async fn a_join_is_answered_with_the_last_number_and_later_messages_follow_it() {
    let chat = Chat::start(CHAPTER).await;
    for _ in 0..effort::times(100) {
        somebody_joins_in_the_middle(&chat).await;
    }
}

async fn somebody_joins_in_the_middle(chat: &Server) {
    let (room, (ada, _hers), (bob, _his)) = two_in_a_room(chat).await;
    let empty = ada.create(chat, "Empty").await;
    assert_eq!(ada.join(chat, &empty).await.1["seq"], 0);
    // Each says eight things: that is allowed in any second.
    for speaker in [&ada, &bob, &ada, &bob] {
        let somebody = Visitor::new(chat).await;
        let ((mut tab, joined), ..) = tokio::join!(
            somebody.join(chat, &room),
            speaker.said(chat, &room, "one"),
            speaker.said(chat, &room, "two"),
            speaker.said(chat, &room, "three"),
        );
        let seq = joined["seq"].as_i64().expect("a number");
        let last = speaker.said(chat, &room, "the last").await;
        for expected in seq + 1..=last["seq"].as_i64().expect("a number") {
            assert_eq!(message(&mut tab).await["seq"], expected, "after {seq}");
        }
        tab.vanish();
    }
}

// --- What a message is ---

#[tokio::test]
async fn a_message_has_1_to_1000_characters_after_trimming() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, mut hers), _) = two_in_a_room(&chat).await;
    // Unicode scalar values, not bytes, and not what looks like one character.
    for longest in ["x", "ß", "猫", "😀", "\u{301}"] {
        let text = longest.repeat(1000);
        assert_eq!(ada.said(&chat, &room, &text).await["chat"], text.as_str());
        assert_eq!(message(&mut hers).await["chat"], text.as_str());
        refused(&ada.say(&chat, &room, &longest.repeat(1001)).await, 400);
    }
    let wide = format!(" \n\t\u{3000}{}\u{a0} ", "x".repeat(1000));
    assert_eq!(ada.said(&chat, &room, &wide).await["chat"], "x".repeat(1000));
    for empty in ["", " ", "\n\t", "\u{3000}\u{a0}\u{2003}"] {
        refused(&ada.say(&chat, &room, empty).await, 400);
    }
    let inside = ada.said(&chat, &room, "  a \n\n b  ").await;
    assert_eq!(inside["chat"], "a \n\n b");
    let odd = "\u{0}\u{7}\u{202e}\u{feff}\u{fffd} \\\" '; DROP TABLE message; --";
    assert_eq!(ada.said(&chat, &room, odd).await["chat"], odd);
    let history = ada.history(&chat, &room, "").await.json();
    assert_eq!(history[7]["chat"], odd);
    assert_eq!(history.as_array().expect("a list").len(), 8);
}

#[tokio::test]
async fn what_is_no_message_is_400_and_nobody_hears_of_it() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, mut hers), _) = two_in_a_room(&chat).await;
    let deep =
        format!("{{\"chat\":\"x\",\"y\":{}1{}}}", "[".repeat(2000), "]".repeat(2000));
    let wrong: [&[u8]; 21] = [
        b"",
        b"null",
        b"1",
        b"\"text\"",
        b"[]",
        b"[\"text\"]",
        b"{}",
        b"{\"chat\"",
        b"{\"chat\":}",
        b"{\"chat\":null}",
        b"{\"chat\":1}",
        b"{\"chat\":[\"text\"]}",
        b"{\"chat\":{\"chat\":\"text\"}}",
        b"{\"Chat\":\"text\"}",
        b"{\"chat\":\"one\",\"chat\":\"two\"}",
        b"{\"chat\":\"text\"} {}",
        b"{\"chat\":\"\\ud800\"}",
        b"{\"chat\":\"\xff\xfe\"}",
        b"chat=text",
        b"\x00\x01\x02",
        deep.as_bytes(),
    ];
    for body in wrong {
        let answer = post(&chat, &ada, &room, body).await;
        refused(&answer, 400);
    }
    // Whatever else is in it is not looked at: nobody can choose an author or a number.
    let more =
        json!({ "chat": "text", "seq": 7, "author": "me", "gif": "x", "mine": false });
    let stored = ada.post_json(&chat, &format!("/room/{room}/chat"), more).await.json();
    assert_eq!((&stored["seq"], &stored["mine"]), (&json!(1), &json!(true)));
    assert_eq!(stored.get("gif"), None);
    assert_eq!(message(&mut hers).await, for_others(stored));
    assert!(heard(&mut hers).await.is_empty());
}

#[tokio::test]
async fn a_message_is_declared_as_json() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), _) = two_in_a_room(&chat).await;
    let path = format!("/room/{room}/chat");
    let body = json!({ "chat": "text" }).to_string();
    for kind in [
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let kind: &[_] = if kind.is_empty() { &[] } else { &[("content-type", kind)] };
        let answer = ada.send(&chat, "POST", &path, kind, body.clone()).await;
        refused(&answer, 400);
    }
    for kind in
        ["application/json", "Application/JSON; charset=utf-8", "application/json "]
    {
        let kind = [("content-type", kind)];
        let answer = ada.send(&chat, "POST", &path, &kind, body.clone()).await;
        assert_eq!(answer.status, 201, "{kind:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_body_of_16_kib_is_read_and_a_longer_one_gets_a_readable_413() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), _) = two_in_a_room(&chat).await;
    let of = |length: usize| {
        let body = json!({ "chat": "text" }).to_string();
        body.clone() + &" ".repeat(length - body.len())
    };
    assert_eq!(post(&chat, &ada, &room, of(MAX_BODY)).await.status, 201);
    for length in [MAX_BODY + 1, 2 * MAX_BODY, 2 * MAX_BODY + 1] {
        refused(&post(&chat, &ada, &room, of(length)).await, 413);
    }
    // Far more than the server reads: the answer arrives all the same, whether the client
    // reads while it writes, or writes to the end first.
    for length in [2 * MAX_BODY + 1, 1_000_000, 5_000_000] {
        for writes_first in [false, true] {
            let answer = raw(&chat, &ada, &room, &of(length), writes_first).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{length}: {answer:?}");
            assert!(answer.contains("{\"error\":\""), "{length}: {answer:?}");
        }
    }
    let chunked = chunked(&chat, &ada, &room, MAX_BODY + 1).await;
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked:?}");
    assert_eq!(ada.said(&chat, &room, "still here").await["seq"], 2);
}

/// Sends a body on a bare connection, and returns all that comes back.
async fn raw(
    chat: &Server,
    who: &Visitor,
    room: &str,
    body: &str,
    writes_first: bool,
) -> String {
    let tcp = TcpStream::connect(chat.address()).await.expect("it listens");
    let head = format!(
        "POST /room/{room}/chat HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        chat.address(),
        who.cookie,
        body.len(),
    );
    exchange(tcp, head + body, writes_first).await
}

async fn exchange(mut tcp: TcpStream, request: String, writes_first: bool) -> String {
    let (mut reader, mut writer) = tcp.split();
    let mut answer = vec![];
    let write = async {
        // The server hangs up when it has seen enough.
        writer.write_all(request.as_bytes()).await.ok();
    };
    let read = async {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..length]);
        }
    };
    within("the answer", async {
        if writes_first {
            write.await;
            read.await;
        } else {
            tokio::join!(write, read);
        }
    })
    .await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The same, without a length that would warn the server.
async fn chunked(chat: &Server, who: &Visitor, room: &str, length: usize) -> String {
    let tcp = TcpStream::connect(chat.address()).await.expect("it listens");
    let head = format!(
        "POST /room/{room}/chat HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nconnection: close\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n",
        chat.address(),
        who.cookie,
    );
    exchange(tcp, head + &" ".repeat(length) + "\r\n0\r\n\r\n", false).await
}

#[tokio::test]
async fn the_first_thing_that_is_wrong_is_the_one_that_is_named() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), _) = two_in_a_room(&chat).await;
    let eve = Visitor::new(&chat).await;
    let huge = "x".repeat(MAX_BODY + 1);
    for unknown in
        [UNKNOWN, "x", "..%2f", "%ff", &room.to_uppercase(), &format!("{room}x")]
    {
        refused(&post(&chat, &Visitor::nobody(), unknown, &*huge).await, 404);
        refused(&post(&chat, &ada, unknown, "wrong").await, 404);
    }
    assert_eq!(
        refused(&post(&chat, &Visitor::nobody(), &room, &*huge).await, 403),
        "no visitor"
    );
    refused(&post(&chat, &eve, &room, &*huge).await, 403);
    refused(&post(&chat, &eve, &room, "wrong").await, 403);
    refused(&post(&chat, &ada, &room, &*huge).await, 413);
    refused(&post(&chat, &ada, &room, "wrong").await, 400);
    loop {
        let answer = ada.say(&chat, &room, "again").await;
        if answer.status == 429 {
            break;
        }
    }
    // As long as the window lasts. Whoever comes later is told what is wrong with it.
    let answer = post(&chat, &ada, &room, &*huge).await;
    assert!([429, 413].contains(&answer.status.as_u16()), "{}", answer.text());
    let path = format!("/room/{room}/chat");
    let get = ada.get(&chat, &path).await;
    assert_eq!((get.status.as_u16(), get.header("allow")), (405, "POST"));
}

// --- How often ---

#[tokio::test]
async fn of_many_messages_at_once_ten_are_taken_in_two_rooms_and_tabs_together() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), (bob, mut his)) = two_in_a_room(&chat).await;
    let other = ada.create(&chat, "Dogs").await;
    let _tab = ada.join(&chat, &other).await;
    let _tab = ada.join(&chat, &room).await;
    for _ in 0..effort::times(50) {
        let start = Instant::now();
        let posts = (0..30).map(|n| ada.say(&chat, [&room, &other][n % 2], "quick"));
        let answers = join_all(posts).await;
        let took = start.elapsed();
        let taken = answers.iter().filter(|answer| answer.status == 201).count();
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            refused(answer, 429);
            assert_eq!(answer.header("retry-after"), "1");
        }
        // Others are not held up.
        bob.said(&chat, &room, "slow").await;
        assert!(taken <= 10 || took > SECOND, "{taken} in {took:?}");
        assert!(taken >= 10, "{taken} of 30");
        // Until another one is allowed: the oldest of these is a second old.
        while ada.say(&chat, &room, "wait").await.status != 201 {
            sleep(SECOND / 10).await;
        }
        assert!(start.elapsed() >= SECOND);
        // And until none of a second ago counts.
        sleep(SECOND).await;
    }
    while message(&mut his).await["chat"] != "slow" {}
}

#[tokio::test]
async fn the_window_slides_and_what_was_refused_does_not_count() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), _) = two_in_a_room(&chat).await;
    // When each was sent, and when its answer was there: it was counted in between.
    let (mut sent, mut answered) = (vec![], vec![]);
    while sent.len() < 11 + effort::times(200) {
        let start = Instant::now();
        let answer = ada.say(&chat, &room, "as fast as it goes").await;
        match answer.status.as_u16() {
            201 => {
                sent.push(start);
                answered.push(Instant::now());
            }
            // Wrong ones and refused ones are in between, and hold up nobody. A machine that
            // takes a second for ten of them has none that is refused.
            429 => drop(post(&chat, &ada, &room, "wrong").await),
            other => panic!("{other}: {}", answer.text()),
        }
    }
    for (first, eleventh) in sent.iter().zip(&answered[10..]) {
        assert!(*eleventh - *first >= SECOND, "eleven in {:?}", *eleventh - *first);
    }
}

// --- What was said before ---

#[tokio::test]
async fn the_history_is_read_forwards_and_backwards_fifty_at_a_time() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), _) = two_in_a_room(&chat).await;
    assert_eq!(ada.history(&chat, &room, "").await.json(), json!([]));
    assert_eq!(ada.history(&chat, &room, "?after=0").await.json(), json!([]));
    assert_eq!(ada.history(&chat, &room, "?before=1").await.json(), json!([]));
    // Each says fifteen things, with those of seven others in between.
    let mut crowd = vec![];
    for _ in 0..8 {
        let visitor = Visitor::new(&chat).await;
        crowd.push((visitor.join(&chat, &room).await, visitor));
    }
    for n in 0..113 {
        let (_, visitor) = &crowd[n % 8];
        while visitor.say(&chat, &room, &format!("message {}", n + 1)).await.status == 429
        {
            sleep(SECOND / 10).await;
        }
    }
    let last = i64::MAX.to_string();
    for (query, from, to) in [
        ("", 64, 113),
        ("?after=0", 1, 50),
        ("?after=1", 2, 51),
        ("?after=50", 51, 100),
        ("?after=63", 64, 113),
        ("?after=64", 65, 113),
        ("?after=112", 113, 113),
        ("?after=113", 1, 0),
        (&format!("?after={last}"), 1, 0),
        ("?before=1", 1, 0),
        ("?before=2", 1, 1),
        ("?before=51", 1, 50),
        ("?before=52", 2, 51),
        ("?before=113", 63, 112),
        ("?before=114", 64, 113),
        (&format!("?before={last}"), 64, 113),
        ("?unknown=1", 64, 113),
    ] {
        let answer = ada.history(&chat, &room, query).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let Value::Array(messages) = answer.json() else { panic!("no list: {query}") };
        assert_eq!(seqs(&messages), (from..=to).collect::<Vec<_>>(), "{query}");
        for message in &messages {
            assert_eq!(message["chat"], format!("message {}", message["seq"]), "{query}");
        }
    }
    assert_eq!(seqs(&ada.everything(&chat, &room).await), (1..=113).collect::<Vec<_>>());
    let page = ada.get(&chat, &format!("/room/{room}")).await;
    assert_eq!(page.header("cache-control"), "no-store");
    let page = page.text();
    let shown: Vec<_> =
        (1..=113).filter(|seq| page.contains(&format!("data-seq=\"{seq}\""))).collect();
    assert_eq!(shown, (64..=113).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_question_about_the_history_that_makes_no_sense_is_400() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, _hers), _) = two_in_a_room(&chat).await;
    for query in [
        "before=1&after=1",
        "before=&after=",
        "before=1&before=2",
        "before=0",
        "before=-1",
        "after=-1",
        "before=",
        "after=",
        "after=x",
        "after=1.0",
        "after=1e3",
        "after=0x10",
        "after=%2B1",
        "after=+1",
        "after=%201",
        "after=1%00",
        "after=%ff",
        "after=null",
        "after=1;DROP%20TABLE%20message",
    ] {
        refused(&ada.history(&chat, &room, &format!("?{query}")).await, 400);
    }
}

#[tokio::test]
async fn the_history_is_for_those_who_may_be_in_the_room() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob, eve) =
        (Visitor::new(&chat).await, Visitor::new(&chat).await, Visitor::new(&chat).await);
    let fields = [("title", "Cats"), ("max", "2"), ("password", "miaow")];
    let room = ada.create_with(&chat, &fields).await;
    let _hers = ada.join(&chat, &room).await;
    ada.said(&chat, &room, "Only for friends").await;
    let wrong = "?before=x";
    for unknown in [UNKNOWN, "x", "%ff"] {
        refused(&eve.history(&chat, unknown, wrong).await, 404);
        refused(&Visitor::nobody().history(&chat, unknown, wrong).await, 404);
    }
    let nobody = Visitor::nobody().history(&chat, &room, wrong).await;
    assert_eq!(refused(&nobody, 403), "no visitor");
    refused(&eve.history(&chat, &room, wrong).await, 403);
    let path = format!("/room/{room}/enter");
    for visitor in [&bob, &eve] {
        visitor.post_form(&chat, &path, &[("password", "miaow")]).await;
        assert_eq!(
            visitor.history(&chat, &room, "").await.status,
            200,
            "a grant, a seat"
        );
    }
    let _his = bob.join(&chat, &room).await;
    refused(&eve.history(&chat, &room, wrong).await, 409);
    for visitor in [&ada, &bob] {
        assert_eq!(visitor.history(&chat, &room, "").await.status, 200, "members");
        refused(&visitor.history(&chat, &room, wrong).await, 400);
    }
    ada.delete(&chat, &format!("/room/{room}")).await;
    refused(&ada.history(&chat, &room, "").await, 404);
}

#[tokio::test]
async fn what_people_write_is_text_wherever_it_is_shown() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, mut hers), _) = two_in_a_room(&chat).await;
    let attacks = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg onload=alert(1)>",
        "' onmouseover='alert(1)",
        "</li></ol></template><script>alert(1)</script>",
        "{{ room }} {% raw %} ${alert(1)}",
        "javascript:alert(1)",
        "&lt;script&gt; &amp; &#60;b&#62;",
        "<!-- <plaintext>",
    ];
    for attack in attacks {
        assert_eq!(ada.said(&chat, &room, attack).await["chat"], attack);
        assert_eq!(message(&mut hers).await["chat"], attack, "as it is: it is data");
    }
    let history = ada.history(&chat, &room, "").await;
    assert_eq!(history.header("content-type"), "application/json");
    assert_eq!(history.header("x-content-type-options"), "nosniff");
    let page = ada.get(&chat, &format!("/room/{room}")).await.text();
    for (attack, stored) in attacks.iter().zip(history.json().as_array().expect("a list"))
    {
        assert_eq!(stored["chat"], *attack);
        let escaped =
            attack.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let escaped = escaped.replace('"', "&quot;").replace('\'', "&#x27;");
        let slashes = escaped.replace('/', "&#x2F;");
        let numbers = escaped.replace("&#x27;", "&#39;");
        assert!(
            [&escaped, &slashes, &numbers].iter().any(|it| page.contains(*it)),
            "{escaped}\n{page}"
        );
        if attack.contains('<') {
            assert!(!page.contains(attack), "{attack}\n{page}");
        }
    }
}

// --- When things go wrong ---

#[tokio::test]
async fn who_hangs_up_in_the_middle_of_a_message_has_said_it_to_all_or_to_nobody() {
    let chat = Chat::start(CHAPTER).await;
    let (room, (ada, mut hers), _) = two_in_a_room(&chat).await;
    let mut crowd = vec![];
    for _ in 0..6 {
        let visitor = Visitor::new(&chat).await;
        crowd.push((visitor.join(&chat, &room).await, visitor));
    }
    for round in 0..60 {
        let (_, visitor) = &crowd[round % crowd.len()];
        let body = json!({ "chat": format!("hung up {round}") }).to_string();
        let request = format!(
            "POST /room/{room}/chat HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            chat.address(),
            visitor.cookie,
            body.len(),
        );
        let mut tcp = TcpStream::connect(chat.address()).await.expect("it listens");
        // Every third is whole, the others end in the middle.
        let whole = round % 3 == 0;
        let end = request.len() - if whole { 0 } else { 1 + round % body.len() };
        tcp.write_all(&request.as_bytes()[..end]).await.expect("it reads");
        if round % 2 == 0 {
            // A reset instead of a farewell.
            tcp.set_zero_linger().expect("a TCP socket");
        }
        drop(tcp);
    }
    let last = ada.said(&chat, &room, "the last").await;
    let mut told = vec![];
    while told.last() != Some(&for_others(last.clone())) {
        told.push(message(&mut hers).await);
    }
    let mut stored = ada.everything(&chat, &room).await;
    stored.truncate(told.len());
    assert_eq!(stored.into_iter().map(for_others).collect::<Vec<_>>(), told);
    for message in &told {
        let text = message["chat"].as_str().expect("a text");
        let round = text.strip_prefix("hung up ").map(|round| round.parse::<u32>());
        assert!(round.is_none_or(|round| round.is_ok_and(|it| it % 3 == 0)), "{text}");
    }
}

#[tokio::test]
async fn a_message_that_races_with_the_end_of_its_room_is_told_and_stored_or_gets_404() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let mut crowd = vec![];
    for _ in 0..6 {
        crowd.push(Visitor::new(&chat).await);
    }
    let say = async |visitor: Visitor, room: String| {
        visitor.say(&chat, &room, "Is anybody here?").await
    };
    races_with_the_end(&chat, &crowd, 5, say).await;
    assert_eq!(rows(&chat, "message"), 0);
    assert_eq!(rows(&chat, "room"), 0);
    assert_eq!(rows(&chat, "admission"), 0);
}

/// The first of `crowd` makes a room and deletes it while the others `post`, each time a
/// little later, up to `latest` requests. Whatever is answered with 201 is told to everybody.
pub(crate) async fn races_with_the_end(
    chat: &Chat,
    crowd: &[Visitor],
    latest: usize,
    post: impl AsyncFn(Visitor, String) -> Response,
) {
    let (mut taken, mut late) = (0, 0);
    for round in 0.. {
        // In the end there were both, however slow the machine is.
        if round >= effort::times(400) && taken > 0 && late > 0 {
            return;
        }
        let room = crowd[0].create(chat, "Cats").await;
        let mut tabs = vec![];
        for visitor in crowd {
            tabs.push(visitor.join(chat, &room).await.0);
        }
        let path = format!("/room/{room}");
        let delete = async {
            for _ in 0..round % latest {
                crowd[0].history(chat, &room, "").await;
            }
            crowd[0].delete(chat, &path).await
        };
        let posts = crowd[1..].iter().map(|it| post(it.clone(), room.clone()));
        let (deleted, answers) = tokio::join!(delete, join_all(posts));
        assert_eq!(deleted.status, 204);
        let mut stored = vec![];
        for answer in answers {
            match answer.status.as_u16() {
                201 => stored.push(for_others(answer.json())),
                404 => late += 1,
                // Two rounds in one second.
                429 => {}
                other => panic!("{other}: {}", answer.text()),
            }
        }
        taken += stored.len();
        stored.sort_by_key(|message| message["seq"].as_i64());
        for tab in &mut tabs {
            let packets = tab.before("42/chat,[\"roomClosed\"").await;
            let told: Vec<Value> = packets
                .iter()
                .filter_map(|packet| packet.strip_prefix("42/chat,[\"chat\","))
                .map(|rest| {
                    serde_json::from_str(rest.trim_end_matches(']')).expect("JSON")
                })
                .collect();
            assert_eq!(told, stored, "round {round}");
            assert!(heard(tab).await.is_empty(), "nothing after the end");
        }
    }
}

pub(crate) fn database(chat: &Chat) -> Connection {
    Connection::open(chat.data().join("gif-chat.db")).expect("a database")
}

pub(crate) fn rows(chat: &Chat, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    database(chat).query_one(&count, (), |row| row.get(0)).expect("a count")
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_is_told_to_nobody_and_takes_no_number() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, (ada, mut hers), _) = two_in_a_room(&chat).await;
    ada.said(&chat, &room, "one").await;
    database(&chat)
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON message WHEN NEW.chat = 'two'
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        )
        .expect("a trigger");
    // More than ten: what was not stored does not count for the pace.
    for _ in 0..20 {
        let answer = ada.say(&chat, &room, "two").await;
        assert_eq!(
            refused(&answer, 500),
            "Something went wrong here. It is not your fault."
        );
    }
    chat.logged("the disk is full", 20).await;
    assert_eq!(ada.said(&chat, &room, "three").await["seq"], 2);
    assert_eq!(message(&mut hers).await["chat"], "one");
    assert_eq!(message(&mut hers).await["chat"], "three");
    assert!(heard(&mut hers).await.is_empty());
}
