//! The ladder's promises: each is a test, is on its step's page, and can be seen to fail.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Book, Fault};
use crate::directive::Directive;
use crate::ladder::Step;
use crate::piece::same_test;
use crate::select::nearest;
use crate::workbook::CHAPTERS;

const LADDER: &str = "book/steps.toml";

pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let steps = &book.workbook.ladder.steps;
    let text = std::fs::read_to_string(book.workbook.root.join(LADDER))?;
    for step in steps {
        let mut fault = |name: &str, what: String| {
            let line = line_of(&text, step, name);
            faults.push(Fault { path: LADDER.into(), line, what });
        };
        if !step.promises.is_empty() && step.budget.is_none() {
            let what = "has promises and no budget; say how many new lines it may bring";
            fault("", format!("{} {what}", step.package));
        }
        exist(book, step, &mut fault)?;
        can_fail(book, step, &mut fault);
        on_the_page(book, step, faults);
    }
    // Once for each chapter whose steps name their promises.
    let ladder = &book.workbook.ladder;
    for step in steps.iter().filter(|step| ladder.is_staged(step)) {
        if ladder.last_of(step).package == step.package {
            named_once(book, step, faults)?;
        }
    }
    Ok(())
}

/// Where `steps.toml` first names something of a step.
fn line_of(text: &str, step: &Step, name: &str) -> usize {
    let package = format!("package = \"{}\"", step.package);
    let lines = (1..).zip(text.lines());
    let mut lines = lines.skip_while(|(_, line)| line.trim() != package).peekable();
    let first = lines.peek().map_or(1, |(number, _)| *number);
    let quoted = format!("\"{name}\"");
    lines.find(|(_, line)| line.contains(&quoted)).map_or(first, |(number, _)| number)
}

/// Every name is that of a test, with its module.
fn exist(
    book: &Book<'_>,
    step: &Step,
    fault: &mut impl FnMut(&str, String),
) -> Result<()> {
    let (sabotaged, unproven) = (step.sabotage.iter(), step.unproven.iter());
    let names: Vec<&str> = step
        .own()
        .map(|(name, _)| name)
        .chain(unproven.map(|(name, _)| name.as_str()))
        .chain(sabotaged.map(|(name, ..)| name.as_str()))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let tests = book.workbook.tests(step)?;
    let known: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
    for name in names {
        if !known.contains(&name) {
            let what = format!(
                "{} has no test `{name}`{}",
                book.workbook.test_root(step),
                nearest(name, &known)
            );
            fault(name, what);
        }
    }
    Ok(())
}

/// Every promise says how it fails on the step before, or has another proof.
fn can_fail(book: &Book<'_>, step: &Step, fault: &mut impl FnMut(&str, String)) {
    let others = || {
        let sabotaged = step.sabotage.iter().map(|(name, ..)| name);
        sabotaged.chain(step.unproven.iter().map(|(name, _)| name))
    };
    for (name, words) in step.own() {
        if words.trim().is_empty() && !step.is_excused(name) {
            fault(
                name,
                format!("`{name}` has no words of how it fails before this step"),
            );
        }
    }
    for name in others() {
        if !step.own().any(|(own, _)| own == name) {
            fault(name, format!("`{name}` is neither in `promises` nor in `also`"));
        }
    }
    for (name, file, line) in &step.sabotage {
        let path = format!("{CHAPTERS}/{}/{file}", step.folder);
        let source = book.workbook.source_or_absent(&path);
        let lines = source.map(|source| {
            source.lines.iter().filter(|other| other.text.trim() == line.trim()).count()
        });
        match lines {
            Ok(1) => {}
            Ok(0) => fault(name, format!("{path} has no line `{line}`")),
            Ok(count) => fault(name, format!("{path} has {count} lines `{line}`")),
            Err(error) => fault(name, format!("{error:#}")),
        }
    }
}

/// The pages of a step turn its promises green, one after the other.
fn on_the_page(book: &Book<'_>, step: &Step, faults: &mut Vec<Fault>) {
    let mut named: Vec<(&str, usize, &str)> = Vec::new();
    for page in step.pages() {
        let path = format!("book/src/{page}");
        let Some(woven) = book.pages.iter().find(|woven| woven.page.path == path) else {
            continue;
        };
        for found in &woven.page.directives {
            if let Ok(Directive::Promise { test, .. }) = &found.directive {
                named.push((&woven.page.path, found.line, test));
            }
        }
    }
    let mut from = 0;
    for (name, _) in &step.promises {
        let is_it = |(_, _, test): &(&str, usize, &str)| same_test(test, name);
        if let Some(at) = named[from..].iter().position(is_it) {
            from += at + 1;
            continue;
        }
        let fault = match named.iter().find(|named| is_it(named)) {
            Some((path, line, _)) => Fault {
                path: (*path).into(),
                line: *line,
                what: format!(
                    "the promise `{name}` has another place in {LADDER}; keep to its order"
                ),
            },
            None => Fault {
                path: step
                    .pages()
                    .next()
                    .map_or(LADDER.into(), |page| format!("book/src/{page}")),
                line: 1,
                what: format!(
                    "shows no promise `{name}` of {}; add `{{{{#promise {} {name}}}}}`",
                    step.package, step.package
                ),
            },
        };
        faults.push(fault);
    }
}

/// Every test of a chapter belongs to one step, once a step of the chapter names its own.
fn named_once(book: &Book<'_>, last: &Step, faults: &mut Vec<Fault>) -> Result<()> {
    let steps: Vec<&Step> = book.workbook.ladder.chapter_of(last).collect();
    let mut tests = BTreeMap::new();
    for step in &steps {
        for test in book.workbook.tests(step)? {
            tests.insert(test.name.clone(), test);
        }
    }
    for (name, test) in tests {
        let mut of: Vec<&str> = Vec::new();
        for step in &steps {
            let names = step.own().filter(|(own, _)| *own == name);
            of.extend(names.map(|_| step.package.as_str()));
        }
        let what = match of[..] {
            [_] => continue,
            [] => format!(
                "no step of chapter {} names `{name}`; put it into `promises` or `also` \
                 of the first that keeps it, in {LADDER}",
                last.chapter()
            ),
            _ => format!("{LADDER} names `{name}` more than once: {}", of.join(", ")),
        };
        faults.push(Fault { path: test.file, line: test.line, what });
    }
    Ok(())
}
