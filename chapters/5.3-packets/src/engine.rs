//! What Node calls `allowRequest`, `headers` and `connection_error`: three layers around the
//! engine. The engine itself knows nothing of them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, Uri},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::lean;

/// How many refusals are remembered.
const REMEMBERED: usize = 100;
/// The engine's own error bodies are shorter than this. Nothing else is ever read.
const ERROR_BODY: usize = 1024;

const WORKBOOK: HeaderName = HeaderName::from_static("x-workbook");
const WORKBOOK_SESSION: HeaderName = HeaderName::from_static("x-workbook-session");

/// Why the engine did not serve a request, with Node's numbers.
#[derive(Clone, Serialize)]
struct ConnectionError {
    code: u8,
    message: String,
}

/// The same as the engine writes it: with a text in the place of the number.
#[derive(Deserialize)]
struct EngineError {
    code: String,
    message: String,
}

/// The last refusals, oldest first.
#[derive(Clone, Default)]
struct Refusals(Arc<Mutex<VecDeque<ConnectionError>>>);

impl ConnectionError {
    fn bad_request() -> Self {
        Self { code: 3, message: "Bad request".to_owned() }
    }

    fn forbidden() -> Self {
        Self { code: 4, message: "Forbidden".to_owned() }
    }

    /// Reads an error of the engine. Some have no body: Node calls those bad requests.
    fn read(body: &[u8]) -> Self {
        let Ok(EngineError { code, message }) = serde_json::from_slice(body) else {
            return Self::bad_request();
        };
        match code.parse() {
            Ok(code) => Self { code, message },
            Err(_) => Self::bad_request(),
        }
    }
}

impl IntoResponse for ConnectionError {
    fn into_response(self) -> Response {
        let status =
            if self.code == 4 { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
        (status, Json(self)).into_response()
    }
}

impl Refusals {
    fn add(&self, error: ConnectionError) {
        let mut errors = self.0.lock().expect("BUG: no code panics with this lock");
        if errors.len() == REMEMBERED {
            errors.pop_front();
        }
        errors.push_back(error);
    }

    fn list(&self) -> Vec<ConnectionError> {
        let errors = self.0.lock().expect("BUG: no code panics with this lock");
        errors.iter().cloned().collect()
    }
}

/// The engine within its layers, and the list of those it did not serve.
pub(crate) fn wrap(engine: Router) -> Router {
    let refusals = Refusals::default();
    let engine = engine
        // A layer wraps what was added before it: the last one runs first. The copy is made
        // last, of requests that passed the gate. The record is outside the gate and sees
        // whom the gate refuses; their answers bear the header, because that layer is outside
        // of both. `layer` instead of `route_layer` would also wrap the answer to every path
        // that nobody serves.
        .route_layer(from_fn(lean::keep_little))
        .route_layer(from_fn(gate))
        .route_layer(from_fn_with_state(refusals.clone(), record_refusals))
        .route_layer(from_fn(mark));
    engine.route("/connection-errors", get(async move || Json(refusals.list())))
}

/// Node's `headers` and `initial_headers`: one header on every response of the engine, one
/// more on the first of a session, be it an open packet or a 101.
async fn mark(request: Request, next: Next) -> Response {
    let handshake = is_handshake(request.uri());
    let mut response = next.run(request).await;
    let opened = response.status() == StatusCode::OK
        || response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(WORKBOOK, HeaderValue::from_static("1"));
    if handshake && opened {
        headers.insert(WORKBOOK_SESSION, HeaderValue::from_static("new"));
    }
    response
}

/// Node's `connection_error`. Bodies of answers that are no refusals are never looked at:
/// a long poll may be large, and it is the engine's.
async fn record_refusals(
    State(refusals): State<Refusals>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let error = match response.status() {
        StatusCode::BAD_REQUEST => {
            let body = to_bytes(response.into_body(), ERROR_BODY).await;
            ConnectionError::read(&body.unwrap_or_default())
        }
        StatusCode::FORBIDDEN => ConnectionError::forbidden(),
        _ => return response,
    };
    info!(code = error.code, error.message, "refused by the engine");
    refusals.add(error.clone());
    error.into_response()
}

/// Node's `allowRequest`. It is asked once for each session: to turn away a request of a
/// session that is open would break a connection that was allowed.
async fn gate(request: Request, next: Next) -> Response {
    let refuse = parameters(request.uri()).any(|parameter| parameter == "refuse=1");
    if refuse && is_handshake(request.uri()) {
        return ConnectionError::forbidden().into_response();
    }
    next.run(request).await
}

/// A request without a session id asks for a session.
fn is_handshake(uri: &Uri) -> bool {
    !parameters(uri).any(|parameter| parameter.starts_with("sid="))
}

/// The query, in the way the engine reads it: undecoded. The two must not disagree.
fn parameters(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&')
}
