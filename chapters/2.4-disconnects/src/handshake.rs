//! The first request of a client, as far as the client may read it back.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::extract::{ConnectInfo, Query};
use serde::Serialize;
use socketioxide::extract::SocketRef;

/// The headers that a client may read back. Never `cookie`: a script on the page must not
/// learn what `HttpOnly` keeps from it.
const SHOWN: [&str; 4] = ["host", "origin", "user-agent", "accept-language"];

/// The request that opened the connection, and when.
#[derive(Clone, Serialize)]
pub(crate) struct Handshake {
    pub(crate) address: Option<SocketAddr>,
    /// Milliseconds since 1970.
    issued: u64,
    query: BTreeMap<String, String>,
    headers: BTreeMap<&'static str, String>,
}

impl Handshake {
    pub(crate) fn of(socket: &SocketRef) -> Self {
        let request = socket.req_parts();
        let address = request.extensions.get::<ConnectInfo<SocketAddr>>();
        let query = Query::try_from_uri(&request.uri).map(|Query(query)| query);
        let header =
            |name| Some((name, request.headers.get(name)?.to_str().ok()?.to_owned()));
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            address: address.map(|ConnectInfo(address)| *address),
            issued: since_1970.as_millis() as u64,
            query: query.unwrap_or_default(),
            headers: SHOWN.into_iter().filter_map(header).collect(),
        }
    }
}
