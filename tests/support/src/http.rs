//! One HTTP request at a time, and its whole answer.

use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, StatusCode, body::Bytes, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{Server, within};

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Bytes,
}

impl Response {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// One header, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON: {error}: {:?}", self.text()))
    }
}

/// `GET path`.
pub async fn get(server: &Server, path: &str) -> Response {
    send(server, "GET", path, &[], "").await
}

/// Sends a request on a connection of its own.
pub async fn send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Response {
    let what = format!("the answer to {method} {path}");
    within(&what, try_send(server, method, path, headers, body.into()))
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// The same, for a request that may be refused or cut off.
pub async fn try_send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Response, Box<dyn Error>> {
    let stream = TcpStream::connect(server.address()).await?;
    // Otherwise a body waits 40 ms for the acknowledgement of its head.
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, server.address());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body)).expect("BUG: a valid request");
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    drop(sender);
    connection.abort();
    Ok(Response { status: parts.status, headers: parts.headers, body })
}
