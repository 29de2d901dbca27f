//! Events in order: one bounded queue and one task for each socket. The library starts a task
//! for each event, and tasks overtake each other.

use std::{sync::Arc, time::Duration};

use socketioxide::{
    adapter::LocalAdapter,
    extract::Event,
    handler::{FromMessageParts, MessageHandler, Value},
    socket::Socket,
};
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore, TryAcquireError,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    time::sleep,
};
use tracing::{debug, error, warn};

use crate::{
    listeners::{Listeners, Stop},
    reply::Reply,
};

/// How many bytes of events may wait for each socket: thousands of small events, or four of
/// the largest without attachments.
const QUEUE_BYTES: usize = 4_000_000;
/// What an event takes besides its own bytes.
const OVERHEAD: usize = 256;
/// How long to wait before another try to disconnect a client whose buffer is full.
const RETRY: Duration = Duration::from_millis(50);

/// One event as the library hands it over, so that it can wait.
#[derive(Clone)]
pub(crate) struct Packet {
    socket: Arc<Socket>,
    pub(crate) event: String,
    value: Value,
    ack_id: Option<i64>,
}

/// The sending end of a socket's queue. It belongs to the socket and ends with it.
pub(crate) struct Queue {
    packets: UnboundedSender<(Packet, OwnedSemaphorePermit)>,
    /// One permit for each byte that may wait. Closed when the client is to be disconnected.
    capacity: Arc<Semaphore>,
}

impl Packet {
    /// Any extractor that a handler of the library could ask for.
    pub(crate) fn extract<T: FromMessageParts<LocalAdapter>>(&self) -> Option<T> {
        T::from_message_parts(&self.socket, &mut self.value.clone(), &self.ack_id).ok()
    }

    fn reject(&self, error: &str) {
        warn!(event = self.event, error, "an event was stopped");
        self.extract::<Reply>().expect("BUG: the event has a name").reject(error);
    }

    fn size(&self) -> u32 {
        let bytes = match &self.value {
            Value::Str(text, None) => text.len(),
            Value::Str(text, Some(attachments)) => {
                text.len() + attachments.iter().map(|bytes| bytes.len()).sum::<usize>()
            }
            Value::Bytes(bytes) => bytes.len(),
        };
        u32::try_from(bytes + OVERHEAD).unwrap_or(u32::MAX)
    }
}

impl Queue {
    /// Starts the task of a socket. It ends when the socket is gone, and this queue with it.
    pub(crate) fn new(listeners: Listeners) -> Self {
        let (packets, waiting) = unbounded_channel();
        let capacity = Arc::new(Semaphore::new(QUEUE_BYTES));
        tokio::spawn(work(waiting, capacity.clone(), listeners));
        Self { packets, capacity }
    }
}

/// The library calls this for one packet after the other, and reads nothing from the client
/// meanwhile. So nothing here may wait.
impl MessageHandler<LocalAdapter, Packet> for Queue {
    fn call(&self, socket: Arc<Socket>, mut value: Value, ack_id: Option<i64>) {
        let name = Event::from_message_parts(&socket, &mut value, &ack_id);
        let Ok(Event(event)) = name else { return debug!("an event without a name") };
        let packet = Packet { socket, event, value, ack_id };
        match self.capacity.clone().try_acquire_many_owned(packet.size()) {
            Ok(permits) => {
                if self.packets.send((packet, permits)).is_err() {
                    debug!("the task of this socket has ended");
                }
            }
            Err(TryAcquireError::NoPermits) => {
                packet.reject("too many events are waiting");
                self.capacity.close();
                // In a task of its own: the socket's task may be waiting for an event.
                tokio::spawn(disconnect(packet.socket));
            }
            Err(TryAcquireError::Closed) => debug!("the client is being disconnected"),
        }
    }
}

/// The one task of a socket. Events that wait when the client leaves are still handled. Events
/// that wait when the server disconnects the client are not.
async fn work(
    mut waiting: UnboundedReceiver<(Packet, OwnedSemaphorePermit)>,
    capacity: Arc<Semaphore>,
    listeners: Listeners,
) {
    while let Some((packet, _permits)) = waiting.recv().await {
        if capacity.is_closed() {
            break;
        }
        let (its, own) = (packet.clone(), listeners.clone());
        // A task within the task: a panic ends this event, and the next one is handled.
        let handled = tokio::spawn(async move { own.handle(&its).await }).await;
        match handled {
            Ok(Ok(())) => {}
            Ok(Err(Stop::Reject(error))) => packet.reject(error),
            Ok(Err(Stop::Disconnect(error))) => {
                packet.reject(error);
                capacity.close();
                disconnect(packet.socket).await;
                break;
            }
            Err(panic) => {
                error!(event = packet.event, %panic, "a listener panicked");
                packet.reject("the server made a mistake");
            }
        }
    }
    debug!("the last event of a socket");
}

/// Disconnects a client. If its buffer is full, the library does nothing and returns an error,
/// until the client reads again or the heartbeat ends the connection.
async fn disconnect(socket: Arc<Socket>) {
    while let Err(error) = socket.clone().disconnect() {
        debug!(%error, "not disconnected yet");
        sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests;
