//! Socket.IO: events instead of frames, `news` from the server and `reply` from the page.
//!
//! Run:  cargo run -p chapter-2
//! Try:  open http://127.0.0.1:8005 and watch the transport change in the wire panel.

mod bootstrap;
mod reply;

use std::{convert::Infallible, future::Future, time::Duration};

use axum::{Router, response::Html, routing::get, serve::ListenerExt};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use socketioxide::{
    SendError, SocketError, SocketIo,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
    socket::DisconnectReason,
};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    time::{Instant, interval_at, sleep},
};
use tracing::{debug, info, warn};

use crate::reply::Reply;

const PAGE: &str = include_str!("../static/index.html");

/// How often each client hears the news.
const NEWS: Duration = Duration::from_secs(3);
/// The longest `reply`, in characters.
const MAX_REPLY: usize = 1000;
/// The largest message on every transport, as in Node. The library's own defaults differ
/// from one transport to the next: 100 kB by polling, 64 MiB by WebSocket.
const MAX_MESSAGE: usize = 1_000_000;
/// The server pings this often, and waits this long for a pong: Node's values.
const PING_INTERVAL: Duration = Duration::from_secs(25);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a stopping server waits for its connections.
const FAREWELL: Duration = Duration::from_secs(4);

/// The first event on every connection.
#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

/// What a client sends with `howAreYou`.
#[derive(Deserialize)]
struct Question {
    message: String,
    /// Whatever else there is. Without this, an array of the values would do as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// What `reply` is acknowledged with.
#[derive(Serialize)]
struct Accepted {
    ok: bool,
}

/// What `howAreYou` is acknowledged with.
#[derive(Serialize)]
struct Fine {
    ok: bool,
    message: &'static str,
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
    let (socket_io, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .build_svc();
    io.ns("/", on_connect.with(prepare));
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io);
    (app, io)
}

/// Says what a client may send. As a middleware this runs before the client is told that it
/// is connected. The connect handler runs after that, in a task of its own: by then the
/// first event may have come and gone, and an event without a handler is lost.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    socket.on("reply", on_reply);
    socket.on("howAreYou", on_how_are_you);
    socket.on_fallback(on_unknown);
    // May start before the client is connected: the first news is three seconds away.
    let news = tokio::spawn(send_news(socket.clone())).abort_handle();
    socket.on_disconnect(async move |reason: DisconnectReason| {
        info!(?reason, "disconnected");
        news.abort();
    });
    Ok(())
}

async fn on_connect(socket: SocketRef) {
    info!(transport = ?socket.transport_type(), "connected");
    if let Err(error) = socket.emit("hello", &Hello { message: "Welcome to Socket.IO" }) {
        debug!(%error, "gone before the hello");
    }
}

/// One client's news, until its connection ends.
async fn send_news(socket: SocketRef) {
    let mut every = interval_at(Instant::now() + NEWS, NEWS);
    loop {
        every.tick().await;
        match socket.emit("news", "Hello Socket.IO") {
            Ok(()) => {}
            Err(SendError::Socket(SocketError::Closed)) => return,
            // A client that reads too slowly misses this one and gets the next.
            Err(error) => warn!(%error, "news not sent"),
        }
    }
}

async fn on_reply(reply: Reply, TryData(text): TryData<String>) {
    let Ok(text) = text else {
        return reply.reject("reply takes a string");
    };
    if text.chars().count() > MAX_REPLY {
        return reply.reject("a reply is at most 1000 characters");
    }
    info!(text, "reply");
    reply.accept(&Accepted { ok: true });
}

async fn on_how_are_you(reply: Reply, TryData(question): TryData<Question>) {
    let Ok(Question { message, .. }) = question else {
        return reply.reject("howAreYou takes an object with a string called message");
    };
    // Not called `message`: that is the name of a log line's own text, which is not quoted.
    let question: String = message.chars().take(100).collect();
    info!(question, "howAreYou");
    reply.accept(&Fine { ok: true, message: "Fine, thank you" });
}

/// Runs for every event that has no handler of its own.
async fn on_unknown(reply: Reply) {
    reply.reject("there is no such event");
}
