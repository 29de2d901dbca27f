//! A layer that gives the engine a small copy of each request, because the engine keeps it.

use axum::{
    extract::Request,
    http::{HeaderValue, header::SEC_WEBSOCKET_KEY},
    middleware::Next,
    response::Response,
};
use hyper::upgrade::OnUpgrade;

use crate::visitor::Visitor;

/// The engine keeps the request that opened a connection until the connection ends. The URI
/// and the header values of a request are slices of the 16 KiB buffer that it was read into,
/// and one slice keeps the whole buffer.
pub(crate) async fn detach_from_buffer(request: Request, next: Next) -> Response {
    // Pass the copy on directly. A local would keep hyper's buffer alive until this function
    // returns, which for a long poll is up to 25 s.
    next.run(small_copy(request)).await
}

/// The same request in memory of its own, with nothing but what the engine and we read.
fn small_copy(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    let mut copy = Request::new(body);
    *copy.method_mut() = parts.method;
    // Parsed again from a string: a clone of the URI would keep the buffer.
    *copy.uri_mut() = parts.uri.to_string().parse().unwrap_or(parts.uri);
    // The engine reads one header only, the key of a WebSocket's handshake.
    let key = parts.headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    if let Some(Ok(key)) = key.map(HeaderValue::from_bytes) {
        copy.headers_mut().insert(SEC_WEBSOCKET_KEY, key);
    }
    // The connection itself, if this request asks for a WebSocket.
    if let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() {
        copy.extensions_mut().insert(upgrade);
    }
    // An outer layer has read the visitor from the cookie, so the cookie may go.
    if let Some(visitor) = parts.extensions.remove::<Visitor>() {
        copy.extensions_mut().insert(visitor);
    }
    copy
}
