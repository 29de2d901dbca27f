//! Namespaces: dynamic ones that end when the last client has left, and no more than 100.
//!
//! Run:  cargo run -p chapter-3
//! Try:  open http://127.0.0.1:8005 in two tabs, enter `/dynamic-7` in both, leave it again.

mod bootstrap;
mod dynamic;
mod notice;
mod reply;
mod serve;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    response::Html,
    routing::{get, post},
};
use serde::Serialize;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use tracing::{debug, info, warn};

use crate::{dynamic::Namespaces, reply::Reply};

const PAGE: &str = include_str!("../static/index.html");

/// The largest message on every transport, as in Node. The library's own defaults differ
/// from one transport to the next: 100 kB by polling, 64 MiB by WebSocket.
const MAX_MESSAGE: usize = 1_000_000;
/// How many packets may wait for one connection. A client that comes back to a hundred
/// namespaces is sent two for each, all at once; the library's 128 would not be enough.
const MAX_WAITING: usize = 512;
/// The server pings this often, and waits this long for a pong: Node's values.
const PING_INTERVAL: Duration = Duration::from_secs(25);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Acknowledges `whereAmI`.
#[derive(Serialize)]
struct Here<'a> {
    ok: bool,
    namespace: &'a str,
}

/// Logs that a client has left. The library drops this value together with the socket. With a
/// disconnect handler, the library would keep the socket until a task has run the handler; a
/// client that comes back meanwhile gets no answer.
struct Visit {
    namespace: String,
}

impl Drop for Visit {
    fn drop(&mut self) {
        info!(namespace = self.namespace, "disconnected");
    }
}

// One thread: the library tells a client that it is connected, and then forgets that it was
// connecting. A request that another thread reads between the two would get no answer. The
// library also looks a dynamic name up and then adds it: two threads could both add it.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    bootstrap::start_logging()?;
    let stop = bootstrap::stop_signal()?;
    let listener = bootstrap::listen().await?;
    println!("listening on http://{}", listener.local_addr()?);
    let (app, io) = app();
    serve::until_stopped(listener, app, io, stop).await
}

/// The page, the browser's client, the notices and the Socket.IO endpoint.
fn app() -> (Router, SocketIo) {
    let (namespaces, ends) = Namespaces::new(on_new_namespace);
    let (socket_io, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .max_buffer_size(MAX_WAITING)
        .with_state(namespaces.clone())
        .build_svc();
    io.ns("/", on_connect.with(prepare));
    io.ns("/room", on_connect_room.with(prepare));
    io.ns("/chat", on_connect_chat.with(prepare));
    io.ns("/system", on_connect_system.with(prepare));
    io.dyn_ns("/dynamic-{id}", on_connect_dynamic.with(prepare).with(enter))
        .expect("BUG: the only pattern");
    tokio::spawn(namespaces.remove_empty(io.clone(), ends));
    let app = Router::new()
        .route("/", get(Html(PAGE)))
        .route("/notice", post(notice::send_notice))
        .with_state(io.clone())
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io);
    (app, io)
}

/// Runs once for each dynamic namespace, before its first client is let in.
fn on_new_namespace(name: &str) {
    info!(namespace = name, "new namespace");
}

/// Lets a client into a dynamic namespace. The middleware that is written last runs first: a
/// client that is refused here needs no preparation.
async fn enter(
    socket: SocketRef,
    io: SocketIo,
    State(namespaces): State<Namespaces>,
) -> Result<(), &'static str> {
    let lease = namespaces.enter(socket.ns(), &io)?;
    socket.extensions.insert(lease);
    Ok(())
}

/// Registers what a client may send. The library runs this middleware before it tells the
/// client that it is connected, and the connect handler after that, in a task of its own: by
/// then the client's first event may have come, and found no handler.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    socket.on("whereAmI", on_where_am_i);
    socket.on_fallback(on_unknown);
    socket.extensions.insert(Arc::new(Visit { namespace: socket.ns().to_owned() }));
    Ok(())
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

async fn on_connect_system(socket: SocketRef) {
    greet(&socket, "message", "Notice !");
}

async fn on_connect_dynamic(socket: SocketRef, io: SocketIo) {
    // A client that comes at the `Instant` of removal is let into the namespace that goes,
    // where nothing would reach it. The server disconnects it, and it can come again.
    let here = io.of(socket.ns()).and_then(|namespace| namespace.get_socket(socket.id));
    if here.is_none() {
        warn!(namespace = socket.ns(), "connected to a namespace that is gone");
        if let Err(error) = socket.disconnect() {
            debug!(%error, "gone before it was told");
        }
        return;
    }
    greet(&socket, "hi", socket.ns());
}

/// The first event in every namespace.
fn greet(socket: &SocketRef, event: &str, text: &str) {
    info!(namespace = socket.ns(), transport = ?socket.transport_type(), "connected");
    // A client that has left already misses its greeting.
    socket.emit(event, text).ok();
}

/// The same event in every namespace. Each answers with its own name.
async fn on_where_am_i(reply: Reply, socket: SocketRef) {
    reply.accept(&Here { ok: true, namespace: socket.ns() });
}

/// Runs for every event that has no handler of its own.
async fn on_unknown(reply: Reply) {
    reply.reject("there is no such event");
}
