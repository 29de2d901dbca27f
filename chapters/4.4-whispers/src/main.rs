//! Rooms: who hears what.
//!
//! Run:  cargo run -p chapter-4
//! Try:  open http://127.0.0.1:8005 in two tabs, join a room, and see which button reaches whom.

mod bootstrap;
mod member;
mod moderation;
mod operators;
mod reply;
mod rooms;
mod sent;
mod serve;
mod whisper;

use std::convert::Infallible;

use axum::{
    Router,
    response::Html,
    routing::{delete, get, post},
};
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{Extension, SocketRef, State, TryData},
    handler::ConnectHandler,
};
use tracing::{debug, info};

use crate::{
    member::{Member, Name, Text},
    moderation::AppState,
    reply::Reply,
    rooms::{OnDisconnect, Rooms, members, room_of},
    sent::Sent,
};

const PAGE: &str = include_str!("../static/index.html");

/// The largest message on every transport, as in Node. The library's own limits are 100 kB for
/// a POST and 64 MiB for a message by WebSocket.
const MAX_MESSAGE: usize = 1_000_000;

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

/// Acknowledges `who`.
#[derive(Serialize)]
struct Present {
    ok: bool,
    members: Vec<Member>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bootstrap::start_logging()?;
    let stop = bootstrap::stop_signal()?;
    let listener = bootstrap::listen().await?;
    println!("listening on http://{}", listener.local_addr()?);
    let (app, io) = app();
    serve::until_stopped(listener, app, io, stop).await
}

/// The page, the browser's client, the HTTP requests and the Socket.IO endpoint.
fn app() -> (Router, SocketIo) {
    let rooms = Rooms::default();
    let (socket_io, io) = SocketIo::builder()
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .with_state(rooms.clone())
        .build_svc();
    io.ns("/", on_connect.with(prepare));
    let app = Router::new()
        .route("/", get(Html(PAGE)))
        .route("/rooms/{name}/move", post(moderation::move_room))
        .route("/rooms/{name}", delete(moderation::delete_room))
        .route("/rooms/{name}/members/{id}", delete(moderation::kick_member))
        .with_state(AppState { io: io.clone(), rooms })
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io);
    (app, io)
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
    socket.on("whisper", whisper::on_whisper);
    socket.on_fallback(on_unknown);
    socket.on_disconnect(OnDisconnect);
    Ok(())
}

async fn on_connect(socket: SocketRef) {
    info!(transport = ?socket.transport_type(), "connected");
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
        return debug!("disconnected before it could join");
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
    let sent = socket.within(room).emit("chatMessage", &message).await;
    reply.accept(&Sent::from(sent));
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
