//! A check in front of a namespace: a client needs a token to be connected.
//!
//! Run:  cargo run -p chapter-5-1
//! Try:  open http://127.0.0.1:8005 in two tabs, one with the token and one without.

use std::{env, io};

use axum::{Router, response::Html, routing::get};
use serde::Deserialize;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
};
use tokio::net::TcpListener;

const PAGE: &str = include_str!("../static/index.html");

/// A client with this token is let in. A real server keeps no secret in its program.
const GUEST_TOKEN: &str = "guest-token";

/// What a client sends when it asks for a namespace.
#[derive(Deserialize)]
struct Auth {
    token: String,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (socket_io, io) = SocketIo::new_svc();
    io.ns("/", on_connect.with(require_token));
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .merge(browser_kit::routes())
        .route_service("/socket.io/", socket_io);
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

/// The check. It runs before the client is connected. With an error the client is refused,
/// and the error's text is the message of its `connect_error`.
async fn require_token(TryData(auth): TryData<Auth>) -> Result<(), &'static str> {
    match auth {
        Ok(auth) if auth.token == GUEST_TOKEN => Ok(()),
        _ => {
            println!("a client was refused");
            Err("invalid")
        }
    }
}

/// Runs only for a client that passed the check.
async fn on_connect(socket: SocketRef) {
    println!("a client was let in");
    // The only possible error: the client has left already.
    socket.emit("welcome", "You are in.").ok();
}
