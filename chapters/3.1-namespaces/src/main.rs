//! Namespaces: three conversations over one connection.
//!
//! Run:  cargo run -p chapter-3-1
//! Try:  open http://127.0.0.1:8005, leave `/chat`, and watch the wire panel.

use std::{env, io};

use axum::{Router, response::Html, routing::get};
use serde::Serialize;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
};
use tokio::net::TcpListener;

const PAGE: &str = include_str!("../static/index.html");

/// Acknowledges `whereAmI`.
#[derive(Serialize)]
struct Here<'a> {
    ok: bool,
    namespace: &'a str,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (socket_io, io) = SocketIo::new_svc();
    io.ns("/", on_connect);
    io.ns("/room", on_connect_room);
    io.ns("/chat", on_connect_chat);
    let app = Router::new()
        .route("/", get(Html(PAGE)))
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io);
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

async fn on_connect(socket: SocketRef) {
    greet(&socket, "hi", "everyone");
}

async fn on_connect_room(socket: SocketRef) {
    greet(&socket, "newRoom", "a room");
}

async fn on_connect_chat(socket: SocketRef) {
    greet(&socket, "join", "joined");
}

/// The first event in every namespace.
fn greet(socket: &SocketRef, event: &str, text: &str) {
    println!("connected to {}", socket.ns());
    socket.on("whereAmI", on_where_am_i);
    socket.on_disconnect(on_disconnect);
    // A client that has left already misses its greeting.
    socket.emit(event, text).ok();
}

/// The same event in every namespace. Each answers with its own name.
async fn on_where_am_i(socket: SocketRef, ack: AckSender) {
    ack.send(&Here { ok: true, namespace: socket.ns() }).ok();
}

async fn on_disconnect(socket: SocketRef) {
    println!("disconnected from {}", socket.ns());
}
