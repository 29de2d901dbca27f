//! `book/exceptions.toml`: what the rules let pass, with a reason each.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Fault;
use crate::workbook::Workbook;

const FILE: &str = "book/exceptions.toml";

/// One exception.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// `coverage`, `fence`, `order` or `rename`.
    #[serde(default = "coverage")]
    pub(crate) rule: String,
    /// The file: under chapters/ or book/src/; `*` stands for anything.
    pub(crate) file: String,
    /// The part, as a directive would name it; for a fence, words of its first line.
    pub(crate) part: Option<String>,
    #[serde(default)]
    reason: String,
}

fn coverage() -> String {
    "coverage".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(rename = "exception", default)]
    exceptions: Vec<toml::Spanned<Exception>>,
}

/// The list, and which of it was needed.
pub(crate) struct Exceptions {
    list: Vec<(usize, Exception)>,
    used: RefCell<BTreeSet<usize>>,
}

impl Exceptions {
    pub(crate) fn read(workbook: &Workbook) -> Result<Self> {
        let file = workbook.root.join(FILE);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let parsed: List = toml::from_str(&text).with_context(|| format!("in {FILE}"))?;
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        let with_line = |entry: toml::Spanned<Exception>| {
            (line(entry.span().start), entry.into_inner())
        };
        let list = parsed.exceptions.into_iter().map(with_line).collect();
        Ok(Self { list, used: RefCell::default() })
    }

    /// The exceptions of a rule that fit a file, with a number for [`Self::needed`].
    pub(crate) fn of(
        &self,
        rule: &str,
        path: &str,
    ) -> impl Iterator<Item = (usize, &Exception)> {
        let short =
            ["chapters/", "book/src/"].iter().find_map(|top| path.strip_prefix(top));
        let short = short.unwrap_or(path).to_owned();
        let fits = move |entry: &&(usize, Exception)| matches(&entry.1.file, &short);
        let rule = rule.to_owned();
        let entries =
            self.list.iter().filter(move |entry| entry.1.rule == rule).filter(fits);
        entries.map(|(line, exception)| (*line, exception))
    }

    /// Remembers that a fault was let pass for it.
    pub(crate) fn needed(&self, line: usize) {
        self.used.borrow_mut().insert(line);
    }

    /// Every exception has a reason and a use.
    pub(crate) fn rule(&self, faults: &mut Vec<Fault>) {
        let mut fault = |line: usize, what: String| {
            faults.push(Fault { path: FILE.into(), line, what });
        };
        for (line, exception) in &self.list {
            let file = &exception.file;
            if exception.reason.split_whitespace().count() < 3 {
                fault(
                    *line,
                    format!(
                        "the exception for {file} has no reason; say why in a sentence"
                    ),
                );
            }
            if !["coverage", "fence", "order", "rename"]
                .contains(&exception.rule.as_str())
            {
                fault(
                    *line,
                    format!(
                        "there is no rule `{}` to make an exception of",
                        exception.rule
                    ),
                );
            } else if !self.used.borrow().contains(line) {
                fault(
                    *line,
                    format!("nothing needs the exception for {file} any more; remove it"),
                );
            }
        }
    }
}

/// A pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (nth, part) in parts.iter().enumerate() {
        if nth + 1 == parts.len() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}
