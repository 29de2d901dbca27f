//! One WebSocket connection, from the 101 to the last byte.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

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
use tokio_util::io::InspectReader;

const GREETING: Message = Message::Text(Utf8Bytes::from_static("Hello from the server"));

/// How often the ticker greets.
const TICK: Duration = Duration::from_secs(3);
/// How often the server pings. Proxies often drop a connection after 60 silent seconds.
const PING: Duration = Duration::from_secs(15);
/// Two ping intervals. A peer that sends no complete message, not even a pong, in this time
/// is dead, whatever TCP says. Sending a message to it may take as long.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a peer may take to hang up after a close frame.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// One mebibyte, even for a message that arrives in many frames.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Allocated for every connection, busy or not. A longer message is read in pieces of this
/// size. The library's default is 128 KiB.
const READ_BUFFER: usize = 128;

type WebSocket = WebSocketStream<InspectReader<TokioIo<Upgraded>, CountBytes>>;
type CountBytes = Box<dyn FnMut(&[u8]) + Send>;

/// The two paths of a WebSocket.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Route {
    Ticker,
    Echo,
}

/// Runs a connection to its end. Nothing of it outlives this function.
pub(crate) async fn run(io: Upgraded, peer: SocketAddr, route: Route) {
    let mut progress = Progress::new();
    let io = InspectReader::new(TokioIo::new(io), progress.count_bytes());
    let mut ws = WebSocket::from_raw_socket(io, Role::Server, Some(config())).await;
    println!("{peer} open");
    // `Infallible` has no values: there is no `Ok`, and this needs no `else`.
    let Err(ending) = exchange(&mut ws, peer, route, &mut progress).await;
    match ending {
        Ending::Ours(frame) => close(&mut ws, Some(frame)).await,
        Ending::Theirs => close(&mut ws, None).await,
        Ending::Gone => {}
    }
    // Close the socket first, so that `closed` in the log is true.
    drop(ws);
    println!("{peer} closed");
}

/// How much a connection may hold.
fn config() -> WebSocketConfig {
    // A write buffer of 0: a message goes to the socket at once, and none waits for more.
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

/// How a connection ends.
enum Ending {
    /// The server closes, with this frame.
    Ours(CloseFrame),
    /// The peer has sent its close frame. The library has queued the answer.
    Theirs,
    /// The connection has failed: no close frame would arrive.
    Gone,
}

/// Keeps the time of a peer's last sign of life.
struct Progress {
    /// When the peer last completed a message, with no unfinished one around it. The next
    /// one is due within [`SILENCE`].
    last: Instant,
    /// Bytes read from the socket that `completed` has not seen yet.
    read: Arc<AtomicUsize>,
    /// Bytes that belong to no complete message: a longer message has begun.
    unfinished: usize,
}

impl Progress {
    fn new() -> Self {
        Self { last: Instant::now(), read: Arc::default(), unfinished: 0 }
    }

    fn count_bytes(&self) -> CountBytes {
        let read = self.read.clone();
        Box::new(move |bytes| {
            read.fetch_add(bytes.len(), Ordering::Relaxed);
        })
    }

    /// A message may arrive in fragments, with pongs between them. The library returns the
    /// pongs at once and the message when it is whole, so a peer that answers pings could
    /// take for ever to finish it. A pong in the middle of a message moves no deadline.
    fn completed(&mut self, message: &Message) {
        self.unfinished += self.read.swap(0, Ordering::Relaxed);
        match message {
            // A client's control frame: two bytes, a mask of four, and the payload.
            Message::Ping(data) | Message::Pong(data) => {
                self.unfinished = self.unfinished.saturating_sub(6 + data.len());
            }
            _ => self.unfinished = 0,
        }
        if self.unfinished == 0 {
            self.last = Instant::now();
        }
    }
}

/// Sends and receives until one side ends the connection.
async fn exchange(
    ws: &mut WebSocket,
    peer: SocketAddr,
    route: Route,
    progress: &mut Progress,
) -> Result<Infallible, Ending> {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    // A peer that was slow to read gets the next tick, not a burst of the missed ones.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pings = interval_at(Instant::now() + PING, PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // `select!` drops the futures that lose, and nothing else: the bytes of a frame that
        // was read in part stay in `ws`, and an interval keeps its own time.
        let message = tokio::select! {
            // In this order, a flood of messages delays neither ticks nor pings, and a
            // message that has arrived is read before its sender is called silent.
            biased;
            _ = ticks.tick(), if route == Route::Ticker => Some(GREETING),
            _ = pings.tick() => Some(Message::Ping(Bytes::new())),
            incoming = ws.next() => {
                let message = receive(incoming, peer)?;
                progress.completed(&message);
                answer(message, peer, route)
            }
            () = sleep_until(progress.last + SILENCE) => {
                println!("{peer} silent for too long");
                return Err(Ending::Gone);
            }
        };
        if let Some(message) = message {
            send(ws, message, peer).await?;
        }
    }
}

/// The next message, or how the connection ends.
fn receive(
    incoming: Option<Result<Message, Error>>,
    peer: SocketAddr,
) -> Result<Message, Ending> {
    match incoming {
        Some(Ok(Message::Close(frame))) => {
            println!("{peer} closes: {frame:?}");
            Err(Ending::Theirs)
        }
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(ending_after(&error, peer)),
        None => Err(Ending::Gone),
    }
}

/// Chooses what to send in answer to a message, if anything.
fn answer(message: Message, peer: SocketAddr, route: Route) -> Option<Message> {
    match message {
        Message::Text(_) | Message::Binary(_) if route == Route::Echo => Some(message),
        // tungstenite queues a pong by itself and keeps reading, so a peer that never reads
        // grows the queue. Sending ours replaces it and waits.
        Message::Ping(data) => Some(Message::Pong(data)),
        Message::Pong(_) => None,
        message => {
            println!("{peer} sent {message}");
            None
        }
    }
}

async fn send(
    ws: &mut WebSocket,
    message: Message,
    peer: SocketAddr,
) -> Result<(), Ending> {
    // A peer that no longer reads lets its window fill up, and sending then waits for ever.
    match timeout(SILENCE, ws.send(message)).await {
        Ok(sent) => sent.map_err(|error| ending_after(&error, peer)),
        Err(_) => {
            println!("{peer} took too long to read");
            Err(Ending::Gone)
        }
    }
}

/// Chooses the close code for an error (RFC 6455, section 7.4.1).
fn ending_after(error: &Error, peer: SocketAddr) -> Ending {
    println!("{peer} ended by an error: {error}");
    match error {
        Error::Capacity(_) => close_with(CloseCode::Size, "a message is at most 1 MiB"),
        Error::Utf8(_) => close_with(CloseCode::Invalid, "a text must be UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Gone,
        Error::Protocol(_) => close_with(CloseCode::Protocol, "not a valid frame"),
        _ => Ending::Gone,
    }
}

fn close_with(code: CloseCode, reason: &'static str) -> Ending {
    Ending::Ours(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })
}

/// Sends `frame`, or the queued answer to the peer's, then hangs up so that it arrives.
///
/// A TCP socket that is dropped with unread bytes in it resets the connection, and a peer
/// that meets a reset while it sends never reads the close frame. So: stop writing, read on
/// until the peer hangs up, then drop (RFC 6455, section 7.1.1).
async fn close(ws: &mut WebSocket, frame: Option<CloseFrame>) {
    let hang_up = async {
        if frame.is_some() {
            ws.close(frame).await.map_err(io::Error::other)?;
        }
        // Sends what is queued, and waits for the peer's close frame if it is still to
        // come. After a broken frame the library cannot find the start of the next one:
        // this ends at once, and the bytes are skipped below.
        while let Some(Ok(_)) = ws.next().await {}
        let io = ws.get_mut();
        io.shutdown().await?;
        tokio::io::copy(io, &mut tokio::io::sink()).await
    };
    // Ignore the result: the connection is over, whether or not the peer got the frame.
    let _ = timeout(CLOSE_DEADLINE, hang_up).await;
}
