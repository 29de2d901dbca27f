//! Packages from npm, below `target/`: by lockfile, once, on copies of the sources.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::root;

/// Copies `files` of `source` to `target`, both within the workspace, and installs there what
/// its `package-lock.json` names. Installed once, also when several test programs ask for it
/// at once. `what` is what these packages are for.
///
/// # Panics
/// If Node or npm is missing, or npm cannot install: with the sentence to read.
pub(crate) fn install(
    source: &str,
    target: &str,
    files: &[String],
    what: &str,
) -> PathBuf {
    let (source, folder) = (root().join(source), root().join(target));
    fs::create_dir_all(&folder).expect("a writable target folder");
    let lock = File::create(folder.join("lock")).expect("a writable target folder");
    lock.lock().expect("a file lock");
    let mut wanted = String::new();
    let packages = ["package.json", "package-lock.json", ".npmrc"].map(str::to_owned);
    for name in packages.iter().chain(files) {
        let text = fs::read_to_string(source.join(name)).expect("a complete checkout");
        // Only if it changed: another test program may be reading it.
        if fs::read_to_string(folder.join(name)).ok().as_ref() != Some(&text) {
            fs::write(folder.join(name), &text).expect("a writable target folder");
        }
        if name.starts_with("package") {
            wanted += &text;
        }
    }
    // Written last: a folder without it was not finished.
    let finished = folder.join("installed");
    if fs::read_to_string(&finished).is_ok_and(|installed| installed == wanted) {
        return folder;
    }
    fs::remove_file(&finished).ok();
    let npm = ci(&folder, what);
    assert!(
        npm.status.success(),
        "npm could not install {what} (WORKBOOK_SKIP=node leaves these tests out):\n{}",
        String::from_utf8_lossy(&npm.stderr)
    );
    fs::write(&finished, wanted).expect("a writable target folder");
    folder
}

fn ci(folder: &Path, what: &str) -> Output {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let flags = ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
    Command::new(npm).args(flags).current_dir(folder).output().unwrap_or_else(|error| {
        panic!(
            "these tests run {what}, which need Node.js 20 or later with npm: install it \
             from https://nodejs.org, or set WORKBOOK_SKIP=node to leave these tests out \
             ({error})"
        )
    })
}
