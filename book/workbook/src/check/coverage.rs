//! Literate coverage: every line that a step brings is shown on that step's pages.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Book, Fault, WovenPage};
use crate::ladder::Step;
use crate::piece::{Code, Piece, folder_number};
use crate::rest::Lines;
use crate::select::Selector;
use crate::source::Source;
use crate::workbook::chapter_file;

/// How much of a step its pages show.
pub(crate) struct Coverage {
    pub(crate) package: String,
    pub(crate) new: usize,
    pub(crate) shown: usize,
    /// In the folded figure of all that is left.
    pub(crate) rest: usize,
    pub(crate) excepted: usize,
}

/// The tables of a manifest that teach something; the others repeat from step to step.
const TAUGHT_TABLES: [&str; 3] = ["[dependencies", "[features", "[build-dependencies"];

pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for step in &book.workbook.ladder.steps {
        // What a broken directive would have shown is not missing: the directive is.
        if book.pages_of(step).any(|woven| woven.pieces.iter().any(Result::is_err)) {
            continue;
        }
        for (path, (source, missing)) in of_step(book, step)?.1 {
            for run in runs(&source, &missing) {
                faults.push(fault(step, &path, &source, &run));
            }
        }
    }
    Ok(())
}

/// Coverage per step, for the summary.
pub(crate) fn coverage(book: &Book<'_>) -> Result<Vec<Coverage>> {
    book.workbook.ladder.steps.iter().map(|step| Ok(of_step(book, step)?.0)).collect()
}

type Missing = BTreeMap<String, (std::rc::Rc<Source>, BTreeSet<usize>)>;

fn of_step(book: &Book<'_>, step: &Step) -> Result<(Coverage, Missing)> {
    let (shown, in_rest) = shown_on_pages(book, step);
    let package = step.package.clone();
    let mut sum = Coverage { package, new: 0, shown: 0, rest: 0, excepted: 0 };
    let mut missing = Missing::new();
    for path in book.workbook.written(step) {
        let source = book.workbook.source(&path)?;
        let new = taught(book, &path)?;
        let seen = shown.get(&path).cloned().unwrap_or_default();
        let unseen: BTreeSet<usize> = new.difference(&seen).copied().collect();
        let in_rest = in_rest.get(&path).cloned().unwrap_or_default();
        let left: BTreeSet<usize> = unseen.difference(&in_rest).copied().collect();
        let excepted = excepted(book, &path, &source, &left);
        sum.new += new.len();
        sum.shown += new.len() - unseen.len();
        sum.rest += unseen.len() - left.len();
        sum.excepted += excepted.len();
        let left = left.difference(&excepted).copied().collect::<BTreeSet<usize>>();
        if !left.is_empty() {
            missing.insert(path, (source, left));
        }
    }
    Ok((sum, missing))
}

/// The new lines of a file that its step is to show.
fn taught(book: &Book<'_>, path: &str) -> Result<BTreeSet<usize>> {
    let source = book.workbook.source(path)?;
    let new = book.workbook.new_lines(path)?.into_iter();
    Ok(new.filter(|&at| is_taught(&source, at)).collect())
}

/// What the figures on a step's pages show, and what its folded figure does.
fn shown_on_pages(book: &Book<'_>, step: &Step) -> (Lines, Lines) {
    let (mut shown, mut in_rest) = (Lines::new(), Lines::new());
    for woven in book.pages_of(step) {
        for piece in &woven.pieces {
            // A comparison shows nothing for the first time: it does not count.
            match piece {
                Ok(Piece::Code(code)) => {
                    let lines = shown.entry(code.source.path.clone()).or_default();
                    lines.extend(code.shown());
                }
                Ok(Piece::Rest(rest)) if rest.folder == step.folder => {
                    rest.add_to(&mut in_rest);
                }
                _ => {}
            }
        }
    }
    (shown, in_rest)
}

/// At most a third of a step's Rust, and of its scripts, is in the folded figure. Styles, markup
/// and manifests may all be there.
pub(super) fn rest(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for step in &book.workbook.ladder.steps {
        if book.pages_of(step).any(|woven| woven.pieces.iter().any(Result::is_err)) {
            continue;
        }
        let rests = book.pages_of(step).flat_map(|WovenPage { page, pieces }| {
            let both = page.directives.iter().zip(pieces);
            both.filter(|(_, piece)| matches!(piece, Ok(Piece::Rest(_))))
                .map(|(found, _)| (page.path.clone(), found.line))
        });
        for (nth, (path, line)) in rests.enumerate() {
            let mut fault = |what: String| {
                faults.push(Fault { path: path.clone(), line, what });
            };
            if nth > 0 {
                fault(format!("{} has a `rest` already; one is enough", step.package));
                continue;
            }
            for (what, new, in_rest) in shares(book, step)? {
                if in_rest * 3 > new {
                    fault(format!(
                        "{in_rest} of {new} new lines of {what} are in the `rest` of {}, and \
                         a third is the most; show the others in figures of their own",
                        step.package
                    ));
                }
            }
        }
    }
    Ok(())
}

/// For Rust and for scripts: how many lines are new, and how many of them are in the folded
/// figure.
fn shares(book: &Book<'_>, step: &Step) -> Result<[(&'static str, usize, usize); 2]> {
    let (shown, in_rest) = shown_on_pages(book, step);
    let mut shares = [("Rust", 0, 0), ("script", 0, 0)];
    for path in book.workbook.written(step) {
        let source = book.workbook.source(&path)?;
        let scripts = source.script_lines();
        let none = BTreeSet::new();
        let shown = shown.get(&path).unwrap_or(&none);
        let in_rest = in_rest.get(&path).unwrap_or(&none);
        for at in taught(book, &path)? {
            let share = match source.language() {
                "rust" => &mut shares[0],
                _ if scripts.contains(&at) => &mut shares[1],
                _ => continue,
            };
            share.1 += 1;
            share.2 += usize::from(in_rest.contains(&at) && !shown.contains(&at));
        }
    }
    Ok(shares)
}

fn is_taught(source: &Source, at: usize) -> bool {
    if source.language() != "toml" {
        return true;
    }
    let table = source.items.iter().rev().find(|item| item.range.start <= at);
    table.is_some_and(|item| {
        TAUGHT_TABLES.iter().any(|taught| item.names[0].starts_with(taught))
    })
}

/// The lines that an exception lets pass. It is needed only when it lets one pass.
fn excepted(
    book: &Book<'_>,
    path: &str,
    source: &Source,
    left: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let mut passed = BTreeSet::new();
    for (line, exception) in book.exceptions.of("coverage", path) {
        let lines: BTreeSet<usize> = match &exception.part {
            None => left.clone(),
            // A part that is not there lets nothing pass, and the exception is unused.
            Some(part) => Selector::parse_list(part)
                .and_then(|parts| {
                    parts
                        .iter()
                        .map(|part| source.select(part))
                        .collect::<Result<Vec<_>>>()
                })
                .unwrap_or_default()
                .into_iter()
                .flatten()
                .flatten()
                .filter(|at| left.contains(at))
                .collect(),
        };
        if !lines.is_empty() {
            book.exceptions.needed(line);
        }
        passed.extend(lines);
    }
    passed
}

/// Neighbouring lines of one item are one fault. Lines without a letter between them do
/// not count.
fn runs(source: &Source, missing: &BTreeSet<usize>) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for &at in missing {
        let continues =
            |last: usize| at <= last + 3 && part_of(source, last) == part_of(source, at);
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|&last| continues(last)) => run.push(at),
            _ => runs.push(vec![at]),
        }
    }
    runs
}

/// What a page would call the place: the outermost item around a line.
fn part_of(source: &Source, at: usize) -> Option<&str> {
    let around = source.items.iter().find(|item| item.range.contains(&at))?;
    Some(&around.names[0])
}

fn fault(step: &Step, path: &str, source: &Source, run: &[usize]) -> Fault {
    let (first, last) = (&source.lines[run[0]], &source.lines[run[run.len() - 1]]);
    let lines = if run.len() == 1 {
        "this line is".to_owned()
    } else {
        format!("lines {} to {} are", first.number, last.number)
    };
    let pages: Vec<&str> = step.pages().collect();
    let pages = if pages.is_empty() { "no page".into() } else { pages.join(", ") };
    let part = part_of(source, run[0]).map_or(String::new(), |part| format!(" {part}"));
    let short = path.strip_prefix("chapters/").unwrap_or(path);
    let what = format!(
        "{lines} new in {} and shown nowhere in {pages}: `{}`; show it with \
         `{{{{#item {short}{part}}}}}`, or show all that is left with `{{{{#rest {}}}}}`",
        step.package,
        first.text.trim(),
        folder_number(&step.folder)
    );
    Fault { path: path.into(), line: first.number, what }
}

/// Every anchor begins, ends, and is used by a page.
pub(super) fn anchors(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let used = used_names(book);
    for step in &book.workbook.ladder.steps {
        for path in book.workbook.written(step) {
            let source = book.workbook.source(&path)?;
            for (line, what) in &source.faults {
                faults.push(Fault {
                    path: path.clone(),
                    line: *line,
                    what: what.clone(),
                });
            }
            for anchor in &source.anchors {
                let name = (
                    chapter_file(&path).map(|(_, file)| file.to_owned()),
                    anchor.name.clone(),
                );
                if !used.contains(&name) {
                    let what =
                        format!("no page uses the anchor `{}`; remove it", anchor.name);
                    faults.push(Fault { path: path.clone(), line: anchor.number, what });
                }
            }
        }
    }
    Ok(())
}

/// File and part of everything that a page names. An anchor stays in later steps, so that
/// their files do not differ by its markers: a use in one step is a use in all.
fn used_names(book: &Book<'_>) -> BTreeSet<(Option<String>, String)> {
    let mut used = BTreeSet::new();
    for woven in &book.pages {
        for piece in &woven.pieces {
            let codes: Vec<&Code> = match piece {
                Ok(Piece::Code(code)) => vec![code],
                Ok(Piece::Sides(pairs)) => {
                    pairs.iter().map(|pair| &pair.rust.code).collect()
                }
                _ => continue,
            };
            for code in codes {
                let file =
                    chapter_file(&code.source.path).map(|(_, file)| file.to_owned());
                let names = code.part.split([',', ' ']).filter(|name| !name.is_empty());
                used.extend(names.map(|name| (file.clone(), name.to_owned())));
            }
        }
    }
    used
}
