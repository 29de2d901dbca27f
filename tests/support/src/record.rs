//! What a test saw, kept for the book.

use crate::twin;

/// Compares `text` with the transcript that the book shows, or writes it in a run of
/// `cargo workbook record`. What differs from run to run, such as ids, ports and times, must
/// be a placeholder by now. A reader's own server (`WORKBOOK_URL`) and a twin may use other
/// words.
///
/// # Panics
/// If the book shows something else.
pub fn transcript(package: &str, name: &str, text: &str) {
    if std::env::var_os("WORKBOOK_URL").is_some() || twin::is_wanted() {
        return;
    }
    recorded::transcript(package, name, text).unwrap_or_else(|stale| panic!("{stale}"));
}

/// Keeps a picture of a chapter's page in a run of `cargo workbook record`.
///
/// # Panics
/// If it cannot be written.
pub fn picture(package: &str, folder: &str, png: &[u8]) {
    recorded::picture(package, folder, png).unwrap_or_else(|error| panic!("{error}"));
}
