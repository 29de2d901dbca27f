//! Code on a page comes from a file that is compiled or run.

use anyhow::Result;

use super::{Book, Fault, WovenPage};
use crate::timeline;

/// What a page may hold itself: commands, output, packets, diagrams.
const LOOSE: [&str; 15] = [
    "text",
    "console",
    "sh",
    "bash",
    "powershell",
    "http",
    "json",
    "svgbob",
    "mermaid",
    "packets",
    "output",
    "markdown",
    "log",
    "tree",
    timeline::FENCE,
];

pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for WovenPage { page, .. } in &book.pages {
        for fence in &page.fences {
            let what = match fence.language.as_deref() {
                Some(language) if LOOSE.contains(&language) => continue,
                None => "an indented block is code; use a fence, or less indentation"
                    .to_owned(),
                Some("") => "the fence does not say what it holds; write ```text or \
                             ```console"
                    .to_owned(),
                Some(language) => format!(
                    "loose {language}: nobody compiled it; take it from a file with \
                     `{{{{#item …}}}}`, or make an exception in book/exceptions.toml"
                ),
            };
            let mut exceptions = book.exceptions.of("fence", &page.path);
            let fits = |part: &Option<String>| {
                part.as_ref()
                    .is_none_or(|words| fence.first_line.contains(words.as_str()))
            };
            match exceptions.find(|(_, exception)| fits(&exception.part)) {
                Some((line, _)) => book.exceptions.needed(line),
                None => {
                    faults.push(Fault {
                        path: page.path.clone(),
                        line: fence.line,
                        what,
                    });
                }
            }
        }
    }
    Ok(())
}
