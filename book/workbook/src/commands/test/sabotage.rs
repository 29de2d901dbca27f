//! Promises about races: the step before may keep them by luck, so one line is taken out of the
//! program that keeps them, and then the test must fail.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use runner::{Built, Case, End, Plan};

use super::jobs::{PROGRAM, RED};
use super::{LIMIT, environment, full_name};
use crate::commands::test::Effort;
use crate::commands::test::report::Report;
use crate::ladder::Step;
use crate::terminal::say;
use crate::workbook::{CHAPTERS, Workbook};

/// How often a test may pass without the line, until it counts as one that never fails.
const TRIES: usize = 20;

/// One line to take out, and the test that must fail without it.
pub(super) struct Sabotage<'a> {
    step: &'a Step,
    file: &'a str,
    line: &'a str,
    case: Case,
}

/// All that `steps.toml` names.
pub(super) fn all<'a>(
    workbook: &'a Workbook,
    built: &Built,
    is_wanted: &impl Fn(&str) -> bool,
) -> Result<Vec<Sabotage<'a>>> {
    let cases = runner::cases(built)?;
    let mut all = Vec::new();
    for step in &workbook.ladder.steps {
        let last = &workbook.ladder.last_of(step).package;
        for (test, file, line) in &step.sabotage {
            let is_it =
                |case: &&Case| case.program.package == *last && case.name == *test;
            let case = cases.iter().find(is_it).with_context(|| {
                format!("{} names a sabotage of {test}, which is no test", step.package)
            })?;
            let mut case = case.clone();
            case.environment.push((RED.to_owned(), format!("without `{line}`")));
            case.environment.push((PROGRAM.to_owned(), step.package.clone()));
            if is_wanted(&full_name(&case)) {
                all.push(Sabotage { step, file, line, case });
            }
        }
    }
    Ok(all)
}

pub(super) fn run(workbook: &Workbook, all: Vec<Sabotage<'_>>, report: &mut Report) {
    if all.is_empty() {
        return;
    }
    say!("Taking out one line at a time, {} in all.", all.len());
    let copy = workbook.root.join("target/sabotage");
    for sabotage in all {
        let name = full_name(&sabotage.case);
        let end = without_its_line(workbook, &copy, sabotage);
        report.hear_sabotage(&name, end);
    }
}

/// How the test ended with a program that lacks its line.
fn without_its_line(
    workbook: &Workbook,
    copy: &Path,
    sabotage: Sabotage<'_>,
) -> Result<End> {
    // Afresh each time: what was taken out before is back.
    for folder in ["book", "chapters", "tests"] {
        copy_sources(&workbook.root.join(folder), &copy.join(folder))?;
    }
    for file in ["Cargo.toml", "Cargo.lock"] {
        refresh(&workbook.root.join(file), &copy.join(file))?;
    }
    take_out(copy, &sabotage)?;
    let program = build(copy, sabotage.step)?;
    let mut case = sabotage.case;
    for (name, value) in &mut case.environment {
        if name == PROGRAM {
            *value = program.display().to_string();
        }
    }
    Ok(until_it_fails(workbook, &case))
}

/// Everything but what was built, so that Cargo finds the same workspace.
fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if ["target", "node_modules", "data"].iter().any(|skipped| name == *skipped) {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            copy_sources(&entry.path(), &target)?;
        } else {
            refresh(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Writes only what differs: Cargo builds again what is newer than before.
fn refresh(from: &Path, to: &Path) -> Result<()> {
    let wanted = fs::read(from)?;
    if fs::read(to).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, wanted).with_context(|| format!("cannot write {}", to.display()))
}

fn take_out(copy: &Path, sabotage: &Sabotage<'_>) -> Result<()> {
    let Sabotage { step, file, line, .. } = sabotage;
    let path = copy.join(CHAPTERS).join(&step.folder).join(file);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let left: Vec<&str> = text.lines().filter(|found| found.trim() != *line).collect();
    ensure!(
        left.len() + 1 == text.lines().count(),
        "{file} of {} does not have the line `{line}` once",
        step.package
    );
    Ok(fs::write(&path, left.join("\n") + "\n")?)
}

fn build(copy: &Path, step: &Step) -> Result<PathBuf> {
    let package = step.package.as_str();
    let arguments = ["build", "--quiet", "--workspace", "--bin", package];
    let mut built = runner::build(copy, &arguments)
        .with_context(|| format!("{package} does not build without its line"))?;
    built.programs.remove(package).with_context(|| format!("Cargo built no {package}"))
}

/// The end that was expected: a failure. Otherwise what the last try came to.
fn until_it_fails(workbook: &Workbook, case: &Case) -> End {
    let mut environment = environment(workbook, Effort::Whole);
    environment.push(("WORKBOOK_PATIENCE".into(), Some("3".into())));
    let plan = Plan { at_once: 1, weight: &|_| 1, limit: LIMIT, environment };
    let mut last = End::Passed;
    for _ in 0..TRIES {
        runner::run(vec![case.clone()], &plan, |ended| last = ended.end);
        if matches!(last, End::Failed(_)) {
            break;
        }
    }
    last
}
