//! What test runs leave for the book: transcripts and pictures.
//!
//! A test hands over what it saw. An ordinary run compares it with what the book shows
//! and fails when they differ; a run with `WORKBOOK_RECORD=1` (which is what
//! `cargo workbook record` sets) writes it. The book's checker reads the same files with
//! the same functions, so that an edited transcript or an outdated picture is noticed
//! without running anything.
//!
//! No dependencies: every chapter's tests compile this.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The environment variable that turns comparing into writing.
pub const RECORD: &str = "WORKBOOK_RECORD";

/// The first line of a transcript.
#[derive(Debug, PartialEq)]
pub struct Head {
    /// The test that recorded it.
    pub test: String,
}

/// Compares `body` with the transcript `name` of a chapter, or writes it when recording.
///
/// Ids, ports and times must be placeholders by now. The test's name is the name that
/// the test harness gave this thread.
///
/// # Errors
/// What differs, in words for whoever runs the tests.
pub fn transcript(package: &str, name: &str, body: &str) -> Result<(), String> {
    transcript_below(&root(), recording(), package, name, body)
}

fn transcript_below(
    root: &Path,
    recording: bool,
    package: &str,
    name: &str,
    body: &str,
) -> Result<(), String> {
    let shown = format!("book/transcripts/{package}/{name}.txt");
    let file = root.join(&shown);
    let body = normal(body);
    if recording {
        let thread = std::thread::current();
        return write(&file, seal(thread.name().unwrap_or("a test"), &body).as_bytes());
    }
    let again = format!("run `cargo workbook record {package}` and read what changed");
    let text = std::fs::read_to_string(&file)
        .map_err(|_| format!("{shown} is not recorded yet; {again}"))?;
    let (_, old) = open(&text).map_err(|fault| format!("{shown} {fault}"))?;
    match first_difference(old, &body) {
        None => Ok(()),
        Some(what) => Err(format!("{shown} is stale: {what}; {again}")),
    }
}

/// Keeps a picture of a chapter's page when recording; otherwise does nothing, for
/// pictures differ from machine to machine. Whether it is still true is the checker's
/// question, answered by [`sources`].
///
/// # Errors
/// The file could not be written.
pub fn picture(package: &str, folder: &str, png: &[u8]) -> Result<(), String> {
    if !recording() {
        return Ok(());
    }
    let file = root().join("book/src/pictures").join(format!("{package}.png"));
    write(&file, png)?;
    write(
        &file.with_extension("sources"),
        format!("{}\n", sources(&root(), folder)).as_bytes(),
    )
}

/// Whether this run writes what it sees.
#[must_use]
pub fn recording() -> bool {
    std::env::var_os(RECORD).is_some_and(|value| value == "1")
}

/// A transcript's text with its first line, which names the test and seals the rest.
#[must_use]
pub fn seal(test: &str, body: &str) -> String {
    format!("#: recorded by {test}, {:016x}\n{body}", hash([body.as_bytes()]))
}

/// Reads a transcript and sees whether anyone edited it.
///
/// # Errors
/// What is wrong, to be read after the file's name.
pub fn open(text: &str) -> Result<(Head, &str), String> {
    let fault = "was not written by a test: its first line is not `#: recorded by …`";
    let (first, body) = text.split_once('\n').unwrap_or((text, ""));
    let head = first.trim_end().strip_prefix("#: recorded by ").ok_or(fault)?;
    let (test, sum) = head.rsplit_once(", ").ok_or(fault)?;
    if sum != format!("{:016x}", hash([normal(body).as_bytes()])) {
        return Err("was edited after it was recorded; record it again".into());
    }
    Ok((Head { test: test.into() }, body))
}

/// A hash of the files that make a chapter's page: its `static` and `templates` folders, and
/// what these name of browser-kit's `static` folder.
#[must_use]
pub fn sources(root: &Path, folder: &str) -> String {
    let chapter = root.join("chapters").join(folder);
    let mut parts = contents([chapter.join("static"), chapter.join("templates")]);
    let named = |name: &str| {
        let name = name.as_bytes();
        parts.iter().any(|(_, bytes)| bytes.windows(name.len()).any(|it| it == name))
    };
    let mut kit = contents([root.join("chapters/browser-kit/static")]);
    kit.retain(|(name, _)| named(name.trim_start_matches('/')));
    parts.append(&mut kit);
    let parts = parts.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]);
    format!("{:016x}", hash(parts))
}

/// The files below some folders, in order, with their names and what is in them.
fn contents<const N: usize>(folders: [PathBuf; N]) -> Vec<(String, Vec<u8>)> {
    let mut contents = Vec::new();
    for folder in folders {
        let mut files = Vec::new();
        files_below(&folder, String::new(), &mut files);
        files.sort();
        for (name, path) in files {
            let bytes = std::fs::read(path).unwrap_or_default();
            let bytes = bytes.into_iter().filter(|&byte| byte != b'\r').collect();
            contents.push((name, bytes));
        }
    }
    contents
}

fn files_below(folder: &Path, prefix: String, found: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files_below(&entry.path(), name, found);
        } else {
            found.push((name, entry.path()));
        }
    }
}

/// FNV-1a, 64 bits: enough to notice an edit, and stable for ever.
fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        // The 0 keeps ["ab", "c"] and ["a", "bc"] apart.
        for byte in part.iter().chain(&[0]) {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    sum
}

/// LF line ends, no blanks at line ends, one line end at the end.
fn normal(text: &str) -> String {
    let mut out = String::new();
    for line in text.trim_end().lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

fn first_difference(old: &str, new: &str) -> Option<String> {
    let (mut old, mut new) = (old.lines(), new.lines());
    for number in 2.. {
        match (old.next(), new.next()) {
            (None, None) => break,
            (old, new) if old == new => {}
            (old, new) => {
                let say = |line: Option<&str>| {
                    line.map_or("nothing".into(), |l| format!("`{l}`"))
                };
                return Some(format!(
                    "line {number} has {}, this run saw {}",
                    say(old),
                    say(new)
                ));
            }
        }
    }
    None
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file, bytes))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_transcript_opens_with_the_name_of_its_test() {
        let text = seal("a_reply_comes_back", "> hello\n< hello\n");
        let (head, body) = open(&text).unwrap();
        assert_eq!(head.test, "a_reply_comes_back");
        assert_eq!(body, "> hello\n< hello\n");
    }

    #[test]
    fn an_edited_transcript_does_not_open() {
        let text = seal("a_reply_comes_back", "> hello\n").replace("hello", "hullo");
        assert!(open(&text).unwrap_err().contains("edited"));
    }

    #[test]
    fn windows_line_ends_are_not_an_edit() {
        let text = seal("t", "> hello\n< hello\n").replace('\n', "\r\n");
        assert!(open(&text).is_ok());
    }

    #[test]
    fn a_run_that_sees_something_else_than_was_recorded_is_told_where() {
        let root = std::env::temp_dir().join(format!("recorded {}", std::process::id()));
        let saw = |recording, body| {
            transcript_below(&root, recording, "chapter-2", "news", body)
        };
        let error = saw(false, "> hello\n").unwrap_err();
        assert!(error.contains("is not recorded yet"), "{error}");
        saw(true, "> hello\n< news\n").unwrap();
        saw(false, "> hello\n< news\n").unwrap();
        let error = saw(false, "> hello\n< olds\n").unwrap_err();
        let start = "book/transcripts/chapter-2/news.txt is stale: line 3";
        assert!(error.starts_with(start), "{error}");
        assert!(error.contains("`< olds`"), "{error}");
        let text =
            std::fs::read_to_string(root.join("book/transcripts/chapter-2/news.txt"));
        let text = text.unwrap();
        let test =
            "tests::a_run_that_sees_something_else_than_was_recorded_is_told_where";
        assert_eq!(open(&text).unwrap().0.test, test);
        std::fs::remove_dir_all(root).unwrap();
    }
}
