//! A file of a chapter as the book sees it: lines without anchor markers, and the
//! places in it that have a name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};

use crate::js_items;
use crate::rust_items::{self, Item};

/// A line of a file, and where it stands there.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// Counted from 1, with the anchor markers that the book leaves out.
    pub(crate) number: usize,
}

/// A span between `ANCHOR: name` and `ANCHOR_END: name`.
#[derive(Debug)]
pub(crate) struct Anchor {
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
    /// The line of its marker in the file.
    pub(crate) number: usize,
}

/// A file, read and parsed once.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the workbook's root, with `/`.
    pub(crate) path: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) anchors: Vec<Anchor>,
    /// Rust items, the outermost declarations of a script, or the tables of a TOML file.
    pub(crate) items: Vec<Item>,
    /// What is wrong with its anchors: line and complaint.
    pub(crate) faults: Vec<(usize, String)>,
}

impl Source {
    /// Reads a file; `path` is how messages name it.
    pub(crate) fn read(file: &Path, path: String) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {path}"))?;
        Self::parse(&text, path)
    }

    /// A file that may be missing or not compile, such as a reader's.
    pub(crate) fn lenient(file: &Path, path: String) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        Self::parse(&text, path.clone()).unwrap_or_else(|_| {
            let mut source = Self::absent(path);
            source.take_lines(&text);
            source
        })
    }

    /// A file that does not exist on one side of a diff.
    pub(crate) fn absent(path: String) -> Self {
        Self { path, lines: vec![], anchors: vec![], items: vec![], faults: vec![] }
    }

    fn parse(text: &str, path: String) -> Result<Self> {
        let mut source = Self::absent(path);
        source.take_lines(text);
        let index: BTreeMap<usize, usize> =
            source.lines.iter().enumerate().map(|(at, line)| (line.number, at)).collect();
        match source.language() {
            "rust" => {
                source.items = rust_items::items(text, &source.lines, &index)
                    .with_context(|| format!("{} does not parse", source.path))?;
            }
            "javascript" => source.items = js_items::items(&source),
            "toml" => source.items = toml_tables(&source.lines),
            _ => {}
        }
        Ok(source)
    }

    fn take_lines(&mut self, text: &str) {
        let mut open: Vec<(String, usize, usize)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            match marker(line) {
                Some(Marker::Start(name)) => open.push((name, self.lines.len(), number)),
                Some(Marker::End(name)) => {
                    let started = open.iter().rposition(|(other, ..)| *other == name);
                    let Some(started) = started else {
                        self.faults.push((
                            number,
                            format!(
                                "`ANCHOR_END: {name}` ends an anchor that never began"
                            ),
                        ));
                        continue;
                    };
                    let (name, start, number) = open.remove(started);
                    let range = start..self.lines.len();
                    self.anchors.push(Anchor { name, range, number });
                }
                None => self
                    .lines
                    .push(Line { text: line.trim_end().replace('\t', "    "), number }),
            }
        }
        for (name, _, number) in open {
            self.faults
                .push((number, format!("`ANCHOR: {name}` has no `ANCHOR_END: {name}`")));
        }
    }

    /// The language's name for highlight.js.
    pub(crate) fn language(&self) -> &'static str {
        let extension = self.path.rsplit('.').next().unwrap_or_default();
        match extension {
            "rs" => "rust",
            "html" | "tera" => "html",
            "css" => "css",
            "js" | "mjs" | "cjs" => "javascript",
            "sql" => "sql",
            "toml" => "toml",
            "json" => "json",
            "md" => "markdown",
            _ => "text",
        }
    }

    /// The lines of scripts, in a file of their own or inside a page.
    pub(crate) fn script_lines(&self) -> BTreeSet<usize> {
        match self.language() {
            "javascript" => return (0..self.lines.len()).collect(),
            "html" => {}
            _ => return BTreeSet::new(),
        }
        let (mut lines, mut inside) = (BTreeSet::new(), false);
        for (at, line) in self.lines.iter().enumerate() {
            let text = line.text.trim_start();
            if text.starts_with("</script") {
                inside = false;
            } else if text.starts_with("<script") {
                inside = !text.contains("</script");
            } else if inside {
                lines.insert(at);
            }
        }
        lines
    }

    /// The texts of some lines.
    pub(crate) fn texts(&self, range: &Range<usize>) -> Vec<&str> {
        self.lines[range.clone()].iter().map(|line| line.text.as_str()).collect()
    }

    /// `range`, without blank lines at its ends.
    pub(crate) fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let Range { mut start, mut end } = range;
        while start < end && self.lines[start].text.is_empty() {
            start += 1;
        }
        while start < end && self.lines[end - 1].text.is_empty() {
            end -= 1;
        }
        start..end
    }
}

enum Marker {
    Start(String),
    End(String),
}

/// Reads `ANCHOR: name` in a comment that has a line for itself, in any language.
fn marker(line: &str) -> Option<Marker> {
    let comment = ["//", "<!--", "/*", "{#", "--", "#"]
        .iter()
        .find_map(|opening| line.trim().strip_prefix(opening))?
        .trim_end_matches(['-', '>', '*', '/', '#', '}'])
        .trim();
    let name = |rest: &str| {
        let name = rest.trim();
        let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        (!name.is_empty() && name.chars().all(fits)).then(|| name.to_owned())
    };
    if let Some(rest) = comment.strip_prefix("ANCHOR:") {
        return name(rest).map(Marker::Start);
    }
    comment.strip_prefix("ANCHOR_END:").and_then(name).map(Marker::End)
}

/// `[dependencies]` and its kind, each a named item up to the next header.
fn toml_tables(lines: &[Line]) -> Vec<Item> {
    let header = |line: &Line| line.text.starts_with('[');
    let starts: Vec<usize> = (0..lines.len()).filter(|&at| header(&lines[at])).collect();
    let mut tables = Vec::new();
    for (nth, &start) in starts.iter().enumerate() {
        let mut end = starts.get(nth + 1).copied().unwrap_or(lines.len());
        let belongs_to_next =
            |line: &Line| line.text.is_empty() || line.text.starts_with('#');
        while end > start + 1 && end < lines.len() && belongs_to_next(&lines[end - 1]) {
            end -= 1;
        }
        tables.push(Item::outermost(vec![lines[start].text.clone()], start..end));
    }
    tables
}
