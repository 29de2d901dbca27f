//! Engine.IO over HTTP long polling, packet by packet.
//!
//! The protocol: <https://github.com/socketio/engine.io-protocol>, revision 4 (`EIO=4`).

use std::{error::Error, time::Duration};

use hyper::{StatusCode, body::Bytes};
use serde_json::Value;

use crate::{Server, http, within_after};

/// One polling session.
#[derive(Debug)]
pub struct Polling {
    /// The session id. A secret: it is all that is needed to speak for this client.
    pub sid: String,
    /// The open packet as it came.
    pub packet: String,
    /// What the open packet holds.
    pub open: Value,
    path: String,
}

impl Polling {
    /// Opens a session, with `EIO=4`.
    pub async fn open(server: &Server) -> Self {
        let path = "/socket.io/?EIO=4&transport=polling".to_owned();
        let response = http::get(server, &path).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        let packet = response.text();
        let open = packet.strip_prefix('0');
        let open = open.unwrap_or_else(|| panic!("no open packet: {packet}"));
        let open: Value = serde_json::from_str(open).expect("an open packet holds JSON");
        let sid = open["sid"].as_str().expect("an open packet holds a sid").to_owned();
        Self { path: format!("{path}&sid={sid}"), sid, packet, open }
    }

    /// Opens a session and connects to the namespace `/`. `auth` is a JSON object, or empty.
    pub async fn connect(server: &Server, auth: &str) -> Self {
        let session = Self::open(server).await;
        session.post(server, &format!("40{auth}")).await;
        // An event that comes before the answer to `40` would end the connection.
        session.packet(server, "40").await;
        session
    }

    /// Sends packets in one POST.
    pub async fn post(&self, server: &Server, packets: &str) -> http::Response {
        let headers = [("content-type", "text/plain;charset=UTF-8")];
        http::send(server, "POST", &self.path, &headers, packets.to_owned()).await
    }

    /// Waits in one GET for packets.
    pub async fn get(&self, server: &Server) -> http::Response {
        http::get(server, &self.path).await
    }

    /// The same, for a poll that may be refused or cut off.
    pub async fn try_get(
        &self,
        server: &Server,
    ) -> Result<http::Response, Box<dyn Error>> {
        http::try_send(server, "GET", &self.path, &[], Bytes::new()).await
    }

    /// Waits for packets until one starts with `prefix`, and returns it whole. Pings are
    /// answered on the way.
    pub async fn packet(&self, server: &Server, prefix: &str) -> String {
        self.packet_after(Duration::ZERO, server, prefix).await
    }

    /// The same for a packet that comes after `least` at the earliest.
    pub async fn packet_after(
        &self,
        least: Duration,
        server: &Server,
        prefix: &str,
    ) -> String {
        let what = format!("a packet {prefix}");
        let wanted = |packet: &str| packet.starts_with(prefix);
        within_after(least, &what, self.until(server, wanted)).await
    }

    /// The same for a packet that has `text` in it, among others of its kind.
    pub async fn packet_with(&self, server: &Server, prefix: &str, text: &str) -> String {
        let what = format!("a packet {prefix} with {text}");
        let wanted = |packet: &str| packet.starts_with(prefix) && packet.contains(text);
        within_after(Duration::ZERO, &what, self.until(server, wanted)).await
    }

    /// Without a deadline of its own: a server that sends news all the time is never silent.
    async fn until(&self, server: &Server, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let response = self.try_get(server).await;
            let response = response.expect("an answer to the poll");
            assert_eq!(response.status, StatusCode::OK, "{}", response.text());
            let text = response.text();
            let mut packets = text.split('\u{1e}');
            if packets.clone().any(|packet| packet == "2") {
                self.post(server, "3").await;
            }
            if let Some(packet) = packets.find(|packet| wanted(packet)) {
                return packet.to_owned();
            }
        }
    }
}
