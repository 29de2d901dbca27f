//! Dynamic namespaces: which names exist, who keeps them alive, and when one is dropped.
//!
//! The library makes a namespace of every name that fits the pattern, before anybody is
//! asked, and keeps it for ever. Names cost a client nothing, so this is where they end.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use socketioxide::SocketIo;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep_until},
};

/// What every dynamic name starts with. An id of 1 to 9 digits follows.
pub(crate) const PREFIX: &str = "/dynamic-";
const MAX_DIGITS: usize = 9;
/// How many may have somebody in them at once: enough for a class, little for a computer.
const MAX_NAMESPACES: usize = 100;
/// How long an empty one stays. A page that is reloaded leaves and is back at once; without
/// this pause it would come back to a namespace that is being removed.
const LINGER: Duration = Duration::from_secs(1);

/// By name: what the sockets of a namespace share, and since when.
type Seats = HashMap<String, (Instant, Weak<Seat>)>;

/// The dynamic namespaces that exist.
#[derive(Clone)]
pub(crate) struct Names {
    seats: Arc<Mutex<Seats>>,
    left: UnboundedSender<(Instant, String)>,
}

/// What the sockets of one namespace share. It is dropped with the last of them, in whatever
/// way that one ended.
pub(crate) struct Seat {
    name: String,
    left: UnboundedSender<(Instant, String)>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // A note and no more: the library may hold its own locks while it drops a socket.
        // Nobody reads the note when the server is on its way down.
        self.left.send((Instant::now(), std::mem::take(&mut self.name))).ok();
    }
}

/// Why a client may not enter. It reads this in its `connect_error`.
#[derive(Debug)]
pub(crate) enum Refused {
    /// In the words the library has for every name it does not know.
    Invalid,
    TooMany,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "Invalid namespace",
            Self::TooMany => "too many namespaces",
        })
    }
}

impl Names {
    /// Returns the notes about empty namespaces too: [`Names::remove_empty`] reads them.
    pub(crate) fn new() -> (Self, UnboundedReceiver<(Instant, String)>) {
        let (left, notes) = unbounded_channel();
        (Self { seats: Arc::default(), left }, notes)
    }

    /// Takes a place in the namespace `name`, which exists as long as somebody has one. A
    /// name that is refused and has nobody in it is removed.
    pub(crate) fn enter(&self, name: &str, io: &SocketIo) -> Result<Arc<Seat>, Refused> {
        let id = name.strip_prefix(PREFIX).unwrap_or_default();
        if !(1..=MAX_DIGITS).contains(&id.len())
            || !id.bytes().all(|byte| byte.is_ascii_digit())
        {
            io.delete_ns(name);
            return Err(Refused::Invalid);
        }
        let mut seats = self.seats();
        if let Some(seat) = seats.get(name).and_then(|(_, seat)| seat.upgrade()) {
            return Ok(seat);
        }
        let is_used = |(_, seat): &&(Instant, Weak<Seat>)| seat.strong_count() > 0;
        if seats.values().filter(is_used).count() >= MAX_NAMESPACES {
            io.delete_ns(name);
            return Err(Refused::TooMany);
        }
        let seat = Arc::new(Seat { name: name.to_owned(), left: self.left.clone() });
        seats.insert(name.to_owned(), (Instant::now(), Arc::downgrade(&seat)));
        Ok(seat)
    }

    /// Removes each namespace some time after the last socket has left it, unless somebody
    /// came back.
    pub(crate) async fn remove_empty(
        self,
        io: SocketIo,
        mut notes: UnboundedReceiver<(Instant, String)>,
    ) {
        while let Some((since, name)) = notes.recv().await {
            sleep_until(since + LINGER).await;
            // Nobody enters while this is locked.
            let mut seats = self.seats();
            // If somebody came and went since, a later note is the one that counts.
            let is_over = |(entered, seat): &(Instant, Weak<Seat>)| {
                *entered <= since && seat.strong_count() == 0
            };
            if seats.get(&name).is_some_and(is_over) {
                seats.remove(&name);
                io.delete_ns(&name);
            }
        }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().expect("BUG: a panic while names were counted")
    }
}
