//! Notices that a page or a chapter was saved.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What a build reads.
const WATCHED: [&str; 7] = [
    "book/src",
    "book/theme",
    "book/transcripts",
    "book/steps.toml",
    "book/book.toml",
    "chapters",
    "tests",
];

/// Looks twice a second: a few hundred files cost about a millisecond, and this works the
/// same on every system.
const EVERY: Duration = Duration::from_millis(500);

/// Calls `changed` after each change, from a thread of its own.
pub(crate) fn spawn(root: PathBuf, changed: impl Fn() + Send + 'static) {
    std::thread::spawn(move || {
        let mut seen = state(&root);
        loop {
            std::thread::sleep(EVERY);
            let now = state(&root);
            if now != seen {
                seen = now;
                changed();
            }
        }
    });
}

/// The time of the last change, and the number of files, for those that were deleted.
fn state(root: &Path) -> (Option<SystemTime>, usize) {
    let mut state = (None, 0);
    WATCHED.iter().for_each(|path| look(&root.join(path), &mut state));
    state
}

fn look(path: &Path, state: &mut (Option<SystemTime>, usize)) {
    let name = path.file_name().unwrap_or_default();
    if name == "target" || name == "node_modules" || name == "data" {
        return;
    }
    if let Ok(entries) = std::fs::read_dir(path) {
        entries.flatten().for_each(|entry| look(&entry.path(), state));
    } else if let Ok(modified) = path.metadata().and_then(|metadata| metadata.modified())
    {
        state.0 = state.0.max(Some(modified));
        state.1 += 1;
    }
}
