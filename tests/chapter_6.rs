//! The promises of chapter 6, over the wire.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::Value;
use support::{
    chat::{CHAT, Chat, Visitor, heard, join, message},
    http,
    record::transcript,
    socket_io::SocketIo,
};

// What earlier chapters promised, and what every later step promises too.
#[path = "chapter_6_4/admission.rs"]
mod admission;
#[path = "chapter_6_5/crashes.rs"]
mod crashes;
#[path = "chapter_6_6/gifs.rs"]
mod gifs;
#[path = "chapter_6_6/hostile.rs"]
mod hostile;
#[path = "chapter_6_3/life.rs"]
mod life;
#[path = "chapter_6_1/lobby.rs"]
mod lobby;
#[path = "chapter_6_6/pictures.rs"]
mod pictures;
#[path = "chapter_6_3/presence.rs"]
mod presence;
#[path = "chapter_6_5/talk.rs"]
mod talk;
#[path = "chapter_6_2/visitors.rs"]
mod visitors;

#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/random.rs"]
mod random;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6");

/// A new room for a hundred.
async fn room(chat: &Chat) -> String {
    let fields = [("title", "Cats"), ("max", "100")];
    Visitor::new(chat).await.create_with(chat, &fields).await
}

/// A client that does what the contract says: it closes every gap, and drops what it has.
struct Reader {
    visitor: Visitor,
    shown: Vec<i64>,
    early: BTreeSet<i64>,
}

impl Reader {
    fn last(&self) -> i64 {
        self.shown.last().copied().unwrap_or(0)
    }

    /// A message has come, by an event or by a request.
    fn hear(&mut self, message: &Value) {
        let seq = message["seq"].as_i64().expect("a number");
        if seq > self.last() {
            self.early.insert(seq);
        }
        while self.early.remove(&(self.last() + 1)) {
            self.shown.push(self.last() + 1);
        }
    }

    async fn catch_up(&mut self, chat: &Chat, room: &str, wanted: i64) {
        while self.last() < wanted {
            let query = format!("?after={}", self.last());
            let answer = self.visitor.history(chat, room, &query).await.json();
            let messages = answer.as_array().expect("a list");
            assert!((1..=50).contains(&messages.len()), "{answer}");
            messages.iter().for_each(|message| self.hear(message));
        }
    }

    /// Connects, closes the gap, listens to some events, and is cut off.
    async fn visit(&mut self, chat: &Chat, room: &str, events: usize, all: i64) {
        let (mut socket, answer) = self.visitor.join(chat, room).await;
        self.catch_up(chat, room, answer["seq"].as_i64().expect("a number")).await;
        for _ in 0..events {
            if self.last() == all {
                break;
            }
            self.hear(&message(&mut socket).await);
        }
        socket.vanish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_cut_off_again_and_again_has_every_message_once_and_in_order() {
    const WRITERS: usize = 30;
    const EACH: usize = 9;
    let all = (WRITERS * EACH) as i64;
    let chat = Chat::start(CHAPTER).await;
    let room = room(&chat).await;
    let mut writers = vec![];
    for _ in 0..WRITERS {
        let visitor = Visitor::new(&chat).await;
        let (tab, _) = visitor.join(&chat, &room).await;
        writers.push((visitor, tab));
    }
    let write = async {
        for number in 0..EACH {
            for (visitor, _) in &writers {
                visitor.said(&chat, &room, &format!("Message {number}")).await;
            }
        }
    };
    let visitor = Visitor::new(&chat).await;
    let mut reader = Reader { visitor, shown: vec![], early: BTreeSet::new() };
    let read = async {
        while reader.last() < all {
            reader.visit(&chat, &room, 15, all).await;
        }
    };
    tokio::join!(write, read);
    assert_eq!(reader.shown, (1..=all).collect::<Vec<_>>());
    assert!(reader.early.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_the_answer_to_a_join_has_no_gap_to_what_is_before_it() {
    let chat = Chat::start(CHAPTER).await;
    let room = room(&chat).await;
    let writers = join_all((0..10).map(|_| async {
        let visitor = Visitor::new(&chat).await;
        let (tab, _) = visitor.join(&chat, &room).await;
        (visitor, tab)
    }))
    .await;
    let write = join_all(writers.iter().map(|(visitor, _)| async {
        for _ in 0..9 {
            visitor.said(&chat, &room, "Hello").await;
        }
    }));
    let read = join_all((0..20).map(|_| async {
        let (mut socket, answer) = Visitor::new(&chat).await.join(&chat, &room).await;
        let seq = answer["seq"].as_i64().expect("a number");
        for expected in seq + 1..=90 {
            let heard = message(&mut socket).await;
            assert_eq!(heard["seq"], expected, "after a join at {seq}");
        }
    }));
    tokio::join!(write, read);
}

/// The numbers of the messages that a tab has heard, in the order of the wire.
async fn numbers(tab: &mut SocketIo, count: i64) -> Vec<i64> {
    let mut numbers = vec![];
    for _ in 0..count {
        numbers.push(message(tab).await["seq"].as_i64().expect("a number"));
    }
    // And nothing more.
    let rest = heard(tab).await;
    assert!(
        !rest.iter().any(|packet| packet.starts_with("42/chat,[\"chat\"")),
        "{rest:?}"
    );
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_people_in_ten_rooms_hear_everything_in_order_and_once() {
    const PEOPLE: usize = 10;
    const EACH: usize = 5;
    let chat = Chat::start(CHAPTER).await;
    join_all((0..10).map(|_| async {
        let room = room(&chat).await;
        let (mut visitors, mut tabs) = (vec![], vec![]);
        for _ in 0..PEOPLE {
            let visitor = Visitor::new(&chat).await;
            tabs.push(visitor.join(&chat, &room).await.0);
            visitors.push(visitor);
        }
        let write = join_all(visitors.iter().map(|visitor| async {
            for number in 0..EACH {
                visitor.said(&chat, &room, &format!("Message {number}")).await;
            }
        }));
        // At the same time: a tab that is not read for 45 s answers no ping, and is closed.
        let all = (PEOPLE * EACH) as i64;
        let read = join_all(tabs.iter_mut().map(|tab| numbers(tab, all)));
        for heard in tokio::join!(write, read).1 {
            assert_eq!(heard, (1..=all).collect::<Vec<_>>());
        }
    }))
    .await;
}

#[tokio::test]
async fn the_pages_modules_are_served_as_scripts() {
    let chat = Chat::start(CHAPTER).await;
    for name in ["room", "messages", "catch-up", "composer", "still", "colours"] {
        let answer = http::get(&chat, &format!("/assets/{name}.js")).await;
        assert_eq!(answer.status, 200, "{name}");
        let kind = answer.header("content-type");
        assert!(kind.starts_with("text/javascript"), "{name}: {kind}");
    }
}

#[tokio::test]
async fn a_lost_connection_costs_one_join_and_one_request() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (_tab, _) = ada.join(&chat, &room).await;
    let bob = Visitor::new(&chat).await;
    let (mut tab, _) = bob.join(&chat, &room).await;
    ada.said(&chat, &room, "One").await;
    let heard = tab.packet("42/chat,[\"chat\"").await;
    tab.vanish();
    ada.said(&chat, &room, "Two").await;
    ada.said(&chat, &room, "Three").await;
    let mut tab = bob.connect(&chat, CHAT).await;
    let answer = join(&mut tab, &room).await;
    let path = format!("/room/{room}/messages?after=1");
    let missed = bob.get(&chat, &path).await;
    let mut record = [
        "# in the room".to_owned(),
        format!("< {heard}"),
        "# the connection breaks, and two messages are said; then it is back".to_owned(),
        format!("> 42/chat,0[\"join\",{{\"room\":\"{room}\"}}]"),
        format!("< 43/chat,0[{{\"ok\":true, …, \"seq\":{}}}]", answer["seq"]),
        "# 3, and this page has only 1".to_owned(),
        format!("> GET {path}"),
        format!("< {}", missed.status),
        missed.text().replace("},{", "},\n {"),
    ]
    .join("\n");
    let event: Value =
        serde_json::from_str(&heard["42/chat,".len()..]).expect("an event is JSON");
    let missed = missed.json();
    let messages = missed.as_array().expect("a list");
    assert_eq!(messages.len(), 2);
    for message in messages.iter().chain([&event[1]]) {
        for (key, name) in [
            ("id", "<id>"),
            ("author", "<member>"),
            ("user", "<colour>"),
            ("createdAt", "<time>"),
        ] {
            record = record.replace(message[key].as_str().expect("a text"), name);
        }
    }
    transcript("chapter-6", "catch-up", &record.replace(&room, "<room>"));
}
