//! No event is met with silence: how one is answered, and how one is refused.

use std::sync::Arc;

use serde::Serialize;
use socketioxide::{
    ParserError,
    adapter::LocalAdapter,
    extract::{AckSender, Event, SocketRef},
    handler::{FromMessageParts, Value},
    socket::Socket,
};
use tracing::debug;

/// The answer that one event is owed. A handler asks for it like for any other extractor.
pub(crate) struct Reply {
    socket: SocketRef,
    event: String,
    /// Present if the client asked for an acknowledgement.
    ack: Option<AckSender>,
}

/// A refusal as an acknowledgement.
#[derive(Serialize)]
struct Refused<'a> {
    ok: bool,
    error: &'a str,
}

/// A refusal as an event, named `rejected`.
#[derive(Serialize)]
struct Rejected<'a> {
    event: &'a str,
    error: &'a str,
}

impl Reply {
    /// Acknowledges the event, if the client asked for that.
    pub(crate) fn accept(self, answer: &impl Serialize) {
        if let Some(ack) = self.ack {
            ack.send(answer).unwrap_or_else(|error| debug!(%error, "nobody to answer"));
        }
    }

    /// Tells the client in one sentence why the event was refused: in the acknowledgement
    /// if it asked for one, otherwise in an event of its own.
    pub(crate) fn reject(self, error: &str) {
        debug!(event = self.event, error, "rejected");
        let sent = match self.ack {
            Some(ack) => ack.send(&Refused { ok: false, error }),
            None => self.socket.emit("rejected", &Rejected { event: &self.event, error }),
        };
        sent.unwrap_or_else(|error| debug!(%error, "nobody to answer"));
    }
}

// `LocalAdapter`: all clients are connected to this one process.
impl FromMessageParts<LocalAdapter> for Reply {
    type Error = ParserError;

    fn from_message_parts(
        socket: &Arc<Socket>,
        value: &mut Value,
        ack_id: &Option<i64>,
    ) -> Result<Self, Self::Error> {
        let Event(event) = Event::from_message_parts(socket, value, ack_id)?;
        // There is always an `AckSender`. Whether anybody waits for it, the id tells.
        let Ok(ack) = AckSender::from_message_parts(socket, value, ack_id);
        Ok(Self { socket: socket.clone().into(), event, ack: ack_id.map(|_| ack) })
    }
}
