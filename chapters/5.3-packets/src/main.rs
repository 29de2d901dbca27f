//! Packets in order: middleware for every event, an error listener, once, off and catch-all.
//!
//! Run:  cargo run -p chapter-5
//! Try:  open http://127.0.0.1:8005, take a hundred steps at once, and ask for the list.

mod bootstrap;
mod chain;
mod engine;
mod lean;
mod listener;
mod packets;
mod reply;
mod steps;
mod visitor;

use std::{convert::Infallible, fmt, future::Future, sync::Arc, time::Duration};

use axum::{Router, middleware::from_fn_with_state, serve::ListenerExt};
use axum_extra::extract::cookie::Key;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use socketioxide::{
    SocketIo,
    extract::{Event, Extension, MaybeHttpExtension, SocketRef, TryData},
    handler::ConnectHandler,
};
use subtle::ConstantTimeEq;
use tokio::{net::TcpListener, sync::oneshot, time::sleep};
use tracing::{debug, info, warn};

use crate::{
    chain::Then,
    packets::{EventError, Listeners, Queue},
    reply::Reply,
    steps::{Seen, Steps},
    visitor::Visitor,
};

/// Who brings the first is a guest, who brings the second is the admin. A real server keeps
/// neither in its program.
const GUEST_TOKEN: &str = "guest-token";
const ADMIN_TOKEN: &str = "admin-token";
/// How long `/slow` takes to make up its mind.
const SLOW_CHECK: Duration = Duration::from_secs(1);
/// The largest message on every transport, as in Node. The library's own defaults differ
/// from one transport to the next: 100 kB by polling, 64 MiB by WebSocket.
const MAX_MESSAGE: usize = 1_000_000;
/// What waits to be read of one WebSocket: most messages fit, longer ones are read in pieces.
/// A buffer of this size stays with every connection. The library's own has 4 KiB.
const READ_BUFFER: usize = 1024;
/// The server pings this often, and waits this long for a pong: Node's values.
const PING_INTERVAL: Duration = Duration::from_secs(25);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a stopping server waits for its connections.
const FAREWELL: Duration = Duration::from_secs(4);

/// What a client sends along when it asks for a namespace.
#[derive(Deserialize)]
struct Auth {
    token: String,
    /// Whatever else there is. Without this, an array with a token in it would do as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// A token on its way from the first check to the second.
#[derive(Clone)]
struct Token(String);

/// Who a socket belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Guest,
    Admin,
}

/// The first event for everyone who was let in.
#[derive(Serialize)]
struct Welcome {
    role: Role,
}

/// What `role` is acknowledged with.
#[derive(Serialize)]
struct YourRole {
    ok: bool,
    role: Role,
}

/// What `whoami` is acknowledged with.
#[derive(Serialize)]
struct YouAre {
    ok: bool,
    visitor: Option<Visitor>,
}

/// What an event is acknowledged with that has no more to say.
#[derive(Serialize)]
struct Done {
    ok: bool,
}

/// What `steps` is acknowledged with.
#[derive(Serialize)]
struct StepsSoFar {
    ok: bool,
    steps: Vec<u32>,
}

/// What `seen` is acknowledged with.
#[derive(Serialize)]
struct SeenSoFar {
    ok: bool,
    seen: usize,
}

/// What `secret` and `gift` are acknowledged with.
#[derive(Serialize)]
struct Told {
    ok: bool,
    text: &'static str,
}

/// Why a client was not let in. Its text is all that a client is told.
enum Refusal {
    Invalid,
    Forbidden,
    Busy,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid",
            Self::Forbidden => "forbidden",
            // A refusal carries one text and no data. JSON fits into a text.
            Self::Busy => {
                r#"{"message":"not authorized","data":{"content":"Please retry later"}}"#
            }
        })
    }
}

/// Is dropped with its socket, and logs that. The library would run a disconnect handler in
/// a task of its own and keep the socket until then: a client that leaves a namespace and
/// comes back at once would find its place taken by itself, and get no answer at all.
struct Presence {
    namespace: String,
}

impl Drop for Presence {
    fn drop(&mut self) {
        info!(namespace = self.namespace, "disconnected");
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bootstrap::start_logging()?;
    let stop = bootstrap::stop_signal()?;
    let key = visitor::cookie_key()?;
    let listener = bootstrap::listen().await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, key, stop).await
}

/// Serves until `stop` completes and every connection is closed.
async fn serve(
    listener: TcpListener,
    key: Key,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    // Without TCP_NODELAY the kernel holds a small packet back until the one before it
    // has been acknowledged.
    let listener = listener.tap_io(|tcp| {
        tcp.set_nodelay(true).unwrap_or_else(|error| debug!(%error, "no TCP_NODELAY"));
    });
    let (app, io) = app(key);
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

/// Everything under one roof: the pages, the browser's client and the Socket.IO endpoint.
fn app(key: Key) -> (Router, SocketIo) {
    let (socket_io, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .ws_read_buffer_size(READ_BUFFER)
        .build_svc();
    io.ns("/", on_connect.with(require_token.then(require_known_token).then(prepare)));
    io.ns("/admin", on_connect.with(require_admin.then(prepare)));
    io.ns("/busy", on_connect.with(refuse));
    io.ns("/slow", on_connect.with(take_time.then(prepare)));
    let app = Router::new()
        .merge(visitor::routes(key.clone()))
        .merge(browser_kit::routes())
        .merge(engine::wrap(Router::new().route_service("/socket.io/", socket_io)))
        // A layer wraps what was added before it: pages and handshakes alike.
        .layer(from_fn_with_state(key, visitor::recognize));
    (app, io)
}

/// The first check of `/`: is there a token at all?
async fn require_token(
    socket: SocketRef,
    TryData(auth): TryData<Auth>,
) -> Result<(), Refusal> {
    // The library's own text about this error would name our types to a stranger.
    let Ok(Auth { token, .. }) = auth else {
        info!(check = 1, "no token");
        return Err(Refusal::Invalid);
    };
    info!(check = 1, "a token");
    socket.extensions.insert(Token(token));
    Ok(())
}

/// The second check of `/`: is it one of ours?
async fn require_known_token(socket: SocketRef) -> Result<(), Refusal> {
    // Taken out: a secret has no business on a socket once it has been looked at.
    let token = socket.extensions.remove::<Token>();
    let Some(role) = token.and_then(|Token(token)| role_of(&token)) else {
        info!(check = 2, "an unknown token");
        return Err(Refusal::Invalid);
    };
    info!(check = 2, ?role, "a known token");
    socket.extensions.insert(role);
    Ok(())
}

/// Tells nobody by the time it takes how much of a guess was right.
fn role_of(token: &str) -> Option<Role> {
    let is = |known: &str| bool::from(token.as_bytes().ct_eq(known.as_bytes()));
    match (is(GUEST_TOKEN), is(ADMIN_TOKEN)) {
        (true, _) => Some(Role::Guest),
        (_, true) => Some(Role::Admin),
        _ => None,
    }
}

/// The check of `/admin`. Namespaces share a connection, but no check and no identity: what
/// `/` found out about this client is not known here.
async fn require_admin(
    socket: SocketRef,
    TryData(auth): TryData<Auth>,
) -> Result<(), Refusal> {
    let role = auth.ok().and_then(|Auth { token, .. }| role_of(&token));
    if role != Some(Role::Admin) {
        info!(?role, "not the admin");
        return Err(Refusal::Forbidden);
    }
    socket.extensions.insert(Role::Admin);
    Ok(())
}

/// The check of `/busy`: nobody, for now.
async fn refuse() -> Result<(), Refusal> {
    Err(Refusal::Busy)
}

/// The check of `/slow` lets everybody in, after some time. Who has left by then is neither
/// connected nor disconnected: for the handlers there was nobody.
async fn take_time(socket: SocketRef) -> Result<(), Infallible> {
    info!("a slow check begins");
    sleep(SLOW_CHECK).await;
    info!("a slow check ends");
    socket.extensions.insert(Role::Guest);
    Ok(())
}

/// Says what a client may send. As a middleware this runs before the client is told that it
/// is connected. The connect handler runs after that, in a task of its own: by then the
/// first event may have come and gone, and an event without a handler is lost.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    let listeners = Listeners::new(on_error);
    listeners.on_any(on_any);
    listeners.apply(keep_the_secret);
    listeners.on("role", on_role);
    listeners.on("whoami", on_whoami);
    listeners.on("secret", on_secret);
    listeners.on("step", on_step);
    listeners.on("steps", on_steps);
    listeners.on("seen", on_seen);
    listeners.once("gift", on_gift);
    listeners.on("mute", on_mute);
    listeners.on("unmute", on_unmute);
    listeners.otherwise(on_unknown);
    socket.extensions.insert(Steps::default());
    socket.extensions.insert(Seen::default());
    socket.extensions.insert(listeners.clone());
    // The library has no listener for any event: they all end up here, in order.
    socket.on_fallback(Queue::new(listeners));
    Ok(())
}

async fn on_connect(socket: SocketRef, Extension(role): Extension<Role>) {
    info!(namespace = socket.ns(), ?role, transport = ?socket.transport_type(), "connected");
    socket.extensions.insert(Arc::new(Presence { namespace: socket.ns().to_owned() }));
    if let Err(error) = socket.emit("welcome", &Welcome { role }) {
        debug!(%error, "gone before the welcome");
    }
}

/// Who is asking, as the checks found out. A client cannot claim it.
async fn on_role(reply: Reply, Extension(role): Extension<Role>) {
    reply.accept(&YourRole { ok: true, role });
}

/// Whose browser this is. The cookie came with the handshake: for as long as the connection
/// lasts, that answer stands.
async fn on_whoami(
    reply: Reply,
    MaybeHttpExtension(visitor): MaybeHttpExtension<Visitor>,
) {
    reply.accept(&YouAre { ok: true, visitor });
}

/// The catch-all listener.
async fn on_any(Extension(seen): Extension<Seen>) {
    seen.add_one();
}

/// The middleware of every event: `secret` is for the admin.
async fn keep_the_secret(
    Event(event): Event,
    Extension(role): Extension<Role>,
) -> Result<(), EventError> {
    if event == "secret" && role != Role::Admin {
        return Err(EventError::Unauthorized);
    }
    Ok(())
}

/// Everybody who gets here may know: the middleware has seen to that.
async fn on_secret(reply: Reply) {
    info!("the secret is told");
    reply.accept(&Told { ok: true, text: "there is no secret" });
}

async fn on_step(
    reply: Reply,
    TryData(step): TryData<u32>,
    Extension(steps): Extension<Steps>,
) {
    let Ok(step) = step else {
        return reply.reject("step takes a whole number from 0 to 4294967295");
    };
    if !steps.take(step).await {
        return reply.reject("there were too many steps before");
    }
    reply.accept(&Done { ok: true });
}

async fn on_steps(reply: Reply, Extension(steps): Extension<Steps>) {
    reply.accept(&StepsSoFar { ok: true, steps: steps.list() });
}

async fn on_seen(reply: Reply, Extension(seen): Extension<Seen>) {
    reply.accept(&SeenSoFar { ok: true, seen: seen.count() });
}

/// Runs once. After that there is no such event.
async fn on_gift(reply: Reply) {
    reply.accept(&Told { ok: true, text: "a cookie" });
}

/// Removes the listener of `step`.
async fn on_mute(reply: Reply, Extension(listeners): Extension<Listeners>) {
    listeners.off("step");
    reply.accept(&Done { ok: true });
}

/// Puts it back, and only one of it.
async fn on_unmute(reply: Reply, Extension(listeners): Extension<Listeners>) {
    listeners.off("step");
    listeners.on("step", on_step);
    reply.accept(&Done { ok: true });
}

/// The error listener: an event that did not come to its end is answered for.
fn on_error(reply: Reply, error: EventError) {
    warn!(%error, "an event was stopped");
    reply.reject(&error.to_string());
}

/// Runs for every event that has no handler of its own.
async fn on_unknown(reply: Reply) {
    reply.reject("there is no such event");
}
