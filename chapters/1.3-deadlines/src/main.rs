//! Deadlines for a peer that vanishes, never reads or never finishes: pings, a limit for
//! silence, and one pong at a time.
//!
//! Run:  cargo run -p chapter-1-3
//! Try:  open http://127.0.0.1:8005, pause the browser with `kill -STOP`, and wait.

mod connection;
mod handshake;

use std::{env, io, net::SocketAddr};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::connection::Route;

const PAGE: &str = include_str!("../static/index.html");

#[tokio::main]
async fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = Router::new().route("/", get(root)).route("/echo", get(echo));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
}

/// One path, two protocols: the page for a browser tab, the ticker for a WebSocket.
async fn root(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request) -> Response {
    if handshake::is_wanted(&request) {
        upgrade(request, peer, Route::Ticker)
    } else {
        Html(PAGE).into_response()
    }
}

async fn echo(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request) -> Response {
    upgrade(request, peer, Route::Echo)
}

/// Answers the opening handshake, and starts the connection's task.
fn upgrade(mut request: Request, peer: SocketAddr, route: Route) -> Response {
    let accept = match handshake::accept_key(&request) {
        Ok(accept) => accept,
        Err((status, reason)) => {
            return (status, handshake::WANTED, reason).into_response();
        }
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // Completes after hyper has sent the response below.
        let Ok(io) = upgraded.await else { return };
        connection::run(io, peer, route).await;
    });
    let headers = [
        (header::CONNECTION, "Upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_ACCEPT, &accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}
