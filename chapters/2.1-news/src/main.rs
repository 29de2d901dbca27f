//! Socket.IO: events instead of frames, `news` from the server and `reply` from the page.
//!
//! Run:  cargo run -p chapter-2-1
//! Try:  open http://127.0.0.1:8005 in two tabs and read what the program prints.

use std::{env, io, net::SocketAddr, time::Duration};

use axum::{Router, extract::ConnectInfo, response::Html, routing::get};
use serde::Serialize;
use socketioxide::{
    SocketIo,
    extract::{Data, HttpExtension, SocketRef},
};
use tokio::{
    net::TcpListener,
    time::{Instant, interval_at},
};

const PAGE: &str = include_str!("../static/index.html");

/// How often the server sends each client the news.
const NEWS: Duration = Duration::from_secs(3);

/// The first event on every connection.
#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (socket_io, io) = SocketIo::new_svc();
    io.ns("/", on_connect);
    let app = Router::new()
        .route("/", get(Html(PAGE)))
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io)
        .into_make_service_with_connect_info::<SocketAddr>();
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

async fn on_connect(
    socket: SocketRef,
    HttpExtension(ConnectInfo(address)): HttpExtension<ConnectInfo<SocketAddr>>,
) {
    // Six characters tell the clients apart. The whole id is a key: over HTTP, a stranger who
    // knows it can send events as this client.
    let id = socket.id.as_str()[..6].to_owned();
    println!("{id} connected from {address}");
    socket.on("reply", async |Data(text): Data<String>| println!("reply: {text:?}"));
    let news = tokio::spawn(send_news(socket.clone())).abort_handle();
    socket.on_disconnect(async move || {
        println!("{id} disconnected");
        news.abort();
    });
    socket.emit("hello", &Hello { message: "Welcome to Socket.IO" }).ok();
}

async fn send_news(socket: SocketRef) {
    let mut every = interval_at(Instant::now() + NEWS, NEWS);
    loop {
        every.tick().await;
        if !socket.connected() {
            return;
        }
        // The buffer of a client that reads too slowly is full: it misses this one.
        socket.emit("news", "Hello Socket.IO").ok();
    }
}
