//! `workbook check`: does the book still match the code, and does it explain all of it.
//!
//! Each rule is a function from the book to faults. A fault says where, what is wrong, and
//! what to do.

mod coverage;
mod exceptions;
mod explained;
mod features;
mod fences;
mod layout;
mod links;
mod order;
mod promises;
mod prose;
mod recordings;

use std::fmt;

use anyhow::{Context, Result};

use crate::page::Page;
use crate::piece::Piece;
use crate::workbook::Workbook;
use crate::{timeline, weave};

pub(crate) use coverage::coverage;
use exceptions::Exceptions;
pub(crate) use prose::{findings, words};

/// Something wrong, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// The whole book, read once for all rules.
pub(crate) struct Book<'a> {
    workbook: &'a Workbook,
    pages: Vec<WovenPage>,
    exceptions: Exceptions,
}

/// A page, and what each of its directives shows.
struct WovenPage {
    page: Page,
    pieces: Vec<Result<Piece>>,
}

impl<'a> Book<'a> {
    pub(crate) fn read(workbook: &'a Workbook) -> Result<Self> {
        let mut pages = Vec::new();
        for file in workbook.files("book/src") {
            if !file.ends_with(".md") {
                continue;
            }
            let path = format!("book/src/{file}");
            let text = std::fs::read_to_string(workbook.root.join(&path))
                .with_context(|| format!("cannot read {path}"))?;
            let page = Page::read(path, text);
            let pieces = page
                .directives
                .iter()
                .map(|found| weave::resolve(workbook, &page.path, found))
                .collect();
            pages.push(WovenPage { page, pieces });
        }
        let exceptions = Exceptions::read(workbook)?;
        Ok(Self { workbook, pages, exceptions })
    }

    /// The pages of a step that exist.
    fn pages_of(&self, step: &crate::ladder::Step) -> impl Iterator<Item = &WovenPage> {
        let paths: Vec<String> =
            step.pages().map(|page| format!("book/src/{page}")).collect();
        self.pages.iter().filter(move |woven| paths.contains(&woven.page.path))
    }
}

type Rule = fn(&Book<'_>, &mut Vec<Fault>) -> Result<()>;

const RULES: [Rule; 15] = [
    directives,
    explained::rule,
    explained::promises,
    coverage::rule,
    coverage::rest,
    coverage::anchors,
    promises::rule,
    prose::rule,
    fences::rule,
    recordings::transcripts,
    recordings::pictures,
    links::rule,
    layout::rule,
    order::rule,
    features::rule,
];

/// Applies every rule. No faults: the book and the code agree.
pub(crate) fn faults(book: &Book<'_>) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for rule in RULES {
        rule(book, &mut faults)?;
    }
    // Last, for the other rules say which exceptions they needed.
    book.exceptions.rule(&mut faults);
    faults.sort();
    faults.dedup();
    Ok(faults)
}

/// Every directive and every timeline shows something.
fn directives(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for WovenPage { page, pieces } in &book.pages {
        for (found, piece) in page.directives.iter().zip(pieces) {
            if let Err(error) = piece {
                let what = format!("{error:#}");
                faults.push(Fault { path: page.path.clone(), line: found.line, what });
            }
        }
        for found in timeline::find(&page.text) {
            if let Err((line, error)) = found.timeline {
                let what = format!("{error:#}");
                faults.push(Fault { path: page.path.clone(), line, what });
            }
        }
    }
    Ok(())
}
