//! The clients that left, and their reasons.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use socketioxide::{
    adapter::LocalAdapter,
    handler::DisconnectHandler,
    socket::{DisconnectReason, Socket},
};
use tokio::task::AbortHandle;
use tracing::info;

/// How many departures the server remembers.
const REMEMBERED: usize = 100;

/// The last departures, oldest first.
#[derive(Clone, Default)]
pub(crate) struct Departures(Arc<Mutex<VecDeque<Departure>>>);

/// One client that left.
#[derive(Clone, Serialize)]
pub(crate) struct Departure {
    pub(crate) id: String,
    pub(crate) reason: &'static str,
}

impl Departures {
    pub(crate) fn add(&self, departure: Departure) {
        // `parent: None`: without it, the line would begin with the library's span and the
        // whole id in it.
        info!(parent: None, id = departure.id, reason = departure.reason, "disconnected");
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == REMEMBERED {
            all.pop_front();
        }
        all.push_back(departure);
    }

    pub(crate) fn all(&self) -> Vec<Departure> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().cloned().collect()
    }
}

/// Runs when one client has left: a disconnect handler that is done when it returns. The
/// library runs an `async` one in a task, and keeps the socket until that task has ended: a
/// client that leaves and comes back meanwhile would get no answer.
pub(crate) struct OnDisconnect {
    pub(crate) id: String,
    pub(crate) news: AbortHandle,
    pub(crate) departures: Departures,
}

impl DisconnectHandler<LocalAdapter, ()> for OnDisconnect {
    fn call_with_defer(
        &self,
        socket: Arc<Socket>,
        reason: DisconnectReason,
        remove: fn(Arc<Socket>),
    ) {
        self.news.abort();
        self.departures.add(Departure { id: self.id.clone(), reason: words(reason) });
        remove(socket);
    }
}

/// The reason in Node's words.
fn words(reason: DisconnectReason) -> &'static str {
    match reason {
        DisconnectReason::ServerNSDisconnect => "server namespace disconnect",
        DisconnectReason::ClientNSDisconnect => "client namespace disconnect",
        DisconnectReason::ClosingServer => "server shutting down",
        DisconnectReason::HeartbeatTimeout => "ping timeout",
        DisconnectReason::TransportClose => "transport close",
        DisconnectReason::TransportError => "transport error",
        DisconnectReason::PacketParsingError => "parse error",
        // Node has no name of its own for this one.
        DisconnectReason::MultipleHttpPollingError => "two polls at once",
    }
}
