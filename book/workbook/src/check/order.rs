//! What need not change between two chapters does not: the order of items, names of files.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Book, Fault};
use crate::ladder::Step;
use crate::source::Source;
use crate::workbook::CHAPTERS;

/// Two files with this much in common are one file under two names.
const SAME_FILE: f32 = 0.8;

pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for step in &book.workbook.ladder.steps {
        let Some(from) = &step.from else { continue };
        let folder = |name: &str| format!("{CHAPTERS}/{name}");
        let before: BTreeSet<String> =
            book.workbook.files(&folder(from)).into_iter().collect();
        let after: BTreeSet<String> =
            book.workbook.files(&folder(&step.folder)).into_iter().collect();
        for file in before.intersection(&after).filter(|file| file.ends_with(".rs")) {
            let (old, new) = book.workbook.sides(step, file)?;
            if let Some(fault) = moved(&old, &new) {
                pass_or_push(book, "order", fault, faults);
            }
        }
        renamed(book, step, from, &before, &after, faults);
    }
    Ok(())
}

fn pass_or_push(book: &Book<'_>, rule: &str, fault: Fault, faults: &mut Vec<Fault>) {
    let exception = book.exceptions.of(rule, &fault.path).next();
    match exception {
        Some((line, _)) => book.exceptions.needed(line),
        None => faults.push(fault),
    }
}

/// The first item that both files have, but in another order.
fn moved(old: &Source, new: &Source) -> Option<Fault> {
    let names = |source: &Source| -> Vec<String> {
        let named = source
            .items
            .iter()
            .filter(|item| !matches!(item.names[0].as_str(), "use" | "mod"));
        named.map(|item| item.names[0].clone()).collect()
    };
    let (old_names, new_names) = (names(old), names(new));
    let in_old: Vec<&String> =
        old_names.iter().filter(|name| new_names.contains(name)).collect();
    let in_new: Vec<&String> =
        new_names.iter().filter(|name| old_names.contains(name)).collect();
    let at = in_old.iter().zip(&in_new).position(|(a, b)| a != b)?;
    let (was, is) = (in_old[at], in_new[at]);
    let item = new.items.iter().find(|item| item.names[0] == *is)?;
    let what = format!(
        "`{is}` comes before `{was}` here, and after it in {}; keep the order, so that the \
         diff shows only what the step is about",
        old.path
    );
    Some(Fault { path: new.path.clone(), line: new.lines[item.range.start].number, what })
}

fn renamed(
    book: &Book<'_>,
    step: &Step,
    from: &str,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    faults: &mut Vec<Fault>,
) {
    let read = |folder: &str, file: &str| {
        std::fs::read_to_string(book.workbook.root.join(CHAPTERS).join(folder).join(file))
            .ok()
    };
    for gone in before.difference(after) {
        let Some(old) = read(from, gone) else { continue };
        for come in after.difference(before) {
            let Some(new) = read(&step.folder, come) else { continue };
            if similar::TextDiff::from_lines(&old, &new).ratio() < SAME_FILE {
                continue;
            }
            let path = format!("{CHAPTERS}/{}/{come}", step.folder);
            let what = format!(
                "was called {gone} in {from} and is nearly the same; keep the name"
            );
            pass_or_push(book, "rename", Fault { path, line: 1, what }, faults);
        }
    }
}
