//! Engine.IO over HTTP long polling, packet by packet.
//!
//! The protocol: <https://github.com/socketio/engine.io-protocol>, revision 4 (`EIO=4`), and
//! revision 3 as Socket.IO 2 clients speak it.

use hyper::{Method, StatusCode};
use serde_json::Value;

use crate::{Server, http};

/// One polling session.
#[derive(Debug)]
pub struct Polling {
    /// The session id. A secret: it is all that is needed to speak for this client.
    pub sid: String,
    /// The open packet.
    pub open: Value,
    path: String,
}

impl Polling {
    /// Opens a session, with `EIO=4`.
    pub async fn open(server: &Server) -> Self {
        let path = "/socket.io/?EIO=4&transport=polling".to_owned();
        let response = http::get(server, &path).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        let text = response.text();
        let open =
            text.strip_prefix('0').unwrap_or_else(|| panic!("no open packet: {text}"));
        let open: Value = serde_json::from_str(open).expect("an open packet holds JSON");
        let sid = open["sid"].as_str().expect("an open packet holds a sid").to_owned();
        Self { path: format!("{path}&sid={sid}"), sid, open }
    }

    /// Sends packets in one POST.
    pub async fn post(&self, server: &Server, packets: &str) -> http::Response {
        let headers = [("content-type", "text/plain;charset=UTF-8")];
        http::send(server, Method::POST, &self.path, &headers, packets.to_owned()).await
    }

    /// Waits in one GET for packets.
    pub async fn get(&self, server: &Server) -> http::Response {
        http::get(server, &self.path).await
    }

    /// Waits for packets until one starts with `prefix`, and returns it whole. Pings are
    /// answered on the way.
    pub async fn packet(&self, server: &Server, prefix: &str) -> String {
        loop {
            let response = self.get(server).await;
            assert_eq!(response.status, StatusCode::OK, "{}", response.text());
            let text = response.text();
            let packets = text.split('\u{1e}');
            if text.split('\u{1e}').any(|packet| packet == "2") {
                self.post(server, "3").await;
            }
            for packet in packets {
                if packet.starts_with(prefix) {
                    return packet.to_owned();
                }
            }
        }
    }
}
