//! What a socket has done so far.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::sleep;

/// The most steps that are kept for each socket.
const MOST: usize = 100_000;

/// The steps of one socket in the order in which they were taken, and how many events it sent.
#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<(Vec<u32>, usize)>>);

impl Progress {
    /// Takes a step, which takes 0 to 2 ms. False if there were too many before it.
    pub(crate) async fn take(&self, step: u32) -> bool {
        // The standard library has no random numbers but the seeds of its hashers.
        let random = RandomState::new().hash_one(step) % 3;
        sleep(Duration::from_millis(random)).await;
        let steps = &mut self.lock().0;
        let room = steps.len() < MOST;
        if room {
            steps.push(step);
        }
        room
    }

    pub(crate) fn steps(&self) -> Vec<u32> {
        self.lock().0.clone()
    }

    pub(crate) fn count_event(&self) {
        self.lock().1 += 1;
    }

    pub(crate) fn events(&self) -> usize {
        self.lock().1
    }

    fn lock(&self) -> MutexGuard<'_, (Vec<u32>, usize)> {
        self.0.lock().expect("BUG: no code panics with this lock")
    }
}
