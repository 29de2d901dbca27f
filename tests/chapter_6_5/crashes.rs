//! Killed, stopped and started again: what was answered is there. These promises hold from
//! chapter 6-5 to the end of chapter 6.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use support::{
    Server,
    chat::{Chat, Visitor},
    http::try_send,
    within,
};
use tokio::{sync::Notify, task::JoinSet};

use crate::CHAPTER;

/// What the server said it had stored, by number.
type Answered = Arc<Mutex<BTreeMap<i64, Value>>>;

/// Counts answers, and wakes whoever waits for so many of them.
#[derive(Default)]
struct Count {
    answers: AtomicUsize,
    more: Notify,
}

impl Count {
    fn one(&self) {
        self.answers.fetch_add(1, Ordering::SeqCst);
        self.more.notify_one();
    }

    async fn reaches(&self, goal: usize) {
        within("answers", async {
            while self.answers.load(Ordering::SeqCst) < goal {
                self.more.notified().await;
            }
        })
        .await;
    }
}

/// Posts as fast as it is allowed, until nobody answers any more.
async fn write(
    address: String,
    visitor: Visitor,
    room: String,
    name: String,
    answered: Answered,
    count: Arc<Count>,
) {
    let server = Server::at(&address);
    let path = format!("/room/{room}/chat");
    let headers = [("content-type", "application/json"), ("cookie", &*visitor.cookie)];
    for n in 0.. {
        let text = format!("{name}, message {n}");
        let body = json!({ "chat": text }).to_string().into();
        match try_send(&server, "POST", &path, &headers, body).await {
            Ok(answer) if answer.status == 201 => {
                let message = answer.json();
                assert_eq!(message["chat"], text);
                let seq = message["seq"].as_i64().expect("a number");
                let before = answered.lock().expect("no panic").insert(seq, message);
                assert_eq!(before, None, "a number was given twice");
                count.one();
            }
            Ok(answer) => assert_eq!(answer.status, 429, "{}", answer.text()),
            Err(_) => return,
        }
    }
}

/// A few numbers that look random, and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides).expect("BUG: a small number")
    }
}

/// Runs a room full of writers, ends the server by `signal` in the middle, and looks
/// afterwards what is there. As often as `rounds` says, on the same data.
async fn ended_by(signal: &str, rounds: u64) {
    let Some(mut chat) = Chat::own(CHAPTER).await else { return };
    let mut writers = vec![];
    for _ in 0..8 {
        writers.push(Visitor::new(&chat).await);
    }
    let room = writers[0].create(&chat, "Cats").await;
    let answered = Answered::default();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..rounds {
        let mut tabs = vec![];
        for writer in &writers {
            tabs.push(writer.join(&chat, &room).await.0);
        }
        let (count, mut tasks) = (Arc::new(Count::default()), JoinSet::new());
        for (n, writer) in writers.iter().enumerate() {
            tasks.spawn(write(
                chat.address().to_owned(),
                writer.clone(),
                room.clone(),
                format!("round {round}, writer {n}"),
                answered.clone(),
                count.clone(),
            ));
        }
        count.reaches(1 + dice.roll(60)).await;
        chat = chat.restart(signal).await;
        while let Some(done) = within("the writers", tasks.join_next()).await {
            done.expect("every answer was right");
        }
        let mut told = vec![];
        for mut tab in tabs {
            told = tab.to_the_end().await;
            assert!(!told.iter().any(|packet| packet.contains("\"exit\"")), "{told:?}");
        }
        look(&chat, &room, &answered, &told).await;
    }
}

/// Everything that was answered or told is stored as it was, with no gap and nothing twice.
async fn look(chat: &Chat, room: &str, answered: &Answered, told: &[String]) {
    let reader = Visitor::new(chat).await;
    let stored = reader.everything(chat, room).await;
    for (seq, message) in (1..).zip(&stored) {
        assert_eq!(message["seq"], seq, "no gap");
    }
    let at = |seq: i64| stored.get(usize::try_from(seq - 1).expect("from 1"));
    for (seq, message) in &*answered.lock().expect("no panic") {
        let mut message = message.clone();
        message.as_object_mut().expect("an object").remove("mine");
        assert_eq!(at(*seq), Some(&message), "an answered message is lost");
    }
    for packet in told {
        let Some(rest) = packet.strip_prefix("42/chat,[\"chat\",") else { continue };
        let message = serde_json::from_str(rest.trim_end_matches(']'));
        let message: Value = message.expect("a message");
        assert_eq!(at(message["seq"].as_i64().expect("a number")), Some(&message));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_is_killed_while_people_talk_has_every_answered_message() {
    ended_by("KILL", 12).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_is_stopped_while_people_talk_has_every_answered_message() {
    ended_by("TERM", 4).await;
}
