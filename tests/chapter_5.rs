//! The promises of chapter 5, over the wire.

use std::sync::{Arc, Mutex};

use axum::{Router, serve::ListenerExt};
use serde_json::{Value, json};
use socketioxide::{
    extract::{Event, SocketRef, TryData},
    handler::ConnectHandler,
};
use support::{
    Server,
    effort::{left_out, times},
    http,
    official::{self, Official},
    polling::Polling,
    say,
    socket_io::SocketIo,
};
use tokio::net::TcpListener;

// The mechanism itself, for what the program gives no occasion to: a listener that panics,
// or several for one event.
#[path = "../chapters/5.3-packets/src/listener.rs"]
mod listener;
#[path = "../chapters/5.3-packets/src/packets.rs"]
#[expect(dead_code, reason = "the program uses all of it")]
mod packets;
#[path = "../chapters/5.3-packets/src/reply.rs"]
mod reply;
#[path = "../chapters/5.3-packets/src/steps.rs"]
#[expect(dead_code, reason = "the program uses all of it")]
mod steps;

use crate::{
    packets::{EventError, Listeners, Queue},
    reply::Reply,
};

// What other programs promise too.
#[path = "promises/checks.rs"]
mod checks;
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/page.rs"]
mod page;
#[path = "promises/random.rs"]
mod random;

use checks::{AUTH, connect, guest, question, settle};

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-5");
const MAX_MESSAGE: usize = 1_000_000;

// What the shared promises have to know.
const UNKNOWN: [&str; 4] = ["/nowhere", "/socket.io/nothing.js", "/admin", "/busy"];

fn admin() -> Option<Value> {
    Some(json!({ "token": "admin-token" }))
}

/// A client in `/`, with this token.
async fn connect_as(server: &Server, auth: Option<Value>) -> SocketIo {
    let mut client = SocketIo::open(server, "").await;
    client.join("/", auth).await.expect("let in");
    client
}

// --- Order ---

/// How many of the numbers came after a larger one.
fn overtaken(numbers: &[u32]) -> usize {
    let mut largest = 0;
    numbers
        .iter()
        .filter(|number| {
            largest = largest.max(**number);
            **number < largest
        })
        .count()
}

fn numbers(list: &Value) -> Vec<u32> {
    let list = list.as_array().expect("a list");
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
    assert_eq!(answer["ok"], true);
    numbers(&answer["steps"])
}

#[tokio::test]
async fn steps_are_taken_in_the_order_in_which_they_were_sent() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let many = times(10_000) as u32;
    let steps = steps_of(&mut client, many).await;
    say(&format!(
        "one queue a socket: {} of {many} steps were overtaken",
        overtaken(&steps)
    ));
    assert_eq!(steps, (0..many).collect::<Vec<_>>());
}

/// Serves `app` from this process.
async fn serve(app: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("BUG: it is bound").to_string();
    let listener = listener.tap_io(|tcp| tcp.set_nodelay(true).expect("a TCP socket"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Server::at(&address)
}

/// How many of 1000 steps are overtaken with the library's own handlers: a task each.
async fn overtaken_with_a_task_for_each_event(pause: bool) -> usize {
    let (socket_io, io) = socketioxide::SocketIo::new_svc();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let paused = steps::Steps::default();
    let (list, moments) = (taken.clone(), paused.clone());
    let prepare = async move |socket: SocketRef| {
        let (list, moments) = (list.clone(), moments.clone());
        socket.on("step", async move |TryData::<u32>(step)| {
            let step = step.expect("a number");
            if pause {
                moments.take(step).await;
            }
            list.lock().expect("no panic").push(step);
        });
        Ok::<_, std::convert::Infallible>(())
    };
    io.ns("/", (async || ()).with(prepare));
    let mut client = SocketIo::connect(
        &serve(Router::new().route_service("/socket.io/", socket_io)).await,
    )
    .await;
    for n in 0..1000 {
        client.emit("step", json!([n])).await;
    }
    support::within("a thousand steps", async {
        while taken.lock().expect("no panic").len() < 1000 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let taken = taken.lock().expect("no panic");
    overtaken(&taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_task_for_each_event_steps_overtake_each_other() {
    if !support::is_ours("it is about the library by itself") {
        return;
    }
    let without = overtaken_with_a_task_for_each_event(false).await;
    let with = overtaken_with_a_task_for_each_event(true).await;
    say(&format!(
        "a task for each event: {with} of 1000 steps were overtaken; without a pause {without}"
    ));
    assert!(with > 0, "a thousand steps of random length, and none overtaken");
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

#[tokio::test]
async fn acknowledgements_come_in_order_too() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    for id in 100..200 {
        client.send(&format!(r#"42{id}["step",{id}]"#)).await;
    }
    let mut so_far = client.so_far("seen", json!([])).await;
    so_far.retain(|packet| packet.starts_with("43"));
    let expected: Vec<_> =
        (100..200).map(|id| format!(r#"43{id}[{{"ok":true}}]"#)).collect();
    assert_eq!(so_far, expected);
}

// --- Middleware and the error listener ---

#[tokio::test]
async fn a_guests_secret_is_stopped_before_its_handler_and_the_guest_is_sent_away() {
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

// --- The mechanism by itself ---

/// What the listeners below were called for, in order.
type Notes = Arc<Mutex<Vec<String>>>;

fn tell(reply: Reply, error: EventError) {
    reply.reject(&error.to_string());
}

/// A client of a server whose sockets have the listeners that `register` gives them.
async fn with_listeners(register: fn(&Listeners, &Notes)) -> (SocketIo, Notes) {
    let (server, notes) = serve_listeners(register).await;
    (SocketIo::connect(&server).await, notes)
}

/// The server alone.
async fn serve_listeners(register: fn(&Listeners, &Notes)) -> (Server, Notes) {
    let (socket_io, io) = socketioxide::SocketIo::new_svc();
    let notes = Notes::default();
    let noted = notes.clone();
    let prepare = async move |socket: SocketRef| {
        let listeners = Listeners::new(tell);
        register(&listeners, &noted);
        listeners.on("sync", async |reply: Reply| reply.accept(&"in sync"));
        socket.extensions.insert(listeners.clone());
        socket.on_fallback(Queue::new(listeners));
        Ok::<_, std::convert::Infallible>(())
    };
    io.ns("/", (async || ()).with(prepare));
    (serve(Router::new().route_service("/socket.io/", socket_io)).await, notes)
}

/// A listener that takes a note.
fn note(
    notes: &Notes,
    text: &'static str,
) -> impl Fn(Reply) -> std::future::Ready<()> + use<> {
    let notes = notes.clone();
    move |_| {
        notes.lock().expect("no panic").push(text.to_owned());
        std::future::ready(())
    }
}

async fn notes_after(
    mut client: SocketIo,
    notes: &Notes,
    events: &[&str],
) -> Vec<String> {
    for event in events {
        client.emit(event, json!([])).await;
    }
    assert_eq!(client.ask("sync", json!([])).await, "in sync");
    notes.lock().expect("no panic").clone()
}

#[tokio::test]
async fn catch_all_comes_first_then_the_middleware_then_the_listeners_in_their_order() {
    if !support::is_ours("it is about the mechanism by itself") {
        return;
    }
    let (client, notes) = with_listeners(|listeners, notes| {
        listeners.on("event", note(notes, "first"));
        listeners.on("event", note(notes, "second"));
        listeners.once("event", note(notes, "once"));
        listeners.otherwise(note(notes, "otherwise"));
        let middleware = notes.clone();
        listeners.apply(move |_: Reply| {
            middleware.lock().expect("no panic").push("middleware".to_owned());
            std::future::ready(Ok(()))
        });
        listeners.on_any(note(notes, "any"));
    })
    .await;
    let mut notes = notes_after(client, &notes, &["event", "event", "other"]).await;
    notes.truncate(12);
    let expected = [
        "any",
        "middleware",
        "first",
        "second",
        "once", // the first
        "any",
        "middleware",
        "first",
        "second", // the second
        "any",
        "middleware",
        "otherwise", // the other
    ];
    assert_eq!(notes, expected);
}

#[tokio::test]
async fn a_middleware_that_says_no_keeps_the_next_one_and_the_listener_from_running() {
    if !support::is_ours("it is about the mechanism by itself") {
        return;
    }
    let (mut client, notes) = with_listeners(|listeners, notes| {
        listeners.on_any(note(notes, "any"));
        listeners.apply(async |_: Reply| Err(EventError::Unauthorized));
        let second = notes.clone();
        listeners.apply(move |_: Reply| {
            second.lock().expect("no panic").push("second".to_owned());
            std::future::ready(Ok(()))
        });
        listeners.on("event", note(notes, "listener"));
    })
    .await;
    client.emit("event", json!([])).await;
    assert_eq!(client.event("rejected").await[0]["error"], "unauthorized event");
    assert_eq!(*notes.lock().expect("no panic"), ["any"]);
}

#[tokio::test]
async fn a_client_with_a_full_buffer_is_sent_away_as_soon_as_there_is_room() {
    if !support::is_ours("it is about the mechanism by itself") {
        return;
    }
    let (server, notes) = serve_listeners(|listeners, notes| {
        let denied = notes.clone();
        listeners.apply(move |socket: SocketRef, Event(event): Event| {
            while socket.emit("full", &()).is_ok() {}
            denied.lock().expect("no panic").push(event);
            std::future::ready(Err(EventError::Unauthorized))
        });
    })
    .await;
    // Between two polls nothing is taken out of the buffer: what is full stays full.
    let client = Polling::connect(&server, "").await;
    client.post(&server, r#"42["deny"]"#).await;
    support::within("the middleware", async {
        while notes.lock().expect("no panic").is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut got = String::new();
    support::within("the end", async {
        while !got.split('\u{1e}').any(|packet| packet == "41") {
            got += "\u{1e}";
            got += &client.get(&server).await.text();
        }
    })
    .await;
    assert!(got.matches("full").count() > 100, "{got}");
    assert!(!got.contains("rejected"), "there was no room for it: {got}");
}

#[tokio::test]
async fn a_listener_that_panics_ends_its_event_and_not_the_conversation() {
    if !support::is_ours("it is about the mechanism by itself") {
        return;
    }
    let (mut client, _) = with_listeners(|listeners, _| {
        listeners.on("panic", async |_: Reply| panic!("on purpose"));
    })
    .await;
    for _ in 0..3 {
        let answer = client.ask("panic", json!([])).await;
        assert_eq!(answer, json!({ "ok": false, "error": "the server made a mistake" }));
    }
    assert_eq!(client.ask("sync", json!([])).await, "in sync");
}

#[tokio::test]
async fn a_listener_whose_arguments_are_not_there_is_answered_for() {
    if !support::is_ours("it is about the mechanism by itself") {
        return;
    }
    let (mut client, _) = with_listeners(|listeners, _| {
        let listener = async |_: Reply, _: socketioxide::extract::Data<u32>| ();
        listeners.on("number", listener);
    })
    .await;
    let answer = client.ask("number", json!(["seven"])).await;
    assert_eq!(
        answer,
        json!({ "ok": false, "error": "the event takes other arguments" })
    );
    assert_eq!(client.ask("sync", json!([])).await, "in sync");
}

#[tokio::test]
async fn a_middleware_sees_binary_and_the_listener_still_gets_it() {
    if !support::is_ours("it is about the mechanism by itself") {
        return;
    }
    let (mut client, _) = with_listeners(|listeners, _| {
        listeners.apply(async |_: TryData<Value>, _: Reply| Ok(()));
        let length = async |reply: Reply, TryData::<Bytes>(bytes)| {
            reply.accept(&bytes.expect("bytes").0);
        };
        listeners.on("bytes", length);
    })
    .await;
    client.send(r#"451-7["bytes",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[1, 2, 3]).await;
    assert_eq!(client.packet("437").await, "437[3]");
}

/// The length of an attachment.
struct Bytes(usize);

impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(data: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.len()))
            }
        }
        data.deserialize_bytes(Visitor)
    }
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
async fn a_client_that_floods_is_told_once_and_sent_away_and_nobody_else_notices() {
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
async fn ten_thousand_small_events_at_once_are_no_flood() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let many = times(100_000);
    for _ in 0..many {
        client.emit("mute", json!([])).await;
    }
    assert_eq!(client.ask("seen", json!([])).await["seen"], many + 1);
}

// --- What is kept ---

#[tokio::test]
async fn the_checks_the_cookie_and_the_gate_are_what_they_were() {
    let server = Server::start(CHAPTER).await;
    let page = http::get(&server, "/").await;
    let cookie = page.header("set-cookie").split(';').next().expect("BUG: never empty");
    let mut client = SocketIo::open_with(&server, "", &[("cookie", cookie)]).await;
    assert_eq!(client.join("/", None).await, Err(json!({ "message": "invalid" })));
    let refused = client.join("/admin", guest()).await;
    assert_eq!(refused, Err(json!({ "message": "forbidden" })));
    let refused = client.join("/busy", guest()).await.expect_err("always");
    assert!(refused["message"].as_str().is_some_and(|text| text.contains("retry later")));
    settle(&mut client).await;
    client.join("/", guest()).await.expect("a guest");
    let headers = [("cookie", cookie)];
    let by_http = http::send(&server, "GET", "/whoami", &headers, "").await.json();
    assert_ne!(by_http["visitor"], Value::Null);
    let answer = client.ask("whoami", json!([])).await;
    assert_eq!(answer, json!({ "ok": true, "visitor": by_http["visitor"] }));
    let path = "/socket.io/?EIO=4&transport=polling&refuse=1";
    let refused = http::get(&server, path).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("x-workbook"), "1");
    let list = http::get(&server, "/connection-errors").await.json();
    let list = list.as_array().expect("a list");
    assert!(list.contains(&refused.json()), "{list:?}");
}

// --- The end ---

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_ends_with_0_also_while_events_are_waiting() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let mut client = connect(&server).await;
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
