//! Rooms: a message reaches everybody who has joined the same room.
//!
//! Run:  cargo run -p chapter-4-1
//! Try:  open http://127.0.0.1:8005 in two tabs and join the same room, then another one.

use std::{env, io};

use axum::{Router, response::Html, routing::get};
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};
use tokio::net::TcpListener;

const PAGE: &str = include_str!("../static/index.html");

/// What a client sends with `joinRoom`.
#[derive(Deserialize)]
struct Room {
    room: String,
}

/// `chatInput` and `chatMessage`: the same on the way in and on the way out.
#[derive(Serialize, Deserialize)]
struct ChatMessage {
    nick: String,
    msg: String,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (socket_io, io) = SocketIo::new_svc();
    io.ns("/", on_connect);
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
    socket.on("joinRoom", on_join_room);
    socket.on("chatInput", on_chat_input);
}

async fn on_join_room(socket: SocketRef, Data(Room { room }): Data<Room>) {
    socket.leave_all();
    socket.join(room);
}

async fn on_chat_input(socket: SocketRef, Data(message): Data<ChatMessage>) {
    let Some(room) = socket.rooms().pop() else { return };
    // The result says whether everybody got it. Nobody is told.
    socket.within(room).emit("chatMessage", &message).await.ok();
}
