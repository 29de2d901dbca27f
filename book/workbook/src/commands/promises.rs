//! `check N`: a chapter's promises, against this clone's program or any server.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::Outcome;
use crate::terminal::{Screen, say};
use crate::workbook::Workbook;

/// How a suite says that a promise needs the process and was left out.
const NOT_CHECKED: &str = "not checked:";

pub(super) fn run(
    workbook: &Workbook,
    chapter: &str,
    url: Option<&str>,
) -> Result<Outcome> {
    let step = workbook.ladder.find(chapter)?;
    let against = url.map_or("the program in this clone".to_owned(), str::to_owned);
    say!(
        "Checking the promises of {} against {against}.\nSome are about waiting: this takes up to a minute.",
        step.package
    );
    let output = cargo_test(workbook, &step.package, url)?;
    let (said, asides) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let report = Report::read(&said, &asides);
    if report.kept.is_empty() && report.broken.is_empty() {
        anyhow::bail!("the tests of {} did not run; cargo says why above", step.package);
    }
    report.print();
    if report.broken.is_empty() && output.status.success() {
        return Ok(Outcome::Fine);
    }
    say!("\nThe tests are in {}.", step.test_file());
    Ok(Outcome::Found)
}

fn cargo_test(
    workbook: &Workbook,
    package: &str,
    url: Option<&str>,
) -> Result<std::process::Output> {
    let mut command = cargo(workbook);
    command.args(["test", "--quiet", "--package", package, "--no-fail-fast", "--"]);
    command.args(["--format", "pretty"]);
    if let Some(url) = url {
        command.env("WORKBOOK_URL", url);
    }
    // A reader wants to know what was promised and what happened, not where we panic.
    command.env("RUST_BACKTRACE", "0");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.output().context("cannot run cargo")
}

/// Cargo, as it ran this program, in the clone.
pub(super) fn cargo(workbook: &Workbook) -> Command {
    let mut command =
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&workbook.root);
    // Names of tests come from their threads, and a single one runs in `main`.
    command.env_remove("RUST_TEST_THREADS");
    command
}

#[derive(Default)]
struct Report {
    kept: Vec<String>,
    broken: Vec<String>,
    unchecked: Vec<String>,
    /// What a broken promise's test said.
    said: Vec<(String, String)>,
}

impl Report {
    /// Reads what the test runner wrote, and the asides that the suite wrote past it.
    fn read(output: &str, asides: &str) -> Self {
        let mut report = Self::default();
        let mut speaker: Option<&str> = None;
        for line in output.lines() {
            let result =
                line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
            let heading =
                line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" stdout ----"));
            match (result, heading, speaker) {
                (Some((name, "ok")), ..) => report.kept.push(name.to_owned()),
                (Some((name, "FAILED")), ..) => report.broken.push(name.to_owned()),
                (Some((name, why)), ..) => {
                    report.unchecked.push(format!("{} ({why})", sentence(name)));
                }
                (None, Some(name), _) => speaker = Some(name),
                (None, None, Some(name)) if line != "failures:" => {
                    report.said.push((name.to_owned(), line.to_owned()));
                }
                _ => speaker = None,
            }
        }
        for line in asides.lines() {
            match line.strip_prefix(NOT_CHECKED) {
                Some(what) => report.set_aside(what.trim()),
                // Whatever else cargo and the tests have to say.
                None => eprintln!("{line}"),
            }
        }
        report
    }

    /// `name_of_test (why)` is neither kept nor broken.
    fn set_aside(&mut self, what: &str) {
        let (name, why) = what.split_once(' ').unwrap_or((what, ""));
        self.kept.retain(|kept| kept != name);
        let what = format!("{} {why}", sentence(name));
        if !self.unchecked.contains(&what) {
            self.unchecked.push(what);
        }
    }

    fn print(&self) {
        let screen = Screen::new(None);
        for name in &self.kept {
            say!("  {}  {}", screen.good("kept       "), sentence(name));
        }
        for what in &self.unchecked {
            say!("  not checked  {what}");
        }
        for name in &self.broken {
            say!("  {}  {}", screen.bad("BROKEN     "), sentence(name));
            for (_, line) in self.said.iter().filter(|(speaker, _)| speaker == name) {
                let noise =
                    line.starts_with("thread '") || line.contains("RUST_BACKTRACE");
                if !line.trim().is_empty() && !noise {
                    say!("                 {line}");
                }
            }
        }
        say!(
            "\n{} kept, {} broken, {} not checked.",
            self.kept.len(),
            self.broken.len(),
            self.unchecked.len()
        );
    }
}

fn sentence(test: &str) -> String {
    test.rsplit("::").next().unwrap_or(test).replace('_', " ")
}
