//! Socket.IO: every event that cannot be served is answered with a sentence.
//!
//! Run:  cargo run -p chapter-2-3
//! Try:  open http://127.0.0.1:8005 and press the buttons that send something wrong.

mod reply;

use std::{convert::Infallible, env, io, net::SocketAddr, time::Duration};

use axum::{Router, body::Bytes, extract::ConnectInfo, response::Html, routing::get};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use socketioxide::{
    SocketIo,
    extract::{HttpExtension, SocketRef, TryData},
    handler::ConnectHandler,
};
use tokio::{
    net::TcpListener,
    time::{Instant, interval_at},
};

use crate::reply::Reply;

const PAGE: &str = include_str!("../static/index.html");

/// How often the server sends each client the news.
const NEWS: Duration = Duration::from_secs(3);
/// The longest reply or question, in characters.
const MAX_TEXT: usize = 1000;
/// The longest time that a client may take to answer a question.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// The largest message on every transport, as in Node. The library's own limits are 100 kB for
/// a POST and 64 MiB for a message by WebSocket.
const MAX_MESSAGE: usize = 1_000_000;

/// The first event on every connection.
#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

/// The argument of `howAreYou`.
#[derive(Deserialize)]
struct Question {
    message: String,
    /// Any other fields. Without this one, serde would accept an array as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// Acknowledges `reply`.
#[derive(Serialize)]
struct Accepted {
    ok: bool,
}

/// Acknowledges `howAreYou`.
#[derive(Serialize)]
struct Fine {
    ok: bool,
    message: &'static str,
}

/// Acknowledges `askMe`, if the client has answered the question.
#[derive(Serialize)]
struct Answered {
    ok: bool,
    answer: String,
}

/// Acknowledges `mirror`.
#[derive(Serialize)]
struct Mirrored {
    ok: bool,
    bytes: Bytes,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (socket_io, io) = SocketIo::builder()
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .build_svc();
    io.ns("/", on_connect.with(prepare));
    let app = Router::new()
        .route("/", get(Html(PAGE)))
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io)
        .into_make_service_with_connect_info::<SocketAddr>();
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

/// Registers what a client may send. A middleware runs before the library tells the client
/// that it is connected, and the connect handler after that, in a task of its own.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    socket.on("reply", on_reply);
    socket.on("howAreYou", on_how_are_you);
    socket.on("askMe", on_ask_me);
    socket.on("mirror", on_mirror);
    socket.on_fallback(on_unknown);
    // The first news is three seconds away: by then the client is connected.
    let news = tokio::spawn(send_news(socket.clone())).abort_handle();
    let id = short_id(&socket);
    socket.on_disconnect(async move || {
        println!("{id} disconnected");
        news.abort();
    });
    Ok(())
}

async fn on_connect(
    socket: SocketRef,
    HttpExtension(ConnectInfo(address)): HttpExtension<ConnectInfo<SocketAddr>>,
) {
    println!("{} connected from {address}", short_id(&socket));
    socket.emit("hello", &Hello { message: "Welcome to Socket.IO" }).ok();
}

/// Six characters tell the clients apart. The whole id is a key: over HTTP, a stranger who
/// knows it can send events as this client.
fn short_id(socket: &SocketRef) -> String {
    socket.id.as_str()[..6].to_owned()
}

async fn send_news(socket: SocketRef) {
    let mut every = interval_at(Instant::now() + NEWS, NEWS);
    loop {
        every.tick().await;
        if !socket.connected() {
            return;
        }
        // The buffer of a client that reads too slowly is full: it misses this one.
        socket.emit("news", "Hello Socket.IO").ok();
    }
}

async fn on_reply(reply: Reply, TryData(text): TryData<String>) {
    let Ok(text) = text else {
        return reply.reject("reply takes a string");
    };
    if is_too_long(&text) {
        return reply.reject("a reply is at most 1000 characters");
    }
    println!("reply: {text:?}");
    reply.accept(&Accepted { ok: true });
}

async fn on_how_are_you(reply: Reply, TryData(question): TryData<Question>) {
    let Ok(Question { message, .. }) = question else {
        return reply.reject("howAreYou takes an object with a string called message");
    };
    println!("howAreYou: {:?}", beginning(&message));
    reply.accept(&Fine { ok: true, message: "Fine, thank you" });
}

/// Asks the client the question that it wants to be asked, and passes its answer back.
async fn on_ask_me(
    socket: SocketRef,
    reply: Reply,
    TryData(question): TryData<(String, u64)>,
) {
    let Ok((question, millis)) = question else {
        return reply.reject("askMe takes a string and a number of milliseconds");
    };
    if is_too_long(&question) {
        return reply.reject("a question is at most 1000 characters");
    }
    let deadline = Duration::from_millis(millis);
    if deadline > MAX_WAIT {
        return reply.reject("a question waits for at most 10 seconds");
    }
    match ask(&socket, &question, deadline).await {
        Some(answer) => reply.accept(&Answered { ok: true, answer }),
        None => reply.reject("no answer in time"),
    }
}

/// Emits `question` to one client, and waits for its acknowledgement.
async fn ask(socket: &SocketRef, question: &str, deadline: Duration) -> Option<String> {
    let answer = socket.timeout(deadline).emit_with_ack("question", question).ok()?;
    answer.await.ok()
}

async fn on_mirror(reply: Reply, TryData(bytes): TryData<Bytes>) {
    let Ok(bytes) = bytes else {
        return reply.reject("mirror takes bytes");
    };
    let bytes = bytes.iter().rev().copied().collect();
    reply.accept(&Mirrored { ok: true, bytes });
}

/// Runs for every event that has no handler of its own.
async fn on_unknown(reply: Reply) {
    reply.reject("there is no such event");
}

/// The part of a string that goes into the log, if the string has no limit of its own.
fn beginning(text: &str) -> String {
    text.chars().take(100).collect()
}

/// Counts characters: a limit in bytes would depend on the language.
fn is_too_long(text: &str) -> bool {
    text.chars().count() > MAX_TEXT
}
