//! The directives of a page: `{{#item …}}` and its kin.

use anyhow::{Context, Result, bail, ensure};

use crate::select::{Selector, nearest, split_outside};

/// What a page may ask for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Directive {
    /// Code as it stands. No selectors: the whole file.
    Item { file: String, parts: Vec<Selector> },
    /// Code against an earlier step's.
    Diff { from: String, to: String, file: String, parts: Vec<Selector> },
    /// Parts of a twin in Node, each beside its counterpart in Rust.
    Sides { node: Side, rust: Side },
    /// The files of a step: new, changed, same.
    Tree { folder: String },
    /// What a test run recorded.
    Transcript { chapter: String, name: String },
    /// A test, by its name, that keeps what the prose promises.
    Promise { chapter: String, test: String },
    /// A promise as it fails on the step before.
    Red { test: String },
    /// Every new line of a step that no other figure on its pages shows.
    Rest { step: String },
    /// What the twins in Node do in another way: one chapter's, or all.
    Differences { chapter: Option<String> },
    /// What the benchmark measured.
    Measured(Measure),
    /// The steps of a chapter, with the minutes that they take.
    Steps { chapter: String },
    /// The first steps of the chapters: the course in one evening.
    Evening,
}

/// One column of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Side {
    pub(crate) file: String,
    /// One entry for each pair. None in Rust: its items have the names of Node's.
    pub(crate) parts: Vec<Vec<Selector>>,
}

/// A part of the newest run under book/measurements.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Measure {
    /// When and where, inside a sentence.
    Run,
    Table(String),
    Plot(String),
    /// One number with its unit, inside a sentence.
    Value {
        load: String,
        metric: String,
        server: String,
    },
    /// One server's number divided by another's, inside a sentence.
    Share {
        load: String,
        metric: String,
        ours: String,
        theirs: String,
    },
}

/// A directive and where it stands.
#[derive(Debug)]
pub(crate) struct Found {
    /// Bytes of the page.
    pub(crate) span: std::ops::Range<usize>,
    /// Counted from 1.
    pub(crate) line: usize,
    /// It has a line for itself and begins it.
    pub(crate) alone: bool,
    pub(crate) directive: Result<Directive>,
}

/// Directives that mdBook itself resolves, in silence when it cannot.
const OF_MDBOOK: [&str; 3] = ["include", "rustdoc_include", "playground"];
const OURS: [&str; 12] = [
    "item",
    "diff",
    "sides",
    "tree",
    "transcript",
    "promise",
    "red",
    "rest",
    "differences",
    "measured",
    "steps",
    "evening",
];

/// Every directive of a page, in order. `\{{#…}}` is text.
pub(crate) fn find(page: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut start_of_line = 0;
    for (number, line) in (1..).zip(page.split_inclusive('\n')) {
        let mut from = 0;
        while let Some(open) = line[from..].find("{{#").map(|at| at + from) {
            let rest = &line[open + 3..];
            let length = rest.find("}}");
            let end =
                length.map_or(line.trim_end().len(), |length| open + 3 + length + 2);
            // `title` names the page and shows nothing: mdBook's own will do.
            if !line[..open].ends_with('\\') && !rest.starts_with("title ") {
                let directive = match length {
                    Some(length) => parse(&rest[..length]),
                    None => Err(anyhow::anyhow!(
                        "a directive is not closed by `}}}}` on its line"
                    )),
                };
                found.push(Found {
                    span: start_of_line + open..start_of_line + end,
                    line: number,
                    alone: open == 0 && line[end..].trim().is_empty(),
                    directive,
                });
            }
            from = end;
        }
        start_of_line += line.len();
    }
    found
}

/// Reads what stands between `{{#` and `}}`.
fn parse(text: &str) -> Result<Directive> {
    let (word, rest) = cut(text.trim());
    match word {
        "item" => {
            let (file, parts) = cut(rest);
            ensure!(
                !file.is_empty(),
                "`item` needs a file, as in `item 4.4-whispers/src/main.rs on_join`"
            );
            Ok(Directive::Item { file: file.to_owned(), parts: selectors(parts)? })
        }
        "diff" => {
            let ((from, rest), usage) = (cut(rest), "`diff` needs two steps and a file");
            let (to, rest) = cut(rest);
            let (file, parts) = cut(rest);
            ensure!(
                !file.is_empty(),
                "{usage}, as in `diff 4.3-operators 4.4-whispers src/main.rs`"
            );
            let [from, to, file] = [from, to, file].map(str::to_owned);
            Ok(Directive::Diff { from, to, file, parts: selectors(parts)? })
        }
        "sides" => sides(rest),
        "tree" => {
            ensure!(!rest.is_empty(), "`tree` needs a step, as in `tree 4.4-whispers`");
            Ok(Directive::Tree { folder: rest.to_owned() })
        }
        "transcript" => {
            let (chapter, name) =
                rest.split_once('/').context("`transcript` needs a chapter and a name, as in `transcript chapter-2/news`")?;
            Ok(Directive::Transcript { chapter: chapter.into(), name: name.into() })
        }
        "promise" => {
            let (chapter, test) = cut(rest);
            ensure!(
                !test.is_empty(),
                "`promise` needs a chapter and a test, as in \
                 `promise chapter-2 a_reply_comes_back`"
            );
            Ok(Directive::Promise { chapter: chapter.into(), test: test.into() })
        }
        "red" => {
            ensure!(
                !rest.is_empty(),
                "`red` needs a test, as in `red a_reply_comes_back`"
            );
            Ok(Directive::Red { test: rest.to_owned() })
        }
        "rest" => {
            ensure!(!rest.is_empty(), "`rest` needs a step, as in `rest 2.3`");
            Ok(Directive::Rest { step: rest.to_owned() })
        }
        "differences" => {
            let chapter = (!rest.is_empty()).then(|| rest.to_owned());
            Ok(Directive::Differences { chapter })
        }
        "measured" => measure(rest).map(Directive::Measured),
        "steps" => {
            ensure!(
                !rest.is_empty(),
                "`steps` needs a chapter's number, as in `steps 2`"
            );
            Ok(Directive::Steps { chapter: rest.to_owned() })
        }
        "evening" => Ok(Directive::Evening),
        _ if OF_MDBOOK.contains(&word) => bail!(
            "`{word}` is mdBook's own and says nothing when it breaks; use `item` instead"
        ),
        _ => bail!("there is no directive `{word}`{}", nearest(word, &OURS)),
    }
}

/// Reads `FILE a, b + c | FILE a, b`: commas between pairs, plus signs between the parts of
/// one side of a pair.
fn sides(text: &str) -> Result<Directive> {
    let usage = "`sides` needs parts of a twin, a `|`, and a program, as in \
                 `sides tests/node/chapter-4.mjs onWhisper | 4.4-whispers/src/main.rs on_whisper`";
    let (node, rust) = match split_outside(text, " | ").as_slice() {
        [node, rust] => (side(node)?, side(rust)?),
        _ => bail!("{usage}"),
    };
    ensure!(!node.parts.is_empty() && !rust.file.is_empty(), "{usage}");
    Ok(Directive::Sides { node, rust })
}

fn side(text: &str) -> Result<Side> {
    let (file, parts) = cut(text.trim());
    let pairs = split_outside(parts, ",");
    let pairs = pairs.iter().filter(|_| !parts.is_empty());
    let pair = |pair: &String| {
        let parts = split_outside(pair, " + ");
        parts.iter().map(|part| Selector::parse(part)).collect::<Result<Vec<_>>>()
    };
    Ok(Side { file: file.to_owned(), parts: pairs.map(pair).collect::<Result<_>>()? })
}

fn measure(text: &str) -> Result<Measure> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [load, metric, server, other] =
        [0, 1, 2, 4].map(|at| words.get(at).copied().unwrap_or_default().to_owned());
    match words[..] {
        ["run"] => Ok(Measure::Run),
        ["table", name] => Ok(Measure::Table(name.to_owned())),
        ["plot", name] => Ok(Measure::Plot(name.to_owned())),
        [_, _, _] => Ok(Measure::Value { load, metric, server }),
        [_, _, _, "/", _] => {
            Ok(Measure::Share { load, metric, ours: server, theirs: other })
        }
        _ => bail!(
            "`measured` needs `run`, `table NAME`, `plot NAME`, or a load, a metric and a \
             server, as in `measured echo cpu chapter-1` or \
             `measured echo cpu chapter-1 / node-1`"
        ),
    }
}

fn cut(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

fn selectors(text: &str) -> Result<Vec<Selector>> {
    if text.is_empty() { Ok(Vec::new()) } else { Selector::parse_list(text) }
}
