//! A WebSocket, raw: a greeting every three seconds on `/`, an echo on `/echo`.
//!
//! Run:  cargo run -p chapter-1-1
//! Try:  open http://127.0.0.1:8005 in two tabs and watch the terminal.

use std::{env, io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    time::{Instant, interval_at},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, handshake::derive_accept_key, protocol::Role},
};

const PAGE: &str = include_str!("../static/index.html");

/// How often the ticker greets.
const TICK: Duration = Duration::from_secs(3);

type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

#[tokio::main]
async fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = Router::new().route("/", get(on_request)).route("/echo", get(on_request));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
}

/// Answers with the page, or turns the connection into a WebSocket.
async fn on_request(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return Html(PAGE).into_response();
    };
    let accept = derive_accept_key(key.as_bytes());
    let is_echo = request.uri().path() == "/echo";
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // Completes after hyper has sent the response below.
        let Ok(io) = upgraded.await else { return };
        let ws = WebSocket::from_raw_socket(TokioIo::new(io), Role::Server, None).await;
        println!("{peer} open");
        let ended = if is_echo { echo(ws).await } else { greet(ws, peer).await };
        println!("{peer} closed: {ended:?}");
    });
    let headers = [
        (header::CONNECTION, "Upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_ACCEPT, &accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Waits for two things at once: the next tick, and the client's next message.
async fn greet(mut ws: WebSocket, peer: SocketAddr) -> Result<(), Error> {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    loop {
        tokio::select! {
            _ = ticks.tick() => ws.send(Message::text("Hello from the server")).await?,
            message = ws.next() => match message {
                Some(message) => println!("{peer} sent {}", message?),
                None => return Ok(()),
            },
        }
    }
}

async fn echo(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            ws.send(message).await?;
        }
    }
    Ok(())
}
