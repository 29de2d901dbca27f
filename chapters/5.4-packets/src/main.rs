//! Packets in order: one queue for each socket, a middleware for every event, once and off.
//!
//! Run:  cargo run -p chapter-5
//! Try:  open http://127.0.0.1:8005, take a hundred steps at once, and ask for the list.

mod bootstrap;
mod engine;
mod listeners;
mod progress;
mod queue;
mod reply;
mod serve;
mod slim_request;
mod visitor;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, middleware::from_fn_with_state};
use axum_extra::extract::cookie::Key;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use socketioxide::{
    SocketIo,
    extract::{Event, Extension, MaybeHttpExtension, SocketRef, TryData},
    handler::ConnectHandler,
};
use subtle::ConstantTimeEq;
use tokio::time::sleep;
use tracing::{debug, info};

use crate::{
    listeners::Listeners, progress::Progress, queue::Queue, reply::Reply,
    visitor::Visitor,
};

/// A client with the first token is a guest, a client with the second is the admin. A real
/// server keeps no secret in its program.
const GUEST_TOKEN: &str = "guest-token";
const ADMIN_TOKEN: &str = "admin-token";
/// What `/busy` tells every client. The library sends one string with a refusal and no data,
/// but JSON fits into a string.
const BUSY: &str =
    r#"{"message":"not authorized","data":{"content":"Please retry later"}}"#;
/// How long the check of `/slow` takes.
const SLOW_CHECK: Duration = Duration::from_secs(1);
/// The largest message on every transport, as in Node. The library's own limits differ: 100 kB
/// by polling, 64 MiB by WebSocket.
const MAX_MESSAGE: usize = 1_000_000;
/// The read buffer of a WebSocket, which every open connection holds. Most messages fit, a
/// longer one is read in pieces. The library's own has 4 KiB.
const READ_BUFFER: usize = 1024;

/// What a client sends when it asks for a namespace.
#[derive(Deserialize)]
struct Auth {
    token: String,
    /// All other fields. Without this field, serde would accept the array `["guest-token"]`.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// Who a socket belongs to, as a check found out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Guest,
    Admin,
}

/// The first event for every client that was let in.
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

/// Logs that a client has left. The library drops this value together with the socket. It
/// would run a disconnect handler in a task of its own and keep the socket until the handler
/// has returned; a client that comes back meanwhile gets no answer.
struct Visit {
    namespace: String,
}

impl Drop for Visit {
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
    let (app, io) = app(key);
    serve::until_stopped(listener, app, io, stop).await
}

/// The pages, the browser's client and the Socket.IO endpoint.
fn app(key: Key) -> (Router, SocketIo) {
    let (socket_io, io) = SocketIo::builder()
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .ws_read_buffer_size(READ_BUFFER)
        .build_svc();
    // `.with` wraps what is left of it: the last one runs first, and `on_connect` runs last.
    io.ns("/", on_connect.with(prepare).with(require_role).with(require_token));
    io.ns("/admin", on_connect.with(prepare).with(require_admin));
    io.ns("/busy", on_connect.with(refuse));
    io.ns("/slow", on_connect.with(prepare).with(take_time));
    let app = Router::new()
        .merge(visitor::routes(key.clone()))
        .merge(browser_kit::routes())
        .merge(engine::wrap(Router::new().route_service("/socket.io/", socket_io)))
        // A layer wraps what was added before it: pages and handshakes alike.
        .layer(from_fn_with_state(key, visitor::recognize));
    (app, io)
}

/// The first check of `/`: is there a token?
async fn require_token(TryData(auth): TryData<Auth>) -> Result<(), &'static str> {
    // Do not pass the error on: it would name our types to a stranger.
    if auth.is_err() {
        info!(check = 1, "no token");
        return Err("invalid");
    }
    info!(check = 1, "a token");
    Ok(())
}

/// The second check of `/`: is it one of ours?
async fn require_role(
    socket: SocketRef,
    TryData(auth): TryData<Auth>,
) -> Result<(), &'static str> {
    let Some(role) = auth.ok().and_then(|auth| role_of(&auth.token)) else {
        info!(check = 2, "an unknown token");
        return Err("invalid");
    };
    info!(check = 2, ?role, "a known token");
    socket.extensions.insert(role);
    Ok(())
}

/// Compares all bytes of a token, so that the time it takes does not tell how many were right.
fn role_of(token: &str) -> Option<Role> {
    let is = |known: &str| bool::from(token.as_bytes().ct_eq(known.as_bytes()));
    match (is(GUEST_TOKEN), is(ADMIN_TOKEN)) {
        (true, _) => Some(Role::Guest),
        (_, true) => Some(Role::Admin),
        _ => None,
    }
}

/// The check of `/admin`. Each namespace of a connection has a socket of its own: the role
/// that `/` found is not known here.
async fn require_admin(
    socket: SocketRef,
    TryData(auth): TryData<Auth>,
) -> Result<(), &'static str> {
    let role = auth.ok().and_then(|auth| role_of(&auth.token));
    if role != Some(Role::Admin) {
        info!(?role, "not the admin");
        return Err("forbidden");
    }
    socket.extensions.insert(Role::Admin);
    Ok(())
}

/// The check of `/busy` refuses every client.
async fn refuse() -> Result<(), &'static str> {
    Err(BUSY)
}

/// The check of `/slow` lets every client in that is still there after a second. If the client
/// has left by then, the library drops its socket and does not run `on_connect`.
async fn take_time(socket: SocketRef) -> Result<(), Infallible> {
    info!("a slow check begins");
    sleep(SLOW_CHECK).await;
    info!("a slow check ends");
    socket.extensions.insert(Role::Guest);
    Ok(())
}

/// Registers the listeners before the client is told that it is connected. In `on_connect` it
/// would be too late: that runs in a task of its own, and an event without a handler is lost.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    let listeners = Listeners::default();
    listeners.on_any(|packet| Some(on_any(packet.extract()?)));
    listeners.check(|packet| Some(keep_the_secret(packet.extract()?, packet.extract()?)));
    listeners.on("role", |packet| Some(on_role(packet.extract()?, packet.extract()?)));
    listeners
        .on("whoami", |packet| Some(on_whoami(packet.extract()?, packet.extract()?)));
    listeners.on("secret", |packet| Some(on_secret(packet.extract()?)));
    listen_to_steps(&listeners);
    listeners.on("steps", |packet| Some(on_steps(packet.extract()?, packet.extract()?)));
    listeners.on("seen", |packet| Some(on_seen(packet.extract()?, packet.extract()?)));
    listeners.once("gift", |packet| Some(on_gift(packet.extract()?)));
    listeners.on("mute", |packet| Some(on_mute(packet.extract()?, packet.extract()?)));
    listeners
        .on("unmute", |packet| Some(on_unmute(packet.extract()?, packet.extract()?)));
    socket.extensions.insert(Progress::default());
    socket.extensions.insert(listeners.clone());
    // The library has no handler for any event, so all of them come here, in order.
    socket.on_fallback(Queue::new(listeners));
    Ok(())
}

fn listen_to_steps(listeners: &Listeners) {
    listeners.on("step", |packet| {
        Some(on_step(packet.extract()?, packet.extract()?, packet.extract()?))
    });
}

async fn on_connect(socket: SocketRef, Extension(role): Extension<Role>) {
    info!(namespace = socket.ns(), ?role, transport = ?socket.transport_type(), "connected");
    socket.extensions.insert(Arc::new(Visit { namespace: socket.ns().to_owned() }));
    if let Err(error) = socket.emit("welcome", &Welcome { role }) {
        debug!(%error, "gone before the welcome");
    }
}

/// Answers with the role that a check has found, whatever the client says.
async fn on_role(reply: Reply, Extension(role): Extension<Role>) {
    reply.accept(&YourRole { ok: true, role });
}

/// Answers with the visitor whose cookie came with the handshake. That does not change while
/// the connection lasts.
async fn on_whoami(
    reply: Reply,
    MaybeHttpExtension(visitor): MaybeHttpExtension<Visitor>,
) {
    reply.accept(&YouAre { ok: true, visitor });
}

/// The catch-all listener.
async fn on_any(Extension(progress): Extension<Progress>) {
    progress.count_event();
}

/// The middleware of every event: `secret` is for the admin.
async fn keep_the_secret(
    Event(event): Event,
    Extension(role): Extension<Role>,
) -> Result<(), &'static str> {
    if event == "secret" && role != Role::Admin {
        return Err("unauthorized event");
    }
    Ok(())
}

/// Does not ask for the role: the middleware has done so.
async fn on_secret(reply: Reply) {
    info!("the secret is told");
    reply.accept(&Told { ok: true, text: "there is no secret" });
}

async fn on_step(
    reply: Reply,
    TryData(step): TryData<u32>,
    Extension(progress): Extension<Progress>,
) {
    let Ok(step) = step else {
        return reply.reject("step takes a whole number from 0 to 4294967295");
    };
    if !progress.take(step).await {
        return reply.reject("there were too many steps before");
    }
    reply.accept(&Done { ok: true });
}

async fn on_steps(reply: Reply, Extension(progress): Extension<Progress>) {
    reply.accept(&StepsSoFar { ok: true, steps: progress.steps() });
}

async fn on_seen(reply: Reply, Extension(progress): Extension<Progress>) {
    reply.accept(&SeenSoFar { ok: true, seen: progress.events() });
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

/// Puts the listener of `step` back.
async fn on_unmute(reply: Reply, Extension(listeners): Extension<Listeners>) {
    listen_to_steps(&listeners);
    reply.accept(&Done { ok: true });
}
