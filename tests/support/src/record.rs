//! What a test saw, kept for the book.

use std::{fs, path::PathBuf};

use crate::root;

/// Whether this run records (`WORKBOOK_RECORD=1`) instead of comparing.
pub fn recording() -> bool {
    std::env::var_os("WORKBOOK_RECORD").is_some_and(|value| value == "1")
}

/// Compares `text` with the transcript that the book shows, or writes it when recording.
///
/// What differs from run to run must have been replaced by a placeholder before.
///
/// # Panics
/// If the book's transcript says something else.
pub fn transcript(package: &str, name: &str, text: &str) {
    let path: PathBuf =
        root().join("book/transcripts").join(package).join(format!("{name}.txt"));
    let text = format!("{}\n", text.trim_end());
    if recording() {
        fs::create_dir_all(path.parent().expect("BUG: it has a folder"))
            .expect("a writable book");
        fs::write(&path, text).expect("a writable book");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        kept == text,
        "the book's transcript {package}/{name} is stale; `cargo workbook record` renews it\n\
         --- in the book\n{kept}--- seen now\n{text}---"
    );
}
