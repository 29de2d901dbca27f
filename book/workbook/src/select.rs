//! Naming a part of a file: an item, an anchor, or a block by its opening words.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Result, bail};

use crate::source::Source;

/// One part of a file, as a page names it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Selector {
    /// `on_join`, `impl Display for Store`, `[dependencies]`, or an anchor.
    Name(String),
    /// `"socket.on("`: the block that begins with these words.
    Opening(String),
    /// `first .. last`: everything from one part to the other.
    Span(Box<Selector>, Box<Selector>),
    /// `"loop {" in exchange`: a part that is looked for inside another only.
    Inside(Box<Selector>, Box<Selector>),
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Opening(words) if words.contains('"') => write!(f, "'{words}'"),
            Self::Opening(words) => write!(f, "\"{words}\""),
            Self::Span(first, last) => write!(f, "{first} .. {last}"),
            Self::Inside(part, outer) => write!(f, "{part} in {outer}"),
        }
    }
}

impl Selector {
    /// Reads `a, "b", c .. d`.
    pub(crate) fn parse_list(text: &str) -> Result<Vec<Self>> {
        split_outside(text, ",").iter().map(|part| Self::parse(part)).collect()
    }

    /// What a reader calls it: the name of what it is, or of what it is a part of.
    pub(crate) fn heading(&self) -> &str {
        match self {
            Self::Name(name) | Self::Opening(name) => name,
            Self::Span(first, _) => first.heading(),
            Self::Inside(_, outer) => outer.heading(),
        }
    }

    /// Reads one part.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if let [part, outer] = split_outside(text, " in ").as_slice() {
            let (part, outer) = (Self::parse(part)?, Self::parse(outer)?);
            return Ok(Self::Inside(Box::new(part), Box::new(outer)));
        }
        if let [first, last] = split_outside(text, " .. ").as_slice() {
            let (first, last) = (Self::parse(first)?, Self::parse(last)?);
            return Ok(Self::Span(Box::new(first), Box::new(last)));
        }
        if let Some(mark) = text.chars().next().filter(|&c| is_quote(c)) {
            let words = text[1..].strip_suffix(mark).filter(|words| !words.is_empty());
            let Some(words) = words else {
                bail!("the quotation mark in `{text}` is not closed");
            };
            return Ok(Self::Opening(words.to_owned()));
        }
        if text.is_empty() {
            bail!("a name is missing before or after a comma");
        }
        Ok(Self::Name(text.split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

/// HTML has double quotes in it: single ones do as well.
fn is_quote(c: char) -> bool {
    c == '"' || c == '\''
}

/// Splits where `separator` stands outside quotation marks and brackets.
pub(crate) fn split_outside(text: &str, separator: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut quote, mut depth) = (None, 0i32);
    for c in text.chars() {
        match (c, quote) {
            (c, None) if is_quote(c) => quote = Some(c),
            (c, Some(mark)) if c == mark => quote = None,
            ('<' | '(', None) => depth += 1,
            ('>' | ')', None) => depth -= 1,
            _ => {}
        }
        part.push(c);
        if quote.is_none() && depth <= 0 && part.ends_with(separator) {
            part.truncate(part.len() - separator.len());
            parts.push(std::mem::take(&mut part));
        }
    }
    parts.push(part);
    parts
}

impl Source {
    /// The lines that a selector names, in one or more pieces.
    pub(crate) fn select(&self, selector: &Selector) -> Result<Vec<Range<usize>>> {
        self.select_in(selector, &(0..self.lines.len()))
    }

    fn select_in(
        &self,
        selector: &Selector,
        scope: &Range<usize>,
    ) -> Result<Vec<Range<usize>>> {
        match selector {
            Selector::Opening(words) => Ok(vec![self.block(words, scope)?]),
            Selector::Name(name) => self.named(name),
            Selector::Inside(part, outer) => {
                match self.select_in(outer, scope)?.as_slice() {
                    [outer] => self.select_in(part, outer),
                    _ => bail!("`{outer}` is in more than one place of {}", self.path),
                }
            }
            Selector::Span(first, last) => {
                let start =
                    self.select_in(first, scope)?.iter().map(|range| range.start).min();
                let end =
                    self.select_in(last, scope)?.iter().map(|range| range.end).max();
                match (start, end) {
                    (Some(start), Some(end)) if start < end => {
                        Ok(std::iter::once(start..end).collect())
                    }
                    _ => bail!("in {} `{last}` does not come after `{first}`", self.path),
                }
            }
        }
    }

    fn named(&self, name: &str) -> Result<Vec<Range<usize>>> {
        let anchors = self.anchors.iter().filter(|anchor| anchor.name == name);
        let mut found: Vec<Range<usize>> =
            anchors.map(|anchor| anchor.range.clone()).collect();
        let items =
            self.items.iter().filter(|item| item.names.iter().any(|own| own == name));
        // `use` in a nested module is not the file's `use`.
        let grouped = matches!(name, "use" | "mod");
        let items: Vec<_> = items.filter(|item| !grouped || item.top_level).collect();
        found.extend(items.iter().map(|item| item.range.clone()));
        match found.len() {
            0 => bail!("{}", self.no_such(name)),
            1 => Ok(found),
            _ if grouped || self.are_for_different_systems(&found) => {
                Ok(self.joined(found))
            }
            _ => {
                let lines: Vec<String> = found
                    .iter()
                    .map(|range| self.lines[range.start].number.to_string())
                    .collect();
                bail!(
                    "{} has more than one `{name}` (lines {}); name it by its opening words, \
                     as in \"{}\"",
                    self.path,
                    lines.join(", "),
                    self.lines[found[0].start].text.trim()
                )
            }
        }
    }

    /// `#[cfg(unix)] fn stop` and `#[cfg(windows)] fn stop` are one thing to a reader.
    fn are_for_different_systems(&self, found: &[Range<usize>]) -> bool {
        let is_cfg = |text: &&str| text.trim_start().starts_with("#[cfg(");
        found.iter().all(|range| self.texts(range).iter().any(is_cfg))
    }

    /// Pieces with only blank lines between them become one.
    fn joined(&self, pieces: Vec<Range<usize>>) -> Vec<Range<usize>> {
        let mut joined: Vec<Range<usize>> = Vec::new();
        for piece in pieces {
            match joined.last_mut() {
                Some(last) if self.trimmed(last.end..piece.start).is_empty() => {
                    last.end = piece.end;
                }
                _ => joined.push(piece),
            }
        }
        joined
    }

    fn no_such(&self, name: &str) -> String {
        let mut known: BTreeSet<&str> =
            self.anchors.iter().map(|a| a.name.as_str()).collect();
        known.extend(self.items.iter().flat_map(|item| &item.names).map(String::as_str));
        let known: Vec<&str> = known.into_iter().collect();
        let kind = match self.language() {
            "rust" | "javascript" => "item or anchor",
            _ => "anchor",
        };
        format!("{} has no {kind} `{name}`{}", self.path, nearest(name, &known))
    }

    /// The block that begins with `words`: down to the line that closes it, with the
    /// comments and attributes right above it.
    fn block(&self, words: &str, scope: &Range<usize>) -> Result<Range<usize>> {
        let begins = |at: &usize| self.lines[*at].text.trim_start().starts_with(words);
        let found: Vec<usize> = scope.clone().filter(begins).collect();
        let [at] = found[..] else {
            if found.is_empty() {
                let lines = self.texts(scope);
                let lines: Vec<&str> = lines.into_iter().map(str::trim).collect();
                bail!(
                    "no line of {} begins with `{words}`{}",
                    self.path,
                    nearest(words, &lines)
                );
            }
            let numbers: Vec<String> =
                found.iter().map(|&at| self.lines[at].number.to_string()).collect();
            bail!(
                "more than one line of {} begins with `{words}` (lines {}); write more of it, \
                 or say where, as in `\"…\" in name`",
                self.path,
                numbers.join(", ")
            );
        };
        Ok(self.first_comment(at)..self.block_end(at))
    }

    /// Where the comments and attributes right above a line begin.
    pub(crate) fn first_comment(&self, at: usize) -> usize {
        let above = |text: &str| {
            let text = text.trim_start();
            let rust = self.language() == "rust" && text.starts_with("#[");
            let hash = self.language() == "toml" && text.starts_with('#');
            let comment = ["//", "/*", "* ", "*/", "<!--", "-->", "-- "];
            rust || hash || comment.iter().any(|opening| text.starts_with(opening))
        };
        let mut first = at;
        while first > 0
            && above(&self.lines[first - 1].text)
            && !self.lines[first - 1].text.starts_with("//!")
        {
            first -= 1;
        }
        first
    }

    /// The end of what begins at a line, as the indentation tells it.
    pub(crate) fn block_end(&self, at: usize) -> usize {
        let depth = indent(&self.lines[at].text);
        let mut end = at + 1;
        loop {
            let inside = self.lines[end..]
                .iter()
                .take_while(|line| line.text.is_empty() || indent(&line.text) > depth)
                .count();
            let Some(next) = self.lines.get(end + inside) else {
                return self.trimmed(at..self.lines.len()).end;
            };
            let text = next.text.trim_start();
            let closes =
                indent(text) == 0 && indent(&next.text) == depth && closing(text);
            if !closes {
                return self.trimmed(at..end + inside).end;
            }
            end += inside + 1;
            if text.starts_with("</") {
                return end;
            }
        }
    }
}

/// A line that ends or continues what an earlier line of the same depth began.
fn closing(text: &str) -> bool {
    ["}", ")", "]", "</", ">", "/>", "-->", "*/", "else"]
        .iter()
        .any(|c| text.starts_with(c))
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// `; did you mean …?` when something known is close.
pub(crate) fn nearest(wanted: &str, known: &[&str]) -> String {
    let close = similar::get_close_matches(wanted, known, 1, 0.5);
    let first = close.first().filter(|close| !close.is_empty());
    first.map(|close| format!("; did you mean `{close}`?")).unwrap_or_default()
}
