//! An HTTP request that becomes an event: any code that holds an `io` can emit.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, de::IgnoredAny};
use socketioxide::{SocketIo, operators::BroadcastOperators};
use tracing::{info, warn};

use crate::dynamic::PREFIX;

/// Means all dynamic namespaces.
const ALL_DYNAMIC: &str = "/dynamic-*";

/// The body of `POST /notice`.
#[derive(Deserialize)]
pub(crate) struct Notice {
    namespace: String,
    message: String,
    /// Every other field. Without this one, serde would accept an array of two strings.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// A status, and a sentence that says what is wrong.
type NoticeError = (StatusCode, &'static str);

/// `POST /notice`: emits `message` in one namespace, or in all dynamic ones.
///
/// The body must be declared as JSON. A browser sends such a request from another site's
/// page only after this server has agreed to it, and this server never agrees.
pub(crate) async fn send_notice(
    State(io): State<SocketIo>,
    notice: Result<Json<Notice>, JsonRejection>,
) -> Result<StatusCode, NoticeError> {
    let Json(Notice { namespace, message, .. }) = notice.map_err(refuse)?;
    let targets = find(&io, &namespace);
    if targets.is_empty() && namespace != ALL_DYNAMIC {
        return Err((StatusCode::NOT_FOUND, "there is no such namespace"));
    }
    info!(namespace, message, "notice");
    for target in targets {
        // A client that reads too slowly misses the notice. All the others have it by now.
        if let Err(error) = target.emit("message", &message).await {
            warn!(%error, namespace, "notice not sent to all");
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The namespaces that `name` means. A dynamic one without a client is about to be removed,
/// or its first client is not in yet: it does not exist.
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
fn refuse(rejection: JsonRejection) -> NoticeError {
    match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => (status, "the notice is too large"),
        _ => (
            StatusCode::BAD_REQUEST,
            "a notice is application/json: an object with the strings namespace and message",
        ),
    }
}
