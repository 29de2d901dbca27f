//! Namespaces: the same handlers in each of them, and an event from an HTTP request.
//!
//! Run:  cargo run -p chapter-3-2
//! Try:  open http://127.0.0.1:8005 in two tabs and send a notice to one namespace.

mod notice;
mod reply;

use std::{convert::Infallible, env, io, sync::Arc};

use axum::{
    Router,
    response::Html,
    routing::{get, post},
};
use serde::Serialize;
use socketioxide::{SocketIo, extract::SocketRef, handler::ConnectHandler};
use tokio::net::TcpListener;

use crate::reply::Reply;

const PAGE: &str = include_str!("../static/index.html");

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
        println!("disconnected from {}", self.namespace);
    }
}

// One thread: the library tells a client that it is connected, and then forgets that it was
// connecting. A request that another thread reads between the two would get no answer.
#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let (socket_io, io) = SocketIo::new_svc();
    io.ns("/", on_connect.with(prepare));
    io.ns("/room", on_connect_room.with(prepare));
    io.ns("/chat", on_connect_chat.with(prepare));
    io.ns("/system", on_connect_system.with(prepare));
    let app = Router::new()
        .route("/", get(Html(PAGE)))
        .route("/notice", post(notice::send_notice))
        .with_state(io)
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io);
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
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

/// The first event in every namespace.
fn greet(socket: &SocketRef, event: &str, text: &str) {
    println!("connected to {}", socket.ns());
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
