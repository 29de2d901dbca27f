//! WebSocket clients: a friendly one, and one that sends whatever bytes it is told to.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::client::Response,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use crate::{Server, within, within_after};

/// A client that keeps to the protocol.
#[derive(Debug)]
pub struct WebSocket {
    stream: WebSocketStream<TcpStream>,
}

impl WebSocket {
    /// Opens a WebSocket on `path`.
    pub async fn open(server: &Server, path: &str) -> Self {
        Self::open_with(server, path, &[]).await.0
    }

    /// The same, with request headers. Returns the server's 101 too.
    pub async fn open_with(
        server: &Server,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> (Self, Response) {
        let url = format!("ws://{}{path}", server.address());
        let mut request = url.into_client_request().expect("BUG: a valid URL");
        for (name, value) in headers {
            let value = value.parse().expect("BUG: a valid header");
            request.headers_mut().insert(*name, value);
        }
        let tcp =
            TcpStream::connect(server.address()).await.expect("the server is listening");
        tcp.set_nodelay(true).expect("a TCP socket");
        let config =
            WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let opening =
            tokio_tungstenite::client_async_with_config(request, tcp, Some(config));
        let (stream, response) = within("the opening handshake", opening)
            .await
            .unwrap_or_else(|error| panic!("no WebSocket on {path}: {error}"));
        (Self { stream }, response)
    }

    /// Sends one message.
    pub async fn send(&mut self, message: impl Into<Message>) {
        within("room to send", self.stream.send(message.into()))
            .await
            .expect("still open");
    }

    /// Sends one message on a connection that may have ended. False if it has.
    pub async fn try_send(&mut self, message: impl Into<Message>) -> bool {
        within("room to send", self.stream.send(message.into())).await.is_ok()
    }

    /// The next text or binary message. Pings are answered on the way.
    pub async fn message(&mut self) -> Message {
        self.message_after(Duration::ZERO).await
    }

    async fn message_after(&mut self, least: Duration) -> Message {
        // One deadline for all of it: a server that pings all the time is never silent.
        within_after(least, "a message", async {
            loop {
                match self.next().await {
                    Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                        return message;
                    }
                    Ok(Message::Close(frame)) => {
                        panic!("closed by the server: {frame:?}")
                    }
                    Ok(_) => {}
                    Err(error) => panic!("waited for a message, not for {error}"),
                }
            }
        })
        .await
    }

    /// The next text message.
    pub async fn text(&mut self) -> String {
        self.text_after(Duration::ZERO).await
    }

    /// The same for a text that comes after `least` at the earliest.
    pub async fn text_after(&mut self, least: Duration) -> String {
        match self.message_after(least).await {
            Message::Text(text) => text.to_string(),
            other => panic!("expected a text, got {other:?}"),
        }
    }

    /// Whatever comes next, control frames included.
    pub async fn any(&mut self) -> Result<Message, tungstenite::Error> {
        self.any_after(Duration::ZERO).await
    }

    /// The same for what takes at least `least`.
    pub async fn any_after(
        &mut self,
        least: Duration,
    ) -> Result<Message, tungstenite::Error> {
        within_after(least, "something from the server", self.next()).await
    }

    /// The same without a deadline, for a caller that has one.
    pub(crate) async fn next(&mut self) -> Result<Message, tungstenite::Error> {
        let next = self.stream.next().await;
        next.unwrap_or(Err(tungstenite::Error::ConnectionClosed))
    }

    /// Starts the closing handshake and returns the server's close frame.
    pub async fn close(mut self, frame: Option<CloseFrame>) -> Option<CloseFrame> {
        within("room to send", self.stream.close(frame)).await.expect("still open");
        self.closed().await
    }

    /// Sends a close frame and waits for the end of the connection, however that comes.
    pub async fn hang_up(mut self) {
        within("the end of the connection", async {
            self.stream.close(None).await.ok();
            while self.next().await.is_ok() {}
        })
        .await;
    }

    /// Waits for the server's close frame, answers it, and waits for the end of the
    /// connection. Messages before it are skipped.
    ///
    /// # Panics
    /// If the connection ends without a close frame.
    pub async fn closed(mut self) -> Option<CloseFrame> {
        let mut close = None;
        within("a clean close", async {
            loop {
                match self.next().await {
                    Ok(Message::Close(frame)) => close = Some(frame),
                    Ok(_) => {}
                    Err(tungstenite::Error::ConnectionClosed) => {
                        return close.expect("a close frame before the end");
                    }
                    Err(error) => panic!("expected a clean close, got {error}"),
                }
            }
        })
        .await
    }

    /// This side's `host:port`, by which the server knows it.
    pub fn local_address(&self) -> String {
        self.stream.get_ref().local_addr().expect("a connected socket").to_string()
    }

    /// Gives up the connection without a word.
    pub fn vanish(self) -> TcpStream {
        self.stream.into_inner()
    }
}

/// The bytes of a connection after its opening handshake.
#[derive(Debug)]
pub struct RawWebSocket {
    /// The connection itself.
    pub tcp: TcpStream,
}

/// One frame as it was on the wire.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// Its payload.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The code of a close frame.
    pub fn close_code(&self) -> Option<u16> {
        let code: [u8; 2] = self.payload.get(..2)?.try_into().ok()?;
        (self.opcode == 8).then(|| u16::from_be_bytes(code))
    }
}

impl RawWebSocket {
    /// Opens a WebSocket on `path`, and then leaves the bytes to the caller.
    pub async fn open(server: &Server, path: &str) -> Self {
        let mut client = WebSocket::open(server, path).await;
        client.stream.flush().await.expect("still open");
        Self { tcp: client.vanish() }
    }

    /// Writes bytes as they are. The server may have hung up.
    pub async fn write(&mut self, bytes: &[u8]) {
        within("room to write", self.tcp.write_all(bytes)).await.ok();
    }

    /// Writes a frame. `first` is its first byte: FIN (0x80), reserved bits and opcode.
    pub async fn write_frame(&mut self, first: u8, payload: &[u8]) {
        let bytes = frame(first, true, payload);
        self.write(&bytes).await;
    }

    /// Reads the next frame, or nothing at the end of the connection.
    pub async fn frame(&mut self) -> Option<Frame> {
        self.frame_after(Duration::ZERO).await
    }

    /// The same for a frame that comes after `least` at the earliest.
    pub async fn frame_after(&mut self, least: Duration) -> Option<Frame> {
        within_after(least, "a frame", self.try_frame()).await.ok()
    }

    async fn try_frame(&mut self) -> std::io::Result<Frame> {
        let mut head = [0; 2];
        self.tcp.read_exact(&mut head).await?;
        let length = match head[1] & 0x7f {
            126 => self.tcp.read_u16().await?.into(),
            127 => self.tcp.read_u64().await?,
            short => short.into(),
        };
        let mut payload = vec![0; usize::try_from(length).expect("BUG: a small frame")];
        self.tcp.read_exact(&mut payload).await?;
        Ok(Frame { opcode: head[0] & 0x0f, payload })
    }

    /// Reads frames up to the close frame and returns its code, or nothing if the connection
    /// ended without one.
    pub async fn close_code(&mut self) -> Option<u16> {
        // One deadline for all of it: a server that only goes on is never silent.
        within("a close frame", async {
            while let Ok(frame) = self.try_frame().await {
                if frame.opcode == 8 {
                    return frame.close_code();
                }
            }
            None
        })
        .await
    }
}

/// A frame's bytes. A client's frames are masked (RFC 6455, section 5.3); this mask is zero,
/// so that the payload stays readable.
pub fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let mask_bit = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(mask_bit | short as u8),
        medium @ 126..=0xffff => {
            bytes.push(mask_bit | 126);
            bytes.extend((medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(mask_bit | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    if masked {
        bytes.extend([0; 4]);
    }
    bytes.extend(payload);
    bytes
}
