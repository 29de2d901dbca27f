//! `check N`: a chapter's promises, against this clone's program or any server.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::Outcome;
use crate::terminal::Screen;
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
    println!("Checking the promises of {} against {against} …", step.package);
    let output = cargo_test(workbook, &step.package, url)?;
    let report = Report::read(&String::from_utf8_lossy(&output.stdout));
    if report.kept.is_empty() && report.broken.is_empty() {
        anyhow::bail!("the tests of {} did not run; cargo says why above", step.package);
    }
    report.print();
    if report.broken.is_empty() && output.status.success() {
        return Ok(Outcome::Fine);
    }
    println!("\nThe tests are in {}.", step.test_file());
    Ok(Outcome::Found)
}

fn cargo_test(
    workbook: &Workbook,
    package: &str,
    url: Option<&str>,
) -> Result<std::process::Output> {
    let mut command = cargo(workbook);
    command.args(["test", "--quiet", "--package", package, "--no-fail-fast", "--"]);
    // One line per test, and what the tests that passed had to say.
    command.args(["--format", "pretty", "--show-output"]);
    if let Some(url) = url {
        command.env("WORKBOOK_URL", url);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
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
    fn read(output: &str) -> Self {
        let mut report = Self::default();
        let mut speaker: Option<String> = None;
        for line in output.lines() {
            if let Some((name, result)) =
                line.strip_prefix("test ").and_then(|l| l.split_once(" ... "))
            {
                match result.trim() {
                    "ok" => report.kept.push(name.to_owned()),
                    result if result.starts_with("FAILED") => {
                        report.broken.push(name.to_owned());
                    }
                    _ => report.unchecked.push(format!("{} (ignored)", sentence(name))),
                }
            } else if let Some(name) =
                line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" stdout ----"))
            {
                speaker = Some(name.to_owned());
            } else if let Some(what) = line.trim_start().strip_prefix(NOT_CHECKED) {
                report.unchecked.push(what.trim().to_owned());
                let silent = |name: &String| speaker.as_ref() != Some(name);
                report.kept.retain(silent);
            } else if matches!(line.trim(), "failures:" | "successes:") {
                speaker = None;
            } else if let Some(name) =
                speaker.as_ref().filter(|name| report.broken.contains(name))
            {
                report.said.push((name.clone(), line.to_owned()));
            }
        }
        report.unchecked.sort();
        report.unchecked.dedup();
        report
    }

    fn print(&self) {
        let screen = Screen::new(None);
        for name in &self.kept {
            println!("  {}  {}", screen.good("kept       "), sentence(name));
        }
        for what in &self.unchecked {
            println!("  not checked  {what}");
        }
        for name in &self.broken {
            println!("  {}  {}", screen.bad("BROKEN     "), sentence(name));
            for (_, line) in self.said.iter().filter(|(speaker, _)| speaker == name) {
                if !line.trim().is_empty() && !line.contains("RUST_BACKTRACE") {
                    println!("                 {line}");
                }
            }
        }
        println!(
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
