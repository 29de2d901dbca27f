//! Notices that a page or a chapter was saved.

use std::collections::BTreeMap;
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

/// Calls `changed` after each change since `seen`, from a thread of its own.
pub(crate) fn spawn(root: PathBuf, mut seen: State, changed: impl Fn() + Send + 'static) {
    std::thread::spawn(move || {
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

/// Every file, and when it was last changed.
pub(crate) type State = BTreeMap<PathBuf, SystemTime>;

/// What is there now.
pub(crate) fn state(root: &Path) -> State {
    let mut state = State::new();
    WATCHED.iter().for_each(|path| look(root.join(path), &mut state));
    state
}

fn look(path: PathBuf, state: &mut State) {
    let name = path.file_name().unwrap_or_default();
    if name == "target" || name == "node_modules" || name == "data" {
        return;
    }
    if let Ok(entries) = std::fs::read_dir(&path) {
        entries.flatten().for_each(|entry| look(entry.path(), state));
    } else if let Ok(modified) = path.metadata().and_then(|metadata| metadata.modified())
    {
        state.insert(path, modified);
    }
}
