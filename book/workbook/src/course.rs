//! The course as a reader plans it: its chapters and steps, and the minutes that each takes.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};

use crate::ladder::{Kind, Step};
use crate::page::Page;
use crate::source::Source;
use crate::workbook::{CHAPTERS, Workbook};

/// Words that a reader reads in a minute.
const WORDS: usize = 200;
/// New lines of code that a reader understands in a minute.
const LINES: usize = 10;
/// Minutes to start the program and look at it.
const RUN: usize = 2;
/// Minutes are no more exact than this, and never fewer.
const GRAIN: usize = 5;

impl Workbook {
    /// How long a step's pages and new lines take to read.
    pub(crate) fn minutes(&self, step: &Step) -> Result<usize> {
        let mut words = 0;
        for page in step.pages() {
            let text = std::fs::read_to_string(self.root.join("book/src").join(page))
                .with_context(|| format!("{} has no page {page}", step.package))?;
            let page = Page::read(page.to_owned(), text);
            words += page.words;
        }
        let folder = format!("{CHAPTERS}/{}", step.folder);
        let mut lines = 0;
        for file in self.files(&folder) {
            if !is_code(&file) {
                continue;
            }
            let path = format!("{folder}/{file}");
            let source = self.source(&path)?;
            let new = self.new_lines(&path)?;
            lines += code(&source).filter(|at| new.contains(at)).count();
        }
        // In hundredths, so that nothing is rounded twice.
        let exact = words * 100 / WORDS + lines * 100 / LINES + RUN * 100;
        Ok(((exact + GRAIN * 50) / (GRAIN * 100)).max(1) * GRAIN)
    }

    /// What the sidebar says after a step's title.
    pub(crate) fn effort(&self, step: &Step) -> Result<String> {
        // A line of the sidebar does not end between a number and its unit.
        Ok(format!("{} · {}\u{a0}min", step.kind.word(), self.minutes(step)?))
    }

    /// The step that a page begins.
    pub(crate) fn step_begun_by(&self, page: &str) -> Option<&Step> {
        self.ladder.steps.iter().find(|step| step.pages().next() == Some(page))
    }

    /// A chapter's steps, as a table in Markdown.
    pub(crate) fn steps_table(&self, chapter: &str) -> Result<String> {
        let steps = self.ladder.of_chapter(chapter);
        ensure!(
            !steps.is_empty(),
            "there is no chapter {chapter}; the chapters are {}",
            self.ladder.chapter_numbers().join(", ")
        );
        let mut text =
            "| Step | What it teaches | Kind | Minutes |\n|---|---|---|--:|\n".to_owned();
        let mut total = 0;
        for step in &steps {
            let minutes = self.minutes(step)?;
            total += minutes;
            let (link, idea) = (self.link(step)?, cell(&step.idea));
            let _ =
                writeln!(text, "| {link} | {idea} | {} | {minutes} |", step.kind.word());
        }
        if steps.len() > 1 {
            let _ = writeln!(text, "| **All {} steps** | | | **{total}** |", steps.len());
        }
        Ok(text)
    }

    /// The first steps of the chapters, as a table in Markdown.
    pub(crate) fn evening_table(&self) -> Result<String> {
        let chapters = self.ladder.chapters.iter().filter(|chapter| chapter.evening);
        let numbers = chapters.map(|chapter| chapter.number.to_string());
        let steps = self.ladder.steps.iter();
        let steps: Vec<&Step> = numbers
            .filter_map(|number| steps.clone().find(|step| step.chapter() == number))
            .collect();
        ensure!(!steps.is_empty(), "no chapter of book/steps.toml has `evening = true`");
        let mut text = "| Program | What it shows | Run it | Lines of Rust | Minutes |\n\
                        |---|---|---|--:|--:|\n"
            .to_owned();
        let (mut all_lines, mut all_minutes) = (0, 0);
        for step in steps {
            let (lines, minutes) = (self.rust_lines(step)?, self.minutes(step)?);
            all_lines += lines;
            all_minutes += minutes;
            let (link, idea) = (self.link(step)?, cell(&step.idea));
            let _ = writeln!(
                text,
                "| {link} | {idea} | `cargo run -p {}` | {lines} | {minutes} |",
                step.package
            );
        }
        let _ = writeln!(
            text,
            "| **All of them** | | | **{all_lines}** | **{all_minutes}** |"
        );
        Ok(text)
    }

    /// A link to a step's page, with the name that the summary gives it.
    fn link(&self, step: &Step) -> Result<String> {
        let page = step.pages().next();
        let page = page.with_context(|| format!("{} names no page", step.package))?;
        let summary = std::fs::read_to_string(self.root.join("book/src/SUMMARY.md"))?;
        let target = format!("]({page})");
        let name = summary.lines().find_map(|line| {
            Some(line.split_once(&target)?.0.split_once('[')?.1.to_owned())
        });
        let name = name.with_context(|| format!("SUMMARY.md does not name {page}"))?;
        Ok(format!("[{}]({page})", cell(&name)))
    }

    /// All of a program's Rust, without comments and blanks.
    fn rust_lines(&self, step: &Step) -> Result<usize> {
        let folder = format!("{CHAPTERS}/{}", step.folder);
        let files = self.files(&folder);
        let sources = files.iter().filter(|file| file.ends_with(".rs"));
        let count = |file| Ok(code(&*self.source(&format!("{folder}/{file}"))?).count());
        sources.map(count).sum()
    }
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Deep => "deep",
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn is_code(file: &str) -> bool {
    [".rs", ".js", ".html", ".tera", ".sql"].iter().any(|ending| file.ends_with(ending))
}

/// The lines of code in a file: no comment, nothing blank, and of a page only its scripts.
fn code(source: &Source) -> impl Iterator<Item = usize> + '_ {
    let (markup, mut script) = (source.language() == "html", false);
    (0..source.lines.len()).filter(move |&at| {
        let line = source.lines[at].text.trim();
        let edge = line.contains("<script") || line.contains("</script");
        script = (script || line.contains("<script")) && !line.contains("</script");
        let comment = ["//", "--", "/*", "*"].iter().any(|sign| line.starts_with(sign));
        !line.is_empty() && !comment && (!markup || (script && !edge))
    })
}
