//! A directive, resolved: what there is to show.

use std::ops::Range;
use std::rc::Rc;

use anyhow::{Result, bail};
use twins::{Difference, Differences};

use crate::directive::{Directive, Measure, Side};
use crate::ladder::Step;
use crate::red::Red;
use crate::rest::Rest;
use crate::select::{Selector, nearest};
use crate::source::Source;
use crate::step_diff::{self, Change, Row};
use crate::workbook::{CHAPTERS, Workbook, chapter_file};

/// Where the twins in Node are.
const TWINS: &str = "tests/node/";

/// What a directive shows, before it is written for a renderer.
pub(crate) enum Piece {
    Code(Code),
    Sides(Vec<Pair>),
    Tree(Tree),
    Transcript(Transcript),
    Promise(Promise),
    Red(Red),
    Rest(Rest),
    Differences(DifferenceTable),
    Measured(Measured),
    /// A table of steps, in Markdown.
    Steps(String),
}

/// What the benchmark measured, ready for a page.
pub(crate) enum Measured {
    /// A few words inside a sentence.
    Words(String),
    Table(measured::Table),
    /// An SVG in a figure.
    Plot(String),
}

/// Lines of a file, plain or against an earlier step.
pub(crate) struct Code {
    pub(crate) source: Rc<Source>,
    pub(crate) rows: Vec<Row>,
    /// How the page names the part. Empty: the whole file.
    pub(crate) part: String,
    /// The folder of the earlier step, for a diff.
    pub(crate) from: Option<String>,
}

/// A caption lists so many places of a file, and counts more.
const MOST_PLACES: usize = 3;

impl Code {
    pub(crate) fn count(&self, change: Change) -> usize {
        self.rows.iter().filter(|row| row.change == change).count()
    }

    /// The language of what is shown: a page holds scripts and styles too.
    pub(crate) fn language(&self) -> &'static str {
        let language = self.source.language();
        let Some(first) = self.rows.iter().find_map(|row| row.at) else {
            return language;
        };
        if language != "html" {
            return language;
        }
        let last = self.rows.iter().rev().find_map(|row| row.at).unwrap_or(first);
        let inside = |tag: &str| {
            let is = |at: usize, start: &str| {
                self.source.lines[at].text.trim_start().starts_with(start)
            };
            let opened = (0..first).rev().find(|&at| is(at, &format!("<{tag}")));
            let closes = |at: usize| is(at, &format!("</{tag}"));
            opened.is_some_and(|opened| !(opened..=last).any(closes))
        };
        match (inside("script"), inside("style")) {
            (true, _) => "javascript",
            (_, true) => "css",
            _ => language,
        }
    }

    /// Blanks that every line shown begins with: a method need not stand as far to the
    /// right as it does in its type.
    pub(crate) fn indent(&self) -> usize {
        let lines =
            self.rows.iter().filter(|row| row.change != Change::Gap).map(Row::text);
        let indents = lines
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.len() - line.trim_start().len());
        indents.min().unwrap_or(0)
    }

    /// Indices of the lines that a reader sees in full.
    pub(crate) fn shown(&self) -> impl Iterator<Item = usize> {
        self.rows
            .iter()
            .filter(|row| row.change != Change::Folded)
            .filter_map(|row| row.at)
    }

    /// Where it stands in its file: `lines 3–9`, or `lines 52–60, 9–15` for parts that do
    /// not follow each other. A diff stands where its first and its last line do.
    pub(crate) fn place(&self) -> Option<String> {
        let mut places: Vec<(usize, usize)> = Vec::new();
        let parts =
            self.rows.split(|row| self.from.is_none() && row.change == Change::Gap);
        for part in parts {
            let numbers = part.iter().filter_map(|row| row.at);
            let numbers = numbers.map(|at| self.source.lines[at].number);
            if let (Some(first), Some(last)) = (numbers.clone().min(), numbers.max()) {
                places.push((first, last));
            }
        }
        if places.len() > MOST_PLACES {
            let first = places.iter().map(|(first, _)| first).min().unwrap_or(&0);
            let last = places.iter().map(|(_, last)| last).max().unwrap_or(&0);
            return Some(format!("{} parts of lines {first}–{last}", places.len()));
        }
        let word = match places[..] {
            [] => return None,
            [(first, last)] if first == last => "line",
            _ => "lines",
        };
        let span = |&(first, last): &(usize, usize)| match first == last {
            true => first.to_string(),
            false => format!("{first}–{last}"),
        };
        let spans: Vec<String> = places.iter().map(span).collect();
        Some(format!("{word} {}", spans.join(", ")))
    }

    /// The number of the first line shown.
    pub(crate) fn first_line(&self) -> usize {
        let first = self.rows.iter().find_map(|row| row.at);
        first.map_or(1, |at| self.source.lines[at].number)
    }
}

/// A part of a twin in Node, and what does the same in Rust.
pub(crate) struct Pair {
    pub(crate) node: Column,
    pub(crate) rust: Column,
}

/// One side of a pair, and what a reader calls it.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) code: Code,
}

impl Pair {
    /// Both columns, with the word that labels them.
    pub(crate) fn sides(&self) -> [(&'static str, &Column); 2] {
        [("Node", &self.node), ("Rust", &self.rust)]
    }
}

/// The files of a step.
pub(crate) struct Tree {
    pub(crate) folder: String,
    pub(crate) from: Option<String>,
    pub(crate) files: Vec<TreeFile>,
}

/// What a step did to a file.
pub(crate) struct TreeFile {
    pub(crate) path: String,
    pub(crate) state: &'static str,
    /// The number of the earlier step that has it just so, other than the one before.
    pub(crate) as_in: Option<String>,
    pub(crate) added: usize,
    pub(crate) removed: usize,
}

impl TreeFile {
    /// What became of it, in words.
    pub(crate) fn fate(&self) -> String {
        let as_in = self.as_in.as_ref().map(|number| format!("as in {number}"));
        as_in.unwrap_or_else(|| self.state.to_owned())
    }
}

/// Output that a test run recorded.
pub(crate) struct Transcript {
    pub(crate) chapter: String,
    pub(crate) test: String,
    pub(crate) body: String,
}

/// A test that keeps a promise of the prose.
pub(crate) struct Promise {
    pub(crate) test: String,
    pub(crate) code: Code,
}

impl Promise {
    /// The test's name, read as a sentence.
    pub(crate) fn sentence(&self) -> String {
        sentence(&self.test)
    }
}

/// Whether two names are one test's: either may leave out the module, as the file of a module
/// does.
pub(crate) fn same_test(one: &str, other: &str) -> bool {
    let is_end = |end: &str, of: &str| of == end || of.ends_with(&format!("::{end}"));
    is_end(one, other) || is_end(other, one)
}

/// A test's name, read as a sentence.
pub(crate) fn sentence(test: &str) -> String {
    let words = test.rsplit("::").next().unwrap_or_default().replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// What the twins in Node do in another way.
pub(crate) struct DifferenceTable {
    pub(crate) rows: Vec<Difference>,
    /// Of every chapter, or of one.
    pub(crate) all: bool,
}

impl Workbook {
    /// Looks up what a directive names, on a page. Anything that is not there is an error.
    pub(crate) fn resolve(&self, directive: &Directive, page: &str) -> Result<Piece> {
        match directive {
            Directive::Item { file, parts } => self.item(file, parts).map(Piece::Code),
            Directive::Diff { from, to, file, parts } => self
                .diff(&self.folder(from)?, &self.folder(to)?, file, parts)
                .map(Piece::Code),
            Directive::Sides { node, rust } => self.pairs(node, rust).map(Piece::Sides),
            Directive::Tree { folder } => {
                self.tree(&self.folder(folder)?).map(Piece::Tree)
            }
            Directive::Transcript { chapter, name } => {
                self.transcript(chapter, name).map(Piece::Transcript)
            }
            Directive::Promise { chapter, test } => {
                self.promise(chapter, test).map(Piece::Promise)
            }
            Directive::Red { test } => self.red(test, page).map(Piece::Red),
            Directive::Rest { step } => self.rest(step, page).map(Piece::Rest),
            Directive::Differences { chapter } => {
                self.differences(chapter.as_deref()).map(Piece::Differences)
            }
            Directive::Measured(measure) => self.measured(measure).map(Piece::Measured),
            Directive::Steps { chapter } => self.steps_table(chapter).map(Piece::Steps),
            Directive::Evening => self.evening_table().map(Piece::Steps),
        }
    }

    /// The table that the tests hold against both servers. Each row names tests that exist.
    fn differences(&self, chapter: Option<&str>) -> Result<DifferenceTable> {
        let table = Differences::read(&self.root)
            .map_err(|fault| anyhow::anyhow!("{}: {fault}", Differences::FILE))?;
        let mut rows: Vec<_> = match chapter {
            Some(name) => {
                let step = self.ladder.get(name).ok_or_else(|| self.no_step(name))?;
                table.of(&step.package).cloned().collect()
            }
            None => table.all().to_vec(),
        };
        if rows.is_empty() {
            bail!("{} has no row for this", Differences::FILE);
        }
        for row in &rows {
            for test in row.promises() {
                let known =
                    row.chapters.iter().map(|chapter| self.promise(chapter, test));
                let faults: Vec<_> = known.filter_map(Result::err).collect();
                if faults.len() == row.chapters.len() {
                    bail!("{}: {:#}", Differences::FILE, faults[0]);
                }
            }
        }
        // Readers see the numbers of folders.
        for chapter in rows.iter_mut().flat_map(|row| &mut row.chapters) {
            if let Some(step) = self.ladder.get(chapter) {
                *chapter = step.number().to_owned();
            }
        }
        Ok(DifferenceTable { rows, all: chapter.is_none() })
    }

    fn folder(&self, name: &str) -> Result<String> {
        if let Some(step) = self.ladder.get(name) {
            return Ok(step.folder.clone());
        }
        Err(self.no_step(name))
    }

    fn no_step(&self, name: &str) -> anyhow::Error {
        let names = |step: &Step| [step.folder.clone(), step.package.clone()];
        let known: Vec<String> = self.ladder.steps.iter().flat_map(names).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        anyhow::anyhow!(
            "there is no step `{name}` in book/steps.toml{}",
            nearest(name, &known)
        )
    }

    fn item(&self, file: &str, parts: &[Selector]) -> Result<Code> {
        let source = self.source(&self.locate(file))?;
        let mut ranges = Vec::new();
        for part in parts {
            ranges.extend(source.select(part)?);
        }
        if parts.is_empty() {
            ranges.push(0..source.lines.len());
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut last_end = None;
        for range in ranges {
            rows.extend(between(&source, last_end, &range));
            let shown = source.trimmed(range.clone());
            rows.extend(shown.map(|at| Row::plain(&source, at)));
            last_end = Some(range.end);
        }
        self.mark_new(&source, &mut rows)?;
        Ok(Code { source, rows, part: names(parts), from: None })
    }

    /// Marks the lines that are new in a step that grows from another, if others of the same
    /// figure are not.
    fn mark_new(&self, source: &Source, rows: &mut [Row]) -> Result<()> {
        let Some((folder, file)) = chapter_file(&source.path) else { return Ok(()) };
        let before =
            self.step_of_folder(folder).and_then(|step| self.ladder.before(step));
        let grows = |before: &Step| {
            self.root.join(format!("{CHAPTERS}/{}/{file}", before.folder)).is_file()
        };
        if !before.is_some_and(grows) {
            return Ok(());
        }
        let new = self.new_lines(&source.path)?;
        let is_new = |row: &Row| row.at.is_some_and(|at| new.contains(&at));
        let has_words = |row: &Row| row.text().contains(char::is_alphanumeric);
        if rows.iter().filter(|row| has_words(row)).all(is_new) {
            return Ok(());
        }
        // A bracket goes with the line before it.
        let mut marked = false;
        for row in rows.iter_mut().filter(|row| row.at.is_some()) {
            marked = is_new(row) || (marked && !has_words(row));
            if marked {
                row.change = Change::New;
            }
        }
        Ok(())
    }

    /// Both sides come from files that are tested: a twin, and a chapter.
    fn pairs(&self, node: &Side, rust: &Side) -> Result<Vec<Pair>> {
        let (script, program) = (self.locate(&node.file), self.locate(&rust.file));
        if !script.starts_with(TWINS) || !script.ends_with(".mjs") {
            bail!("{script} is no twin: the left of `sides` is a script in {TWINS}");
        }
        if !program.starts_with(CHAPTERS) || !program.ends_with(".rs") {
            bail!("{program} is no program: the right of `sides` is Rust in {CHAPTERS}/");
        }
        let counterparts = counterparts(node, rust)?;
        let both = node.parts.iter().zip(&counterparts);
        both.map(|(node, rust)| {
            Ok(Pair {
                node: self.column(&script, node)?,
                rust: self.column(&program, rust)?,
            })
        })
        .collect()
    }

    fn column(&self, file: &str, parts: &[Selector]) -> Result<Column> {
        let mut names: Vec<&str> = parts.iter().map(Selector::heading).collect();
        names.dedup();
        Ok(Column { name: names.join(", "), code: self.item(file, parts)? })
    }

    /// The rows of a file, or of parts of it, in one step against another.
    pub(crate) fn diff(
        &self,
        from: &str,
        to: &str,
        file: &str,
        parts: &[Selector],
    ) -> Result<Code> {
        let old = self.source_or_absent(&format!("{CHAPTERS}/{from}/{file}"))?;
        let new = match self.source(&format!("{CHAPTERS}/{to}/{file}")) {
            Err(_) if !old.lines.is_empty() => {
                Rc::new(Source::absent(format!("{CHAPTERS}/{to}/{file}")))
            }
            source => source?,
        };
        let mut rows = Vec::new();
        for part in parts {
            let (a, b) = both_sides(&old, &new, part)?;
            if !rows.is_empty() {
                rows.push(Row::gap());
            }
            rows.extend(step_diff::rows(&old, a, &new, b));
        }
        if parts.is_empty() {
            rows = step_diff::rows(&old, 0..old.lines.len(), &new, 0..new.lines.len());
        }
        if rows.iter().all(|row| matches!(row.change, Change::Same | Change::Gap)) {
            bail!(
                "nothing differs between {} and {}{}",
                old.path,
                new.path,
                in_part(parts)
            );
        }
        let rows = step_diff::fold(rows, &new);
        Ok(Code { source: new, rows, part: names(parts), from: Some(from.to_owned()) })
    }

    pub(crate) fn tree(&self, folder: &str) -> Result<Tree> {
        let from = self.step_of_folder(folder).and_then(|step| step.from.clone());
        let mut paths = self.files(&format!("{CHAPTERS}/{folder}"));
        if let Some(from) = &from {
            paths.extend(self.files(&format!("{CHAPTERS}/{from}")));
        }
        paths.sort();
        paths.dedup();
        let files = paths.into_iter();
        let files = files.map(|path| self.tree_file(from.as_deref(), folder, path));
        let files = files.collect::<Result<_>>()?;
        Ok(Tree { folder: folder.to_owned(), from, files })
    }

    fn tree_file(
        &self,
        from: Option<&str>,
        folder: &str,
        path: String,
    ) -> Result<TreeFile> {
        let read = |folder: &str| {
            std::fs::read(self.root.join(CHAPTERS).join(folder).join(&path)).ok()
        };
        let (old, new) = (from.and_then(read), read(folder));
        let mut as_in = None;
        let state = match (&old, &new) {
            (None, None) => bail!("cannot read {path}"),
            (Some(_), None) => "removed",
            (Some(old), Some(new)) if old == new => "same",
            _ => {
                as_in = self.as_in(folder, &path).map(|step| folder_number(&step.folder));
                match (&as_in, &old) {
                    (Some(_), _) => "same",
                    (None, None) => "new",
                    (None, Some(_)) => "changed",
                }
            }
        };
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap_or_default());
        // Pictures and other bytes have no lines.
        let (old, new) = (text(old).unwrap_or_default(), text(new).unwrap_or_default());
        let diff = similar::TextDiff::from_lines(&old, &new);
        let count =
            |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        let added = count(similar::ChangeTag::Insert);
        let removed = count(similar::ChangeTag::Delete);
        Ok(TreeFile { path, state, as_in, added, removed })
    }

    fn transcript(&self, chapter: &str, name: &str) -> Result<Transcript> {
        let package = self.ladder.get(chapter).map(|step| step.package.as_str());
        let chapter = package.unwrap_or(chapter);
        let folder = self.root.join("book/transcripts").join(chapter);
        let file = folder.join(format!("{name}.txt"));
        if !file.is_file() {
            let known: Vec<String> = std::fs::read_dir(&folder)
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|entry| {
                    Some(entry.path().file_stem()?.to_string_lossy().into_owned())
                })
                .collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            bail!(
                "there is no transcript book/transcripts/{chapter}/{name}.txt{}; \
                 `cargo workbook record` makes it",
                nearest(name, &known)
            );
        }
        let text = std::fs::read_to_string(&file)?;
        let (head, body) = recorded::open(&text).map_err(|fault| {
            anyhow::anyhow!("book/transcripts/{chapter}/{name}.txt {fault}")
        })?;
        Ok(Transcript { chapter: chapter.into(), test: head.test, body: body.into() })
    }

    fn measured(&self, measure: &Measure) -> Result<Measured> {
        let run = self.run()?;
        Ok(match measure {
            Measure::Run => Measured::Words(run.about()),
            Measure::Table(name) => Measured::Table(measured::table(&run, name)?),
            Measure::Plot(name) => Measured::Plot(measured::plot(&run, name)?),
            Measure::Value { load, metric, server } => {
                let value = run.median(load, server, metric)?;
                let metric = measured::metric(metric)?;
                Measured::Words(format!("{} {}", metric.show(value), metric.unit))
            }
            Measure::Share { load, metric, ours, theirs } => {
                let ours = run.median(load, ours, metric)?;
                let share = ours / run.median(load, theirs, metric)?;
                Measured::Words(format!("{share:.2}"))
            }
        })
    }

    fn promise(&self, chapter: &str, test: &str) -> Result<Promise> {
        let files = self.test_files(chapter);
        if self.ladder.get(chapter).is_none() && !self.root.join(&files[0]).is_file() {
            return Err(self.no_step(chapter));
        }
        let mut known = Vec::new();
        for path in &files {
            let source = self.source(path)?;
            for item in source.items.iter().filter(|item| item.is_test) {
                if same_test(test, &item.names[0]) {
                    let rows =
                        item.range.clone().map(|at| Row::plain(&source, at)).collect();
                    let source = source.clone();
                    let code = Code { source, rows, part: test.to_owned(), from: None };
                    return Ok(Promise { test: test.to_owned(), code });
                }
                known.push(item.names[0].clone());
            }
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        bail!("{} has no test `{test}`{}", files[0], nearest(test, &known));
    }
}

/// `2.3` for the folder `2.3-replies`.
pub(crate) fn folder_number(folder: &str) -> String {
    folder.split('-').next().unwrap_or_default().to_owned()
}

/// What stands beside each part of the left side: what the page names, or the items with
/// the same names.
fn counterparts(node: &Side, rust: &Side) -> Result<Vec<Vec<Selector>>> {
    let same_name = |parts: &Vec<Selector>| match parts.as_slice() {
        [Selector::Name(name)] => Some(vec![Selector::Name(in_rust(name))]),
        _ => None,
    };
    if rust.parts.is_empty() {
        let unnamed = |parts: &Vec<Selector>| {
            let what = names(parts);
            anyhow::anyhow!("`{what}` is no name: say what stands beside it in Rust")
        };
        let named = |parts| same_name(parts).ok_or_else(|| unnamed(parts));
        return node.parts.iter().map(named).collect();
    }
    if node.parts.len() != rust.parts.len() {
        bail!(
            "names {} for Node and {} for Rust: every part needs one beside it; `+` joins \
             several to one",
            node.parts.len(),
            rust.parts.len()
        );
    }
    for (at, parts) in node.parts.iter().enumerate() {
        let same_name = same_name(parts);
        let elsewhere =
            rust.parts.iter().position(|other| Some(other) == same_name.as_ref());
        if elsewhere.is_some_and(|elsewhere| elsewhere != at) {
            bail!(
                "`{}` would stand beside `{}`: name both sides in the same order",
                names(parts),
                names(&rust.parts[at])
            );
        }
    }
    Ok(rust.parts.clone())
}

/// `on_join` for `onJoin`. Types and constants are spelled alike in both languages.
fn in_rust(name: &str) -> String {
    if name.starts_with(char::is_uppercase) {
        return name.to_owned();
    }
    let word = |c: char| match c.is_uppercase() {
        true => format!("_{}", c.to_lowercase()),
        false => c.to_string(),
    };
    name.chars().map(word).collect()
}

/// What separates two parts shown one below the other.
fn between(source: &Source, last_end: Option<usize>, next: &Range<usize>) -> Vec<Row> {
    match last_end {
        None => vec![],
        Some(end) if end <= next.start && source.trimmed(end..next.start).is_empty() => {
            (end..next.start).map(|at| Row::plain(source, at)).collect()
        }
        Some(_) => vec![Row::gap()],
    }
}

/// A part on the old and on the new side. One of them may lack it.
fn both_sides(
    old: &Source,
    new: &Source,
    part: &Selector,
) -> Result<(Range<usize>, Range<usize>)> {
    let hull = |ranges: Vec<Range<usize>>| {
        let start = ranges.iter().map(|range| range.start).min()?;
        Some(start..ranges.iter().map(|range| range.end).max()?)
    };
    let before = old.select(part).ok().and_then(hull);
    let after = match (new.select(part), &before) {
        (Ok(ranges), _) => hull(ranges).unwrap_or(0..0),
        // Removed by this step: all of it is shown as removed.
        (Err(_), Some(_)) => 0..0,
        (Err(error), None) => return Err(error),
    };
    let before = before.unwrap_or_else(|| step_diff::counterpart(old, new, &after));
    Ok((before, after))
}

fn names(parts: &[Selector]) -> String {
    parts.iter().map(Selector::to_string).collect::<Vec<_>>().join(", ")
}

fn in_part(parts: &[Selector]) -> String {
    if parts.is_empty() { String::new() } else { format!(" in `{}`", names(parts)) }
}
