//! Socket.IO over one WebSocket, packet by packet.
//!
//! The protocol: <https://github.com/socketio/socket.io-protocol>, revision 5.

use std::{collections::VecDeque, time::Duration};

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::{Server, effort::deadline, within, ws::WebSocket};

/// A connection that speaks Socket.IO, and shows the packets.
#[derive(Debug)]
pub struct SocketIo {
    ws: WebSocket,
    /// Packets that were read while waiting for another one.
    waiting: VecDeque<String>,
    next_ack: u64,
    /// The data of the open packet.
    pub open: Value,
}

impl SocketIo {
    /// Connects to the namespace `/`.
    pub async fn connect(server: &Server) -> Self {
        let mut client = Self::open(server, "").await;
        client.join("/", None).await.unwrap_or_else(|error| panic!("refused: {error}"));
        client
    }

    /// Opens the connection without connecting to a namespace. `query` is appended to the
    /// URL and starts with `&` unless it is empty.
    pub async fn open(server: &Server, query: &str) -> Self {
        Self::open_with(server, query, &[]).await
    }

    /// The same, with request headers.
    pub async fn open_with(
        server: &Server,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Self {
        let path = format!("/socket.io/?EIO=4&transport=websocket{query}");
        let (ws, _) = WebSocket::open_with(server, &path, headers).await;
        let mut client =
            Self { ws, waiting: VecDeque::new(), next_ack: 0, open: Value::Null };
        let open = client.packet("0").await;
        client.open =
            serde_json::from_str(&open[1..]).expect("an open packet holds JSON");
        client
    }

    /// Connects to `namespace`, and returns the server's answer or its `connect_error`.
    pub async fn join(
        &mut self,
        namespace: &str,
        auth: Option<Value>,
    ) -> Result<Value, Value> {
        let prefix = prefix(namespace);
        let auth = auth.map(|auth| auth.to_string()).unwrap_or_default();
        self.send(&format!("40{prefix}{auth}")).await;
        let (accepted, refused) = (format!("40{prefix}"), format!("44{prefix}"));
        let what = format!("the answer to 40{prefix}");
        let packet = self
            .packet_where(Duration::ZERO, &what, |packet| {
                packet.starts_with(&accepted) || packet.starts_with(&refused)
            })
            .await;
        let data = serde_json::from_str(&packet[accepted.len()..]).unwrap_or(Value::Null);
        if packet.starts_with(&accepted) { Ok(data) } else { Err(data) }
    }

    /// Sends a packet as it is.
    pub async fn send(&mut self, packet: &str) {
        self.ws.send(packet).await;
    }

    /// Sends one binary attachment.
    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.ws.send(bytes.to_vec()).await;
    }

    /// Emits an event in the namespace `/`. `args` is a JSON array of its arguments.
    pub async fn emit(&mut self, event: &str, args: Value) {
        self.emit_in("/", event, args).await;
    }

    /// Emits an event in `namespace`.
    pub async fn emit_in(&mut self, namespace: &str, event: &str, args: Value) {
        let packet = format!("42{}{}", prefix(namespace), with_name(event, args));
        self.send(&packet).await;
    }

    /// Emits an event in the namespace `/` and returns the first value of its
    /// acknowledgement.
    pub async fn ask(&mut self, event: &str, args: Value) -> Value {
        self.ask_in("/", event, args).await
    }

    /// Emits an event in `namespace` and returns the first value of its acknowledgement.
    pub async fn ask_in(&mut self, namespace: &str, event: &str, args: Value) -> Value {
        let (id, prefix) = (self.next_ack, prefix(namespace));
        self.next_ack += 1;
        self.send(&format!("42{prefix}{id}{}", with_name(event, args))).await;
        let answer = format!("43{prefix}{id}[");
        let packet = self.packet(&answer).await;
        let mut values: Value = serde_json::from_str(&packet[answer.len() - 1..])
            .unwrap_or_else(|error| panic!("{packet}: {error}"));
        values[0].take()
    }

    /// Waits for `event` in the namespace `/`, and returns its arguments as a JSON array.
    /// Other packets stay for later.
    pub async fn event(&mut self, event: &str) -> Value {
        self.event_in("/", event).await
    }

    /// Waits for `event` in `namespace`, and returns its arguments as a JSON array.
    pub async fn event_in(&mut self, namespace: &str, event: &str) -> Value {
        let start = format!("42{}[{}", prefix(namespace), Value::from(event));
        let packet = self.packet(&start).await;
        let array = packet.find('[').expect("BUG: it starts with one");
        let mut values: Value = serde_json::from_str(&packet[array..])
            .unwrap_or_else(|error| panic!("{packet}: {error}"));
        let values = values.as_array_mut().expect("BUG: it starts with one");
        values.drain(1..).collect()
    }

    /// Waits for the next packet that starts with `start`. Other packets stay for later,
    /// pings are answered.
    pub async fn packet(&mut self, start: &str) -> String {
        self.packet_after(Duration::ZERO, start).await
    }

    /// The same for a packet that comes after `least` at the earliest.
    pub async fn packet_after(&mut self, least: Duration, start: &str) -> String {
        let what = format!("a packet {start}");
        self.packet_where(least, &what, |packet| packet.starts_with(start)).await
    }

    /// Waits for the next packet that starts with one of `starts`.
    pub async fn either(&mut self, starts: &[&str]) -> String {
        let what = format!("a packet of {starts:?}");
        self.packet_where(Duration::ZERO, &what, |packet| {
            starts.iter().any(|start| packet.starts_with(start))
        })
        .await
    }

    async fn packet_where(
        &mut self,
        least: Duration,
        what: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        if let Some(index) = self.waiting.iter().position(|packet| wanted(packet)) {
            return self.waiting.remove(index).expect("BUG: it was there");
        }
        // One deadline for all of it: a server that sends news all the time is never silent.
        let search = async {
            loop {
                let packet = self.any_packet(what).await;
                if wanted(&packet) {
                    return packet;
                }
                self.waiting.push_back(packet);
            }
        };
        match tokio::time::timeout(least + deadline(), search).await {
            Ok(packet) => packet,
            Err(_) => panic!("waited in vain for {what}; there came {:#?}", self.waiting),
        }
    }

    async fn any_packet(&mut self, what: &str) -> String {
        loop {
            match self.ws.next().await {
                Ok(Message::Text(text)) if text.as_str() == "2" => self.send("3").await,
                Ok(Message::Text(text)) => return text.to_string(),
                Ok(Message::Binary(bytes)) => return format!("binary: {bytes:?}"),
                Ok(Message::Close(frame)) => {
                    panic!("closed while waiting for {what}: {frame:?}")
                }
                Ok(_) => {}
                Err(error) => panic!("waited for {what}: {error}"),
            }
        }
    }

    /// All packets that came before the answer to a packet sent now: what the server had to
    /// say so far. Uses the event `event` with an acknowledgement as the mark.
    pub async fn so_far(&mut self, event: &str, args: Value) -> Vec<String> {
        self.ask(event, args).await;
        self.waiting.drain(..).collect()
    }

    /// The same in `namespace`, with an event that takes no arguments.
    pub async fn so_far_in(&mut self, namespace: &str, event: &str) -> Vec<String> {
        self.ask_in(namespace, event, Value::Array(Vec::new())).await;
        self.waiting.drain(..).collect()
    }

    /// Sends a packet on a connection that may have ended. False if it has.
    pub async fn try_send(&mut self, packet: &str) -> bool {
        self.ws.try_send(packet).await
    }

    /// Sends one binary attachment on a connection that may have ended. False if it has.
    pub async fn try_send_binary(&mut self, bytes: &[u8]) -> bool {
        self.ws.try_send(bytes.to_vec()).await
    }

    /// Emits an event in the namespace `/` and returns the first value of its
    /// acknowledgement, or nothing if the connection ends before.
    pub async fn try_ask(&mut self, event: &str, args: Value) -> Option<Value> {
        let id = self.next_ack;
        self.next_ack += 1;
        let start = format!("43{id}[");
        if !self.try_send(&format!("42{id}{}", with_name(event, args))).await {
            return None;
        }
        within(&format!("the acknowledgement of {event:?}, or the end"), async {
            loop {
                match self.ws.next().await {
                    Ok(Message::Text(text)) => {
                        let Some(answer) = text.strip_prefix(&start) else { continue };
                        let value = format!("[{answer}").parse::<Value>();
                        return value.ok().map(|mut values| values[0].take());
                    }
                    Ok(Message::Close(_)) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        })
        .await
    }

    /// All packets that came before one that starts with `start`.
    pub async fn before(&mut self, start: &str) -> Vec<String> {
        self.packet(start).await;
        self.waiting.drain(..).collect()
    }

    /// Waits for the end of the connection, and returns the code of the close frame, if one
    /// came first.
    pub async fn closed(&mut self) -> Option<u16> {
        let mut code = None;
        within("the end of the connection", async {
            loop {
                match self.ws.next().await {
                    Ok(Message::Close(frame)) => {
                        code = frame.map(|frame| frame.code.into());
                    }
                    Ok(_) => {}
                    Err(_) => return code,
                }
            }
        })
        .await
    }

    /// Hangs up, as the official client does: with the close frame of the WebSocket.
    pub async fn hang_up(self) {
        self.ws.hang_up().await;
    }

    /// All packets up to the end of the connection, however it ends.
    pub async fn to_the_end(&mut self) -> Vec<String> {
        let mut packets: Vec<_> = self.waiting.drain(..).collect();
        within("the end of the connection", async {
            loop {
                match self.ws.next().await {
                    Ok(Message::Text(text)) => packets.push(text.to_string()),
                    Ok(_) => {}
                    Err(_) => return packets,
                }
            }
        })
        .await
    }

    /// Gives up the connection without a word.
    pub fn vanish(self) {
        drop(self.ws.vanish());
    }
}

fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}

fn with_name(event: &str, args: Value) -> Value {
    let Value::Array(args) = args else {
        panic!("arguments are a JSON array, not {args}")
    };
    std::iter::once(Value::from(event)).chain(args).collect()
}
