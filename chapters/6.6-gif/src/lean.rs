//! What an open connection holds on to: a layer that leaves the engine little to keep.

use axum::{
    extract::Request,
    http::{HeaderValue, header::SEC_WEBSOCKET_KEY},
    middleware::Next,
    response::Response,
};
use hyper::upgrade::OnUpgrade;

use crate::visitor::Visitor;

/// The engine keeps the request that opened a connection for as long as that lasts. Header
/// values and the URI are slices of the buffer that the request was read into, and one slice
/// keeps all of it: 16 KiB for each connection. So the engine gets a small copy.
pub(crate) async fn keep_little(request: Request, next: Next) -> Response {
    // Not a variable: what is dropped at the end of this function outlives a long poll.
    next.run(small_copy(request)).await
}

/// The same request, in memory of its own and without anything that nobody reads later.
fn small_copy(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    let mut copy = Request::new(body);
    *copy.method_mut() = parts.method;
    // By way of a text: a clone of the URI would hold the buffer too.
    *copy.uri_mut() = parts.uri.to_string().parse().unwrap_or(parts.uri);
    // The only header that the engine reads: the key of a WebSocket's handshake.
    let key = parts.headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    if let Some(Ok(key)) = key.map(HeaderValue::from_bytes) {
        copy.headers_mut().insert(SEC_WEBSOCKET_KEY, key);
    }
    // The connection itself, if this is the handshake of a WebSocket.
    if let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() {
        copy.extensions_mut().insert(upgrade);
    }
    // Read from the cookie by a layer that is further out. The cookie itself may go.
    if let Some(visitor) = parts.extensions.remove::<Visitor>() {
        copy.extensions_mut().insert(visitor);
    }
    copy
}
