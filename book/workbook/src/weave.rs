//! `workbook weave`: the mdBook preprocessor.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::directive::{self, Found};
use crate::piece::{Measured, Piece};
use crate::workbook::{Workbook, slashed};
use crate::{html, plain};

/// Replaces directives by what they name.
pub(crate) struct Weave;

impl Preprocessor for Weave {
    fn name(&self) -> &str {
        "workbook"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let root = context.root.parent().context("the book's folder has no parent")?;
        // mdBook may hand over a relative root, and the parent of `book` is then empty.
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let workbook = Workbook::open(root.to_path_buf())?;
        let for_html = context.renderer == "html";
        let mut faults = Vec::new();
        book.for_each_chapter_mut(|chapter| {
            let Some(path) = &chapter.source_path else { return };
            let path = format!("book/src/{}", slashed(path));
            match page(&workbook, &path, &chapter.content, for_html) {
                Ok(woven) => chapter.content = woven,
                Err(found) => faults.extend(found),
            }
        });
        ensure!(
            faults.is_empty(),
            "the book does not match its code:\n{}",
            faults.join("\n")
        );
        Ok(book)
    }

    fn supports_renderer(&self, renderer: &str) -> Result<bool> {
        Ok(renderer != "not-supported")
    }
}

/// The entry for mdBook: a book on standard input, the woven book on standard output.
pub(crate) fn run() -> Result<()> {
    let (context, book) = mdbook_preprocessor::parse_input(std::io::stdin())?;
    let woven = Weave.run(&context, book)?;
    serde_json::to_writer(std::io::stdout(), &woven)?;
    Ok(())
}

/// A page with its directives replaced, or all that is wrong with them.
fn page(
    workbook: &Workbook,
    path: &str,
    text: &str,
    for_html: bool,
) -> std::result::Result<String, Vec<String>> {
    let (mut woven, mut faults, mut from) = (String::new(), Vec::new(), 0);
    for found in directive::find(text) {
        woven.push_str(&text[from..found.span.start]);
        from = found.span.end;
        match resolve(workbook, path, &found) {
            Ok(Piece::Promise(promise)) if !found.alone => match for_html {
                true => woven.push_str(&html::inline_promise(&promise)),
                false => woven.push_str(&promise.sentence()),
            },
            Ok(piece) if for_html => woven.push_str(&html::piece(&piece)),
            Ok(piece) => woven.push_str(&plain::piece(&piece)),
            Err(error) => faults.push(format!("{path}:{}: {error:#}", found.line)),
        }
    }
    woven.push_str(&text[from..]);
    if faults.is_empty() { Ok(woven) } else { Err(faults) }
}

/// What a directive shows; an error when it names nothing or stands in the wrong place.
pub(crate) fn resolve(workbook: &Workbook, page: &str, found: &Found) -> Result<Piece> {
    let directive =
        found.directive.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let piece = workbook.resolve(directive, page)?;
    let inline = matches!(piece, Piece::Promise(_) | Piece::Measured(Measured::Words(_)));
    ensure!(
        found.alone || inline,
        "this directive shows a block; give it a line of its own, without indentation"
    );
    Ok(piece)
}
