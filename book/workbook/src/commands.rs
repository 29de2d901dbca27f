//! The reader's commands. Each prints what it did and what to do next.

mod bench;
mod book;
mod carry;
mod client;
mod compare;
mod manifest;
mod promises;
mod record;
mod skeleton;
mod start;
mod test;

use anyhow::{Context, Result, bail, ensure};

use self::promises::Asked;
use self::test::Effort;
use crate::Outcome;
use crate::check;
use crate::cli::Command;
use crate::ladder::Kind;
use crate::select::nearest;
use crate::step_diff::Change;
use crate::terminal::{Screen, paragraph, say};
use crate::workbook::{CHAPTERS, Workbook};

pub(crate) fn run(workbook: &Workbook, command: Command) -> Result<Outcome> {
    match command {
        // Answered before a clone was looked for.
        Command::Weave { .. } => Ok(Outcome::Fine),
        Command::List => list(workbook),
        Command::Diff { what, width } => diff(workbook, what, width),
        Command::Start { chapter, folder, solution } => {
            start::run(workbook, &chapter, &folder, solution)
        }
        Command::Carry { step, conflicts } => carry::run(workbook, &step, conflicts),
        Command::Compare { chapter, folder } => compare::run(workbook, &chapter, &folder),
        Command::Check { chapter: None, prose, .. } => check_book(workbook, prose),
        Command::Check {
            chapter: Some(chapter), promise, url, program, watch, ..
        } => {
            let asked = match (&url, &program) {
                (Some(url), _) => Asked::Url(url),
                (None, Some(program)) => Asked::Program(program),
                (None, None) => Asked::Clone,
            };
            promises::run(workbook, &chapter, promise.as_deref(), asked, watch)
        }
        Command::Test { words, all } => {
            let effort = if all { Effort::Whole } else { Effort::Quick };
            test::run(workbook, effort, words.as_deref())
        }
        Command::Soak { words } => test::run(workbook, Effort::Soak, words.as_deref()),
        Command::Client => client::run(workbook),
        Command::Book { serve, open, port } => book::run(workbook, serve, open, port),
        Command::Bench { quick, out, only } => bench::run(workbook, quick, out, only),
        Command::Record { chapter, pictures } => {
            record::run(workbook, chapter.as_deref(), pictures)
        }
    }
}

fn list(workbook: &Workbook) -> Result<Outcome> {
    let screen = Screen::new(None);
    let ladder = &workbook.ladder;
    for number in ladder.chapter_numbers() {
        let title = ladder.chapter(number).map(|chapter| format!(": {}", chapter.title));
        let title = format!("Chapter {number}{}", title.unwrap_or_default());
        say!("{}", screen.bold(&title));
        for step in ladder.of_chapter(number) {
            let kind = if step.kind == Kind::Deep { "  (deep)" } else { "" };
            let name = format!("{:<5}{:<12}", step.number(), step.package);
            say!("  {} {CHAPTERS}/{}{kind}", screen.bold(&name), step.folder);
            say!("{}", paragraph(&step.idea, 7).trim_end());
        }
        say!("");
    }
    say!(
        "Run one with `cargo run -p chapter-1`; read it with `cargo workbook book --serve`."
    );
    say!("Steps marked (deep) can be left out.");
    Ok(Outcome::Fine)
}

/// `what` is two chapters, or one and what it builds on, and perhaps a file.
fn diff(
    workbook: &Workbook,
    mut what: Vec<String>,
    width: Option<usize>,
) -> Result<Outcome> {
    let is_file = |text: &String| {
        let ends = [".toml", ".html", ".js", ".css", ".sql"];
        text.contains(['/', '\\'])
            || text.contains(".rs")
            || ends.iter().any(|end| text.ends_with(end))
    };
    let file = if what.len() == 3 || what.last().is_some_and(is_file) {
        what.pop()
    } else {
        None
    };
    let (from, to) = match &what[..] {
        [from, to] => (workbook.ladder.find(from)?, workbook.ladder.find(to)?),
        [to] => {
            let step = workbook.ladder.find(to)?;
            let before = workbook.ladder.before(step).with_context(|| {
                format!(
                    "{} starts afresh; name the step to compare it with",
                    step.number()
                )
            })?;
            (before, step)
        }
        _ => bail!("name the chapters to compare before the file"),
    };
    let file = file.map(|file| file.replace('\\', "/"));
    let files = differing(workbook, &from.folder, &to.folder, file.as_deref())?;
    let screen = Screen::new(width);
    if files.is_empty() {
        say!("{} and {} do not differ there.", from.number(), to.number());
    }
    let mut sums = Vec::new();
    for file in &files {
        let code = workbook.diff(&from.folder, &to.folder, file, &[])?;
        let (added, removed) = (code.count(Change::Added), code.count(Change::Removed));
        sums.push(format!("  {file}  +{added} -{removed}"));
        say!("{}", screen.code(&code));
    }
    if files.len() > 1 {
        say!("{} files differ; name one to see it alone:", files.len());
        say!("{}\n", sums.join("\n"));
    }
    say!("{}\n{}", screen.bold(to.number()), paragraph(&to.idea, 2).trim_end());
    say!("Build it yourself: cargo workbook start {} DIR", to.number());
    Ok(Outcome::Fine)
}

/// The files of two steps that are not the same, manifests last.
fn differing(
    workbook: &Workbook,
    from: &str,
    to: &str,
    only: Option<&str>,
) -> Result<Vec<String>> {
    let folder = |name: &str| format!("{CHAPTERS}/{name}");
    let mut files: Vec<String> = workbook.files(&folder(from));
    files.extend(workbook.files(&folder(to)));
    // What the program does first, its manifest last.
    let rank = |file: &str| {
        (file == "Cargo.toml", !file.ends_with(".rs"), file != "src/main.rs")
    };
    files.sort_by_key(|file| (rank(file), file.clone()));
    files.dedup();
    if let Some(only) = only {
        let known: Vec<&str> = files.iter().map(String::as_str).collect();
        ensure!(
            known.contains(&only),
            "neither step has a file {only}{}",
            nearest(only, &known)
        );
        files.retain(|file| file == only);
    }
    let read = |name: &str, file: &str| {
        std::fs::read(workbook.root.join(folder(name)).join(file)).ok()
    };
    files.retain(|file| {
        let (old, new) = (read(from, file), read(to, file));
        let text = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().is_none_or(|b| std::str::from_utf8(b).is_ok())
        };
        old != new && text(&old) && text(&new)
    });
    Ok(files)
}

fn check_book(workbook: &Workbook, prose: bool) -> Result<Outcome> {
    let book = check::Book::read(workbook)?;
    let faults = check::faults(&book)?;
    for fault in &faults {
        eprintln!("{fault}");
    }
    for sum in check::coverage(&book)? {
        let excepted = match sum.excepted {
            0 => String::new(),
            count => format!(", {count} excepted"),
        };
        say!(
            "{:<12} {} of {} new lines shown, {} in the rest{excepted}",
            sum.package,
            sum.shown,
            sum.new,
            sum.rest,
        );
    }
    let words = check::words(&book);
    for (page, count) in &words.long {
        say!("{page} has {count} words, and {} are the most", words.most);
    }
    say!("{} words on the chapters' pages, of fewer than {}", words.all, words.too_many);
    let findings = check::findings(&book)?;
    for finding in findings.iter().filter(|_| prose) {
        say!("{finding}");
    }
    let how = if prose { "" } else { "; `cargo workbook check --prose` lists them" };
    say!("{} places where words could be plainer{how}", findings.len());
    if faults.is_empty() {
        say!("The book matches the code.");
        return Ok(Outcome::Fine);
    }
    let count = faults.len();
    say!("{count} {} above.", if count == 1 { "fault is" } else { "faults are" });
    Ok(Outcome::Found)
}
