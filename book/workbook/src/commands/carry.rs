//! `carry`: a correction in one step, merged into every step that grows from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use tempfile::NamedTempFile;

use crate::Outcome;
use crate::terminal::say;
use crate::workbook::{CHAPTERS, Workbook};

/// What became of a file in a later step.
enum Fate {
    Carried(Option<Vec<u8>>),
    Untouched,
    Conflict(Option<Vec<u8>>),
}

pub(super) fn run(workbook: &Workbook, step: &str, conflicts: bool) -> Result<Outcome> {
    let step = workbook.ladder.find(step)?;
    let later = workbook.ladder.growing_from(step);
    ensure!(!later.is_empty(), "no step grows from {}", step.number());
    let chapters = workbook.root.join(CHAPTERS);
    let corrected = Corrected { folder: chapters.join(&step.folder) };
    let files = corrected.files()?;
    ensure!(
        !files.is_empty(),
        "nothing in {CHAPTERS}/{} has changed since the last commit",
        step.folder
    );
    let (mut carried, mut refused) = (0, 0);
    for file in &files {
        say!("{file}");
        for target in &later {
            let path = chapters.join(&target.folder).join(file);
            let ours = fs::read(&path).ok();
            match corrected.merge(file, ours.as_deref())? {
                Fate::Untouched => {}
                Fate::Carried(text) => {
                    carried += 1;
                    write(&path, text)?;
                    say!("  {:<5}carried", target.number());
                }
                Fate::Conflict(text) => {
                    refused += 1;
                    let marked = conflicts && text.is_some();
                    if marked {
                        write(&path, text)?;
                    }
                    let what =
                        if marked { "left with markers" } else { "left as it was" };
                    let path = format!("{CHAPTERS}/{}/{file}", target.folder);
                    say!("  {:<5}conflict: {path} is {what}", target.number());
                }
            }
        }
    }
    say!("\n{carried} carried, {refused} in conflict.");
    Ok(if refused == 0 { Outcome::Fine } else { Outcome::Found })
}

fn write(path: &Path, text: Option<Vec<u8>>) -> Result<()> {
    let Some(text) = text else { return Ok(fs::remove_file(path)?) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The step with the correction.
struct Corrected {
    folder: PathBuf,
}

impl Corrected {
    /// What differs from the last commit, as paths in the step.
    fn files(&self) -> Result<Vec<String>> {
        let changed = [
            "diff",
            "--relative",
            "--name-only",
            "--no-renames",
            "-z",
            "HEAD",
            "--",
            ".",
        ];
        let mut names = self.git(&changed)?.stdout;
        names.extend(
            self.git(&["ls-files", "--others", "--exclude-standard", "-z"])?.stdout,
        );
        let names = String::from_utf8(names).context("a file's name is no text")?;
        let files = names.split('\0').filter(|name| !name.is_empty());
        Ok(files.map(str::to_owned).collect())
    }

    /// What a later step's file becomes.
    fn merge(&self, file: &str, ours: Option<&[u8]>) -> Result<Fate> {
        let shown = git(&self.folder, &["show", &format!("HEAD:./{file}")])?;
        let base = shown.status.success().then_some(shown.stdout);
        let theirs = fs::read(self.folder.join(file)).ok();
        if ours == theirs.as_deref() {
            return Ok(Fate::Untouched);
        }
        if ours == base.as_deref() {
            return Ok(Fate::Carried(theirs));
        }
        let (Some(ours), Some(base), Some(theirs)) = (ours, &base, &theirs) else {
            // A file that the later step dropped stays dropped.
            let dropped = ours.is_none();
            return Ok(if dropped { Fate::Untouched } else { Fate::Conflict(None) });
        };
        let [mine, old, new] = [ours, base, theirs].map(kept);
        let paths = [mine?, old?, new?];
        let mut command = Command::new("git");
        command.args([
            "merge-file",
            "-p",
            "-L",
            "this step",
            "-L",
            "before",
            "-L",
            "corrected",
        ]);
        let merged = command.args(paths.iter().map(NamedTempFile::path)).output()?;
        Ok(match merged.status.code() {
            Some(0) if merged.stdout == ours => Fate::Untouched,
            Some(0) => Fate::Carried(Some(merged.stdout)),
            // The number of conflicts; from 128 on it could not merge, such as a picture.
            Some(1..128) => Fate::Conflict(Some(merged.stdout)),
            _ => Fate::Conflict(None),
        })
    }

    fn git(&self, arguments: &[&str]) -> Result<Output> {
        let output = git(&self.folder, arguments)?;
        if !output.status.success() {
            bail!("git: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output)
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments).output().context("cannot run git")
}

/// A version of a file, where `git merge-file` can read it.
fn kept(text: &[u8]) -> Result<NamedTempFile> {
    let file = NamedTempFile::new()?;
    fs::write(file.path(), text)?;
    Ok(file)
}
