//! "Everything else in this step": the new lines that no other figure on its pages shows.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use anyhow::{Result, bail, ensure};

use crate::directive::{self, Directive};
use crate::ladder::Step;
use crate::piece::{Code, Piece, folder_number};
use crate::source::Source;
use crate::step_diff::{Change, Row};
use crate::workbook::{CHAPTERS, Workbook};

/// Files whose lines a reader would have to write.
const WRITTEN: [&str; 7] = [".rs", ".html", ".css", ".js", ".sql", ".tera", "Cargo.toml"];

/// Lines of files, as indices.
pub(crate) type Lines = BTreeMap<String, BTreeSet<usize>>;

/// What is left of a step, one entry for each file.
pub(crate) struct Rest {
    /// The folder of the step.
    pub(crate) folder: String,
    pub(crate) codes: Vec<Code>,
    /// Lines of the step before that this one no longer has.
    pub(crate) gone: Vec<Code>,
}

impl Rest {
    /// Adds the lines that it shows.
    pub(crate) fn add_to(&self, lines: &mut Lines) {
        for code in &self.codes {
            lines.entry(code.source.path.clone()).or_default().extend(code.shown());
        }
    }
}

impl Workbook {
    /// The files of a step whose lines are to be shown, by their paths from the root.
    pub(crate) fn written(&self, step: &Step) -> Vec<String> {
        let folder = format!("{CHAPTERS}/{}", step.folder);
        let mut files = self.files(&folder);
        files.retain(|file| WRITTEN.iter().any(|ending| file.ends_with(ending)));
        // Unit tests beside the code prove it, as the promises do.
        files.retain(|file| !file.ends_with("/tests.rs"));
        files.into_iter().map(|file| format!("{folder}/{file}")).collect()
    }

    pub(crate) fn rest(&self, name: &str, page: &str) -> Result<Rest> {
        let step = self.ladder.find(name)?;
        let pages: Vec<&str> = step.pages().collect();
        ensure!(
            is_page_of(step, page),
            "the rest of {name} is shown on a page of that step: {}",
            pages.join(", ")
        );
        let shown = self.shown(step);
        let mut codes = Vec::new();
        for path in self.written(step) {
            let source = self.source(&path)?;
            let shown = shown.get(&path).cloned().unwrap_or_default();
            let left: BTreeSet<usize> =
                self.new_lines(&path)?.difference(&shown).copied().collect();
            if !left.is_empty() {
                let rows = rows(&source, &left, &shown);
                codes.push(Code { source, rows, part: String::new(), from: None });
            }
        }
        if codes.is_empty() {
            bail!("every new line of {name} is in a figure already; remove this `rest`");
        }
        Ok(Rest { folder: step.folder.clone(), codes, gone: self.gone(step)? })
    }

    /// The lines of the step before that nobody finds in this one, also not in another file:
    /// whoever grows a program from figures has to take them out.
    fn gone(&self, step: &Step) -> Result<Vec<Code>> {
        let Some(before) = self.ladder.before(step) else { return Ok(Vec::new()) };
        let mut present = BTreeSet::new();
        for path in self.written(step) {
            let source = self.source(&path)?;
            present.extend(source.lines.iter().map(|line| line.text.trim().to_owned()));
        }
        let mut codes = Vec::new();
        for path in self.written(before) {
            let source = self.source(&path)?;
            let is_gone = |at: &usize| {
                let text = source.lines[*at].text.trim();
                text.contains(char::is_alphanumeric)
                    && !path.ends_with("Cargo.toml")
                    && !present.contains(text)
            };
            let lines: Vec<usize> = (0..source.lines.len()).filter(is_gone).collect();
            if lines.is_empty() {
                continue;
            }
            let mut rows = Vec::new();
            for (nth, &at) in lines.iter().enumerate() {
                if nth > 0 && lines[nth - 1] + 1 != at {
                    rows.push(Row::gap());
                }
                let change = Change::Removed;
                rows.push(Row { change, ..Row::plain(&source, at) });
            }
            codes.push(Code { source, rows, part: String::new(), from: None });
        }
        Ok(codes)
    }

    /// What the figures of code on a step's pages show. A directive that is broken shows
    /// nothing, and is a fault where it is.
    fn shown(&self, step: &Step) -> Lines {
        let mut shown = Lines::new();
        for page in step.pages() {
            let page = format!("book/src/{page}");
            let text = std::fs::read_to_string(self.root.join(&page)).unwrap_or_default();
            for found in directive::find(&text) {
                let Ok(directive) = found.directive else { continue };
                if matches!(directive, Directive::Rest { .. }) {
                    continue;
                }
                if let Ok(Piece::Code(code)) = self.resolve(&directive, &page) {
                    let lines = shown.entry(code.source.path.clone()).or_default();
                    lines.extend(code.shown());
                }
            }
        }
        shown
    }

    /// The step that a page belongs to.
    pub(crate) fn step_of_page(&self, page: &str) -> Option<&Step> {
        self.ladder.steps.iter().find(|step| is_page_of(step, page))
    }
}

impl Rest {
    /// What a reader calls it.
    pub(crate) fn summary(&self) -> &'static str {
        "Everything else in this step"
    }

    pub(crate) fn number(&self) -> String {
        folder_number(&self.folder)
    }
}

fn is_page_of(step: &Step, page: &str) -> bool {
    step.pages().any(|own| page.strip_prefix("book/src/") == Some(own))
}

/// The lines that are left, with the brackets that close them. Other lines between two of
/// them are left out, and a mark says so.
fn rows(
    source: &Rc<Source>,
    left: &BTreeSet<usize>,
    shown: &BTreeSet<usize>,
) -> Vec<Row> {
    let text = |at: usize| source.lines[at].text.as_str();
    let wordless =
        |at: usize| !text(at).contains(char::is_alphanumeric) && !shown.contains(&at);
    let mut taken = left.clone();
    for &at in left {
        let closing = (at + 1..source.lines.len()).take_while(|&at| wordless(at));
        taken.extend(closing.take_while(|&at| !text(at).is_empty()));
    }
    let (mut rows, mut last): (Vec<Row>, Option<usize>) = (Vec::new(), None);
    for at in taken {
        match last {
            Some(last) if (last + 1..at).all(wordless) => {
                rows.extend((last + 1..at).map(|at| Row::plain(source, at)));
            }
            Some(_) => rows.push(Row::gap()),
            None => {}
        }
        rows.push(Row::plain(source, at));
        last = Some(at);
    }
    rows
}
