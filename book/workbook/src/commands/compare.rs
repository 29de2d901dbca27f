//! `compare`: the reader's program against the chapter.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Result, ensure};

use crate::Outcome;
use crate::piece::Code;
use crate::source::Source;
use crate::step_diff;
use crate::terminal::{Screen, say};
use crate::workbook::{CHAPTERS, Workbook, files_in};

/// What `start` put there, and the reader need not write.
const NOT_COMPARED: [&str; 5] =
    ["Cargo.toml", "rustfmt.toml", "clippy.toml", "Cargo.lock", "browser-kit/"];

pub(super) fn run(workbook: &Workbook, chapter: &str, folder: &Path) -> Result<Outcome> {
    let step = workbook.ladder.find(chapter)?;
    ensure!(
        folder.join("src").is_dir(),
        "{} holds no program: it has no src",
        folder.display()
    );
    let solution = workbook.root.join(CHAPTERS).join(&step.folder);
    let mut files: BTreeSet<String> = files_in(folder).into_iter().collect();
    files.extend(files_in(&solution));
    files.retain(|file| !NOT_COMPARED.iter().any(|name| file.starts_with(name)));
    let screen = Screen::new(None);
    let mut different = 0;
    for file in &files {
        let (mine, theirs) = (folder.join(file), solution.join(file));
        if std::fs::read(&mine).ok() == std::fs::read(&theirs).ok() {
            continue;
        }
        different += 1;
        let old = Source::lenient(&mine, file.clone());
        let new = Source::lenient(&theirs, format!("{CHAPTERS}/{}/{file}", step.folder));
        let rows = step_diff::rows(&old, 0..old.lines.len(), &new, 0..new.lines.len());
        let rows = step_diff::fold(rows, &new);
        say!(
            "{}",
            screen.code(&Code {
                source: Rc::new(new),
                rows,
                part: String::new(),
                from: None
            })
        );
    }
    if different == 0 {
        say!("Your program is that of step {}, line by line.", step.number());
        return Ok(Outcome::Fine);
    }
    say!(
        "Lines with - are yours, lines with + are step {}'s. There are many ways to build it:",
        step.number()
    );
    say!("  cargo workbook check {} --url http://127.0.0.1:8005", step.number());
    say!("says whether yours keeps the chapter's promises.");
    Ok(Outcome::Found)
}
