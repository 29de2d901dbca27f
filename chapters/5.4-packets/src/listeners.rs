//! A small table of listeners: which function runs for which event of a socket.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::queue::Packet;

/// A listener that has its arguments and runs.
type Running<Out> = Pin<Box<dyn Future<Output = Out> + Send>>;
/// Takes the listener's arguments from a packet and starts it. None if one cannot be had.
type Stored<Out> = Arc<dyn Fn(&Packet) -> Option<Running<Out>> + Send + Sync>;

/// Why an event did not reach the end of its way, in the words for the client.
pub(crate) enum Stop {
    Reject(&'static str),
    Disconnect(&'static str),
}

/// What happens with the events of one socket. Listeners may change it while events come.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    any: Option<Stored<()>>,
    middleware: Option<Stored<Result<(), &'static str>>>,
    /// For each event its listener, and whether that runs once only.
    named: HashMap<&'static str, (Stored<()>, bool)>,
}

impl Listeners {
    /// Node's `onAny`: hears every event, even one that the middleware will stop.
    pub(crate) fn on_any<F: Future<Output = ()> + Send + 'static>(
        &self,
        listener: impl Fn(&Packet) -> Option<F> + Send + Sync + 'static,
    ) {
        self.table().any = Some(store(listener));
    }

    /// Node's `use`, which is a keyword in Rust. An error stops the event, and the client is
    /// disconnected.
    pub(crate) fn check<F: Future<Output = Result<(), &'static str>> + Send + 'static>(
        &self,
        middleware: impl Fn(&Packet) -> Option<F> + Send + Sync + 'static,
    ) {
        self.table().middleware = Some(store(middleware));
    }

    /// Node's `on`, with one listener for each event: another one replaces it.
    pub(crate) fn on<F: Future<Output = ()> + Send + 'static>(
        &self,
        event: &'static str,
        listener: impl Fn(&Packet) -> Option<F> + Send + Sync + 'static,
    ) {
        self.table().named.insert(event, (store(listener), false));
    }

    /// Node's `once`: removed when the event comes for the first time.
    pub(crate) fn once<F: Future<Output = ()> + Send + 'static>(
        &self,
        event: &'static str,
        listener: impl Fn(&Packet) -> Option<F> + Send + Sync + 'static,
    ) {
        self.table().named.insert(event, (store(listener), true));
    }

    /// Node's `off`.
    pub(crate) fn off(&self, event: &str) {
        self.table().named.remove(event);
    }

    /// The way of an event: the catch-all listener, the middleware, its own listener.
    pub(crate) async fn handle(&self, packet: &Packet) -> Result<(), Stop> {
        const ARGUMENTS: Stop = Stop::Reject("the event takes other arguments");
        // No lock is held while a listener runs, because it may change the table.
        let any = self.table().any.clone();
        if let Some(any) = any {
            any(packet).ok_or(ARGUMENTS)?.await;
        }
        let middleware = self.table().middleware.clone();
        if let Some(middleware) = middleware {
            middleware(packet).ok_or(ARGUMENTS)?.await.map_err(Stop::Disconnect)?;
        }
        let listener = self.take(&packet.event);
        let listener = listener.ok_or(Stop::Reject("there is no such event"))?;
        listener(packet).ok_or(ARGUMENTS)?.await;
        Ok(())
    }

    /// The listener of an event. One that runs once is removed before it runs.
    fn take(&self, event: &str) -> Option<Stored<()>> {
        let mut table = self.table();
        let (listener, once) = table.named.get(event).cloned()?;
        if once {
            table.named.remove(event);
        }
        Some(listener)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().expect("BUG: no code panics with this lock")
    }
}

/// Puts a future of any type into a box, so that one table can hold all listeners.
fn store<F: Future + Send + 'static>(
    listener: impl Fn(&Packet) -> Option<F> + Send + Sync + 'static,
) -> Stored<F::Output> {
    Arc::new(move |packet| Some(Box::pin(listener(packet)?)))
}
