//! One WebSocket connection, from the 101 to the last byte.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes, Error, Message, Utf8Bytes,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

const GREETING: Message = Message::Text(Utf8Bytes::from_static("Hello from the server"));

/// How often the ticker speaks.
const TICK: Duration = Duration::from_secs(3);
/// How often the server pings. Proxies often drop a connection after 60 silent seconds.
const PING: Duration = Duration::from_secs(15);
/// Two pings apart, so one had half of this to be answered: the peer is gone, whatever TCP
/// still believes. A message must be complete within this time too, in either direction: a
/// byte now and then is no sign of life.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a peer may take to hang up after a close frame.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);
/// One mebibyte, also for a message that arrives in many frames.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Allocated for every connection, busy or not. What is longer is read in pieces of this
/// size. The library's default is 128 KiB.
const READ_BUFFER: usize = 128;

type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// What a path does with its WebSocket.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Route {
    Ticker,
    Echo,
}

/// Runs a connection to its end. Nothing of it outlives this function.
pub(crate) async fn run(
    io: Upgraded,
    peer: SocketAddr,
    route: Route,
    shutdown: CancellationToken,
) {
    // A write buffer of 0: a message goes to the socket at once, and none waits for more.
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let io = TokioIo::new(io);
    let mut ws = WebSocket::from_raw_socket(io, Role::Server, Some(config)).await;
    info!(%peer, "open");
    // `Infallible` has no values: there is no `Ok`, and this needs no `else`.
    let Err(ending) = exchange(&mut ws, peer, route, shutdown).await;
    match ending {
        Ending::Ours(frame) => close(&mut ws, Some(frame)).await,
        Ending::Theirs => close(&mut ws, None).await,
        Ending::Gone => {}
    }
    // Before the log says so.
    drop(ws);
    info!(%peer, "closed");
}

/// How a conversation ends.
enum Ending {
    /// This side closes, with a last frame.
    Ours(CloseFrame),
    /// The peer has sent its close frame. The library has queued the answer.
    Theirs,
    /// There is nobody left to tell.
    Gone,
}

/// Sends and receives until one side has had enough.
async fn exchange(
    ws: &mut WebSocket,
    peer: SocketAddr,
    route: Route,
    shutdown: CancellationToken,
) -> Result<Infallible, Ending> {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    // A peer that was slow to read gets the next tick, not a burst of the missed ones.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pings = interval_at(Instant::now() + PING, PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_heard = Instant::now();
    loop {
        // The branches that lose the race are dropped, and nothing with them: a frame that
        // was read in part stays in `ws`, and an interval keeps its own time.
        let message = tokio::select! {
            // In this order: a flood cannot hold up what is due, and nobody is called silent
            // while something of theirs is waiting to be read.
            biased;
            () = shutdown.cancelled() => {
                return Err(goodbye(CloseCode::Away, "the server stops"));
            }
            _ = ticks.tick(), if route == Route::Ticker => Some(GREETING),
            _ = pings.tick() => Some(Message::Ping(Bytes::new())),
            incoming = ws.next() => {
                last_heard = Instant::now();
                receive(incoming, peer, route)?
            }
            () = sleep_until(last_heard + SILENCE) => {
                info!(%peer, "silent for too long");
                return Err(Ending::Gone);
            }
        };
        if let Some(message) = message {
            send(ws, message, peer).await?;
        }
    }
}

/// Decides what an incoming message is answered with.
fn receive(
    incoming: Option<Result<Message, Error>>,
    peer: SocketAddr,
    route: Route,
) -> Result<Option<Message>, Ending> {
    let message =
        incoming.ok_or(Ending::Gone)?.map_err(|error| complaint(&error, peer))?;
    match message {
        Message::Text(_) | Message::Binary(_) if route == Route::Echo => {
            return Ok(Some(message));
        }
        // Logged and never answered: the page answers every text, so two sides that both
        // answered answers would go on as fast as the network lets them.
        Message::Text(text) => {
            let start: String = text.chars().take(100).collect();
            info!(%peer, bytes = text.len(), text = start, "received");
        }
        Message::Binary(data) => info!(%peer, bytes = data.len(), "received binary"),
        Message::Close(frame) => {
            info!(%peer, ?frame, "the client closes");
            return Err(Ending::Theirs);
        }
        // The library has queued this pong too, and would go on queueing for a peer that
        // never reads. This one takes its place, and nothing more is read until it is out.
        Message::Ping(data) => return Ok(Some(Message::Pong(data))),
        Message::Pong(_) | Message::Frame(_) => {}
    }
    Ok(None)
}

async fn send(
    ws: &mut WebSocket,
    message: Message,
    peer: SocketAddr,
) -> Result<(), Ending> {
    // A peer that no longer reads lets its window fill up, and sending then waits for ever.
    match timeout(SILENCE, ws.send(message)).await {
        Ok(sent) => sent.map_err(|error| complaint(&error, peer)),
        Err(_) => {
            info!(%peer, "took too long to read");
            Err(Ending::Gone)
        }
    }
}

/// Tells the peer what was wrong with its last frame, in the close codes of RFC 6455,
/// section 7.4.1.
fn complaint(error: &Error, peer: SocketAddr) -> Ending {
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
    Ending::Ours(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })
}

/// Sends `frame`, or the queued answer to the peer's, then hangs up so that it arrives.
///
/// A TCP socket that is dropped with unread bytes in it resets the connection, and a peer
/// that meets a reset while it sends never reads the close frame. So: stop writing, read on
/// until the peer hangs up, then drop (RFC 6455, section 7.1.1).
async fn close(ws: &mut WebSocket, frame: Option<CloseFrame>) {
    let farewell = async {
        if frame.is_some() {
            ws.close(frame).await.map_err(io::Error::other)?;
        }
        // Sends what is queued, and waits for the peer's close frame if it is still to
        // come. After a broken frame there is no telling where the next one starts: this
        // ends at once, and the bytes are skipped below.
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
