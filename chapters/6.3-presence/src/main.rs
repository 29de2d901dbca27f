//! The GIF chat knows who is where: seats, a moment of grace, and rooms that end.
//!
//! Run:  cargo run -p chapter-6-3
//! Try:  open http://127.0.0.1:8005 and a private window, meet in a room, reload, and leave.

mod bootstrap;
mod colour;
mod config;
mod error;
mod headers;
mod lean;
mod lobby;
mod origin;
mod pages;
mod patience;
mod presence;
mod reply;
mod room;
mod seats;
mod socket;
mod store;
mod visitor;

use std::{future::Future, process::ExitCode, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::FromRef,
    middleware::{from_fn, from_fn_with_state},
};
use socketioxide::SocketIo;
use tokio::{net::TcpListener, sync::oneshot, time::sleep};
use tracing::{info, warn};

use crate::{
    config::{DataDir, Times},
    error::AppError,
    lobby::Lobby,
    pages::Pages,
    patience::Patient,
    presence::Presence,
    store::Store,
    visitor::Names,
};

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
    presence: Arc<Presence>,
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
    let times = Times::from_env()?;
    let (app, io, presence) = app(&data, times).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, app, io, presence, stop).await
}

/// Serves until `stop` completes and every connection is closed.
async fn serve(
    listener: TcpListener,
    app: Router,
    io: SocketIo,
    presence: Arc<Presence>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(Patient(listener), app).with_graceful_shutdown(async move {
        stop.await;
        info!("stopping");
        // The deadline counts from here: a client that no longer reads holds up the rest.
        stopping.send(()).ok();
        presence.stop();
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
async fn app(
    data: &DataDir,
    times: Times,
) -> anyhow::Result<(Router, SocketIo, Arc<Presence>)> {
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
    let lobby = Arc::new(Lobby::new(io.clone()));
    let pages = Arc::new(Pages::new()?);
    let names = Names::new(&key);
    let presence = Presence::new(io.clone(), lobby.clone(), store, names, times);
    let presence = Arc::new(presence);
    socket::register(&io, lobby.clone(), presence.clone());
    presence.reopen().await?;
    let engine = Router::new()
        .route_service("/socket.io/", socket_io)
        .route_layer(from_fn(lean::keep_little));
    let app = Router::new()
        .merge(pages::routes(key.clone()))
        .method_not_allowed_fallback(async || AppError::MethodNotAllowed)
        .fallback(async || AppError::NotFound)
        .with_state(AppState { lobby, pages: pages.clone(), presence: presence.clone() })
        .merge(browser_kit::routes())
        .merge(engine)
        // A layer wraps what was added before it: the last one runs first. An error has
        // become a page when its headers are added.
        .layer(from_fn_with_state(key, visitor::recognize))
        .layer(from_fn(origin::require_own))
        .layer(from_fn_with_state(pages, error::show))
        .layer(from_fn(headers::add));
    Ok((app, io, presence))
}

/// Runs `work` to its end. A request whose client hangs up is dropped at its next `await`,
/// and that must not fall between storing something and telling it.
async fn whole<T, E>(
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, AppError>
where
    T: Send + 'static,
    E: Send + 'static,
    AppError: From<E>,
{
    Ok(tokio::spawn(work).await??)
}
