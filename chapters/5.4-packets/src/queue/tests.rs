//! What the program gives no occasion to show: the order of an event's three listeners, a
//! listener that panics, and one whose arguments are missing.

use std::{convert::Infallible, future::ready, sync::Mutex};

use axum::Router;
use serde_json::{Value as Json, json};
use socketioxide::{
    extract::{Data, SocketRef, TryData},
    handler::ConnectHandler,
};
use support::{Server, socket_io::SocketIo};
use tokio::net::TcpListener;

use super::*;

/// Which listeners ran, in order.
type Notes = Arc<Mutex<Vec<&'static str>>>;

/// A client of a server whose sockets have the listeners that `register` gives them.
async fn with_listeners(register: fn(&Listeners, &Notes)) -> (SocketIo, Notes) {
    let (socket_io, io) = socketioxide::SocketIo::new_svc();
    let notes = Notes::default();
    let noted = notes.clone();
    let prepare = async move |socket: SocketRef| {
        let listeners = Listeners::default();
        register(&listeners, &noted);
        let sync = async |reply: Reply| reply.accept(&"in sync");
        listeners.on("sync", move |packet| Some(sync(packet.extract()?)));
        socket.on_fallback(Queue::new(listeners));
        Ok::<_, Infallible>(())
    };
    io.ns("/", (async || ()).with(prepare));
    let app = Router::new().route_service("/socket.io/", socket_io);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = Server::at(&listener.local_addr().expect("it is bound").to_string());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (SocketIo::connect(&server).await, notes)
}

fn note(notes: &Notes, text: &'static str) {
    notes.lock().expect("no panic").push(text);
}

#[tokio::test]
async fn the_catch_all_comes_first_then_the_middleware_then_the_listener() {
    let (mut client, notes) = with_listeners(|listeners, notes| {
        let [on, once, check, any] = [(); 4].map(|()| notes.clone());
        listeners.on("event", move |_| {
            note(&on, "on");
            Some(ready(()))
        });
        listeners.once("rare", move |_| {
            note(&once, "once");
            Some(ready(()))
        });
        listeners.check(move |_| {
            note(&check, "check");
            Some(ready(Ok(())))
        });
        listeners.on_any(move |_| {
            note(&any, "any");
            Some(ready(()))
        });
    })
    .await;
    for event in ["event", "rare", "rare"] {
        client.emit(event, json!([])).await;
    }
    assert_eq!(client.ask("sync", json!([])).await, "in sync");
    let expected = ["any", "check", "on", "any", "check", "once", "any", "check"];
    assert_eq!(notes.lock().expect("no panic")[..8], expected);
}

#[tokio::test]
async fn a_middleware_that_says_no_keeps_the_listener_from_running() {
    let (mut client, notes) = with_listeners(|listeners, notes| {
        let (any, on) = (notes.clone(), notes.clone());
        listeners.on_any(move |_| {
            note(&any, "any");
            Some(ready(()))
        });
        listeners.check(|_| Some(ready(Err("no"))));
        listeners.on("event", move |_| {
            note(&on, "on");
            Some(ready(()))
        });
    })
    .await;
    client.emit("event", json!([])).await;
    assert_eq!(client.event("rejected").await[0]["error"], "no");
    client.packet("41").await;
    assert_eq!(*notes.lock().expect("no panic"), ["any"]);
}

#[tokio::test]
async fn a_listener_that_panics_ends_its_event_and_not_the_conversation() {
    let (mut client, _) = with_listeners(|listeners, _| {
        listeners.on("panic", |_| Some(async { panic!("on purpose") }));
    })
    .await;
    for _ in 0..3 {
        let answer = client.ask("panic", json!([])).await;
        assert_eq!(answer, json!({ "ok": false, "error": "the server made a mistake" }));
    }
    assert_eq!(client.ask("sync", json!([])).await, "in sync");
}

#[tokio::test]
async fn a_listener_whose_arguments_are_missing_is_answered_for() {
    let (mut client, _) = with_listeners(|listeners, _| {
        let listener = async |_: Data<u32>| ();
        listeners.on("number", move |packet| Some(listener(packet.extract()?)));
    })
    .await;
    let answer = client.ask("number", json!(["seven"])).await;
    let error = "the event takes other arguments";
    assert_eq!(answer, json!({ "ok": false, "error": error }));
    assert_eq!(client.ask("sync", json!([])).await, "in sync");
}

#[tokio::test]
async fn a_middleware_sees_binary_and_the_listener_still_gets_it() {
    let (mut client, _) = with_listeners(|listeners, _| {
        let check = async |_: TryData<Json>| Ok(());
        listeners.check(move |packet| Some(check(packet.extract()?)));
        let listener = async |reply: Reply, attachments: Attachments| {
            reply.accept(&attachments.0);
        };
        listeners.on("bytes", move |packet| {
            Some(listener(packet.extract()?, packet.extract()?))
        });
    })
    .await;
    client.send(r#"451-7["bytes",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[1, 2, 3]).await;
    assert_eq!(client.packet("437").await, "437[3]");
}

/// How many bytes came with an event.
struct Attachments(usize);

impl FromMessageParts<LocalAdapter> for Attachments {
    type Error = Infallible;

    fn from_message_parts(
        _: &Arc<Socket>,
        value: &mut Value,
        _: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let Value::Str(_, Some(attachments)) = value else { return Ok(Self(0)) };
        Ok(Self(attachments.iter().map(|bytes| bytes.len()).sum()))
    }
}
