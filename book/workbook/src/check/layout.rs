//! Every chapter has what chapters have: pages, a README row, tests, lints.

use anyhow::Result;

use super::{Book, Fault};
use crate::ladder::Step;
use crate::workbook::CHAPTERS;

pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let read = |path: &str| {
        std::fs::read_to_string(book.workbook.root.join(path)).unwrap_or_default()
    };
    let (summary, readme) = (read("book/src/SUMMARY.md"), read("README.md"));
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
        let row = |line: &str| {
            line.trim_start().starts_with('|')
                && line.contains(&format!("`{}`", step.package))
        };
        let in_row = |line: &str| {
            row(line)
                || (line.trim_start().starts_with('|')
                    && line.contains(&format!("-p {}`", step.package)))
        };
        if !readme.lines().any(in_row) {
            fault(
                "README.md",
                format!("no row of a table is about `{}`; add one", step.package),
            );
        }
        manifest(book, step, &mut fault);
        tests(book, step, &mut fault)?;
        budget(book, step, &mut fault)?;
    }
    folders(book, faults);
    pages_in_summary(book, &summary, faults);
    Ok(())
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
    let path = step.test_file();
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
    let folder = format!("{CHAPTERS}/{}", step.folder);
    let mut lines = 0;
    for file in book.workbook.files(&folder).iter().filter(|file| file.ends_with(".rs")) {
        let path = format!("{folder}/{file}");
        let source = book.workbook.source(&path)?;
        let code = |at: &&usize| !source.lines[**at].text.trim_start().starts_with("//");
        lines += book.workbook.new_lines(&path)?.iter().filter(code).count();
    }
    if lines > budget {
        fault(
            &folder,
            format!(
                "{} brings {lines} lines of Rust, and its budget is {budget}",
                step.package
            ),
        );
    }
    Ok(())
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
