//! The clone: its ladder and its files, each read once.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use anyhow::{Result, bail};
use measured::Run;

use crate::ladder::{Ladder, Step};
use crate::select::nearest;
use crate::source::Source;
use crate::step_diff::{self, Change};

/// Where the chapters' folders are, from the root.
pub(crate) const CHAPTERS: &str = "chapters";

/// What the benchmark measured, one file for each run.
const MEASUREMENTS: &str = "book/measurements";

/// The workbook's clone on this machine.
pub(crate) struct Workbook {
    pub(crate) root: PathBuf,
    pub(crate) ladder: Ladder,
    sources: RefCell<BTreeMap<String, Rc<Source>>>,
    /// The new lines of each file that was asked about.
    new_lines: RefCell<BTreeMap<String, BTreeSet<usize>>>,
    run: OnceCell<Rc<Run>>,
}

impl Workbook {
    pub(crate) fn open(root: PathBuf) -> Result<Self> {
        let ladder = Ladder::read(&root.join("book"))?;
        let (sources, new_lines) = (RefCell::default(), RefCell::default());
        Ok(Self { root, ladder, sources, new_lines, run: OnceCell::new() })
    }

    /// Cargo, as it ran this program, in the clone.
    pub(crate) fn cargo(&self) -> Command {
        let mut command =
            Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        // Names of tests come from their threads, and a single one runs in `main`.
        command.env_remove("RUST_TEST_THREADS");
        command
    }

    /// A file by its path from the root, with `/`.
    pub(crate) fn source(&self, path: &str) -> Result<Rc<Source>> {
        if let Some(source) = self.sources.borrow().get(path) {
            return Ok(source.clone());
        }
        let file = self.root.join(path);
        if !file.is_file() {
            bail!("there is no file {path}{}", self.nearest_file(path));
        }
        let source = Rc::new(Source::read(&file, path.to_owned())?);
        self.sources.borrow_mut().insert(path.to_owned(), source.clone());
        Ok(source)
    }

    /// The newest run of the benchmark.
    pub(crate) fn run(&self) -> Result<Rc<Run>> {
        if let Some(run) = self.run.get() {
            return Ok(run.clone());
        }
        let run = Rc::new(Run::newest(&self.root.join(MEASUREMENTS))?);
        Ok(self.run.get_or_init(|| run).clone())
    }

    /// The file, or an empty one when this step does not have it.
    pub(crate) fn source_or_absent(&self, path: &str) -> Result<Rc<Source>> {
        if self.root.join(path).is_file() {
            return self.source(path);
        }
        Ok(Rc::new(Source::absent(path.to_owned())))
    }

    /// `4.1-rooms/src/main.rs` and `4.1/src/main.rs` are in `chapters/`; anything else is seen
    /// from the root.
    pub(crate) fn locate(&self, path: &str) -> String {
        let (folder, file) = path.split_once('/').unwrap_or((path, ""));
        if self.root.join(CHAPTERS).join(folder).is_dir() {
            return format!("{CHAPTERS}/{path}");
        }
        match self.ladder.get(folder) {
            Some(step) => format!("{CHAPTERS}/{}/{file}", step.folder),
            None => path.to_owned(),
        }
    }

    fn nearest_file(&self, path: &str) -> String {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let top = folder.split('/').take(2).collect::<Vec<_>>().join("/");
        let files = self.files(&top);
        let known: Vec<String> =
            files.iter().map(|file| format!("{top}/{file}")).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        nearest(path, &known)
    }

    /// The files below a folder that belong to a program, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        files_in(&self.root.join(folder))
    }

    /// The files that hold a chapter's tests: `tests/chapter_4.rs`, what lies in
    /// `tests/chapter_4/`, and the modules that it shares with others by a `#[path]`. A name
    /// that is no chapter's is that of a file in tests/.
    pub(crate) fn test_files(&self, chapter: &str) -> Vec<String> {
        let first = match self.ladder.get(chapter) {
            Some(step) => self.test_root(step),
            None => format!("tests/{chapter}.rs"),
        };
        let folder =
            first.strip_suffix("/main.rs").unwrap_or(first.trim_end_matches(".rs"));
        let below = self.files(folder).into_iter().filter(|file| file.ends_with(".rs"));
        let below = below.map(|file| format!("{folder}/{file}"));
        let shared = self.shared_modules(&first).into_iter();
        let mut files = vec![first.clone()];
        for file in below.chain(shared) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }

    /// The file of a step's test program: its own, or that of the step that ends its chapter.
    pub(crate) fn test_root(&self, step: &Step) -> String {
        let own = step.test_file();
        if self.root.join(&own).is_file() {
            return own;
        }
        let last = self.ladder.last_of(step).test_file();
        if self.root.join(&last).is_file() { last } else { own }
    }

    /// The files that a file of tests takes in by `#[path = "…"]`.
    fn shared_modules(&self, file: &str) -> Vec<String> {
        let Ok(source) = self.source(file) else { return Vec::new() };
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let lines = source.lines.iter().map(|line| line.text.trim());
        let paths = lines
            .filter_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"));
        paths.map(|path| format!("{folder}/{path}")).collect()
    }

    /// The tests of a step's test program by their full names, read from its sources.
    pub(crate) fn tests(&self, step: &Step) -> Result<Vec<Test>> {
        let (mut tests, root) = (Vec::new(), self.test_root(step));
        if self.root.join(&root).is_file() {
            let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
            self.tests_in(&root, folder, "", &mut tests)?;
        }
        Ok(tests)
    }

    /// `folder` is where the modules of a file are that have no `#[path]`.
    fn tests_in(
        &self,
        file: &str,
        folder: &str,
        prefix: &str,
        tests: &mut Vec<Test>,
    ) -> Result<()> {
        let source = self.source(file)?;
        for item in source.items.iter().filter(|item| item.is_test) {
            let name = format!("{prefix}{}", item.names[0]);
            let line = source.lines[item.range.start].number;
            tests.push(Test { name, file: file.to_owned(), line });
        }
        let beside = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut path = None;
        for line in &source.lines {
            let text = line.text.as_str();
            if let Some(rest) = text.strip_prefix("#[path = \"") {
                path = rest.strip_suffix("\"]");
                continue;
            }
            let module = text.strip_prefix("pub ").unwrap_or(text).strip_prefix("mod ");
            let Some(name) = module.and_then(|module| module.strip_suffix(';')) else {
                continue;
            };
            let candidates = match path.take() {
                Some(path) => vec![format!("{beside}/{path}")],
                None => {
                    vec![format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]
                }
            };
            let exists = |file: &&String| self.root.join(file).is_file();
            if let Some(module) = candidates.iter().find(exists) {
                let below = module.trim_end_matches("/mod.rs").trim_end_matches(".rs");
                self.tests_in(module, below, &format!("{prefix}{name}::"), tests)?;
            }
        }
        Ok(())
    }

    pub(crate) fn step_of_folder(&self, folder: &str) -> Option<&Step> {
        self.ladder.steps.iter().find(|step| step.folder == folder)
    }

    /// Both sides of a file in a step: what it was, and what it is.
    pub(crate) fn sides(
        &self,
        step: &Step,
        file: &str,
    ) -> Result<(Rc<Source>, Rc<Source>)> {
        let path = |folder: &str| format!("{CHAPTERS}/{folder}/{file}");
        let new = self.source_or_absent(&path(&step.folder))?;
        let old = match &step.from {
            Some(from) => self.source_or_absent(&path(from))?,
            None => Rc::new(Source::absent(new.path.clone())),
        };
        Ok((old, new))
    }

    /// The steps before one, in teaching order.
    pub(crate) fn earlier(&self, folder: &str) -> &[Step] {
        let steps = &self.ladder.steps;
        let at = steps.iter().position(|step| step.folder == folder);
        &steps[..at.unwrap_or(0)]
    }

    /// The first step before this one that has a file byte for byte, under any name.
    pub(crate) fn as_in(&self, folder: &str, file: &str) -> Option<&Step> {
        let read = |path: &str| std::fs::read(self.root.join(CHAPTERS).join(path)).ok();
        let bytes = read(&format!("{folder}/{file}"))?;
        let length = bytes.len() as u64;
        let same = |other: &str| {
            let meta = std::fs::metadata(self.root.join(CHAPTERS).join(other)).ok();
            meta.is_some_and(|meta| meta.len() == length)
                && read(other).as_ref() == Some(&bytes)
        };
        self.earlier(folder).iter().find(|step| {
            let files = self.files(&format!("{CHAPTERS}/{}", step.folder));
            files.iter().any(|file| same(&format!("{}/{file}", step.folder)))
        })
    }

    /// The lines of a chapter's file that its step brought, as indices. Files that
    /// belong to no step have none.
    pub(crate) fn new_lines(&self, path: &str) -> Result<BTreeSet<usize>> {
        let Some((folder, file)) = chapter_file(path) else { return Ok(BTreeSet::new()) };
        let Some(step) = self.step_of_folder(folder) else { return Ok(BTreeSet::new()) };
        if let Some(new) = self.new_lines.borrow().get(path) {
            return Ok(new.clone());
        }
        let new = self.count_new(step, file)?;
        self.new_lines.borrow_mut().insert(path.to_owned(), new.clone());
        Ok(new)
    }

    fn count_new(&self, step: &Step, file: &str) -> Result<BTreeSet<usize>> {
        // What an earlier step has just so was explained there.
        if self.as_in(&step.folder, file).is_some() {
            return Ok(BTreeSet::new());
        }
        let (old, new) = self.sides(step, file)?;
        let rows = step_diff::rows(&old, 0..old.lines.len(), &new, 0..new.lines.len());
        let added = rows.iter().filter(|row| row.change == Change::Added);
        let significant =
            |at: &usize| new.lines[*at].text.contains(char::is_alphanumeric);
        Ok(added.filter_map(|row| row.at).filter(significant).collect())
    }
}

/// A test, and where it is.
pub(crate) struct Test {
    /// With its modules.
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// Splits `chapters/4.4-whispers/src/main.rs` into folder and file.
pub(crate) fn chapter_file(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(CHAPTERS)?.strip_prefix('/')?.split_once('/')
}

/// The files below a folder that belong to a program, sorted.
pub(crate) fn files_in(folder: &Path) -> Vec<String> {
    let mut found = BTreeSet::new();
    walk(folder, folder, &mut found);
    found.into_iter().collect()
}

fn walk(top: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let skipped = ["target", "node_modules", "data", "Cargo.lock"];
        if name.starts_with('.') || skipped.contains(&name.as_str()) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            walk(top, &path, found);
        } else if let Ok(relative) = path.strip_prefix(top) {
            found.insert(slashed(relative));
        }
    }
}

/// A path as pages and messages write it, on Windows too.
pub(crate) fn slashed(path: &Path) -> String {
    let parts: Vec<_> =
        path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
