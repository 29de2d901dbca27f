//! A piece as HTML, readable without colour and without eyes.
//!
//! No line of what is written here is blank: in Markdown a blank line would end the
//! HTML block and turn the rest into prose.

use crate::piece::{Code, Column, Measured, Pair, Piece, Promise, Transcript, Tree};
use crate::plain;
use crate::red::{Against, Red};
use crate::rest::Rest;
use crate::step_diff::{Change, Row};

pub(crate) fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Code(code) => figure(code),
        Piece::Sides(pairs) => pairs.iter().map(pair).collect(),
        Piece::Tree(files) => tree(files),
        Piece::Transcript(recorded) => transcript(recorded),
        Piece::Promise(kept) => promise(kept),
        Piece::Red(broken) => red(broken),
        Piece::Rest(left) => rest(left),
        Piece::Measured(Measured::Words(words)) => escape(words),
        Piece::Measured(Measured::Table(table)) => table.html(),
        Piece::Measured(Measured::Plot(svg)) => svg.clone(),
        // Its cells are Markdown, and mdBook makes HTML of it.
        Piece::Differences(table) => plain::differences(table),
        Piece::Steps(table) => format!("<div class=\"steps\">\n\n{table}\n</div>\n"),
    }
}

/// A promise inside a sentence.
pub(crate) fn inline_promise(promise: &Promise) -> String {
    let path = &promise.code.source.path;
    let line = promise.code.first_line();
    format!(
        "<span class=\"promise\" title=\"{path}:{line}\">{}</span>",
        escape(&promise.sentence())
    )
}

fn figure(code: &Code) -> String {
    let is_diff = code.from.is_some();
    let kind = if is_diff { "step diff" } else { "step" };
    let (language, indent) = (code.language(), code.indent());
    let label = escape(&format!("{} {}", code.source.path, code.part));
    let lines: String = code.rows.iter().map(|row| line(row, indent)).collect();
    format!(
        "<figure class=\"{kind}\">\n<figcaption>{}</figcaption>\n\n\
         <pre>\
         <code class=\"language-{language} noplayground\" tabindex=\"0\" role=\"group\" \
         aria-label=\"{}\">{lines}</code></pre>\n\n</figure>\n",
        caption(code),
        label.trim(),
    )
}

/// Two figures in a row. Where there is no room they stand one below the other, so each says
/// by itself what it is.
fn pair(pair: &Pair) -> String {
    let [node, rust] = pair.sides().map(|(label, column)| side(label, column));
    format!(
        "<div class=\"sides\" role=\"group\" aria-label=\"{} in Node, {} in Rust\">\n\n\
         {node}\n{rust}\n</div>\n\n",
        escape(&pair.node.name),
        escape(&pair.rust.name),
    )
}

fn side(label: &str, column: &Column) -> String {
    let code = &column.code;
    let (language, indent) = (code.language(), code.indent());
    let (name, path) = (escape(&column.name), escape(&code.source.path));
    let lines: String = code.rows.iter().map(|row| hanging(row, indent)).collect();
    format!(
        "<figure class=\"step\">\n<figcaption><strong>{label}</strong> \
         <code>{name}</code> <span class=\"from\">{}</span></figcaption>\n\n\
         <pre>\
         <code class=\"language-{language} noplayground\" tabindex=\"0\" role=\"group\" \
         aria-label=\"{label}: {path} {name}\">{lines}</code></pre>\n\n</figure>\n",
        caption(code),
    )
}

/// A line that is broken where the column ends, and goes on to the right of its beginning.
fn hanging(row: &Row, indent: usize) -> String {
    let text = row.text();
    let depth = (text.len() - text.trim_start().len()).saturating_sub(indent);
    let hanging = format!("<span style=\"--depth: {depth}\"");
    breakable(&line(row, indent)).replacen("<span", &hanging, 1)
}

/// A chain of calls has no blanks to break it at: it may go on before a method, after an
/// opening bracket and in a path.
fn breakable(line: &str) -> String {
    let (mut text, mut before) = (String::new(), [' ', ' ']);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        let ends = before[1].is_alphanumeric() || ")]?_".contains(before[1]);
        if letter == '.' && ends && next.is_lowercase() {
            text.push_str("<wbr>");
        }
        text.push(letter);
        let path = letter == ':' && before[1] == ':' && before[0] != ':';
        if (letter == '(' && !next.is_whitespace() && next != ')') || path {
            text.push_str("<wbr>");
        }
        before = [before[1], letter];
    }
    // A browser takes the first half of an arrow for a hyphen.
    text.replace("-&gt;", "<span class=\"whole\">-&gt;</span>")
}

fn caption(code: &Code) -> String {
    let mut text = format!("<code class=\"file\">{}</code>", escape(&code.source.path));
    if let Some(place) = code.place() {
        text.push_str(&format!(" <span class=\"place\">{place}</span>"));
    }
    if code.count(Change::New) > 0 {
        text.push_str(" <span class=\"change\">the bar marks what is new</span>");
    }
    if let Some(from) = &code.from {
        let (added, removed) = (code.count(Change::Added), code.count(Change::Removed));
        text.push_str(&format!(
            " <span class=\"change\">since <code>{}</code>: \
             <span aria-hidden=\"true\">+{added} −{removed}</span>\
             <span class=\"unseen\">{added} added, {removed} removed</span></span>",
            escape(from)
        ));
    }
    text
}

fn line(row: &Row, indent: usize) -> String {
    let (open, close) = match row.change {
        Change::Added => ("<ins>", "</ins>"),
        Change::Removed => ("<del>", "</del>"),
        Change::Same => ("<span class=\"same\">", "</span>"),
        Change::New => ("<span class=\"same new\">", "</span>"),
        Change::Gap => ("<span class=\"gap\">", "</span>"),
        Change::Folded => ("<span class=\"folded\">", "</span>"),
    };
    let mut parts = row.parts.clone();
    if let Some((_, first)) = parts.first_mut().filter(|_| row.change != Change::Gap) {
        let blanks = first.len() - first.trim_start().len();
        first.drain(..indent.min(blanks));
    }
    let pieces: String = parts
        .iter()
        .map(|(marked, text)| match marked {
            true if !text.trim().is_empty() => format!("<b>{}</b>", escape(text)),
            _ => escape(text),
        })
        .collect();
    format!("{open}{pieces}\n{close}")
}

fn tree(tree: &Tree) -> String {
    let since = match &tree.from {
        Some(from) => format!(", since <code>{}</code>", escape(from)),
        None => String::new(),
    };
    let rows: String = tree
        .files
        .iter()
        .map(|file| {
            let lines = match file.state {
                "same" => String::new(),
                "new" => format!("+{}", file.added),
                "removed" => format!("−{}", file.removed),
                _ => format!("+{} −{}", file.added, file.removed),
            };
            format!(
                "<tr class=\"{0}\"><td><code>{1}</code></td><td>{2}</td><td>{lines}</td></tr>\n",
                file.state,
                escape(&file.path),
                escape(&file.fate()),
            )
        })
        .collect();
    format!(
        "<figure class=\"tree\">\n<figcaption>The files of \
         <code class=\"file\">chapters/{}</code>{since}</figcaption>\n\
         <div class=\"table-wrapper\"><table>\n<thead><tr>\
         <th scope=\"col\">File</th><th scope=\"col\">State</th><th scope=\"col\">Lines</th>\
         </tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</figure>\n",
        escape(&tree.folder)
    )
}

fn transcript(recorded: &Transcript) -> String {
    let lines: String = recorded
        .body
        .lines()
        .map(|line| {
            let class = match line.split(' ').next() {
                Some("$") => "command",
                Some(">") => "sent",
                Some("<") => "received",
                Some("#") => "note",
                _ => "output",
            };
            format!("<span class=\"{class}\">{}\n</span>", escape(line))
        })
        .collect();
    format!(
        "<figure class=\"transcript\">\n<figcaption>Recorded by the test \
         <code>{}</code> of <code>{}</code></figcaption>\n\n<pre>\
         <code class=\"language-text nohighlight\" tabindex=\"0\" role=\"group\" \
         aria-label=\"Transcript\">{lines}</code></pre>\n\n\
         </figure>\n",
        escape(recorded.test.rsplit("::").next().unwrap_or_default()),
        escape(&recorded.chapter),
    )
}

fn promise(promise: &Promise) -> String {
    format!(
        "<details class=\"promise\">\n<summary>{}</summary>\n\n{}\n</details>\n",
        escape(&promise.sentence()),
        figure(&promise.code)
    )
}

/// A promise before its step: what a terminal says.
fn red(red: &Red) -> String {
    let on = match &red.against {
        Against::Step(number) => format!("fails on <code>{}</code>", escape(number)),
        Against::Start(number) => {
            let start = format!("cargo workbook start {}", escape(number));
            format!("fails on the program that <code>{start}</code> gives")
        }
        Against::Without { file, .. } => {
            format!("fails without a line of <code>{}</code>", escape(file))
        }
    };
    let line = |(kind, text): (&str, String)| {
        format!("<span class=\"{kind}\">{}\n</span>", escape(&text))
    };
    let lines: String = red.lines().into_iter().map(line).collect();
    format!(
        "<figure class=\"red\">\n<figcaption><strong>{}</strong> \
         <span class=\"on\">{on}</span></figcaption>\n\n\
         <pre><code class=\"language-text nohighlight\" tabindex=\"0\" role=\"group\" \
         aria-label=\"How it fails\">{lines}</code></pre>\n\n</figure>\n",
        escape(&red.sentence()),
    )
}

/// Where a link finds the folded figure: a browser opens a fold that holds what it looks for.
pub(crate) const THE_REST: &str = "<div id=\"the-rest\">";

/// What a page with the folded figure says above its other figures.
pub(crate) const FIRST: &str = "<p>Imports, constants and wiring are in \
    <a href=\"#the-rest\">everything else in this step</a>, at the end of the page: type \
    them first. A function that a later figure brings can be <code>todo!()</code> until \
    then.</p>\n";

/// What is said above lines that are no longer there.
const GONE: &str = "These lines of the step before are gone:";

/// What a reader with a crate outside the workspace has to know of a manifest's lines.
const OWN_CRATE: &str = "<p>A crate that <code>cargo workbook start</code> made for this \
    chapter has these dependencies already.</p>\n";

fn rest(rest: &Rest) -> String {
    let shown = |code: &Code| {
        let note = if code.source.path.ends_with("Cargo.toml") { OWN_CRATE } else { "" };
        figure(code) + note
    };
    let figures: Vec<String> = rest.codes.iter().map(shown).collect();
    let gone: Vec<String> = rest.gone.iter().map(figure).collect();
    let gone = match gone.is_empty() {
        true => String::new(),
        false => format!("<p>{GONE}</p>\n{}", gone.join("\n")),
    };
    format!(
        "<details class=\"rest\">\n<summary>{}</summary>\n\n{THE_REST}\n{}\n{gone}</div>\n\
         </details>\n",
        rest.summary(),
        figures.join("\n")
    )
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
