//! What the benchmark measured: how it is kept, and how the book shows it.
//!
//! `book/bench` writes a [`Run`], a file under `book/measurements` keeps it, and the book's
//! preprocessor reads it. Every number on the performance page is looked up in it.

mod goals;
mod plot;
mod table;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

pub use goals::{GOALS, Goal, Verdict};
pub use plot::plot;
pub use table::{Table, table};

/// One run of the benchmark, on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The day, as in 2026-01-31.
    pub date: String,
    /// Where it ran.
    pub machine: Machine,
    /// Versions of what was measured, by name.
    pub versions: BTreeMap<String, String>,
    /// True for a run with short loads, which is good for a look and for nothing else.
    pub quick: bool,
    /// How many programs wanted a core before the run began, if that was more than there are
    /// cores: the load average of the minute before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<f64>,
    /// What was measured, load by load.
    pub results: Vec<Measured>,
}

/// The machine that a run was made on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The processor's name, as the kernel gives it.
    pub cpu: String,
    /// How many of its cores there were.
    pub cores: usize,
    /// Memory in GiB.
    pub memory: u64,
    /// The system and its version.
    pub system: String,
}

/// One server under one load: every metric, with one value for each round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// One of [`LOADS`].
    pub load: String,
    /// One of [`SERVERS`].
    pub server: String,
    /// Values by the names in [`METRICS`].
    pub metrics: BTreeMap<String, Vec<f64>>,
    /// What a reader of these numbers has to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A name in the file, and what the book calls it.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// In the file, in directives and on the command line.
    pub id: &'static str,
    /// On the page.
    pub title: &'static str,
}

/// What servers are given to do.
pub const LOADS: [Named; 9] = [
    Named { id: "echo", title: "Echo, 100 connections" },
    Named { id: "room-100", title: "One room of 100" },
    Named { id: "room-500", title: "One room of 500" },
    Named { id: "room-2000", title: "One room of 2,000" },
    Named { id: "rooms", title: "500 rooms of 4" },
    Named { id: "handshake-ws", title: "Handshakes, WebSocket only" },
    Named { id: "handshake", title: "Handshakes, polling then upgrade" },
    Named { id: "idle-1000", title: "1,000 idle connections" },
    Named { id: "idle-10000", title: "10,000 idle connections" },
];

/// Who does it.
pub const SERVERS: [Named; 9] = [
    Named { id: "floor", title: "bare TCP" },
    Named { id: "chapter-1", title: "chapter-1" },
    Named { id: "node-1", title: "Node, chapter 1" },
    Named { id: "chapter-2", title: "chapter-2" },
    Named { id: "node-2", title: "Node, chapter 2" },
    Named { id: "chapter-4", title: "chapter-4" },
    Named { id: "node-4", title: "Node, chapter 4" },
    Named { id: "chapter-5-3", title: "chapter-5-3" },
    Named { id: "node-5-3", title: "Node, chapter 5-3" },
];

/// A number that is measured.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// In the file and in directives.
    pub id: &'static str,
    /// At the head of a column.
    pub title: &'static str,
    /// After a value in a sentence.
    pub unit: &'static str,
    /// How many digits after the point are worth showing.
    pub digits: usize,
}

/// What is measured.
pub const METRICS: [Metric; 10] = [
    Metric { id: "cpu", title: "CPU µs a delivery", unit: "µs", digits: 1 },
    Metric { id: "p50", title: "p50 ms", unit: "ms", digits: 1 },
    Metric { id: "p99", title: "p99 ms", unit: "ms", digits: 1 },
    Metric { id: "p999", title: "p99.9 ms", unit: "ms", digits: 1 },
    Metric { id: "rate", title: "deliveries a second", unit: "a second", digits: 0 },
    Metric { id: "handshake-cpu", title: "CPU µs a handshake", unit: "µs", digits: 0 },
    Metric {
        id: "handshakes",
        title: "handshakes a second",
        unit: "a second",
        digits: 0,
    },
    Metric { id: "memory", title: "KiB a connection", unit: "KiB", digits: 1 },
    Metric { id: "late", title: "generator late, p99 ms", unit: "ms", digits: 2 },
    Metric { id: "generator", title: "generator's cores", unit: "cores", digits: 2 },
];

impl Metric {
    /// A value of this metric as the book writes it, without its unit.
    pub fn show(&self, value: f64) -> String {
        if self.digits > 0 {
            return format!("{value:.*}", self.digits);
        }
        // Nobody needs the last digits of a throughput.
        let value =
            if value >= 10_000.0 { (value / 100.0).round() * 100.0 } else { value };
        let digits = format!("{value:.0}");
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// The metric of this name.
pub fn metric(id: &str) -> Result<&'static Metric> {
    METRICS.iter().find(|metric| metric.id == id).with_context(|| {
        let known: Vec<_> = METRICS.iter().map(|metric| metric.id).collect();
        format!("there is no metric `{id}`; there are {}", known.join(", "))
    })
}

/// The title of a load or a server.
pub fn title(list: &'static [Named], id: &str) -> Result<&'static str> {
    list.iter().find(|named| named.id == id).map(|named| named.title).with_context(|| {
        let known: Vec<_> = list.iter().map(|named| named.id).collect();
        format!("there is no `{id}`; there are {}", known.join(", "))
    })
}

/// The middle value, and the smallest and the largest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Half of the values are larger, half are smaller.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of some values, or nothing of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&least, &most) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => sorted[middle - 1].midpoint(sorted[middle]),
            _ => sorted[middle],
        };
        Some(Self { median, least, most })
    }
}

impl Run {
    /// The newest run in a folder: that with the last name.
    pub fn newest(folder: &Path) -> Result<Self> {
        let files = fs::read_dir(folder).with_context(|| {
            format!("no measurements: cannot read {}", folder.display())
        })?;
        let mut files: Vec<_> = files.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|name| name == "json"));
        files.sort();
        let Some(file) = files.pop() else {
            bail!(
                "there is no run in {}; `cargo workbook bench` makes one",
                folder.display()
            );
        };
        Self::read(&file)
    }

    /// Reads a run, and looks whether it is one that the book can show.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let parse = || -> Result<Self> {
            let run: Self = serde_json::from_str(&text)?;
            run.check()?;
            Ok(run)
        };
        parse().with_context(|| format!("{} is not a run", file.display()))
    }

    fn check(&self) -> Result<()> {
        ensure!(!self.results.is_empty(), "it has no results");
        for result in &self.results {
            title(&LOADS, &result.load)?;
            title(&SERVERS, &result.server)?;
            for (id, values) in &result.metrics {
                metric(id)?;
                ensure!(!values.is_empty(), "{} of {} has no values", id, result.server);
                let sound = values.iter().all(|value| value.is_finite() && *value >= 0.0);
                ensure!(sound, "{} of {} is not a number", id, result.server);
            }
        }
        Ok(())
    }

    /// The spread of one metric, if it was measured.
    pub fn spread(&self, load: &str, server: &str, metric: &str) -> Option<Spread> {
        let mut results = self.results.iter();
        let is = |result: &&Measured| result.load == load && result.server == server;
        Spread::of(results.find(is)?.metrics.get(metric)?)
    }

    /// The median of one metric. An error if nobody measured it.
    pub fn median(&self, load: &str, server: &str, metric: &str) -> Result<f64> {
        title(&LOADS, load)?;
        title(&SERVERS, server)?;
        self::metric(metric)?;
        let spread = self.spread(load, server, metric);
        Ok(spread
            .with_context(|| {
                format!("nobody measured {metric} of {server} under {load}")
            })?
            .median)
    }

    /// How many rounds the loads had, at the least and at the most.
    pub fn rounds(&self) -> (usize, usize) {
        let counts = self.results.iter().flat_map(|result| result.metrics.values());
        let counts = counts.map(Vec::len);
        (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0))
    }

    /// When and where, in one sentence.
    pub fn about(&self) -> String {
        let Machine { cpu, cores, memory, system } = &self.machine;
        let versions: Vec<_> = self
            .versions
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let quick = if self.quick { "A quick run" } else { "A full run" };
        let rounds = match self.rounds() {
            (least, most) if least == most => format!("{most}"),
            (least, most) => format!("{least} to {most}"),
        };
        let busy = match self.busy {
            Some(load) => format!(
                " The machine had other work meanwhile (a load of {load:.0}): CPU time and memory \
                 survive that, latency and throughput do not."
            ),
            None => String::new(),
        };
        format!(
            "{quick} of {}, {rounds} rounds, on {cores} virtual cores ({cpu}) with {memory} GiB \
             of memory and {system}; {}.{busy}",
            self.date,
            versions.join(", ")
        )
    }
}

#[cfg(test)]
mod tests;
