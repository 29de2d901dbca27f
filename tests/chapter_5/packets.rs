//! The promises of step 5.4: events in order, a middleware for each, and what does not fit.

use serde_json::{Value, json};
use support::{
    Server,
    effort::{left_out, times},
    official::{self, Official},
    polling::Polling,
    socket_io::SocketIo,
};

use crate::{AUTH, CHAPTER, admin, connect, connect_as, guest};

const MAX_MESSAGE: usize = 1_000_000;

// --- Order ---

#[tokio::test]
async fn acknowledgements_come_in_the_order_of_their_events() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let ids: Vec<u32> = (100..200).collect();
    for _ in 0..20 {
        for id in &ids {
            client.send(&format!(r#"42{id}["role"]"#)).await;
        }
        let mut answered = Vec::new();
        for _ in &ids {
            let answer = client.packet("43").await;
            answered.push(answer[2..5].parse::<u32>().expect("an id of three digits"));
        }
        assert_eq!(answered, ids, "the answers overtook each other");
    }
}

fn numbers(list: &Value) -> Vec<u32> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list of steps: {list}"));
    list.iter()
        .map(|n| n.as_u64().and_then(|n| n.try_into().ok()).expect("a u32"))
        .collect()
}

/// Sends `count` steps as fast as it can, and returns the list that `steps` answers.
async fn steps_of(client: &mut SocketIo, count: u32) -> Vec<u32> {
    for n in 0..count {
        client.emit("step", json!([n])).await;
    }
    let answer = client.ask("steps", json!([])).await;
    assert_eq!(answer["ok"], true, "{answer}");
    numbers(&answer["steps"])
}

#[tokio::test]
async fn steps_are_taken_in_the_order_in_which_they_were_sent() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let many = times(10_000) as u32;
    let steps = steps_of(&mut client, many).await;
    assert_eq!(steps, (0..many).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_official_client_is_handled_in_order_on_every_transport() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &(version, transports) in official::ways() {
        let options =
            json!({ "transports": transports, "auth": { "token": "guest-token" } });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        // The upgrade from polling happens on the way.
        for n in 0..200 {
            client.emit("step", json!([n])).await;
        }
        let answer = client.ask("steps", json!([])).await;
        let steps = numbers(&answer[0]["steps"]);
        assert_eq!(steps, (0..200).collect::<Vec<_>>(), "{version} {transports:?}");
    }
}

#[tokio::test]
async fn several_events_in_one_post_are_handled_in_order() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    client.post(&server, r#"40{"token":"guest-token"}"#).await;
    client.packet(&server, "40").await;
    let events: Vec<_> = (0..100).map(|n| format!(r#"42["step",{n}]"#)).collect();
    client.post(&server, &events.join("\u{1e}")).await;
    client.post(&server, r#"420["steps"]"#).await;
    let answer = client.packet(&server, "430").await;
    let answer: Value = serde_json::from_str(&answer[3..]).expect("JSON");
    assert_eq!(numbers(&answer[0]["steps"]), (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_sockets_steps_do_not_wait_for_anothers() {
    let server = Server::start(CHAPTER).await;
    let mut busy = connect(&server).await;
    let mut quick = connect(&server).await;
    let many = times(30_000);
    for n in 0..many {
        busy.emit("step", json!([n])).await;
    }
    let answer = quick.ask("seen", json!([])).await;
    assert_eq!(answer, json!({ "ok": true, "seen": 1 }));
    // At that moment the busy one had steps before it: they are counted as they are handled.
    let early = busy.ask("steps", json!([])).await;
    assert_eq!(numbers(&early["steps"]).len(), many);
    assert_eq!(quick.ask("steps", json!([])).await, json!({ "ok": true, "steps": [] }));
}

#[tokio::test]
async fn namespaces_of_one_connection_have_queues_of_their_own() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect_as(&server, admin()).await;
    client.join("/admin", admin()).await.expect("the admin");
    for n in 0..100 {
        client.emit("step", json!([n])).await;
        client.emit_in("/admin", "step", json!([n + 1000])).await;
    }
    for (namespace, first) in [("/", 0), ("/admin", 1000)] {
        let answer = client.ask_in(namespace, "steps", json!([])).await;
        assert_eq!(numbers(&answer["steps"]), (first..first + 100).collect::<Vec<_>>());
    }
}

// --- The middleware ---

#[tokio::test]
async fn a_guests_secret_is_stopped_before_its_handler_and_the_guest_is_disconnected() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = connect(&server).await;
    client.emit("secret", json!([])).await;
    let rejected = client.packet("42[\"rejected\"").await;
    assert_eq!(
        rejected,
        r#"42["rejected",{"event":"secret","error":"unauthorized event"}]"#
    );
    client.packet("41").await;
    server.logged(" disconnected ", 1).await;
    assert!(!server.log().contains("the secret is told"));
}

#[tokio::test]
async fn with_an_acknowledgement_the_refusal_is_in_it() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let answer = client.ask("secret", json!([{ "please": true }])).await;
    assert_eq!(answer, json!({ "ok": false, "error": "unauthorized event" }));
    client.packet("41").await;
}

#[tokio::test]
async fn the_admin_is_told_the_secret() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = connect_as(&server, admin()).await;
    let answer = client.ask("secret", json!([])).await;
    assert_eq!(answer, json!({ "ok": true, "text": "there is no secret" }));
    server.logged("the secret is told", 1).await;
    assert_eq!(client.ask("seen", json!([])).await["seen"], 2);
}

#[tokio::test]
async fn what_was_sent_before_the_secret_is_handled_and_what_came_after_is_not() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = connect(&server).await;
    for id in 0..20 {
        client.send(&format!(r#"42{id}["step",{id}]"#)).await;
    }
    client.emit("secret", json!([])).await;
    for id in 20..40 {
        client.send(&format!(r#"42{id}["step",{id}]"#)).await;
    }
    let answers = client.before("41").await;
    assert!(answers.iter().any(|packet| packet.contains("unauthorized event")));
    let handled: Vec<_> =
        answers.iter().filter(|packet| packet.starts_with("43")).collect();
    let expected: Vec<_> =
        (0..20).map(|id| format!(r#"43{id}[{{"ok":true}}]"#)).collect();
    assert_eq!(handled, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn other_namespaces_of_the_connection_are_not_disconnected() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    client.join("/slow", None).await.expect("let in after a second");
    client.emit("secret", json!([])).await;
    client.packet("41").await;
    assert_eq!(client.ask_in("/slow", "role", json!([])).await["role"], "guest");
    client.join("/", guest()).await.expect("a guest may come back");
    assert_eq!(client.ask("role", json!([])).await["role"], "guest");
}

#[tokio::test]
async fn the_official_client_is_told_and_does_not_come_back_by_itself() {
    if official::skip() {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let options = json!({ "auth": { "token": "guest-token" } });
    let mut client = Official::connect_with(&server, 4, "/", options).await;
    client.emit("secret", json!([])).await;
    let rejected = client.event("rejected").await;
    assert_eq!(rejected, json!([{ "event": "secret", "error": "unauthorized event" }]));
    assert_eq!(client.on("disconnect").await["reason"], "io server disconnect");
    client.reconnect().await;
    client.on("connect").await;
    assert_eq!(client.ask("role", json!([])).await[0]["role"], "guest");
    server.logged(" connected ", 2).await;
}

/// Fills the buffer of a client that polls, and then asks for the secret. Returns what the
/// client got up to the end of its place in `/`, or nothing if the connection ended first: a
/// ping that finds the buffer full does that, if a busy machine sends its first one so late.
async fn full_and_secret(server: &Server, stopped: usize) -> Option<String> {
    let client = Polling::connect(server, AUTH).await;
    // Between two polls nothing is taken out of the buffer: what is full stays full.
    let mut events: Vec<_> = (0..200).map(|id| format!(r#"42{id}["role"]"#)).collect();
    events.push(r#"42["secret"]"#.to_owned());
    client.post(server, &events.join("\u{1e}")).await;
    server.logged("an event was stopped", stopped).await;
    // Some conversation: meanwhile the server tries to disconnect, and finds no room.
    let mut other = connect(server).await;
    for _ in 0..50 {
        other.ask("role", json!([])).await;
    }
    let mut got = String::new();
    support::within("the end", async {
        while !got.split('\u{1e}').any(|packet| packet == "41") {
            let answer = client.get(server).await;
            if answer.status != 200 {
                return None;
            }
            got += "\u{1e}";
            got += &answer.text();
        }
        Some(got)
    })
    .await
}

#[tokio::test]
async fn a_client_with_a_full_buffer_is_disconnected_as_soon_as_there_is_room() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    for stopped in 1..=5 {
        if let Some(got) = full_and_secret(&server, stopped).await {
            assert!(got.matches(r#""role":"guest""#).count() > 100, "{got}");
            return;
        }
    }
    panic!("five times, the connection ended before the client was disconnected");
}

// --- Once, removal, catch-all ---

#[tokio::test]
async fn a_gift_is_given_once() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let answer = client.ask("gift", json!([])).await;
    assert_eq!(answer, json!({ "ok": true, "text": "a cookie" }));
    let answer = client.ask("gift", json!([])).await;
    assert_eq!(answer, json!({ "ok": false, "error": "there is no such event" }));
    let mut other = connect(&server).await;
    assert_eq!(other.ask("gift", json!([])).await["ok"], true, "each socket has its own");
}

#[tokio::test]
async fn of_two_gifts_asked_for_at_once_one_is_given() {
    let server = Server::start(CHAPTER).await;
    for _ in 0..times(500) {
        let mut client = connect(&server).await;
        client.send(r#"4290["gift"]"#).await;
        client.send(r#"4291["gift"]"#).await;
        assert!(client.packet("4390").await.contains("cookie"));
        assert!(client.packet("4391").await.contains("no such event"));
    }
}

#[tokio::test]
async fn a_removed_listener_is_gone_until_it_is_put_back() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    assert_eq!(client.ask("step", json!([1])).await, json!({ "ok": true }));
    assert_eq!(client.ask("mute", json!([])).await, json!({ "ok": true }));
    let answer = client.ask("step", json!([2])).await;
    assert_eq!(answer, json!({ "ok": false, "error": "there is no such event" }));
    for _ in 0..2 {
        assert_eq!(client.ask("unmute", json!([])).await, json!({ "ok": true }));
    }
    assert_eq!(client.ask("step", json!([3])).await, json!({ "ok": true }));
    let answer = client.ask("steps", json!([])).await;
    assert_eq!(answer["steps"], json!([1, 3]), "twice put back, it is there once");
}

#[tokio::test]
async fn mute_takes_effect_between_the_events_before_and_after_it() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    client.emit("step", json!([1])).await;
    client.emit("mute", json!([])).await;
    client.emit("step", json!([2])).await;
    client.emit("unmute", json!([])).await;
    client.emit("step", json!([3])).await;
    assert_eq!(client.ask("steps", json!([])).await["steps"], json!([1, 3]));
    assert_eq!(client.event("rejected").await[0]["event"], "step");
}

#[tokio::test]
async fn the_catch_all_listener_hears_events_that_nobody_else_does() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    for event in ["role", "noSuchEvent", "step", "seen"] {
        client.emit(event, json!([])).await;
    }
    assert_eq!(client.ask("seen", json!([])).await, json!({ "ok": true, "seen": 5 }));
}

// --- Bad events ---

#[tokio::test]
async fn a_bad_step_is_refused_and_the_socket_lives_on() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let bad = [
        ("step", json!([])),
        ("step", json!([null])),
        ("step", json!(["1"])),
        ("step", json!([-1])),
        ("step", json!([1.5])),
        ("step", json!([4_294_967_296_u64])),
        ("step", json!([[1]])),
        ("step", json!([{ "step": 1 }])),
        ("Step", json!([1])),
        ("noSuchEvent", json!(["x".repeat(100_000)])),
    ];
    for (event, args) in bad {
        let answer = client.ask(event, args.clone()).await;
        assert_eq!(answer["ok"], false, "{event} {args}: {answer}");
        assert!(answer["error"].as_str().is_some_and(|error| error.contains(' ')));
        client.emit(event, args.clone()).await;
        let rejected = client.event("rejected").await;
        assert_eq!(rejected[0]["event"], event, "{args}");
    }
    client.send(r#"451-["step",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[1]).await;
    assert_eq!(client.event("rejected").await[0]["event"], "step");
    let answer = client.ask("steps", json!(["ignored"])).await;
    assert_eq!(answer, json!({ "ok": true, "steps": [] }));
}

#[tokio::test]
async fn the_largest_and_the_smallest_step_are_taken() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    for step in [0, u32::MAX] {
        assert_eq!(client.ask("step", json!([step])).await, json!({ "ok": true }));
    }
    assert_eq!(client.ask("steps", json!([])).await["steps"], json!([0, u32::MAX]));
}

// --- Floods ---

#[tokio::test]
async fn a_client_that_floods_is_told_once_and_disconnected_and_nobody_else_notices() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut good = connect(&server).await;
    let mut bad = connect(&server).await;
    // Steps take a moment each, so that what comes after them has to wait.
    for n in 0..3000 {
        bad.emit("step", json!([n])).await;
    }
    let large = "x".repeat(MAX_MESSAGE / 2);
    for _ in 0..7 {
        bad.emit("nobody", json!([large])).await;
    }
    let told = bad.before("41").await;
    let told =
        told.iter().filter(|packet| packet.contains("too many events are waiting"));
    assert_eq!(told.count(), 1);
    server.logged(" disconnected ", 1).await;
    assert_eq!(good.ask("role", json!([])).await["ok"], true);
}

#[tokio::test]
async fn an_event_that_is_larger_than_the_queue_is_refused_and_its_sender_disconnected() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let attachments: Vec<_> =
        (0..5).map(|num| json!({ "_placeholder": true, "num": num })).collect();
    let event = json!(["nobody", attachments]);
    client.send(&format!("455-{event}")).await;
    for _ in 0..5 {
        client.send_binary(&vec![0; 900_000]).await;
    }
    let told = client.before("41").await;
    assert!(told.iter().any(|packet| packet.contains("too many events are waiting")));
    client.join("/", guest()).await.expect("a client may come back");
    assert_eq!(client.ask("role", json!([])).await["role"], "guest");
}

#[tokio::test]
async fn thousands_of_small_events_at_once_are_no_flood() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    assert_eq!(client.ask("mute", json!([])).await, json!({ "ok": true }));
    let many = times(100_000);
    for _ in 0..many {
        client.emit("mute", json!([])).await;
    }
    assert_eq!(client.ask("seen", json!([])).await["seen"], many + 2);
}

// --- The end ---

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_ends_with_0_even_while_events_are_waiting() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let mut client = connect(&server).await;
    assert_eq!(client.ask("step", json!([0])).await, json!({ "ok": true }));
    for n in 0..3000 {
        client.emit("step", json!([n])).await;
    }
    server.signal("TERM").await;
    client.closed().await;
    assert_eq!(server.exit().await.code(), Some(0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_task_of_a_socket_ends_with_it_and_thousands_leave_nothing_behind() {
    if left_out("thousands of connections") {
        return;
    }
    let environment = [("RUST_LOG", "chapter_5=debug")];
    let Some(server) = Server::own_with(CHAPTER, &environment).await else { return };
    let cycle = async |n: usize| {
        let mut client = connect(&server).await;
        for step in 0..3 {
            client.emit("step", json!([step])).await;
        }
        match n % 3 {
            0 => client.send("41").await,
            1 => client.emit("secret", json!([])).await,
            _ => {}
        }
        client.vanish();
    };
    server.keeps_nothing_of("the last event of a socket", 1024, cycle).await;
    let ended = server.log().matches("the last event of a socket").count();
    server.logged(" disconnected ", ended).await;
}
