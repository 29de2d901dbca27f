//! What is shown is explained: in small pieces, and with a test for what goes wrong.

use anyhow::Result;

use super::{Book, Fault, WovenPage};
use crate::directive::Directive;
use crate::page::Heading;
use crate::piece::{Code, Column, Pair, Piece};

/// The most new lines that one directive shows.
const MOST_LINES: usize = 25;

/// The most lines in a column of a comparison: both ends of it should be on the screen.
const LONGEST_SIDE: usize = 40;

/// At most 25 new lines at a time.
pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for WovenPage { page, pieces } in &book.pages {
        for (found, piece) in page.directives.iter().zip(pieces) {
            let mut fault = |what: String| {
                faults.push(Fault { path: page.path.clone(), line: found.line, what });
            };
            if let Ok(Piece::Code(code)) = piece {
                let new = new_lines(book, code)?;
                if new > MOST_LINES {
                    fault(format!(
                        "shows {new} new lines of {} at once, and {MOST_LINES} is the most; \
                         name its parts, as in `\"first words\" .. \"last words\"`, and \
                         explain them one by one",
                        code.source.path
                    ));
                }
            }
            if let Ok(Piece::Sides(pairs)) = piece {
                for (_, Column { code, .. }) in pairs.iter().flat_map(Pair::sides) {
                    let lines = code.rows.len();
                    if lines > LONGEST_SIDE {
                        fault(format!(
                            "`{}` of {} is {lines} lines long, and {LONGEST_SIDE} is the most \
                             beside another; compare parts of it",
                            code.part, code.source.path
                        ));
                    }
                }
            }
        }
    }
    Ok(())
}

fn new_lines(book: &Book<'_>, code: &Code) -> Result<usize> {
    let new = book.workbook.new_lines(&code.source.path)?;
    Ok(code.shown().filter(|at| new.contains(at)).count())
}

/// Under "What goes wrong", every part names the test that shows it.
pub(super) fn promises(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for WovenPage { page, .. } in &book.pages {
        let Some(section) = page.headings.iter().position(is_about_failure) else {
            continue;
        };
        let level = page.headings[section].level;
        let inside = page.headings[section + 1..]
            .iter()
            .take_while(|heading| heading.level > level);
        let parts: Vec<&Heading> = inside.collect();
        let end = page
            .headings
            .get(section + 1 + parts.len())
            .map_or(page.text.len(), |h| h.at);
        let mut starts: Vec<usize> = parts.iter().map(|heading| heading.at).collect();
        if starts.is_empty() {
            starts.push(page.headings[section].at);
        }
        for (nth, &start) in starts.iter().enumerate() {
            let span = start..starts.get(nth + 1).copied().unwrap_or(end);
            let kept = page.directives.iter().any(|found| {
                let promise = matches!(found.directive, Ok(Directive::Promise { .. }));
                promise && span.contains(&found.span.start)
            });
            if !kept {
                let what = "says what goes wrong and names no test that shows it; add \
                            `{{#promise chapter-N name_of_the_test}}`";
                let line = page.line(start);
                faults.push(Fault { path: page.path.clone(), line, what: what.into() });
            }
        }
    }
    Ok(())
}

fn is_about_failure(heading: &Heading) -> bool {
    heading.text.to_lowercase().starts_with("what goes wrong")
}
