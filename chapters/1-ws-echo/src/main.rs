//! A WebSocket, raw: a ticker on `/`, an echo on `/echo`, and the HTTP upgrade to both.
//!
//! Run:  cargo run -p chapter-1
//! Try:  open http://127.0.0.1:8005, then stop the server and watch the four states.

use std::{
    env,
    future::Future,
    io::{self, IsTerminal},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{anyhow, bail};
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, Version, header},
    response::{Html, IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes, Error, Message, Utf8Bytes,
        error::ProtocolError,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, level_filters::LevelFilter, warn};
use tracing_subscriber::EnvFilter;

const PAGE: &str = include_str!("../static/index.html");
const GREETING: Message = Message::Text(Utf8Bytes::from_static("Hello from the server"));

/// How often the ticker speaks.
const TICK: Duration = Duration::from_secs(3);
/// How often the server pings. Proxies often drop a connection after 60 silent seconds.
const PING: Duration = Duration::from_secs(15);
/// Two pings without any answer: the peer is gone, whatever TCP still believes.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a peer may take to hang up after a close frame.
const FAREWELL: Duration = Duration::from_secs(2);
/// One mebibyte, also for a message that arrives in many frames.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Allocated for every connection, busy or not. The library's default is 128 KiB.
const READ_BUFFER: usize = 1024;

type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// What every connection shares: the wish to stop, and a count of who has not stopped yet.
#[derive(Clone, Default)]
struct AppState {
    shutdown: CancellationToken,
    connections: TaskTracker,
}

/// What a path does with its WebSocket.
#[derive(Clone, Copy, PartialEq)]
enum Route {
    Ticker,
    Echo,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    start_logging()?;
    let state = AppState::default();
    let stop = stop_signal()?;
    let listener = listen().await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, state, stop).await
}

/// Logs to standard error, at `info` unless `RUST_LOG` says otherwise.
fn start_logging() -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .map_err(|error| anyhow!("RUST_LOG is not a log filter: {error}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}

/// Binds to `HOST` and `PORT`. Only this machine can connect unless `HOST` says otherwise.
async fn listen() -> anyhow::Result<TcpListener> {
    let host = setting("HOST", "127.0.0.1")?;
    let port = setting("PORT", "8005")?;
    let Ok(port) = port.parse::<u16>() else {
        bail!("PORT must be a number from 0 to 65535, not {port:?}");
    };
    TcpListener::bind((host.as_str(), port)).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("port {port} on {host} is taken: stop the other program, or set PORT")
        }
        _ => anyhow!("cannot listen on HOST {host:?} with PORT {port}: {error}"),
    })
}

fn setting(name: &str, default: &str) -> anyhow::Result<String> {
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => Ok(default.to_owned()),
        Err(env::VarError::NotUnicode(value)) => {
            bail!("{name} is not Unicode: {value:?}")
        }
    }
}

/// Completes when the process is asked to stop. The handlers are in place on return, before
/// the future is first polled: a signal that comes early is not lost.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::windows::{ctrl_c, ctrl_close};
    let (mut ctrl_c, mut ctrl_close) = (ctrl_c()?, ctrl_close()?);
    Ok(async move {
        tokio::select! {
            _ = ctrl_c.recv() => {}
            _ = ctrl_close.recv() => {}
        }
    })
}

/// Serves until `stop` completes and every connection has said goodbye.
async fn serve(
    listener: TcpListener,
    state: AppState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let AppState { shutdown, connections } = state.clone();
    // Without TCP_NODELAY the kernel holds a small frame back until the one before it
    // has been acknowledged, and the reader's clock stutters.
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
    // An upgraded connection is no longer axum's to wait for, so it is counted here.
    let goodbyes = async {
        server.await?;
        connections.close();
        connections.wait().await;
        Ok(())
    };
    let deadline = async {
        shutdown.cancelled().await;
        sleep(2 * FAREWELL).await;
    };
    tokio::select! {
        result = goodbyes => result,
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
    if wants_upgrade(&request) {
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

/// Answers the opening handshake, and starts the conversation once the 101 is out.
fn upgrade(
    mut request: Request,
    peer: SocketAddr,
    route: Route,
    state: AppState,
) -> Response {
    let accept = match accept_key(&request) {
        Ok(accept) => accept,
        Err(refusal) => return refusal.into_response(),
    };
    let upgraded = hyper::upgrade::on(&mut request);
    state.connections.spawn(async move {
        match upgraded.await {
            Ok(upgraded) => converse(upgraded, peer, route, state.shutdown).await,
            Err(error) => debug!(%peer, %error, "gone before the upgrade"),
        }
    });
    let headers = [
        (header::CONNECTION, "Upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_ACCEPT, &accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Checks the client's half of the handshake (RFC 6455, section 4.2.1) and computes the
/// proof that this server understood it (section 4.2.2, item 5.4).
fn accept_key(request: &Request) -> Result<String, Refusal> {
    if !wants_upgrade(request) {
        return Err(Refusal::NotAnUpgrade);
    }
    let headers = request.headers();
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::Version);
    }
    // Sixteen random bytes in base64 are 24 characters, the last two of them padding.
    match headers.get(header::SEC_WEBSOCKET_KEY).map(|key| key.as_bytes()) {
        Some(key) if key.len() == 24 && key.ends_with(b"==") => {
            Ok(derive_accept_key(key))
        }
        _ => Err(Refusal::Key),
    }
}

/// Why a request does not become a WebSocket.
enum Refusal {
    NotAnUpgrade,
    Version,
    Key,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // A 426 names the protocol to come back with (RFC 9110, section 15.5.22).
        let wanted = [
            (header::CONNECTION, "Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
        ];
        match self {
            Self::NotAnUpgrade => {
                let reason =
                    "This path is a WebSocket: connect with ws://, not http://.\n";
                (StatusCode::UPGRADE_REQUIRED, wanted, reason).into_response()
            }
            Self::Version => {
                let reason = "This server speaks version 13 of the WebSocket protocol.\n";
                (StatusCode::UPGRADE_REQUIRED, wanted, reason).into_response()
            }
            Self::Key => {
                let reason = "Sec-WebSocket-Key must be 16 bytes in base64.\n";
                (StatusCode::BAD_REQUEST, reason).into_response()
            }
        }
    }
}

fn wants_upgrade(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has_token(headers, header::CONNECTION, "upgrade")
        && has_token(headers, header::UPGRADE, "websocket")
}

/// `Connection: keep-alive, Upgrade` is a list, and its case does not matter.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let mut lists = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.any(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
}

/// One connection from the 101 to its end. Nothing of it outlives this function.
async fn converse(
    io: Upgraded,
    peer: SocketAddr,
    route: Route,
    shutdown: CancellationToken,
) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let io = TokioIo::new(io);
    let mut ws = WebSocket::from_raw_socket(io, Role::Server, Some(config)).await;
    info!(%peer, "open");
    if let Ending::Goodbye(frame) = exchange(&mut ws, peer, route, shutdown).await {
        close(ws, frame).await;
    }
    info!(%peer, "closed");
}

/// How a conversation ends.
enum Ending {
    /// The peer is there, and hears this last frame.
    Goodbye(Option<CloseFrame>),
    /// There is nobody left to tell.
    Gone,
}

/// Sends and receives until one side has had enough.
async fn exchange(
    ws: &mut WebSocket,
    peer: SocketAddr,
    route: Route,
    shutdown: CancellationToken,
) -> Ending {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    // A peer that was slow to read gets the next tick, not a burst of the missed ones.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pings = interval_at(Instant::now() + PING, PING);
    let mut last_heard = Instant::now();
    loop {
        // A branch that loses the race is dropped, and nothing with it: a frame that was
        // read in part stays in `ws`, and an interval keeps its own time.
        let message = tokio::select! {
            incoming = ws.next() => {
                last_heard = Instant::now();
                match incoming {
                    Some(Ok(Message::Close(frame))) => {
                        info!(%peer, code = ?frame.as_ref().map(|frame| u16::from(frame.code)), "the client closes");
                        return Ending::Goodbye(frame);
                    }
                    Some(Ok(message)) => match receive(message, peer, route) {
                        Some(answer) => answer,
                        None => continue,
                    },
                    Some(Err(error)) => return complain(&error, peer),
                    None => return Ending::Gone,
                }
            }
            _ = ticks.tick(), if route == Route::Ticker => GREETING,
            _ = pings.tick() => Message::Ping(Bytes::new()),
            () = shutdown.cancelled() => {
                return goodbye(CloseCode::Away, "the server stops");
            }
            () = sleep_until(last_heard + SILENCE) => {
                info!(%peer, "silent for too long");
                return Ending::Gone;
            }
        };
        // A peer that has stopped reading fills its window, and then this waits for ever.
        match timeout(SILENCE, ws.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return complain(&error, peer),
            Err(_) => {
                info!(%peer, "stopped reading");
                return Ending::Gone;
            }
        }
    }
}

/// Decides what a message is answered with.
fn receive(message: Message, peer: SocketAddr, route: Route) -> Option<Message> {
    match (route, message) {
        (Route::Echo, message @ (Message::Text(_) | Message::Binary(_))) => Some(message),
        // Logged and never answered: the page answers every text, so two sides that both
        // answered answers would go on as fast as the network lets them.
        (Route::Ticker, Message::Text(text)) => {
            let start: String = text.chars().take(100).collect();
            info!(%peer, bytes = text.len(), text = start, "received");
            None
        }
        (Route::Ticker, Message::Binary(data)) => {
            info!(%peer, bytes = data.len(), "received binary");
            None
        }
        // A ping's pong is already queued by the library, and goes out with the next read.
        (
            _,
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_),
        ) => None,
    }
}

/// Tells the peer what was wrong with its last frame, in the close codes of RFC 6455,
/// section 7.4.1.
fn complain(error: &Error, peer: SocketAddr) -> Ending {
    info!(%peer, %error, "ended by an error");
    match error {
        Error::Capacity(_) => goodbye(CloseCode::Size, "a message is at most 1 MiB"),
        Error::Utf8(_) => goodbye(CloseCode::Invalid, "a text must be UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Gone,
        Error::Protocol(_) => goodbye(CloseCode::Protocol, "not a valid frame"),
        _ => Ending::Gone,
    }
}

fn goodbye(code: CloseCode, reason: &'static str) -> Ending {
    Ending::Goodbye(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))
}

/// Sends a close frame, then hangs up in a way that lets it arrive.
///
/// A TCP socket that is dropped with unread bytes in it resets the connection, and the
/// reset can overtake the close frame. So: stop writing, read on until the peer hangs up,
/// then drop (RFC 6455, section 7.1.1).
async fn close(mut ws: WebSocket, frame: Option<CloseFrame>) {
    let farewell = async {
        // If the peer closed first, its own frame is queued as the answer and goes out.
        ws.close(frame).await.map_err(io::Error::other)?;
        // Otherwise it owes one. After a broken frame there is no telling where the next
        // one starts: `next` then yields nothing, and the bytes are skipped below.
        while let Some(Ok(_)) = ws.next().await {}
        let io = ws.get_mut();
        io.shutdown().await?;
        tokio::io::copy(io, &mut tokio::io::sink()).await
    };
    match timeout(FAREWELL, farewell).await {
        Ok(Ok(skipped)) => debug!(skipped, "hung up"),
        Ok(Err(error)) => debug!(%error, "the peer was gone before the goodbye"),
        Err(_) => debug!("the peer did not hang up in time"),
    }
}
