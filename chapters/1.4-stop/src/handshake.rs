//! The opening handshake of RFC 6455, section 4.2: a request becomes a WebSocket.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, Method, StatusCode, Version, header},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The protocol to come back with, which a 426 has to name (RFC 9110, section 15.5.22).
pub(crate) const WANTED: [(HeaderName, &str); 3] = [
    (header::CONNECTION, "Upgrade"),
    (header::UPGRADE, "websocket"),
    (header::SEC_WEBSOCKET_VERSION, "13"),
];

const NO_UPGRADE: &str = "This path is a WebSocket: connect with ws://, not http://.\n";
const BAD_VERSION: &str = "This server speaks version 13 of the WebSocket protocol.\n";
const BAD_KEY: &str = "Sec-WebSocket-Key must be 16 bytes in base64.\n";

/// Whether a request asks for a WebSocket at all.
pub(crate) fn is_wanted(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has_token(headers, header::CONNECTION, "upgrade")
        && has_token(headers, header::UPGRADE, "websocket")
}

/// Checks the client's half of the handshake (RFC 6455, section 4.2.1) and computes the
/// server's answer to its key (section 4.2.2, item 5.4). An error is a status and a reason.
pub(crate) fn accept_key(
    request: &Request,
) -> Result<String, (StatusCode, &'static str)> {
    if !is_wanted(request) {
        return Err((StatusCode::UPGRADE_REQUIRED, NO_UPGRADE));
    }
    let headers = request.headers();
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err((StatusCode::UPGRADE_REQUIRED, BAD_VERSION));
    }
    match headers.get(header::SEC_WEBSOCKET_KEY).map(|key| key.as_bytes()) {
        Some(key) if is_16_bytes(key) => Ok(derive_accept_key(key)),
        _ => Err((StatusCode::BAD_REQUEST, BAD_KEY)),
    }
}

/// Sixteen bytes in base64 are 22 characters and two of padding.
fn is_16_bytes(base64: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    base64.len() == 24 && base64.ends_with(b"==") && base64[..22].iter().all(digit)
}

/// `Connection: keep-alive, Upgrade` is a list, and its case does not matter.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let mut lists = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.any(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
}
