//! An HTTP request that becomes an event: whoever holds an `io` can emit.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, de::IgnoredAny};
use socketioxide::{SocketIo, operators::BroadcastOperators};
use tracing::{info, warn};

use crate::dynamic::PREFIX;

/// Stands for all dynamic namespaces.
const ALL_DYNAMIC: &str = "/dynamic-*";

/// The body of `POST /notice`.
#[derive(Deserialize)]
pub(crate) struct Notice {
    namespace: String,
    message: String,
    /// Whatever else there is. Without this, an array of the values would do as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// A status, and the sentence to read.
type Refusal = (StatusCode, &'static str);

/// `POST /notice`: emits `message` in one namespace, or in all dynamic ones.
///
/// The body must be declared as JSON. A page of another site cannot send that without
/// asking this server first, and this server does not answer such questions.
pub(crate) async fn send_notice(
    State(io): State<SocketIo>,
    notice: Result<Json<Notice>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(Notice { namespace, message, .. }) = notice.map_err(refuse)?;
    let targets = find(&io, &namespace);
    if targets.is_empty() && namespace != ALL_DYNAMIC {
        return Err((StatusCode::NOT_FOUND, "there is no such namespace"));
    }
    info!(namespace, message, "notice");
    for target in targets {
        // Whoever reads too slowly misses it; everybody else has it by now.
        if let Err(error) = target.emit("message", &message).await {
            warn!(%error, namespace, "notice not sent to all");
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The namespaces that `name` means. A dynamic one with nobody in it is on its way out, or
/// somebody has only just asked for it: it does not exist yet, or no longer.
fn find(io: &SocketIo, name: &str) -> Vec<BroadcastOperators> {
    let mut found = io.nsps();
    found.retain(|namespace| match namespace.ns_path() {
        path if path.starts_with(PREFIX) => {
            (name == path || name == ALL_DYNAMIC)
                && !namespace.clone().sockets().is_empty()
        }
        path => name == path,
    });
    found
}

/// Says what the body should have been.
fn refuse(rejection: JsonRejection) -> Refusal {
    match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => (status, "the notice is too large"),
        _ => (
            StatusCode::BAD_REQUEST,
            "a notice is application/json: an object with the strings namespace and message",
        ),
    }
}
