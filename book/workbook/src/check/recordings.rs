//! Transcripts and pictures: recorded, up to date, and shown.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Book, Fault};
use crate::directive::Directive;

const TRANSCRIPTS: &str = "book/transcripts";

/// Every transcript is as a test wrote it, is written by a test that exists, and is shown.
pub(super) fn transcripts(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let shown = shown(book);
    for file in book.workbook.files(TRANSCRIPTS) {
        let path = format!("{TRANSCRIPTS}/{file}");
        let mut fault =
            |what: String| faults.push(Fault { path: path.clone(), line: 1, what });
        let name = file.strip_suffix(".txt").and_then(|name| name.split_once('/'));
        let Some((chapter, name)) = name else {
            fault("is not a transcript: they are named chapter-N/name.txt".into());
            continue;
        };
        if !shown.contains(&(chapter.to_owned(), name.to_owned())) {
            fault(format!(
                "no page shows it; add `{{{{#transcript {chapter}/{name}}}}}` or delete it"
            ));
        }
        let text = std::fs::read_to_string(book.workbook.root.join(&path))?;
        if let Err(what) = recorded::open(&text) {
            fault(what);
        }
        let Some(step) = book.workbook.ladder.get(chapter) else {
            fault(format!("there is no chapter `{chapter}`"));
            continue;
        };
        if !names_transcript(book, chapter, name) {
            fault(format!("no test in {} records `{name}`; delete it", step.test_file()));
        }
    }
    Ok(())
}

/// One of the chapter's test files says `"name"`.
fn names_transcript(book: &Book<'_>, chapter: &str, name: &str) -> bool {
    book.workbook.test_files(chapter).into_iter().any(|file| {
        let text =
            std::fs::read_to_string(book.workbook.root.join(file)).unwrap_or_default();
        text.contains(&format!("\"{name}\""))
    })
}

fn shown(book: &Book<'_>) -> BTreeSet<(String, String)> {
    let directives = book.pages.iter().flat_map(|woven| &woven.page.directives);
    directives
        .filter_map(|found| match &found.directive {
            Ok(Directive::Transcript { chapter, name }) => {
                let step = book.workbook.ladder.get(chapter);
                let chapter = step.map_or(chapter, |step| &step.package);
                Some((chapter.clone(), name.clone()))
            }
            _ => None,
        })
        .collect()
}

/// Every picture was taken of the page as it is now, and is shown.
pub(super) fn pictures(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for step in &book.workbook.ladder.steps {
        let Some(picture) = &step.picture else { continue };
        let path = format!("book/src/{picture}");
        let mut fault =
            |what: String| faults.push(Fault { path: path.clone(), line: 1, what });
        let again =
            format!("`cargo workbook record {} --pictures` takes it", step.number());
        let file = book.workbook.root.join(&path);
        if !file.is_file() {
            fault(format!("there is no such picture; {again}"));
            continue;
        }
        let taken =
            std::fs::read_to_string(file.with_extension("sources")).unwrap_or_default();
        if taken.trim() != recorded::sources(&book.workbook.root, &step.folder) {
            fault(format!(
                "the page of {} has changed since this picture; {again}",
                step.package
            ));
        }
        let name = picture.rsplit('/').next().unwrap_or(picture);
        let shown = book
            .pages_of(step)
            .any(|woven| woven.page.links.iter().any(|link| link.target.ends_with(name)));
        if !shown {
            fault(format!("no page of {} shows it", step.package));
        }
    }
    Ok(())
}
