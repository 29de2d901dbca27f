//! Every chapter has what chapters have: pages, a README row, tests, lints.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Book, Fault};
use crate::ladder::Step;
use crate::workbook::CHAPTERS;

pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let read = |path: &str| {
        std::fs::read_to_string(book.workbook.root.join(path)).unwrap_or_default()
    };
    let (summary, readme) = (read("book/src/SUMMARY.md"), read("README.md"));
    chapters(book, &readme, faults);
    for step in &book.workbook.ladder.steps {
        let mut fault = |path: &str, what: String| {
            faults.push(Fault { path: path.into(), line: 1, what });
        };
        if step.pages().next().is_none() {
            fault("book/steps.toml", format!("{} names no page", step.package));
        }
        for page in step.pages() {
            if !book.workbook.root.join("book/src").join(page).is_file() {
                fault(
                    "book/steps.toml",
                    format!("{} has no page book/src/{page}; write it", step.package),
                );
            }
        }
        manifest(book, step, &mut fault);
        tests(book, step, &mut fault)?;
        budget(book, step, &mut fault)?;
    }
    folders(book, faults);
    pages_in_summary(book, &summary, faults);
    Ok(())
}

/// Every chapter has a page, and a row in the README that names its first and its last
/// program.
fn chapters(book: &Book<'_>, readme: &str, faults: &mut Vec<Fault>) {
    let ladder = &book.workbook.ladder;
    let mut fault = |path: &str, what: String| {
        faults.push(Fault { path: path.into(), line: 1, what });
    };
    for number in ladder.chapter_numbers() {
        let steps = ladder.of_chapter(number);
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { continue };
        let names = |line: &str, package: &str| {
            line.contains(&format!("`{package}`"))
                || line.contains(&format!("-p {package}`"))
        };
        let row = |line: &str| {
            line.trim_start().starts_with('|')
                && [first, last].iter().all(|step| names(line, &step.package))
        };
        if !readme.lines().any(row) {
            let both = if steps.len() == 1 {
                format!("`{}`", first.package)
            } else {
                format!(
                    "`{}` and `{}`, its first program and its last",
                    first.package, last.package
                )
            };
            fault(
                "README.md",
                format!(
                    "no row of a table is about chapter {number}; add one with {both}"
                ),
            );
        }
    }
    for chapter in &ladder.chapters {
        let page = format!("book/src/{}", chapter.page);
        if !book.workbook.root.join(&page).is_file() {
            fault(
                "book/steps.toml",
                format!("chapter {} has no page {page}; write it", chapter.number),
            );
        }
    }
}

fn manifest(book: &Book<'_>, step: &Step, fault: &mut impl FnMut(&str, String)) {
    let path = format!("{CHAPTERS}/{}/Cargo.toml", step.folder);
    let text =
        std::fs::read_to_string(book.workbook.root.join(&path)).unwrap_or_default();
    let Ok(manifest) = text.parse::<toml::Table>() else {
        return fault(&path, "is not a manifest".into());
    };
    let get = |table: &str, key: &str| {
        manifest.get(table).and_then(|table| table.get(key)).cloned()
    };
    if get("package", "name").and_then(|name| name.as_str().map(str::to_owned))
        != Some(step.package.clone())
    {
        fault(
            &path,
            format!(
                "the package is not called {}, as book/steps.toml says",
                step.package
            ),
        );
    }
    if get("lints", "workspace") != Some(toml::Value::Boolean(true)) {
        fault(&path, "does not inherit the workspace's lints; add `[lints]` with `workspace = true`".into());
    }
    let wanted = format!("../../{}", step.test_file());
    let targets = manifest.get("test").and_then(toml::Value::as_array);
    let has_target = targets.into_iter().flatten().any(|target| {
        target.get("path").and_then(toml::Value::as_str) == Some(wanted.as_str())
    });
    // The last step of a chapter holds the tests of those before it.
    let ladder = &book.workbook.ladder;
    let holds_tests =
        !ladder.is_staged(step) || ladder.last_of(step).package == step.package;
    if holds_tests && !has_target {
        fault(
            &path,
            format!(
                "has no test target; add `[[test]]` with `name = \"{}\"` and `path = \"{wanted}\"`",
                step.package
            ),
        );
    }
}

fn tests(
    book: &Book<'_>,
    step: &Step,
    fault: &mut impl FnMut(&str, String),
) -> Result<()> {
    let path = book.workbook.test_root(step);
    if !book.workbook.root.join(&path).is_file() {
        fault(
            "book/steps.toml",
            format!("{} has no tests: there is no {path}", step.package),
        );
        return Ok(());
    }
    for file in book.workbook.test_files(&step.package) {
        if book.workbook.source(&file)?.items.iter().any(|item| item.is_test) {
            return Ok(());
        }
    }
    fault(&path, format!("holds no test of {}", step.package));
    Ok(())
}

/// A step stays as small as the ladder says.
fn budget(
    book: &Book<'_>,
    step: &Step,
    fault: &mut impl FnMut(&str, String),
) -> Result<()> {
    let Some(budget) = step.budget else { return Ok(()) };
    let lines = new_rust(book, step)?;
    if lines > budget {
        fault(
            &format!("{CHAPTERS}/{}", step.folder),
            format!(
                "{} brings {lines} new lines of Rust, and its budget is {budget}",
                step.package
            ),
        );
    }
    Ok(())
}

/// How many lines of Rust a step has and the earlier step that it is nearest to has not. A
/// line that moved is not new, and no line is of a file that an earlier step has just so.
fn new_rust(book: &Book<'_>, step: &Step) -> Result<usize> {
    let (mut known, mut before) = (BTreeSet::new(), Vec::new());
    for earlier in book.workbook.earlier(&step.folder) {
        let files = rust(book, earlier)?;
        before.push(count(files.iter()));
        known.extend(files);
    }
    let files = rust(book, step)?;
    let mine = count(files.iter().filter(|lines| !known.contains(*lines)));
    let since = |old: &BTreeMap<String, usize>| -> usize {
        let fresh = |(line, count): (&String, &usize)| {
            count.saturating_sub(old.get(line).copied().unwrap_or(0))
        };
        mine.iter().map(fresh).sum()
    };
    Ok(before.iter().map(since).min().unwrap_or_else(|| mine.values().sum()))
}

/// The lines of each Rust file of a step, without comments and blank ones.
fn rust(book: &Book<'_>, step: &Step) -> Result<Vec<Vec<String>>> {
    let mut files = Vec::new();
    for path in book.workbook.written(step) {
        if !path.ends_with(".rs") || path.ends_with("/tests.rs") {
            continue;
        }
        let (mut lines, mut in_comment) = (Vec::new(), false);
        for line in &book.workbook.source(&path)?.lines {
            let text = line.text.trim();
            if in_comment || (text.starts_with("/*") && !text.contains("*/")) {
                in_comment = !text.contains("*/");
            } else if !text.is_empty() && !text.starts_with("//") {
                lines.push(text.to_owned());
            }
        }
        files.push(lines);
    }
    Ok(files)
}

fn count<'a>(files: impl Iterator<Item = &'a Vec<String>>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in files.flatten() {
        *counts.entry(line.clone()).or_default() += 1;
    }
    counts
}

/// Every folder that runs is in the ladder.
fn folders(book: &Book<'_>, faults: &mut Vec<Fault>) {
    let Ok(entries) = std::fs::read_dir(book.workbook.root.join(CHAPTERS)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let runs = entry.path().join("src/main.rs").is_file();
        if runs && book.workbook.step_of_folder(&name).is_none() {
            let what =
                "is a program that book/steps.toml does not know; add a step for it";
            faults.push(Fault {
                path: format!("{CHAPTERS}/{name}"),
                line: 1,
                what: what.into(),
            });
        }
    }
}

/// A page that the summary does not name is not in the book.
fn pages_in_summary(book: &Book<'_>, summary: &str, faults: &mut Vec<Fault>) {
    for woven in &book.pages {
        let Some(name) = woven.page.path.strip_prefix("book/src/") else { continue };
        let linked = summary.contains(&format!("({name})"))
            || summary.contains(&format!("(./{name})"));
        if name != "SUMMARY.md" && !linked {
            let what = "is not in book/src/SUMMARY.md, so no reader finds it";
            faults.push(Fault {
                path: woven.page.path.clone(),
                line: 1,
                what: what.into(),
            });
        }
    }
}
