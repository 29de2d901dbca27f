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
    for step in &steps {
        say!("Recording {} …", step.package);
        if !test(workbook, &step.package, None)? {
            failed.push(step.package.as_str());
        }
    }
    if pictures {
        say!("Taking pictures …");
        // One module of browser tests for each chapter, in the browser crate.
        let only = chapter.map(|_| format!("{}::", steps[0].package.replace('-', "_")));
        if !test(workbook, "browser", only.as_deref())? {
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

fn test(workbook: &Workbook, package: &str, only: Option<&str>) -> Result<bool> {
    let mut command = workbook.cargo();
    command.args(["test", "--quiet", "--package", package]);
    if let Some(module) = only {
        command.args(["--test", "pages", module]);
    }
    // A quick run leaves out tests that record.
    command.env(recorded::RECORD, "1").env("WORKBOOK_TESTS", "whole");
    Ok(command.status().context("cannot run cargo")?.success())
}
