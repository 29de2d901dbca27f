//! What the sender of a message is told, and how many members missed it.

use serde::Serialize;
use socketioxide::{BroadcastError, SocketError};
use tracing::warn;

/// Acknowledges a message.
#[derive(Serialize)]
pub(crate) struct Sent {
    ok: bool,
    /// How many clients did not get it, because they read too slowly. Absent if none.
    #[serde(skip_serializing_if = "is_zero")]
    missed: usize,
}

/// For each connection, 128 packets may wait. One more is dropped, and the error says for how
/// many clients, but not for which. All others have the message: sending it again would be
/// wrong.
impl From<Result<(), BroadcastError>> for Sent {
    fn from(sent: Result<(), BroadcastError>) -> Self {
        let Err(error) = sent else { return Self { ok: true, missed: 0 } };
        warn!(%error, "some clients missed a message");
        let errors = match error {
            BroadcastError::Socket(errors) => errors,
            _ => Vec::new(),
        };
        let is_full =
            |error: &&SocketError| matches!(error, SocketError::InternalChannelFull);
        Self { ok: true, missed: errors.iter().filter(is_full).count() }
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
