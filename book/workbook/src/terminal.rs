//! A piece of code in a terminal.

use std::fmt::{Arguments, Write as _};
use std::io::{IsTerminal, Write as _};

use crate::piece::Code;
use crate::step_diff::{Change, Row};

/// `println!` for a reader who may stop reading, as `| head` does.
macro_rules! say {
    ($($text:tt)*) => { $crate::terminal::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Writes a line to standard output. When nobody reads it any more there is no more to do.
pub(crate) fn line(text: Arguments<'_>) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// How to print.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    colour: bool,
    /// Where lines are wrapped; nothing: nowhere.
    width: Option<usize>,
}

impl Screen {
    /// Colours only on a terminal, and not where `NO_COLOR` asks for none.
    pub(crate) fn new(width: Option<usize>) -> Self {
        let wish =
            |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = std::io::stdout().is_terminal() && !wish("NO_COLOR") && !dumb;
        Self { colour, width: Some(width.unwrap_or(80)).filter(|&width| width > 0) }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A file's diff: its name, what changed, and the lines.
    pub(crate) fn code(self, code: &Code) -> String {
        let (added, removed) = (code.count(Change::Added), code.count(Change::Removed));
        let title = format!("{}  +{added} -{removed}", code.source.path);
        let mut text = format!("{}\n", self.bold(&title));
        for row in &code.rows {
            self.row(code, row, &mut text);
        }
        text
    }

    fn row(self, code: &Code, row: &Row, out: &mut String) {
        let (sign, colour) = match row.change {
            Change::Added => ('+', "32"),
            Change::Removed => ('-', "31"),
            Change::Same | Change::New => (' ', ""),
            Change::Gap | Change::Folded => (' ', "2"),
        };
        let number =
            row.at.map_or(String::new(), |at| code.source.lines[at].number.to_string());
        let line = row.text();
        let pieces = self.wrapped(line.trim_end());
        for (nth, piece) in pieces.iter().enumerate() {
            let number = if nth == 0 { number.as_str() } else { "" };
            let text = format!("{number:>4} {sign} {piece}");
            let text = if colour.is_empty() { text } else { self.paint(colour, &text) };
            let _ = writeln!(out, "{}", text.trim_end());
        }
    }

    /// A line in pieces that fit, the later ones indented below the first.
    fn wrapped(self, line: &str) -> Vec<String> {
        const GUTTER: usize = 7;
        let room =
            self.width.map_or(usize::MAX, |width| width.saturating_sub(GUTTER).max(20));
        let indent = (line.len() - line.trim_start().len()).min(room / 2) + 4;
        let (mut pieces, mut rest) = (Vec::new(), line.to_owned());
        while rest.chars().count() > room {
            let limit = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
            let body = rest.len() - rest.trim_start().len();
            let cut = rest[..limit].rfind(' ').filter(|&at| at > body).unwrap_or(limit);
            let next = format!("{}{}", " ".repeat(indent), rest[cut..].trim_start());
            rest.truncate(cut);
            pieces.push(std::mem::replace(&mut rest, next));
        }
        pieces.push(rest);
        pieces
    }
}

/// Prose in lines of at most 78 columns, indented.
pub(crate) fn paragraph(text: &str, indent: usize) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.len() + 1 + word.len() > 78 {
            let _ = writeln!(lines, "{}{line}", " ".repeat(indent));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &" ".repeat(indent) + &line + "\n"
}
