//! How often somebody may do something: so many times in any stretch of time.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Counts by key, over a window that slides along.
pub(crate) struct Throttle<K> {
    limit: usize,
    window: Duration,
    counted: Mutex<Counted<K>>,
}

/// Once too often. It will be allowed again after this time.
#[derive(Debug)]
pub(crate) struct TooOften(pub(crate) Duration);

struct Counted<K> {
    by_key: HashMap<K, VecDeque<Instant>>,
    swept: Instant,
}

impl<K: Eq + Hash> Throttle<K> {
    /// At most `limit` in any `window`.
    pub(crate) fn new(limit: usize, window: Duration) -> Self {
        let counted = Counted { by_key: HashMap::new(), swept: Instant::now() };
        Self { limit, window, counted: Mutex::new(counted) }
    }

    /// Whether one more would be allowed now. Counts nothing.
    pub(crate) fn check(&self, key: &K) -> Result<(), TooOften> {
        let now = Instant::now();
        let mut counted = self.counted();
        let Some(times) = counted.by_key.get_mut(key) else { return Ok(()) };
        self.allow(times, now)
    }

    /// Counts one, if it is allowed. Of many at once, no more than that are.
    pub(crate) fn count(&self, key: K) -> Result<Instant, TooOften> {
        let now = Instant::now();
        let mut counted = self.counted();
        counted.sweep(now, self.window);
        let times = counted.by_key.entry(key).or_default();
        self.allow(times, now)?;
        times.push_back(now);
        Ok(now)
    }

    /// Takes one back that should not have been counted.
    pub(crate) fn forgive(&self, key: &K, when: Instant) {
        if let Some(times) = self.counted().by_key.get_mut(key)
            && let Some(index) = times.iter().position(|&time| time == when)
        {
            times.remove(index);
        }
    }

    fn allow(&self, times: &mut VecDeque<Instant>, now: Instant) -> Result<(), TooOften> {
        times.retain(|&time| now < time + self.window);
        match times.front() {
            Some(&oldest) if times.len() >= self.limit => {
                Err(TooOften(oldest + self.window - now))
            }
            _ => Ok(()),
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted<K>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Counted<K> {
    /// Once a window, forgets those who have done nothing in it: a name that is made up for
    /// one attempt is not kept for ever.
    fn sweep(&mut self, now: Instant, window: Duration) {
        if now < self.swept + window {
            return;
        }
        self.swept = now;
        self.by_key
            .retain(|_, times| times.back().is_some_and(|&last| now < last + window));
    }
}
