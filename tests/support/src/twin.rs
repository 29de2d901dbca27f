//! The same programs in Node, to be tested in the place of the chapters.
//!
//! `WORKBOOK_SERVER=node cargo test -p chapter-3` runs the promises of chapter 3 against
//! `tests/node/chapter-3.mjs`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::{npm, root};

/// What selects the server under test: nothing for the chapter, `node` for its twin.
pub const VARIABLE: &str = "WORKBOOK_SERVER";

/// Whether the twins are to be started in the place of the chapters.
///
/// # Panics
/// If `WORKBOOK_SERVER` is anything but `node`.
pub fn is_wanted() -> bool {
    match std::env::var(VARIABLE) {
        Ok(server) if server == "node" => true,
        Ok(server) => panic!("{VARIABLE} can be node, and not {server:?}"),
        Err(_) => false,
    }
}

/// The twin of a chapter, ready to be run by Node. `program` is the path or the name of the
/// chapter's program.
///
/// # Panics
/// If Node or npm is missing, or npm cannot install: with the sentence to read.
pub fn of(program: &Path) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let package = program.file_stem().expect("BUG: a program has a name");
    let twin = FOLDER.get_or_init(install).join(package).with_extension("mjs");
    assert!(twin.exists(), "{} has no twin in tests/node", package.display());
    twin
}

/// Whether Node is there. Packages may have been installed by one that has gone.
fn find_node() {
    let version = std::process::Command::new("node").arg("--version").output();
    if let Err(error) = version {
        panic!(
            "the chapters' twins run in Node.js 20 or later: install it from \
             https://nodejs.org, or set WORKBOOK_SKIP=node to leave these tests out ({error})"
        );
    }
}

/// Node looks for packages beside the program, and the source tree stays clean: so the twins
/// run as copies. These are as deep in the workspace as `tests/node`, and find the chapters'
/// pages by the same relative paths.
fn install() -> PathBuf {
    find_node();
    let source = root().join("tests/node");
    let entries = fs::read_dir(source).expect("a complete checkout");
    let names = entries.map(|entry| entry.expect("a readable folder").file_name());
    let files: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".mjs"))
        .collect();
    npm::install("tests/node", "target/twins", &files, "the chapters' twins")
}
