//! What the chapters aim at, each against its twin in the same run.

use anyhow::Result;

use crate::{Run, metric};

/// At most this much of what the twin needs.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// The load.
    pub load: &'static str,
    /// The metric.
    pub metric: &'static str,
    /// The chapter.
    pub ours: &'static str,
    /// Its twin in Node.
    pub theirs: &'static str,
    /// The largest share that is as good as was hoped.
    pub at_most: f64,
}

/// What came of a goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The chapter's median.
    pub ours: f64,
    /// The twin's median.
    pub theirs: f64,
    /// The one divided by the other.
    pub share: f64,
    /// Whether the share is as small as was hoped.
    pub met: bool,
}

const fn goal(
    load: &'static str,
    metric: &'static str,
    ours: &'static str,
    theirs: &'static str,
    at_most: f64,
) -> Goal {
    Goal { load, metric, ours, theirs, at_most }
}

/// All goals. A chapter's memory is compared where ten thousand connections make it count.
pub const GOALS: [Goal; 17] = [
    goal("echo", "cpu", "chapter-1", "node-1", 0.9),
    goal("handshake-ws", "handshake-cpu", "chapter-1", "node-1", 0.35),
    goal("idle-1000", "memory", "chapter-1", "node-1", 0.4),
    goal("idle-10000", "memory", "chapter-1", "node-1", 0.4),
    goal("room-100", "cpu", "chapter-4", "node-4", 0.75),
    goal("room-500", "cpu", "chapter-4", "node-4", 0.75),
    goal("room-2000", "cpu", "chapter-4", "node-4", 0.75),
    goal("rooms", "cpu", "chapter-4", "node-4", 0.75),
    goal("room-100", "p99", "chapter-4", "node-4", 1.0),
    goal("room-500", "p99", "chapter-4", "node-4", 1.0),
    goal("room-2000", "p99", "chapter-4", "node-4", 1.0),
    goal("handshake", "handshake-cpu", "chapter-2", "node-2", 0.25),
    goal("handshake", "handshake-cpu", "chapter-4", "node-4", 0.25),
    goal("handshake", "handshake-cpu", "chapter-5-3", "node-5-3", 0.25),
    goal("idle-10000", "memory", "chapter-2", "node-2", 1.2),
    goal("idle-10000", "memory", "chapter-4", "node-4", 1.2),
    goal("idle-10000", "memory", "chapter-5-3", "node-5-3", 1.2),
];

impl Goal {
    /// What came of it. An error if the run did not measure it.
    pub fn verdict(&self, run: &Run) -> Result<Verdict> {
        let ours = run.median(self.load, self.ours, self.metric)?;
        let theirs = run.median(self.load, self.theirs, self.metric)?;
        let share = ours / theirs;
        // Two digits are what the page shows: 0.754 is not worth a red mark.
        let met = (share * 100.0).round() <= self.at_most * 100.0;
        Ok(Verdict { ours, theirs, share, met })
    }

    /// A value of its metric, with the unit.
    pub fn show(&self, value: f64) -> String {
        metric(self.metric).map_or_else(
            |_| value.to_string(),
            |m| format!("{} {}", m.show(value), m.unit),
        )
    }
}
