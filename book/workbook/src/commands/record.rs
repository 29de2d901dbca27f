//! `record`: run tests, and keep what they saw for the book.

use anyhow::{Context, Result};

use crate::Outcome;
use crate::terminal::say;
use crate::workbook::Workbook;

pub(super) fn run(
    workbook: &Workbook,
    chapter: Option<&str>,
    pictures: bool,
) -> Result<Outcome> {
    let steps = match chapter {
        Some(chapter) => vec![workbook.ladder.find(chapter)?],
        None => workbook.ladder.steps.iter().collect(),
    };
    let mut failed = Vec::new();
    // The tests of a chapter's steps may be in its last package.
    let holders = steps.iter().map(|step| match workbook.ladder.is_staged(step) {
        true => workbook.ladder.last_of(step).package.as_str(),
        false => step.package.as_str(),
    });
    let mut holders: Vec<&str> = holders.collect();
    holders.dedup();
    for &package in &holders {
        say!("Recording {package} …");
        if !test(workbook, package, None)? {
            failed.push(package);
        }
    }
    if pictures {
        say!("Taking pictures …");
        // One module of browser tests for each chapter, in the browser crate.
        let only = chapter.map(|_| format!("{}::", holders[0].replace('-', "_")));
        if !test(workbook, "pages", only.as_deref())? {
            failed.push("browser");
        }
    }
    if failed.is_empty() {
        say!(
            "Done. `git diff book` shows what changed; `cargo workbook check` reads it."
        );
        return Ok(Outcome::Fine);
    }
    say!("The tests of {} failed; what they saw before is kept.", failed.join(", "));
    Ok(Outcome::Found)
}

/// Runs a test program; `only` what has these words in its name.
fn test(workbook: &Workbook, program: &str, only: Option<&str>) -> Result<bool> {
    let mut command = workbook.cargo();
    command.args(["test", "--quiet", "--workspace", "--test", program]);
    // Built as `cargo workbook test` builds it.
    command.args(["--config", "build.incremental=false"]);
    command.args(only);
    // A quick run leaves out tests that record.
    command.env(recorded::RECORD, "1").env("WORKBOOK_TESTS", "whole");
    Ok(command.status().context("cannot run cargo")?.success())
}
