//! Rooms: who hears what.
//!
//! Run:  cargo run -p chapter-4
//! Try:  open http://127.0.0.1:8005 in two tabs, join a room, and see which button reaches whom.

mod bootstrap;
mod member;
mod moderation;
mod reply;
mod rooms;

use std::{convert::Infallible, future::Future, time::Duration};

use axum::{
    Router,
    response::Html,
    routing::{delete, get, post},
    serve::ListenerExt,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use socketioxide::{
    BroadcastError, SocketError, SocketIo,
    extract::{Extension, MaybeExtension, SocketRef, State, TryData},
    handler::ConnectHandler,
    socket::DisconnectReason,
};
use tokio::{net::TcpListener, sync::oneshot, time::sleep};
use tracing::{debug, info, warn};

use crate::{
    member::{Member, MemberId, Name, Text},
    moderation::AppState,
    reply::Reply,
    rooms::{Rooms, members, room_of},
};

const PAGE: &str = include_str!("../static/index.html");

/// The largest message on every transport, as in Node. The library's own defaults differ
/// from one transport to the next: 100 kB by polling, 64 MiB by WebSocket.
const MAX_MESSAGE: usize = 1_000_000;
/// The server pings this often, and waits this long for a pong: Node's values.
const PING_INTERVAL: Duration = Duration::from_secs(25);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a stopping server waits for its connections.
const FAREWELL: Duration = Duration::from_secs(4);

/// What a client sends with `joinRoom` and `who`.
#[derive(Deserialize)]
struct Room {
    room: Name,
    /// Whatever else there is. Without this, an array of the values would do as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// What `joinRoom` is acknowledged with.
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
    /// Whatever else there is. Without this, an array of the values would do as well.
    #[serde(flatten, skip_serializing)]
    _rest: IgnoredAny,
}

/// What a client sends with `say`. Without a room, its own is meant.
#[derive(Deserialize)]
struct Say {
    how: How,
    room: Option<Name>,
    msg: Text,
    /// Whatever else there is. Without this, an array of the values would do as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// The operators.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    To,
    Within,
    Except,
    Broadcast,
    Volatile,
    Local,
}

/// The event `said`.
#[derive(Serialize)]
struct Said {
    how: How,
    msg: Text,
}

/// What a client sends with `whisper`.
#[derive(Deserialize)]
struct Whisper {
    to: MemberId,
    msg: Text,
    /// Whatever else there is. Without this, an array of the values would do as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// The event `whispered`.
#[derive(Serialize)]
struct Whispered {
    from: MemberId,
    msg: Text,
}

/// What a message is acknowledged with.
#[derive(Serialize)]
struct Sent {
    ok: bool,
    /// How many did not get it because they read too slowly. Not mentioned if nobody.
    #[serde(skip_serializing_if = "is_zero")]
    missed: usize,
}

/// What `who` is acknowledged with.
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
    serve(listener, stop).await
}

/// Serves until `stop` completes and every connection is closed.
async fn serve(
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    // Without TCP_NODELAY the kernel holds a small packet back until the one before it
    // has been acknowledged.
    let listener = listener.tap_io(|tcp| {
        tcp.set_nodelay(true).unwrap_or_else(|error| debug!(%error, "no TCP_NODELAY"));
    });
    let (app, io) = app();
    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        stop.await;
        info!("stopping");
        // The deadline counts from here: a client that no longer reads holds up the rest.
        stopping.send(()).ok();
        // Ends the long polls too, which axum would otherwise wait for.
        io.close().await;
    });
    let deadline = async {
        stopped.await.ok();
        sleep(FAREWELL).await;
    };
    tokio::select! {
        result = server => Ok(result?),
        () = deadline => {
            warn!("some connections did not end in time");
            Ok(())
        }
    }
}

/// Everything under one roof: the page, the browser's client and the Socket.IO endpoint.
fn app() -> (Router, SocketIo) {
    let rooms = Rooms::default();
    let (socket_io, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .with_state(rooms.clone())
        .build_svc();
    io.ns("/", on_connect.with(prepare));
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/rooms/{name}/move", post(moderation::move_room))
        .route("/rooms/{name}", delete(moderation::delete_room))
        .with_state(AppState { io: io.clone(), rooms })
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io);
    (app, io)
}

/// Says what a client may send. As a middleware this runs before the client is told that it
/// is connected. The connect handler runs after that, in a task of its own: by then the
/// first event may have come and gone, and an event without a handler is lost.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    socket.extensions.insert(Member::new());
    socket.on("joinRoom", on_join_room);
    socket.on("chatInput", on_chat_input);
    socket.on("say", on_say);
    socket.on("whisper", on_whisper);
    socket.on("who", on_who);
    socket.on_fallback(on_unknown);
    socket.on_disconnect(on_disconnect);
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
    let Ok(Room { room, .. }) = wish else {
        return reply
            .reject("joinRoom takes an object with a room of 1 to 50 characters");
    };
    if !rooms.enter(&io, &socket, &room).await {
        return debug!("gone before it could join");
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
    reply.accept(&Sent { ok: true, missed: missed(sent) });
}

async fn on_say(reply: Reply, socket: SocketRef, TryData(say): TryData<Say>) {
    let Ok(Say { how, room, msg, .. }) = say else {
        return reply.reject(
            "say takes an object with a how, a msg of at most 1000 characters and maybe a room",
        );
    };
    let room = room.map(String::from).or_else(|| room_of(&socket));
    let said = Said { how, msg };
    let sent = match (how, room) {
        (How::To, Some(room)) => socket.to(room).emit("said", &said).await,
        (How::Within, Some(room)) => socket.within(room).emit("said", &said).await,
        (How::Except, Some(room)) => socket.except(room).emit("said", &said).await,
        (How::Volatile, Some(room)) => {
            socket.volatile().to(room).emit("said", &said).await
        }
        (How::Broadcast, _) => socket.broadcast().emit("said", &said).await,
        // Without `broadcast`, `local` would reach nobody but the sender.
        (How::Local, _) => socket.local().broadcast().emit("said", &said).await,
        (_, None) => return reply.reject("name a room, or join one first"),
    };
    reply.accept(&Sent { ok: true, missed: missed(sent) });
}

async fn on_whisper(
    reply: Reply,
    socket: SocketRef,
    TryData(whisper): TryData<Whisper>,
    Extension(you): Extension<Member>,
) {
    let Ok(Whisper { to, msg, .. }) = whisper else {
        return reply.reject(
            "whisper takes an object with to, a member's id, and a msg of at most 1000 characters",
        );
    };
    let Some(room) = room_of(&socket) else {
        return reply.reject("join a room first");
    };
    let mut others = socket.within(room).sockets().into_iter();
    let is_meant = |other: &SocketRef| other.extensions.get() == Some(Member { id: to });
    let Some(member) = others.find(is_meant) else {
        return reply.reject("nobody in your room has this id");
    };
    match member.emit("whispered", &Whispered { from: you.id, msg }) {
        Ok(()) => reply.accept(&Sent { ok: true, missed: 0 }),
        Err(error) => {
            warn!(%error, "whisper not sent");
            reply.reject(
                "it could not be sent: that member reads too slowly, or has gone",
            );
        }
    }
}

async fn on_who(reply: Reply, io: SocketIo, TryData(question): TryData<Room>) {
    let Ok(Room { room, .. }) = question else {
        return reply.reject("who takes an object with a room of 1 to 50 characters");
    };
    reply.accept(&Present { ok: true, members: members(&io, room.into()) });
}

/// Tells the room. What stands before `async` runs at once, while the rooms are known; the
/// rest in a task of its own, and by then the library may have cleared them: it does so at
/// the second sign of the end, and a client that leaves and hangs up gives two.
///
/// An extractor that fails would keep all this from running, and with it what the library
/// does afterwards: the socket would stay in its room for ever. These cannot fail.
fn on_disconnect(
    socket: SocketRef,
    reason: DisconnectReason,
    MaybeExtension(member): MaybeExtension<Member>,
) -> impl Future<Output = ()> {
    info!(?reason, "disconnected");
    let left = room_of(&socket).zip(member);
    socket.leave_all();
    async move {
        if let Some((room, member)) = left {
            missed(socket.to(room).emit("user has left", &member).await);
        }
    }
}

/// Runs for every event that has no handler of its own.
async fn on_unknown(reply: Reply) {
    reply.reject("there is no such event");
}

/// How many did not get a broadcast because their buffers were full: 128 packets wait for
/// each connection, and what comes on top is lost. The error says how many and not who.
fn missed(sent: Result<(), BroadcastError>) -> usize {
    let Err(error) = sent else { return 0 };
    warn!(%error, "not everybody got a message");
    let BroadcastError::Socket(errors) = error else { return 0 };
    let full = |error: &&SocketError| matches!(error, SocketError::InternalChannelFull);
    errors.iter().filter(full).count()
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
