//! A page of the book, read for the checker.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::directive::{self, Found};

/// A page and what the rules ask about.
pub(crate) struct Page {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) directives: Vec<Found>,
    pub(crate) headings: Vec<Heading>,
    pub(crate) fences: Vec<Fence>,
    pub(crate) links: Vec<Link>,
    /// How many words of prose it has.
    pub(crate) words: usize,
    /// Its paragraphs, entries of lists and cells of tables.
    pub(crate) passages: Vec<Passage>,
    starts: Vec<usize>,
}

/// Prose without a break.
#[derive(Default)]
pub(crate) struct Passage {
    pub(crate) text: String,
    /// Where in the text which line of the file begins.
    lines: Vec<(usize, usize)>,
}

impl Passage {
    /// Adds what stands on a line.
    pub(crate) fn push(&mut self, text: &str, line: usize) {
        self.lines.push((self.text.len(), line));
        self.text.push_str(text);
    }

    /// The line of a byte.
    pub(crate) fn line(&self, at: usize) -> usize {
        let before = self.lines.iter().rfind(|(start, _)| *start <= at);
        before.map_or(1, |(_, line)| *line)
    }
}

/// A heading and the id that mdBook gives it.
pub(crate) struct Heading {
    pub(crate) at: usize,
    pub(crate) level: u8,
    pub(crate) text: String,
    pub(crate) id: String,
}

/// A block of code written in the page itself.
pub(crate) struct Fence {
    pub(crate) line: usize,
    /// The first word of its info string; nothing for an indented block.
    pub(crate) language: Option<String>,
    pub(crate) first_line: String,
}

/// A link or an embedded file.
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) target: String,
    /// Shown in the page, not followed by the reader.
    pub(crate) embedded: bool,
}

impl Page {
    pub(crate) fn read(path: String, text: String) -> Self {
        let directives = directive::find(&text);
        let mut page = Self {
            path,
            directives,
            headings: vec![],
            fences: vec![],
            links: vec![],
            words: 0,
            passages: vec![],
            starts: line_starts(&text),
            text,
        };
        page.parse();
        page
    }

    /// The line of a byte, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    fn parse(&mut self) {
        let text = self.without_directives();
        let mut inside = Inside::default();
        for (event, span) in Parser::new_ext(&text, options()).into_offset_iter() {
            self.event(event, span, &mut inside);
        }
        number_ids(&mut self.headings);
    }

    fn event(&mut self, event: Event<'_>, span: Range<usize>, inside: &mut Inside) {
        match event {
            Event::Start(Tag::Heading { level, id, .. }) => {
                inside.heading = true;
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                let text = String::new();
                self.headings.push(Heading {
                    at: span.start,
                    level: level as u8,
                    text,
                    id,
                });
            }
            Event::End(TagEnd::Heading(_)) => inside.heading = false,
            Event::Start(Tag::CodeBlock(kind)) => {
                inside.code = true;
                self.fence(&kind, span.start);
            }
            Event::End(TagEnd::CodeBlock) => inside.code = false,
            Event::Start(Tag::Link { dest_url, .. }) => {
                self.link(span.start, &dest_url, false);
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                self.link(span.start, &dest_url, true);
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html, span.start),
            Event::Text(text) if inside.code => self.first_line_of_fence(&text),
            Event::Text(text) | Event::Code(text) => match inside.heading {
                true => self.heading_text(&text),
                false => self.prose(&text, span.start),
            },
            Event::SoftBreak | Event::HardBreak => self.continue_passage(),
            Event::Start(Tag::Paragraph | Tag::Item | Tag::TableCell) => {
                self.passages.push(Passage::default());
            }
            _ => {}
        }
    }

    fn fence(&mut self, kind: &CodeBlockKind<'_>, at: usize) {
        let language = match kind {
            CodeBlockKind::Indented => None,
            CodeBlockKind::Fenced(info) => {
                let word = info.split([',', ' ', '\t']).next().unwrap_or_default();
                Some(word.to_owned())
            }
        };
        let line = self.line(at);
        self.fences.push(Fence { line, language, first_line: String::new() });
    }

    fn first_line_of_fence(&mut self, text: &str) {
        if let Some(fence) =
            self.fences.last_mut().filter(|fence| fence.first_line.is_empty())
        {
            fence.first_line = text.lines().next().unwrap_or_default().trim().to_owned();
        }
    }

    fn heading_text(&mut self, text: &str) {
        if let Some(heading) = self.headings.last_mut() {
            heading.text.push_str(text);
        }
    }

    fn prose(&mut self, text: &str, at: usize) {
        let words =
            text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
        self.words += words.count();
        let line = self.line(at);
        if let Some(passage) = self.passages.last_mut() {
            passage.push(text, line);
        }
    }

    fn continue_passage(&mut self) {
        if let Some(passage) = self.passages.last_mut() {
            passage.text.push(' ');
        }
    }

    fn link(&mut self, at: usize, target: &str, embedded: bool) {
        let line = self.line(at);
        self.links.push(Link { line, target: target.to_owned(), embedded });
    }

    /// Links, embedded files and blocks of code in raw HTML.
    fn html(&mut self, html: &str, at: usize) {
        for (offset, _) in html.match_indices("<pre") {
            let (line, language) = (self.line(at + offset), Some("html".to_owned()));
            let first_line = html[offset..].lines().next().unwrap_or_default().to_owned();
            self.fences.push(Fence { line, language, first_line });
        }
        for (attribute, embedded) in [(" href=", false), (" src=", true)] {
            for (offset, _) in html.match_indices(attribute) {
                let rest = &html[offset + attribute.len()..];
                let Some(quote) = rest.chars().next().filter(|c| "\"'".contains(*c))
                else {
                    continue;
                };
                let target = rest[1..].split(quote).next().unwrap_or_default();
                self.link(at + offset, target, embedded);
            }
        }
    }

    /// The text with blanks where directives stand, so that offsets stay.
    fn without_directives(&self) -> String {
        let mut text = self.text.clone();
        for found in &self.directives {
            let blanks = " ".repeat(found.span.len());
            text.replace_range(found.span.clone(), &blanks);
        }
        text
    }
}

#[derive(Default)]
struct Inside {
    heading: bool,
    code: bool,
}

/// What mdBook switches on.
fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_GFM
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The ids as mdBook makes them: lower case, words joined by `-`, a number when taken.
fn number_ids(headings: &mut [Heading]) {
    let mut taken: Vec<String> = Vec::new();
    for heading in headings {
        if heading.id.is_empty() {
            let lower = heading.text.trim().to_lowercase();
            let fits = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
            let dashed = lower.chars().map(|c| if c.is_whitespace() { '-' } else { c });
            heading.id = dashed.filter(fits).collect();
        }
        let plain = heading.id.clone();
        let mut count = 0;
        while taken.contains(&heading.id) {
            count += 1;
            heading.id = format!("{plain}-{count}");
        }
        taken.push(heading.id.clone());
    }
}
