//! Namespaces: many conversations over one connection.
//!
//! Run:  cargo run -p chapter-3
//! Try:  open http://127.0.0.1:8005, send a notice to one namespace and see who hears it.

mod bootstrap;
mod dynamic;
mod notice;
mod reply;

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use axum::{
    Router,
    response::Html,
    routing::{get, post},
    serve::ListenerExt,
};
use serde::Serialize;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use tokio::{net::TcpListener, sync::oneshot, time::sleep};
use tracing::{debug, info, warn};

use crate::{
    dynamic::{Names, Refused},
    reply::Reply,
};

const PAGE: &str = include_str!("../static/index.html");

/// The largest message on every transport, as in Node. The library's own defaults differ
/// from one transport to the next: 100 kB by polling, 64 MiB by WebSocket.
const MAX_MESSAGE: usize = 1_000_000;
/// How many packets may wait for one connection. A client that comes back to a hundred
/// namespaces is sent two for each, all at once; with the library's 128 it would be cut off.
const MAX_WAITING: usize = 512;
/// The server pings this often, and waits this long for a pong: Node's values.
const PING_INTERVAL: Duration = Duration::from_secs(25);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a stopping server waits for its connections.
const FAREWELL: Duration = Duration::from_secs(4);

/// What `whereAmI` is acknowledged with.
#[derive(Serialize)]
struct Here<'a> {
    ok: bool,
    namespace: &'a str,
}

/// Is dropped with its socket, and logs that. The library would run a disconnect handler in
/// a task of its own and keep the socket until that has ended: a client that leaves a
/// namespace and comes back meanwhile would find its place taken by itself, and get no
/// answer at all.
struct Presence {
    namespace: String,
}

impl Drop for Presence {
    fn drop(&mut self) {
        info!(namespace = self.namespace, "disconnected");
    }
}

// One thread: the library looks a dynamic name up and then adds it, and between the two
// another thread could add the same.
#[tokio::main(flavor = "current_thread")]
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
    let (names, left) = Names::new();
    let (socket_io, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .max_buffer_size(MAX_WAITING)
        .with_state(names.clone())
        .build_svc();
    io.ns("/", on_connect.with(prepare));
    io.ns("/room", on_connect_room.with(prepare));
    io.ns("/chat", on_connect_chat.with(prepare));
    io.ns("/system", on_connect_system.with(prepare));
    io.dyn_ns("/dynamic-{id}", on_connect_dynamic.with(prepare).with(enter))
        .expect("BUG: the only pattern");
    tokio::spawn(names.remove_empty(io.clone(), left));
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/notice", post(notice::send_notice))
        .with_state(io.clone())
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io);
    (app, io)
}

/// Says what a client may send. As a middleware this runs before the client is told that it
/// is connected. The connect handler runs after that, in a task of its own: by then the
/// first event may have come and gone, and an event without a handler is lost.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    socket.on("whereAmI", on_where_am_i);
    socket.on_fallback(on_unknown);
    socket.extensions.insert(Arc::new(Presence { namespace: socket.ns().to_owned() }));
    Ok(())
}

/// Lets a client into a dynamic namespace. The one that is written last runs first: who is
/// refused here needs no preparation.
async fn enter(
    socket: SocketRef,
    io: SocketIo,
    State(names): State<Names>,
) -> Result<(), Refused> {
    let seat = names.enter(socket.ns(), &io)?;
    socket.extensions.insert(seat);
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
    // Whoever comes at the instant of removal is let into the namespace that goes. Nothing
    // would reach it there. It is told, and can come again.
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
    if let Err(error) = socket.emit(event, text) {
        debug!(%error, "gone before the greeting");
    }
}

/// The same event in every namespace, and an answer from the one it was sent to.
async fn on_where_am_i(reply: Reply, socket: SocketRef) {
    reply.accept(&Here { ok: true, namespace: socket.ns() });
}

/// Runs for every event that has no handler of its own.
async fn on_unknown(reply: Reply) {
    reply.reject("there is no such event");
}
