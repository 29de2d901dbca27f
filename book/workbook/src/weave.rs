//! `workbook weave`: the mdBook preprocessor.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::directive::{self, Found};
use crate::piece::{Measured, Piece};
use crate::workbook::{Workbook, slashed};
use crate::{html, plain, timeline};

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
        let title = context.config.book.title.clone().unwrap_or_default();
        book.for_each_chapter_mut(|chapter| {
            let Some(name) = chapter.source_path.as_deref().map(slashed) else { return };
            let path = format!("book/src/{name}");
            match page(&workbook, &path, &chapter.content, for_html) {
                Ok(woven) => chapter.content = woven,
                Err(found) => faults.extend(found),
            }
            match workbook.step_begun_by(&name).map(|step| workbook.effort(step)) {
                // The page's own title stays as it was; mdBook takes it from here.
                Some(Ok(effort)) if for_html => {
                    let own = format!("{{{{#title {} - {title}}}}}", chapter.name);
                    chapter.content = format!("{own}\n{}", chapter.content);
                    chapter.name = format!("{} · {effort}", chapter.name);
                }
                Some(Err(error)) => faults.push(format!("{path}:1: {error:#}")),
                _ => {}
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

/// The heading above a step's figures.
const THE_CHANGE: &str = "## The change\n";

/// A page with its directives replaced, or all that is wrong with them.
fn page(
    workbook: &Workbook,
    path: &str,
    text: &str,
    for_html: bool,
) -> std::result::Result<String, Vec<String>> {
    let directives = directive::find(text).into_iter().map(Place::Directive);
    let timelines = timeline::find(text).into_iter().map(Place::Timeline);
    let mut places: Vec<Place> = directives.chain(timelines).collect();
    places.sort_by_key(|place| place.span().start);
    let (mut woven, mut faults, mut from) = (String::new(), Vec::new(), 0);
    for place in places {
        // A fence may hold what reads like a directive.
        let Some(before) = text.get(from..place.span().start) else { continue };
        woven.push_str(before);
        from = place.span().end;
        match place.shown(workbook, path, for_html) {
            Ok(shown) => woven.push_str(&shown),
            Err((line, error)) => faults.push(format!("{path}:{line}: {error:#}")),
        }
    }
    woven.push_str(&text[from..]);
    if for_html && woven.contains(html::THE_REST) {
        // A reader who types the figures one by one needs the imports before them.
        woven = woven.replacen(THE_CHANGE, &format!("{THE_CHANGE}\n{}", html::FIRST), 1);
    }
    if faults.is_empty() { Ok(woven) } else { Err(faults) }
}

/// What a page holds besides its prose.
enum Place {
    Directive(Found),
    Timeline(timeline::Found),
}

impl Place {
    fn span(&self) -> Range<usize> {
        match self {
            Self::Directive(found) => found.span.clone(),
            Self::Timeline(found) => found.span.clone(),
        }
    }

    /// What stands there in the woven page; or the line, and what is wrong with it.
    fn shown(
        self,
        workbook: &Workbook,
        page: &str,
        for_html: bool,
    ) -> std::result::Result<String, (usize, anyhow::Error)> {
        let found = match self {
            Self::Timeline(found) if for_html => return Ok(found.timeline?.html()),
            Self::Timeline(found) => return Ok(found.timeline?.markdown()),
            Self::Directive(found) => found,
        };
        let piece =
            resolve(workbook, page, &found).map_err(|error| (found.line, error))?;
        Ok(match piece {
            Piece::Promise(promise) if !found.alone => match for_html {
                true => html::inline_promise(&promise),
                false => promise.sentence(),
            },
            piece if for_html => html::piece(&piece),
            piece => plain::piece(&piece),
        })
    }
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
