//! Dynamic namespaces: which names exist, who keeps them alive, and when one is removed.
//!
//! The library makes a namespace of every name that fits the pattern, before any of our code
//! runs, and keeps it for ever. Names cost a client nothing, so this file removes them.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use socketioxide::SocketIo;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep_until},
};
use tracing::info;

/// Every dynamic name starts like this. An id of 1 to 9 digits follows.
pub(crate) const PREFIX: &str = "/dynamic-";
const MAX_DIGITS: usize = 9;
/// How many may have a client in them at once: enough for a class, little for a computer.
const MAX_NAMESPACES: usize = 100;
/// How long an empty namespace stays. A page that is reloaded leaves and is back at once;
/// without this pause it would come back to a namespace that is being removed.
const LINGER: Duration = Duration::from_secs(1);

/// The name of a lease that has ended, and when it ended.
type Ended = (String, Instant);
/// By name: the lease that the namespace's sockets share, and when it began.
type Leases = HashMap<String, (Instant, Weak<Lease>)>;

/// The dynamic namespaces that exist.
#[derive(Clone)]
pub(crate) struct Namespaces {
    leases: Arc<Mutex<Leases>>,
    ended: UnboundedSender<Ended>,
    on_new: fn(&str),
}

/// Keeps a namespace alive. All sockets of a namespace hold the same lease, and the lease is
/// dropped with the last of them, in whatever way that socket ended.
pub(crate) struct Lease {
    name: String,
    ended: UnboundedSender<Ended>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Only send here. The library may hold its own locks while it drops a socket, so
        // `delete_ns` could wait for ever. Nobody receives this once the server stops.
        self.ended.send((mem::take(&mut self.name), Instant::now())).ok();
    }
}

impl Namespaces {
    /// `on_new` is called with the name of each namespace that is made. The ends of leases
    /// go to [`Namespaces::remove_empty`].
    pub(crate) fn new(on_new: fn(&str)) -> (Self, UnboundedReceiver<Ended>) {
        let (ended, ends) = unbounded_channel();
        (Self { leases: Arc::default(), ended, on_new }, ends)
    }

    /// Returns the lease of the namespace `name`, and makes the namespace if it is new. A
    /// name that is refused is removed from the library's list.
    ///
    /// # Errors
    /// The reason, which the client reads in its `connect_error`.
    pub(crate) fn enter(
        &self,
        name: &str,
        io: &SocketIo,
    ) -> Result<Arc<Lease>, &'static str> {
        if !is_valid(name) {
            io.delete_ns(name);
            return Err("Invalid namespace");
        }
        let mut leases = self.leases();
        if let Some(lease) = leases.get(name).and_then(|(_, lease)| lease.upgrade()) {
            return Ok(lease);
        }
        if leases.values().filter(|(_, lease)| is_held(lease)).count() >= MAX_NAMESPACES {
            io.delete_ns(name);
            return Err("too many namespaces");
        }
        let lease = Arc::new(Lease { name: name.to_owned(), ended: self.ended.clone() });
        let entry = (Instant::now(), Arc::downgrade(&lease));
        if leases.insert(name.to_owned(), entry).is_none() {
            (self.on_new)(name);
        }
        Ok(lease)
    }

    /// Removes each namespace some time after the last socket has left it, unless a client
    /// has come back.
    pub(crate) async fn remove_empty(
        self,
        io: SocketIo,
        mut ends: UnboundedReceiver<Ended>,
    ) {
        while let Some((name, at)) = ends.recv().await {
            sleep_until(at + LINGER).await;
            // No client can enter while this is locked.
            let mut leases = self.leases();
            // A lease that began later sends an end of its own, and that one counts.
            let is_over =
                |(began, lease): &(Instant, Weak<Lease>)| *began <= at && !is_held(lease);
            if leases.get(&name).is_some_and(is_over) {
                leases.remove(&name);
                io.delete_ns(&name);
                info!(namespace = name, "namespace removed");
            }
        }
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().expect("BUG: a panic while namespaces were counted")
    }
}

fn is_valid(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|id| {
        (1..=MAX_DIGITS).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_held(lease: &Weak<Lease>) -> bool {
    lease.strong_count() > 0
}
