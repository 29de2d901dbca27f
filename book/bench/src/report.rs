//! What was measured, put together.

use std::collections::BTreeMap;

use measured::{GOALS, Measured, Run, table};

use crate::{fanout, handshakes};

/// The generator is late if one message in a hundred leaves this much later than it should:
/// a fifth of a millisecond would still be small against any latency worth showing.
const LATE: u32 = 1000;
/// While throughput is measured, a generator that is busier than this beside the server was
/// what held the server up.
const BUSIER: f64 = 1.0;

/// Results while they come in.
#[derive(Debug, Default)]
pub(crate) struct Report {
    results: Vec<Measured>,
}

impl Report {
    /// Puts the values of one round to those of the others.
    fn add(
        &mut self,
        load: &str,
        server: &str,
        values: &[(&str, f64)],
        remarks: Vec<String>,
    ) {
        let is = |result: &&mut Measured| result.load == load && result.server == server;
        let result = match self.results.iter_mut().find(is) {
            Some(result) => result,
            None => {
                self.results.push(Measured {
                    load: load.to_owned(),
                    server: server.to_owned(),
                    metrics: BTreeMap::new(),
                    remarks: Vec::new(),
                });
                self.results.last_mut().expect("BUG: it was just pushed")
            }
        };
        for (metric, value) in values {
            // More digits than anybody can measure make a file that nobody can read.
            let value = (value * 1000.0).round() / 1000.0;
            result.metrics.entry((*metric).to_owned()).or_default().push(value);
        }
        result.remarks.extend(remarks);
        result.remarks.sort();
        result.remarks.dedup();
    }

    pub(crate) fn fan_out(
        &mut self,
        load: &str,
        server: &str,
        outcome: &fanout::Outcome,
    ) {
        let latency =
            |share| f64::from(fanout::percentile(&outcome.latencies, share)) / 1000.0;
        let late = fanout::percentile(&outcome.late, 0.99);
        let values = [
            ("cpu", outcome.cpu),
            ("p50", latency(0.5)),
            ("p99", latency(0.99)),
            ("p999", latency(0.999)),
            ("rate", outcome.rate),
            ("late", f64::from(late) / 1000.0),
            ("generator", outcome.generator_cores),
        ];
        self.add(load, server, &values, remarks(outcome, late));
    }

    pub(crate) fn handshakes(
        &mut self,
        load: &str,
        server: &str,
        outcome: &handshakes::Outcome,
    ) {
        let values = [("handshake-cpu", outcome.cpu), ("handshakes", outcome.rate)];
        self.add(load, server, &values, Vec::new());
    }

    pub(crate) fn idle(&mut self, load: &str, server: &str, kib: f64) {
        self.add(load, server, &[("memory", kib)], Vec::new());
    }

    pub(crate) fn results(&self) -> Vec<Measured> {
        self.results.clone()
    }
}

/// What makes the numbers of a round worth less than they seem.
pub(crate) fn remarks(outcome: &fanout::Outcome, late: u32) -> Vec<String> {
    let mut remarks = Vec::new();
    if outcome.lost > 0 {
        remarks.push(format!("{} deliveries were lost in a round", outcome.lost));
    }
    if outcome.astray > 0 {
        remarks.push(format!(
            "{} deliveries came twice or to the wrong connection in a round",
            outcome.astray
        ));
    }
    if late > LATE {
        remarks.push(
            "the generator was late in a round: its latencies are too high by that much"
                .into(),
        );
    }
    if outcome.generator_cores > BUSIER * outcome.server_cores {
        remarks.push(
            "the generator was busier than the server: it could deliver more than that"
                .into(),
        );
    }
    remarks
}

/// All tables, for the terminal.
pub(crate) fn text(run: &Run) -> String {
    let mut text = format!("{}\n", run.about());
    for name in ["echo", "rooms", "handshakes", "idle", "generator"] {
        if let Ok(table) = table(run, name) {
            text.push_str(&format!("\n{}", table.text()));
        }
    }
    if GOALS.iter().any(|goal| goal.verdict(run).is_ok())
        && let Ok(goals) = table(run, "goals")
    {
        text.push_str(&format!("\n{}", goals.text()));
    }
    text.push_str(
        "\nA cell has the median of the rounds, and their least and most. Latencies begin when\n\
         a message was meant to be sent.\n",
    );
    text
}
