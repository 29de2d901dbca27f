//! Killed, stopped and started again: what was answered is there. These promises hold from
//! chapter 6-5 to the end of chapter 6.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use support::{
    chat::{Chat, Connection, Visitor},
    crooked::Rng,
    effort, within,
};
use tokio::{sync::mpsc, task::JoinSet};

use crate::CHAPTER;

/// What the server said it had stored, by number.
type Answered = Arc<Mutex<BTreeMap<i64, Value>>>;

/// Posts as fast as it is allowed, on one connection: until its server is gone.
async fn write(
    mut connection: Connection,
    room: String,
    name: String,
    answered: Answered,
    count: mpsc::UnboundedSender<()>,
) {
    let path = format!("/room/{room}/chat");
    for n in 0.. {
        let text = format!("{name}, message {n}");
        let body = json!({ "chat": text }).to_string();
        let Ok(answer) = connection.post(&path, "application/json", body).await else {
            return;
        };
        if answer.status == 201 {
            let message = answer.json();
            assert_eq!(message["chat"], text);
            let seq = message["seq"].as_i64().expect("a number");
            let before = answered.lock().expect("no panic").insert(seq, message);
            assert_eq!(before, None, "a number was given twice");
            count.send(()).ok();
        } else {
            assert_eq!(answer.status, 429, "{}", answer.text());
        }
    }
}

/// Runs a room full of writers, ends the server by `signal` in the middle, and looks
/// afterwards what is there. As often as `rounds` says, on the same data.
async fn ended_by(signal: &str, rounds: usize) {
    let Some(mut chat) = Chat::own(CHAPTER).await else { return };
    let mut writers = vec![];
    for _ in 0..8 {
        writers.push(Visitor::new(&chat).await);
    }
    let room = writers[0].create(&chat, "Cats").await;
    let answered = Answered::default();
    let mut random = Rng::with_seed(1);
    for round in 0..rounds {
        let mut tabs = vec![];
        for writer in &writers {
            tabs.push(writer.join(&chat, &room).await.0);
        }
        let (count, mut answers) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for (n, writer) in writers.iter().enumerate() {
            tasks.spawn(write(
                Connection::open(&chat, writer).await,
                room.clone(),
                format!("round {round}, writer {n}"),
                answered.clone(),
                count.clone(),
            ));
        }
        for _ in 0..1 + random.usize(..60) {
            within("an answer", answers.recv()).await;
        }
        let stopped = chat.stop(signal).await;
        while let Some(done) = within("the writers", tasks.join_next()).await {
            done.expect("every answer was right");
        }
        chat = stopped.start().await;
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
    ended_by("KILL", effort::times(300)).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_is_stopped_while_people_talk_has_every_answered_message() {
    ended_by("TERM", effort::times(100)).await;
}
