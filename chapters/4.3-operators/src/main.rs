//! Rooms: who hears what.
//!
//! Run:  cargo run -p chapter-4-3
//! Try:  open http://127.0.0.1:8005 in two tabs, join a room, and see which button reaches whom.

mod member;
mod operators;
mod reply;
mod rooms;

use std::{convert::Infallible, env, io};

use axum::{Router, response::Html, routing::get};
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{Extension, SocketRef, State, TryData},
    handler::ConnectHandler,
};
use tokio::net::TcpListener;

use crate::{
    member::{Member, Name, Text},
    reply::Reply,
    rooms::{OnDisconnect, Rooms, members, room_of},
};

const PAGE: &str = include_str!("../static/index.html");

/// What a client sends with `joinRoom` and `who`.
#[derive(Deserialize)]
struct Room {
    room: Name,
}

/// Acknowledges `joinRoom`.
#[derive(Serialize)]
struct Joined {
    ok: bool,
    room: Name,
    you: Member,
    members: Vec<Member>,
}

/// `chatInput` and `chatMessage`: the same on the way in and on the way out.
#[derive(Serialize, Deserialize)]
struct ChatMessage {
    nick: Name,
    msg: Text,
}

/// Acknowledges a message.
#[derive(Serialize)]
pub(crate) struct Sent {
    ok: bool,
}

/// Acknowledges `who`.
#[derive(Serialize)]
struct Present {
    ok: bool,
    members: Vec<Member>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (socket_io, io) = SocketIo::builder().with_state(Rooms::default()).build_svc();
    io.ns("/", on_connect.with(prepare));
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

/// Registers the handlers. A middleware runs before the client is told that it is connected.
/// The connect handler runs after that, in a task of its own: by then the client may have
/// sent its first event, and an event without a handler is lost.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    socket.extensions.insert(Member::new());
    socket.on("joinRoom", on_join_room);
    socket.on("chatInput", on_chat_input);
    socket.on("who", on_who);
    operators::prepare(&socket);
    socket.on_fallback(on_unknown);
    socket.on_disconnect(OnDisconnect);
    Ok(())
}

async fn on_connect() {
    println!("a client has connected");
}

async fn on_join_room(
    reply: Reply,
    socket: SocketRef,
    io: SocketIo,
    TryData(wish): TryData<Room>,
    Extension(you): Extension<Member>,
    State(rooms): State<Rooms>,
) {
    let Ok(Room { room }) = wish else {
        return reply
            .reject("joinRoom takes an object with a room of 1 to 50 characters");
    };
    if !rooms.enter(&io, &socket, &room).await {
        return; // The client has disconnected: there is nobody to answer.
    }
    let members = members(&io, room.clone().into());
    reply.accept(&Joined { ok: true, room, you, members });
}

async fn on_chat_input(
    reply: Reply,
    socket: SocketRef,
    TryData(message): TryData<ChatMessage>,
) {
    let Ok(message) = message else {
        return reply.reject(
            "chatInput takes an object with a nick of 1 to 50 and a msg of at most 1000 characters",
        );
    };
    let Some(room) = room_of(&socket) else {
        return reply.reject("join a room first");
    };
    // The result says whether everybody got it. Nobody is told.
    socket.within(room).emit("chatMessage", &message).await.ok();
    reply.accept(&Sent { ok: true });
}

async fn on_who(reply: Reply, io: SocketIo, TryData(question): TryData<Room>) {
    let Ok(Room { room }) = question else {
        return reply.reject("who takes an object with a room of 1 to 50 characters");
    };
    reply.accept(&Present { ok: true, members: members(&io, room.into()) });
}

/// Runs for every event that has no handler of its own.
async fn on_unknown(reply: Reply) {
    reply.reject("there is no such event");
}
