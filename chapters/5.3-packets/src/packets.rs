//! Packets in order. The library starts a task for each event, and tasks overtake each other.
//! Here one task handles all events of a socket: first the catch-all listeners, then the
//! middleware, then the event's own listeners. What goes wrong goes to the error listener.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

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
use tracing::{debug, error};

use crate::{
    listener::{Listener, Stored, store},
    reply::Reply,
};

/// How much may wait for each socket, in bytes: thousands of small events, or four of the
/// largest. In Node nothing stops a client that sends faster than its events are handled.
const ROOM: usize = 4_000_000;
/// What an event takes besides its own bytes.
const OVERHEAD: usize = 256;
/// How soon a disconnect is tried again that found the client's buffer full.
const RETRY: Duration = Duration::from_millis(50);

/// One event as it came.
#[derive(Clone)]
pub(crate) struct Packet {
    socket: Arc<Socket>,
    event: String,
    value: Value,
    ack_id: Option<i64>,
}

/// Why an event did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum EventError {
    /// A middleware said no.
    Unauthorized,
    /// An extractor did not find what its listener asks for.
    Arguments,
    /// A listener panicked.
    Panic,
    /// The client sends faster than its events are handled.
    Flood,
}

/// What is to happen with the events of one socket. May be changed while events come.
#[derive(Clone)]
pub(crate) struct Listeners(Arc<Mutex<Registered>>);

struct Registered {
    any: Vec<Stored<()>>,
    middleware: Vec<Stored<Result<(), EventError>>>,
    by_event: HashMap<&'static str, Vec<OfEvent>>,
    otherwise: Option<Stored<()>>,
    error: fn(Reply, EventError),
}

#[derive(Clone)]
struct OfEvent {
    listener: Stored<()>,
    once: bool,
}

/// The events of one socket that wait for those before them.
pub(crate) struct Queue {
    packets: UnboundedSender<(Packet, OwnedSemaphorePermit)>,
    /// A permit is a byte. Closed when the socket is to go.
    room: Arc<Semaphore>,
    listeners: Listeners,
}

impl Packet {
    /// What a listener asks for in its signature.
    pub(crate) fn extract<T: FromMessageParts<LocalAdapter>>(&self) -> Option<T> {
        T::from_message_parts(&self.socket, &mut self.value.clone(), &self.ack_id)
            .map_err(
                |error| debug!(event = self.event, %error, "not what a listener takes"),
            )
            .ok()
    }

    fn answer(&self) -> Reply {
        self.extract().expect("BUG: the library has read the event's name before")
    }

    fn size(&self) -> usize {
        let bytes = match &self.value {
            Value::Str(text, None) => text.len(),
            Value::Str(text, Some(attachments)) => {
                text.len() + attachments.iter().map(|bytes| bytes.len()).sum::<usize>()
            }
            Value::Bytes(bytes) => bytes.len(),
        };
        bytes + OVERHEAD
    }
}

impl EventError {
    /// Whether the socket is disconnected after it.
    fn is_fatal(self) -> bool {
        matches!(self, Self::Unauthorized | Self::Flood)
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized => "unauthorized event",
            Self::Arguments => "the event takes other arguments",
            Self::Panic => "the server made a mistake",
            Self::Flood => "too many events are waiting",
        })
    }
}

impl Listeners {
    /// Without listeners. `error` is told of every event that does not come to its end.
    pub(crate) fn new(error: fn(Reply, EventError)) -> Self {
        Self(Arc::new(Mutex::new(Registered {
            any: Vec::new(),
            middleware: Vec::new(),
            by_event: HashMap::new(),
            otherwise: None,
            error,
        })))
    }

    /// Node's `onAny`: hears every event, also one that a middleware will stop.
    pub(crate) fn on_any<Args>(&self, listener: impl Listener<Args, ()>) {
        self.registered().any.push(store(listener));
    }

    /// Node's `use`: runs before the listeners of every event, and may stop it.
    pub(crate) fn apply<Args>(
        &self,
        middleware: impl Listener<Args, Result<(), EventError>>,
    ) {
        self.registered().middleware.push(store(middleware));
    }

    /// Node's `on`. An event may have several listeners.
    pub(crate) fn on<Args>(
        &self,
        event: &'static str,
        listener: impl Listener<Args, ()>,
    ) {
        let listener = OfEvent { listener: store(listener), once: false };
        self.registered().by_event.entry(event).or_default().push(listener);
    }

    /// Node's `once`: gone when the event comes for the first time.
    pub(crate) fn once<Args>(
        &self,
        event: &'static str,
        listener: impl Listener<Args, ()>,
    ) {
        let listener = OfEvent { listener: store(listener), once: true };
        self.registered().by_event.entry(event).or_default().push(listener);
    }

    /// Node's `removeAllListeners` of an event.
    pub(crate) fn off(&self, event: &str) {
        self.registered().by_event.remove(event);
    }

    /// Runs for every event that has no listener. In Node nothing would.
    pub(crate) fn otherwise<Args>(&self, listener: impl Listener<Args, ()>) {
        self.registered().otherwise = Some(store(listener));
    }

    async fn handle(&self, packet: &Packet) -> Result<(), EventError> {
        // Lists of their own: no lock is held while a listener runs, and may change them.
        let any = self.registered().any.clone();
        for listener in any {
            listener(packet).ok_or(EventError::Arguments)?.await;
        }
        let middleware = self.registered().middleware.clone();
        for check in middleware {
            check(packet).ok_or(EventError::Arguments)?.await?;
        }
        for listener in self.take(&packet.event) {
            listener(packet).ok_or(EventError::Arguments)?.await;
        }
        Ok(())
    }

    /// The listeners whose turn it is. Those that were for once are forgotten before they
    /// run: they will not run again, whatever happens meanwhile.
    fn take(&self, event: &str) -> Vec<Stored<()>> {
        let mut registered = self.registered();
        let found = registered.by_event.get(event).cloned().unwrap_or_default();
        if let Some(listeners) = registered.by_event.get_mut(event) {
            listeners.retain(|listener| !listener.once);
        }
        if found.is_empty() {
            return registered.otherwise.clone().into_iter().collect();
        }
        found.into_iter().map(|listener| listener.listener).collect()
    }

    fn fail(&self, packet: &Packet, error: EventError) {
        let tell = self.registered().error;
        tell(packet.answer(), error);
    }

    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().expect("BUG: no code panics with this lock")
    }
}

impl Queue {
    /// Starts the task of a socket. It ends when the socket is gone, and with it this queue.
    pub(crate) fn new(listeners: Listeners) -> Self {
        let (packets, waiting) = unbounded_channel();
        let room = Arc::new(Semaphore::new(ROOM));
        tokio::spawn(work(waiting, room.clone(), listeners.clone()));
        Self { packets, room, listeners }
    }
}

/// The library calls this where it reads packets: one after the other, and before it reads
/// the next. Whatever happens here must not take time.
impl MessageHandler<LocalAdapter, Packet> for Queue {
    fn call(&self, socket: Arc<Socket>, mut value: Value, ack_id: Option<i64>) {
        let Ok(Event(event)) = Event::from_message_parts(&socket, &mut value, &ack_id)
        else {
            return debug!("an event without a name");
        };
        let packet = Packet { socket, event, value, ack_id };
        let size = u32::try_from(packet.size()).unwrap_or(u32::MAX);
        match self.room.clone().try_acquire_many_owned(size) {
            Ok(room) => {
                if self.packets.send((packet, room)).is_err() {
                    debug!("the task of this socket has ended");
                }
            }
            Err(TryAcquireError::NoPermits) => {
                // First told, then sent away: the task disconnects when the room is closed.
                self.listeners.fail(&packet, EventError::Flood);
                self.room.close();
            }
            Err(TryAcquireError::Closed) => debug!("on its way out"),
        }
    }
}

/// The one task of a socket. What waits when the client leaves is still handled: it was sent
/// before. What waits when the client is sent away is not.
async fn work(
    mut waiting: UnboundedReceiver<(Packet, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
    listeners: Listeners,
) {
    while let Some((packet, _room)) = waiting.recv().await {
        let (its, own) = (packet.clone(), listeners.clone());
        // A task within the task: a panic ends this event and not the conversation.
        let handled = tokio::spawn(async move { own.handle(&its).await }).await;
        let handled = handled.unwrap_or_else(|panic| {
            error!(event = packet.event, %panic, "a listener panicked");
            Err(EventError::Panic)
        });
        if let Err(error) = handled {
            listeners.fail(&packet, error);
            if error.is_fatal() {
                room.close();
            }
        }
        if room.is_closed() {
            disconnect(packet.socket).await;
            break;
        }
    }
    debug!("the last event of a socket");
}

/// A client that does not read has a full buffer, and then the library does not disconnect
/// it. Sooner or later it reads, or the heartbeat ends the connection.
async fn disconnect(socket: Arc<Socket>) {
    while let Err(error) = socket.clone().disconnect() {
        debug!(%error, "not disconnected yet");
        sleep(RETRY).await;
    }
}
