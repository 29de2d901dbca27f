//! Socket.IO: events that are answered, by either side, with text or with bytes.
//!
//! Run:  cargo run -p chapter-2-2
//! Try:  open http://127.0.0.1:8005, press Ask me, and answer the question or let it pass.

use std::{convert::Infallible, env, io, net::SocketAddr, time::Duration};

use axum::{Router, body::Bytes, extract::ConnectInfo, response::Html, routing::get};
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, HttpExtension, SocketRef},
    handler::ConnectHandler,
};
use tokio::{
    net::TcpListener,
    time::{Instant, interval_at},
};

const PAGE: &str = include_str!("../static/index.html");

/// How often the server sends each client the news.
const NEWS: Duration = Duration::from_secs(3);

/// The first event on every connection.
#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

/// The argument of `howAreYou`.
#[derive(Deserialize)]
struct Question {
    message: String,
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

/// Acknowledges what the server could not do.
#[derive(Serialize)]
struct Refused<'a> {
    ok: bool,
    error: &'a str,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (socket_io, io) = SocketIo::new_svc();
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

async fn on_reply(Data(text): Data<String>, ack: AckSender) {
    println!("reply: {text:?}");
    ack.send(&Accepted { ok: true }).ok();
}

async fn on_how_are_you(Data(question): Data<Question>, ack: AckSender) {
    println!("howAreYou: {:?}", question.message);
    ack.send(&Fine { ok: true, message: "Fine, thank you" }).ok();
}

/// Asks the client the question that it wants to be asked, and passes its answer back.
async fn on_ask_me(
    socket: SocketRef,
    Data((question, millis)): Data<(String, u64)>,
    ack: AckSender,
) {
    match ask(&socket, &question, millis).await {
        Some(answer) => ack.send(&Answered { ok: true, answer }).ok(),
        None => ack.send(&Refused { ok: false, error: "no answer in time" }).ok(),
    };
}

/// Emits `question` to one client, and waits for its acknowledgement.
async fn ask(socket: &SocketRef, question: &str, millis: u64) -> Option<String> {
    let deadline = Duration::from_millis(millis);
    let answer = socket.timeout(deadline).emit_with_ack("question", question).ok()?;
    answer.await.ok()
}

async fn on_mirror(Data(bytes): Data<Bytes>, ack: AckSender) {
    let bytes = bytes.iter().rev().copied().collect();
    ack.send(&Mirrored { ok: true, bytes }).ok();
}
