//! The book's preprocessor, its checker, and the reader's commands.
mod directive;
mod html;
mod ladder;
mod piece;
mod plain;
mod rust_items;
mod select;
mod source;
mod step_diff;
mod weave;
mod workbook;

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(2).as_deref() {
        Some("supports") => Ok(()),
        _ => weave::run(),
    }
}
