//! One WebSocket connection, from the 101 to the last byte.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, interval_at, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

const GREETING: Message = Message::Text(Utf8Bytes::from_static("Hello from the server"));

/// How often the ticker greets.
const TICK: Duration = Duration::from_secs(3);
/// How long a peer may take to hang up after a close frame.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// One mebibyte, even for a message that arrives in many frames.
const MAX_MESSAGE: usize = 1024 * 1024;

type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// The two paths of a WebSocket.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Route {
    Ticker,
    Echo,
}

/// Runs a connection to its end. Nothing of it outlives this function.
pub(crate) async fn run(io: Upgraded, peer: SocketAddr, route: Route) {
    let io = TokioIo::new(io);
    let mut ws = WebSocket::from_raw_socket(io, Role::Server, Some(config())).await;
    println!("{peer} open");
    let result = match route {
        Route::Ticker => greet(&mut ws, peer).await,
        Route::Echo => echo(&mut ws, peer).await,
    };
    // `Infallible` has no values: there is no `Ok`, and this needs no `else`.
    let Err(ending) = result;
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
    WebSocketConfig::default()
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

/// Waits for two things at once: the next tick, and the client's next message.
async fn greet(ws: &mut WebSocket, peer: SocketAddr) -> Result<Infallible, Ending> {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    loop {
        tokio::select! {
            _ = ticks.tick() => send(ws, GREETING, peer).await?,
            incoming = ws.next() => println!("{peer} sent {}", receive(incoming, peer)?),
        }
    }
}

async fn echo(ws: &mut WebSocket, peer: SocketAddr) -> Result<Infallible, Ending> {
    loop {
        let message = receive(ws.next().await, peer)?;
        if message.is_text() || message.is_binary() {
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

async fn send(
    ws: &mut WebSocket,
    message: Message,
    peer: SocketAddr,
) -> Result<(), Ending> {
    ws.send(message).await.map_err(|error| ending_after(&error, peer))
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
