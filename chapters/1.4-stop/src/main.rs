//! A stop that says goodbye, a log that cannot be forged, and settings that are checked.
//!
//! Run:  cargo run -p chapter-1
//! Try:  open http://127.0.0.1:8005, press Ctrl-C in the terminal, and read the close code.

mod bootstrap;
mod connection;
mod handshake;

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use tokio::{net::TcpListener, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

use crate::connection::Route;

const PAGE: &str = include_str!("../static/index.html");

/// How long a stopping server waits for its connections: time to send, and to hang up.
const STOP_DEADLINE: Duration = Duration::from_secs(4);

/// Shared by all connections: a clone is another handle of the same token and tracker.
#[derive(Clone, Default)]
struct AppState {
    /// Tells every connection to stop.
    shutdown: CancellationToken,
    /// Counts the connections that have not ended.
    connections: TaskTracker,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bootstrap::start_logging()?;
    let stop = bootstrap::stop_signal()?;
    let listener = bootstrap::listen().await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, AppState::default(), stop).await
}

/// Serves until `stop` completes, and then until every connection has ended or the deadline
/// has passed.
async fn serve(
    listener: TcpListener,
    state: AppState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let AppState { shutdown, connections } = state.clone();
    // Without TCP_NODELAY the kernel holds a small frame back until the client has
    // acknowledged the one before it.
    let listener = listener.tap_io(|tcp| {
        tcp.set_nodelay(true).unwrap_or_else(|error| debug!(%error, "no TCP_NODELAY"));
    });
    let service = app(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown({
        let shutdown = shutdown.clone();
        async move {
            stop.await;
            info!("stopping");
            shutdown.cancel();
        }
    });
    // axum waits for its own connections. An upgraded one is no longer axum's.
    let all_ended = async {
        server.await?;
        connections.close();
        connections.wait().await;
        Ok(())
    };
    let deadline = async {
        shutdown.cancelled().await;
        sleep(STOP_DEADLINE).await;
    };
    tokio::select! {
        result = all_ended => result,
        () = deadline => {
            warn!(left = connections.len(), "some connections did not end in time");
            Ok(())
        }
    }
}

fn app(state: AppState) -> Router {
    Router::new().route("/", get(root)).route("/echo", get(echo)).with_state(state)
}

/// One path, two protocols: the page for a browser tab, the ticker for a WebSocket.
async fn root(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    if handshake::is_wanted(&request) {
        upgrade(request, peer, Route::Ticker, state)
    } else {
        Html(PAGE).into_response()
    }
}

async fn echo(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    upgrade(request, peer, Route::Echo, state)
}

/// Answers the opening handshake, and starts the connection's task.
fn upgrade(
    mut request: Request,
    peer: SocketAddr,
    route: Route,
    state: AppState,
) -> Response {
    let accept = match handshake::accept_key(&request) {
        Ok(accept) => accept,
        Err((status, reason)) => {
            return (status, handshake::WANTED, reason).into_response();
        }
    };
    let upgraded = hyper::upgrade::on(&mut request);
    state.connections.spawn(async move {
        // Completes after hyper has sent the response below.
        let Ok(io) = upgraded.await else { return };
        connection::run(io, peer, route, state.shutdown).await;
    });
    let headers = [
        (header::CONNECTION, "Upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_ACCEPT, &accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}
