//! What Node calls `allowRequest`, `headers` and `connection_error`: layers around the engine.

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

use crate::slim_request::detach_from_buffer;

/// How many refusals are listed.
const LISTED: usize = 100;
/// The engine's own error bodies are shorter than this. No other body is read.
const ERROR_BODY: usize = 1024;

const WORKBOOK: HeaderName = HeaderName::from_static("x-workbook");
const WORKBOOK_SESSION: HeaderName = HeaderName::from_static("x-workbook-session");

/// Why the engine did not serve a request, with Node's number.
#[derive(Clone, Serialize)]
struct ConnectionError {
    code: u8,
    message: String,
}

/// The same as the engine writes it: the number is a string.
#[derive(Deserialize)]
struct EngineError {
    code: String,
    message: String,
}

/// The last refusals, oldest first.
#[derive(Clone, Default)]
struct ConnectionErrors(Arc<Mutex<VecDeque<ConnectionError>>>);

impl ConnectionError {
    fn forbidden() -> Self {
        Self { code: 4, message: "Forbidden".to_owned() }
    }

    /// Reads an error of the engine. Some have no body: Node calls those bad requests.
    fn read(body: &[u8]) -> Self {
        let error = serde_json::from_slice(body).ok();
        let error = error.and_then(|EngineError { code, message }| {
            Some(Self { code: code.parse().ok()?, message })
        });
        error.unwrap_or_else(|| Self { code: 3, message: "Bad request".to_owned() })
    }
}

impl ConnectionErrors {
    fn add(&self, error: ConnectionError) {
        let mut errors = self.0.lock().expect("BUG: no code panics with this lock");
        if errors.len() == LISTED {
            errors.pop_front();
        }
        errors.push_back(error);
    }

    fn list(&self) -> Json<VecDeque<ConnectionError>> {
        Json(self.0.lock().expect("BUG: no code panics with this lock").clone())
    }
}

/// The engine within its layers, and the list of the requests that it did not serve.
pub(crate) fn wrap(engine: Router) -> Router {
    let errors = ConnectionErrors::default();
    let engine = engine
        // A layer wraps what was added before it, so the last one runs first: `mark`,
        // `record`, `gate`, `detach_from_buffer`, the engine. `layer` instead of
        // `route_layer` would also wrap the answer to every unknown path.
        .route_layer(from_fn(detach_from_buffer))
        .route_layer(from_fn(gate))
        .route_layer(from_fn_with_state(errors.clone(), record))
        .route_layer(from_fn(mark));
    engine.route("/connection-errors", get(async move || errors.list()))
}

/// Node's `headers` and `initial_headers`: one header on every response of the engine, another
/// on the first response of a session, which is an open packet or a 101.
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

/// Node's `connection_error`. It reads the bodies of refusals only: the answer to a long poll
/// may be large, and must not wait here.
async fn record(
    State(errors): State<ConnectionErrors>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let error = match status {
        StatusCode::BAD_REQUEST => {
            let body = to_bytes(response.into_body(), ERROR_BODY).await;
            ConnectionError::read(&body.unwrap_or_default())
        }
        StatusCode::FORBIDDEN => ConnectionError::forbidden(),
        _ => return response,
    };
    info!(code = error.code, error.message, "refused by the engine");
    errors.add(error.clone());
    (status, Json(error)).into_response()
}

/// Node's `allowRequest`. It refuses handshakes only: to refuse a later request would break a
/// session that was allowed.
async fn gate(request: Request, next: Next) -> Response {
    let refuse = parameters(request.uri()).any(|parameter| parameter == "refuse=1");
    if refuse && is_handshake(request.uri()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// A request without a session id asks for a session.
fn is_handshake(uri: &Uri) -> bool {
    !parameters(uri).any(|parameter| parameter.starts_with("sid="))
}

/// The parameters of the query, not decoded: the engine reads them so, and both must agree.
fn parameters(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&')
}
