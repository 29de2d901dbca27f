//! What a socket has done so far.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;

/// The most steps that are remembered for each socket.
const MOST: usize = 100_000;

/// The steps of one socket, in the order in which they were taken.
#[derive(Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<Vec<u32>>>);

/// How many events of one socket there were.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<AtomicUsize>);

impl Steps {
    /// Takes a step, which takes a moment. False if there were too many before it.
    pub(crate) async fn take(&self, step: u32) -> bool {
        // The standard library has no random numbers but those that seed its hashers.
        let random = RandomState::new().hash_one(step) % 3;
        sleep(Duration::from_millis(random)).await;
        let mut steps = self.0.lock().expect("BUG: no code panics with this lock");
        if steps.len() == MOST {
            return false;
        }
        steps.push(step);
        true
    }

    pub(crate) fn list(&self) -> Vec<u32> {
        self.0.lock().expect("BUG: no code panics with this lock").clone()
    }
}

impl Seen {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
