//! `test` and `soak`: every promise of every chapter, side by side.

mod jobs;
mod report;
mod sabotage;
mod took;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runner::{Built, Case, KEPT, Plan};

use self::report::Report;
use self::took::Took;
use crate::Outcome;
use crate::commands::promises::in_names;
use crate::workbook::Workbook;

/// How much goes on at once. Most tests wait most of the time.
const AT_ONCE: usize = 12;
/// What a test in a browser takes of it.
const BROWSER: usize = 4;
/// What a test takes that starts many others, or that keeps Cargo busy.
const MANY: usize = 6;
/// How long one test may take: only a test that hangs takes so long.
const LIMIT: Duration = Duration::from_secs(15 * 60);

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
    let only = only.map(in_names);
    let is_wanted = |name: &str| {
        only.as_ref().is_none_or(|words| name.replace(' ', "_").contains(words))
    };
    let mut report = Report::new();
    let mut jobs = jobs::all(workbook, runner::cases(&built)?);
    jobs.retain(|job| is_wanted(&full_name(&job.case)));
    jobs.retain(|job| {
        let left_out = job.left_out(effort);
        left_out.into_iter().for_each(|why| report.leave_out(why));
        left_out.is_none() && (effort != Effort::Soak || job.is_soaked())
    });
    let sabotaged = match effort {
        Effort::Whole => sabotage::all(workbook, &built, &is_wanted)?,
        Effort::Quick | Effort::Soak => Vec::new(),
    };
    ensure!(
        only.is_none() || jobs.len() + sabotaged.len() + report.left_out() > 0,
        "no test has these words in its name"
    );
    let took = Took::read(workbook);
    // The longest first: what waits for a minute waits beside all the others.
    jobs.sort_by_key(|job| std::cmp::Reverse(took.of(&job.case)));
    report.expect(&jobs);
    let cases = jobs.into_iter().map(|job| job.case).collect();
    let environment = environment(workbook, effort);
    let limit = if effort == Effort::Soak { 8 * LIMIT } else { LIMIT };
    let plan = Plan { at_once: AT_ONCE, weight: &weight, limit, environment };
    runner::run(cases, &plan, |ended| report.hear(ended));
    report.write(workbook, took);
    sabotage::run(workbook, sabotaged, &mut report);
    Ok(report.close())
}

/// Builds everything, without what makes the next build quick: that takes most of the disk,
/// and a test program is rarely built again.
fn build(workbook: &Workbook) -> Result<Built> {
    let arguments =
        ["test", "--no-run", "--workspace", "--config", "build.incremental=false"];
    let mut built =
        runner::build(&workbook.root, &arguments).context("the tests do not build")?;
    // The programs of inner steps have no tests of their own.
    let arguments =
        ["build", "--workspace", "--bins", "--config", "build.incremental=false"];
    let programs =
        runner::build(&workbook.root, &arguments).context("the programs do not build")?;
    built.programs.extend(programs.programs);
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

/// `chapter-3-1 chapter-3 a_notice_reaches_everybody`: the program that is asked, the program
/// that holds the test, and the test. Unique in the workspace.
fn full_name(case: &Case) -> String {
    let named = |name: &str| {
        case.environment.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    };
    let asked = named(jobs::PROGRAM).unwrap_or(&case.program.package);
    let red = named(jobs::RED).map(|step| format!(", red before {step}"));
    let (target, name) = (&case.program.target, &case.name);
    format!("{asked} {target} {name}{}", red.unwrap_or_default())
}
