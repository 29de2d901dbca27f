//! What became of the tests.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write as _};
use std::time::Instant;

use anyhow::Result;
use runner::{End, Ended};

use super::full_name;
use super::jobs::{Job, Why};
use super::took::Took;
use crate::Outcome;
use crate::terminal::{Screen, say};
use crate::workbook::Workbook;

/// How many lines of what a failed test said are shown, of the first and of the last ones.
const FIRST_SAID: usize = 30;
const LAST_SAID: usize = 20;

/// What became of the tests so far.
pub(super) struct Report {
    started: Instant,
    screen: Screen,
    all: usize,
    ended: usize,
    passed: usize,
    failed: Vec<(String, String)>,
    /// How many did nothing, by the reason.
    aside: BTreeMap<String, usize>,
    took: Took,
    /// The words with which a test must fail, by its name.
    red: BTreeMap<String, String>,
}

impl Report {
    pub(super) fn new() -> Self {
        let (screen, aside) = (Screen::new(None), BTreeMap::new());
        let (started, took) = (Instant::now(), Took::default());
        let (failed, red) = (Vec::new(), BTreeMap::new());
        Self { started, screen, all: 0, ended: 0, passed: 0, failed, aside, took, red }
    }

    /// Notes what will be heard of.
    pub(super) fn expect(&mut self, jobs: &[Job]) {
        self.all = jobs.len();
        for job in jobs {
            if let Why::Red(words) = &job.why {
                self.red.insert(full_name(&job.case), words.clone());
            }
        }
    }

    /// How many did nothing so far.
    pub(super) fn left_out(&self) -> usize {
        self.aside.values().sum()
    }

    pub(super) fn leave_out(&mut self, why: &str) {
        *self.aside.entry(why.to_owned()).or_default() += 1;
    }

    pub(super) fn hear(&mut self, Ended { case, end, took }: Ended) {
        let name = full_name(&case);
        self.took.0.insert(name.clone(), took);
        self.ended += 1;
        let end = match self.red.get(&name) {
            Some(words) => turned(end, words),
            None => end,
        };
        self.note(name, end);
        self.show_progress();
    }

    /// The same for a program without one of its lines: its test must fail.
    pub(super) fn hear_sabotage(&mut self, name: &str, end: Result<End>) {
        let end = match end {
            Ok(end) => turned(end, ""),
            Err(error) => End::Failed(format!("{error:#}")),
        };
        self.note(name.to_owned(), end);
    }

    /// Keeps how long the tests took, for the next run.
    pub(super) fn write(&self, workbook: &Workbook, earlier: Took) {
        self.took.write(workbook, earlier);
    }

    fn note(&mut self, name: String, end: End) {
        match end {
            End::Passed => self.passed += 1,
            End::Aside { why, .. } => self.leave_out(&why),
            End::Failed(said) => {
                self.clear_line();
                say!("{} {name}", self.screen.bad("FAILED"));
                self.failed.push((name, said));
            }
        }
    }

    fn show_progress(&self) {
        if std::io::stdout().is_terminal() {
            let seconds = self.started.elapsed().as_secs();
            print!(
                "\r{} of {}, {} failed, {seconds} s ",
                self.ended,
                self.all,
                self.failed.len()
            );
            std::io::stdout().flush().ok();
        }
    }

    fn clear_line(&self) {
        if std::io::stdout().is_terminal() {
            print!("\r\x1b[2K");
        }
    }

    /// What failed and why, what was left out and why, and how many of each.
    pub(super) fn close(self) -> Outcome {
        self.clear_line();
        for (name, said) in &self.failed {
            say!("\n{}\n{}", self.screen.bold(name), shortened(said));
        }
        let skipped: usize = self.aside.values().sum();
        if skipped > 0 {
            say!("\nLeft out:");
        }
        for (why, count) in &self.aside {
            say!("{count:>6}  {why}");
        }
        let (seconds, failed) = (self.started.elapsed().as_secs(), self.failed.len());
        say!("\nTested in {} min {} s.", seconds / 60, seconds % 60);
        say!("{} passed, {failed} failed, {skipped} skipped", self.passed);
        if failed == 0 { Outcome::Fine } else { Outcome::Found }
    }
}

/// How a test ended that must fail.
fn turned(end: End, words: &str) -> End {
    match end {
        End::Failed(said) if said.contains(words) => End::Passed,
        End::Failed(said) => {
            End::Failed(format!("it fails, but not with {words:?}:\n{said}"))
        }
        End::Passed => {
            End::Failed("it is kept there too, so it proves nothing".to_owned())
        }
        End::Aside { why, .. } => End::Failed(format!("it was not asked: {why}")),
    }
}

/// The beginning and the end of what a test said.
fn shortened(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    if lines.len() <= FIRST_SAID + LAST_SAID {
        return said.to_owned();
    }
    let (first, last) = (&lines[..FIRST_SAID], &lines[lines.len() - LAST_SAID..]);
    let between = lines.len() - FIRST_SAID - LAST_SAID;
    format!("{}\n… {between} lines more …\n{}", first.join("\n"), last.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_must_fail_passes_only_by_failing_with_its_words() {
        let failed = |said: &str| End::Failed(said.to_owned());
        assert_eq!(turned(failed("waited 3s in vain for hi"), "in vain"), End::Passed);
        assert_eq!(turned(failed("anything"), ""), End::Passed);
        let aside = End::Aside { how: "left out", why: "it is slow".to_owned() };
        for end in [End::Passed, aside, failed("cannot connect")] {
            let turned = turned(end.clone(), "in vain");
            assert!(matches!(turned, End::Failed(_)), "{end:?}: {turned:?}");
        }
    }
}
