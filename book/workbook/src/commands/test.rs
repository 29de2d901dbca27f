//! `test` and `soak`: every promise of every chapter, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use runner::{Built, Case, End, Ended, KEPT, Plan};

use crate::Outcome;
use crate::terminal::{Screen, say};
use crate::workbook::Workbook;

/// How much goes on at once. Most tests wait most of the time.
const AT_ONCE: usize = 12;
/// What a test in a browser takes of it.
const BROWSER: usize = 4;
/// What a test takes that starts many others, or that keeps Cargo busy.
const MANY: usize = 6;
/// How long one test may take: only a test that hangs takes so long.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// How many lines of what a failed test said are shown, of the first and of the last ones.
const FIRST_SAID: usize = 30;
const LAST_SAID: usize = 20;

/// How much is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// Each step's own promises, and all of each chapter's last step.
    Quick,
    /// Everything.
    Whole,
    /// Each promise of a program once, with all of its tries.
    Soak,
}

impl Effort {
    /// What the tests are told, in `WORKBOOK_TESTS`.
    fn word(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Whole => "whole",
            Self::Soak => "soak",
        }
    }
}

pub(super) fn run(
    workbook: &Workbook,
    effort: Effort,
    only: Option<&str>,
) -> Result<Outcome> {
    let built = build(workbook)?;
    let all = runner::cases(&built)?;
    let only = only.map(|words| words.trim().replace(' ', "_"));
    let mut report = Report::new();
    let mut cases = Vec::new();
    let inherited = inherited(workbook, &all);
    for case in all {
        if only
            .as_ref()
            .is_some_and(|words| !full_name(&case).replace(' ', "_").contains(words))
        {
            continue;
        }
        let is_inherited = inherited.contains(&full_name(&case));
        match effort {
            Effort::Quick if is_inherited => {
                report.leave_out("an earlier step's, tested again by the chapter's last");
            }
            // Only the programs are tried so often, and each promise in one of them.
            Effort::Soak if is_inherited || !is_of_a_step(workbook, &case) => {}
            _ => cases.push(case),
        }
    }
    ensure!(only.is_none() || !cases.is_empty(), "no test has these words in its name");
    let took = Took::read(workbook);
    // The longest first: what waits for a minute waits beside all the others.
    cases.sort_by_key(|case| std::cmp::Reverse(took.of(case)));
    report.all = cases.len();
    let environment = environment(workbook, effort);
    let limit = if effort == Effort::Soak { 8 * LIMIT } else { LIMIT };
    let plan = Plan { at_once: AT_ONCE, weight: &weight, limit, environment };
    runner::run(cases, &plan, |ended| report.hear(ended));
    report.took.write(workbook, took);
    Ok(report.close())
}

/// Builds everything, without what makes the next build quick: that takes most of the disk,
/// and a test program is rarely built again.
fn build(workbook: &Workbook) -> Result<Built> {
    let arguments =
        ["test", "--no-run", "--workspace", "--config", "build.incremental=false"];
    let built =
        runner::build(&workbook.root, &arguments).context("the tests do not build")?;
    built.keep(&kept(workbook)).context("cannot write below target/")?;
    Ok(built)
}

fn kept(workbook: &Workbook) -> PathBuf {
    workbook.root.join("target/tests-built.txt")
}

fn environment(workbook: &Workbook, effort: Effort) -> Vec<(String, Option<String>)> {
    let built = kept(workbook).display().to_string();
    let told = [("WORKBOOK_TESTS", effort.word().to_owned()), (KEPT, built)];
    let told = told.map(|(name, value)| (name.to_owned(), Some(value)));
    let removed = ["WORKBOOK_URL", "WORKBOOK_PATIENCE", "WORKBOOK_SERVER"];
    let removed = removed.map(|name| (name.to_owned(), None));
    told.into_iter().chain(removed).collect()
}

fn weight(case: &Case) -> usize {
    match case.program.package.as_str() {
        "browser" => BROWSER,
        "twins" => MANY,
        _ if case.program.target == "chapters" => MANY,
        _ => 1,
    }
}

/// `chapter-3 a_notice_reaches_everybody`: unique in the workspace.
fn full_name(case: &Case) -> String {
    format!("{} {} {}", case.program.package, case.program.target, case.name)
}

/// The tests of inner steps that an earlier step of the ladder has too.
fn inherited(workbook: &Workbook, all: &[Case]) -> BTreeSet<String> {
    let (mut known, mut inherited) = (BTreeSet::new(), BTreeSet::new());
    for step in &workbook.ladder.steps {
        let of_step = |case: &&Case| case.program.package == step.package;
        for case in all.iter().filter(of_step) {
            if !known.insert(case.name.clone()) && !step.ends_its_chapter() {
                inherited.insert(full_name(case));
            }
        }
    }
    inherited
}

fn is_of_a_step(workbook: &Workbook, case: &Case) -> bool {
    workbook.ladder.steps.iter().any(|step| step.package == case.program.package)
}

/// How long each test took the last time.
#[derive(Default)]
struct Took(BTreeMap<String, Duration>);

impl Took {
    fn file(workbook: &Workbook) -> PathBuf {
        workbook.root.join("target/tests-took.txt")
    }

    fn read(workbook: &Workbook) -> Self {
        let text = fs::read_to_string(Self::file(workbook)).unwrap_or_default();
        let rows = text.lines().filter_map(|line| {
            let (took, name) = line.split_once(' ')?;
            Some((name.to_owned(), Duration::from_millis(took.parse().ok()?)))
        });
        Self(rows.collect())
    }

    /// One that is not known may be the longest of all.
    fn of(&self, case: &Case) -> Duration {
        self.0.get(&full_name(case)).copied().unwrap_or(LIMIT)
    }

    /// Keeps what this run measured, and of earlier ones what this run did not.
    fn write(&self, workbook: &Workbook, mut earlier: Self) {
        earlier.0.extend(self.0.clone());
        let rows =
            earlier.0.iter().map(|(name, took)| format!("{} {name}\n", took.as_millis()));
        // Without it the next run has another order, and nothing is lost.
        fs::write(Self::file(workbook), rows.collect::<String>()).ok();
    }
}

/// What became of the tests so far.
struct Report {
    started: Instant,
    screen: Screen,
    all: usize,
    ended: usize,
    passed: usize,
    failed: Vec<(String, String)>,
    /// How many did nothing, by the reason.
    aside: BTreeMap<String, usize>,
    took: Took,
}

impl Report {
    fn new() -> Self {
        let (screen, aside) = (Screen::new(None), BTreeMap::new());
        let (started, took) = (Instant::now(), Took::default());
        Self { started, screen, all: 0, ended: 0, passed: 0, failed: vec![], aside, took }
    }

    fn leave_out(&mut self, why: &str) {
        *self.aside.entry(why.to_owned()).or_default() += 1;
    }

    fn hear(&mut self, Ended { case, end, took }: Ended) {
        let name = full_name(&case);
        self.took.0.insert(name.clone(), took);
        self.ended += 1;
        match end {
            End::Passed => self.passed += 1,
            End::Aside { why, .. } => self.leave_out(&why),
            End::Failed(said) => {
                self.clear_line();
                say!("{} {name}", self.screen.bad("FAILED"));
                self.failed.push((name, said));
            }
        }
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
    fn close(self) -> Outcome {
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
