//! The GIF chat knows its visitors: a cookie, a colour, and rooms that belong to somebody.
//!
//! Run:  cargo run -p chapter-6-2
//! Try:  open http://127.0.0.1:8005 in two tabs (one person) and a private window (another).

mod bootstrap;
mod colour;
mod config;
mod error;
mod headers;
mod lean;
mod lobby;
mod origin;
mod pages;
mod room;
mod socket;
mod store;
mod visitor;

use std::{future::Future, process::ExitCode, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::FromRef,
    middleware::{from_fn, from_fn_with_state},
    serve::ListenerExt,
};
use socketioxide::SocketIo;
use tokio::{net::TcpListener, sync::oneshot, time::sleep};
use tracing::{debug, info, warn};

use crate::{config::DataDir, error::AppError, lobby::Lobby, pages::Pages, store::Store};

/// The largest message on every transport, as in Node.
const MAX_MESSAGE: usize = 1_000_000;
/// What waits to be read of one WebSocket: most messages fit, longer ones are read in pieces.
const READ_BUFFER: usize = 1024;
/// Packets that may wait for a client that reads slowly. The next one is not sent to it.
const MAX_WAITING: usize = 1024;
/// The server pings this often, and waits this long for a pong: Node's values.
const PING_INTERVAL: Duration = Duration::from_secs(25);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a stopping server waits for its connections.
const FAREWELL: Duration = Duration::from_secs(4);

/// What handlers of HTTP requests can ask for.
#[derive(Clone, FromRef)]
struct AppState {
    lobby: Arc<Lobby>,
    pages: Arc<Pages>,
    store: Store,
}

/// An error ends the program with one sentence, and with no trace of where it came from.
fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    config::read_dotenv()?;
    run()
}

#[tokio::main]
async fn run() -> anyhow::Result<()> {
    bootstrap::start_logging()?;
    let stop = bootstrap::stop_signal()?;
    let data = DataDir::open()?;
    let listener = bootstrap::listen().await?;
    let (app, io) = app(&data).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, app, io, stop).await
}

/// Serves until `stop` completes and every connection is closed.
async fn serve(
    listener: TcpListener,
    app: Router,
    io: SocketIo,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    // Without TCP_NODELAY the kernel holds a small packet back until the one before it
    // has been acknowledged.
    let listener = listener.tap_io(|tcp| {
        tcp.set_nodelay(true).unwrap_or_else(|error| debug!(%error, "no TCP_NODELAY"));
    });
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

/// Everything under one roof: pages, the browser's client and the Socket.IO endpoint.
async fn app(data: &DataDir) -> anyhow::Result<(Router, SocketIo)> {
    let (socket_io, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .max_payload(MAX_MESSAGE as u64)
        .max_buffer_size(MAX_WAITING)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .ws_read_buffer_size(READ_BUFFER)
        .build_svc();
    let key = data.cookie_key()?;
    let store = Store::open(&data.database())?;
    let lobby = Arc::new(Lobby::new(io.clone(), store.rooms().await?));
    let pages = Arc::new(Pages::new()?);
    socket::register(&io, lobby.clone());
    let engine = Router::new()
        .route_service("/socket.io/", socket_io)
        .route_layer(from_fn(lean::keep_little));
    let app = Router::new()
        .merge(pages::routes(key.clone()))
        .method_not_allowed_fallback(async || AppError::MethodNotAllowed)
        .fallback(async || AppError::NotFound)
        .with_state(AppState { lobby, pages: pages.clone(), store })
        .merge(browser_kit::routes())
        .merge(engine)
        // A layer wraps what was added before it: the last one runs first. An error has
        // become a page when its headers are added.
        .layer(from_fn_with_state(key, visitor::recognize))
        .layer(from_fn(origin::require_own))
        .layer(from_fn_with_state(pages, error::show))
        .layer(from_fn(headers::add));
    Ok((app, io))
}

/// Runs `work` to its end. A request whose client hangs up is dropped at its next `await`,
/// and that must not fall between storing something and telling it.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::spawn(work).await?
}
