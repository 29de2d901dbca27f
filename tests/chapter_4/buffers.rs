//! A full buffer: what is lost, who is told, and what costs nobody anything.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use socketioxide::{SendError, SocketError, extract::SocketRef};
use support::{
    Server,
    effort::{left_out, times},
    own_name,
    polling::Polling,
    socket_io::SocketIo,
    within,
};

use crate::{AUTH, CHAPTER, Member, join_by_polling, serve, set, who};

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
    let slow = Polling::connect(&server, AUTH).await;
    join_by_polling(&server, &slow, &red).await;
    // Between two polls nobody reads: the buffer fills.
    let mut sent = 0;
    let answer = loop {
        let message = json!([{ "nick": sent.to_string(), "msg": "hello" }]);
        let answer = sender.client.ask("chatInput", message).await;
        assert_eq!(answer["ok"], true);
        // Its own copy was sent before the answer.
        sender.client.event("chatMessage").await;
        if answer["missed"].is_number() {
            break answer;
        }
        sent += 1;
        assert!(sent < 1000, "waited in vain for somebody to miss a message");
    };
    assert_eq!(answer, json!({ "ok": true, "missed": 1 }));
    // It reads again: all that was sent before, in order, and then what is sent from now on.
    let mut got = slow.get(&server).await.text();
    while !got.contains(&format!(r#""nick":"{}""#, sent - 1)) {
        got += &slow.get(&server).await.text();
    }
    let nicks: Vec<_> = got.split(r#""nick":""#).skip(1).collect();
    assert_eq!(nicks.len(), sent, "{got}");
    for (n, nick) in nicks.iter().enumerate() {
        assert!(nick.starts_with(&format!("{n}\"")), "{n}: {nick}");
    }
    let message = json!([{ "nick": "again", "msg": "hello" }]);
    assert_eq!(sender.client.ask("chatInput", message).await, json!({ "ok": true }));
    slow.packet_with(&server, "42", r#""nick":"again""#).await;
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
