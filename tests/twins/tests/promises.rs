//! The promises of each chapter, asked of its twin in Node.

use std::{
    collections::HashMap,
    fs,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use support::{root, say, skipped, twin};
use twins::{Differences, Run, faults};

/// How many promises are asked at once. Most of the time a test waits, but each starts a Node,
/// and some promises are about a second that passes.
const AT_ONCE: &str = "--test-threads=8";

#[test]
fn chapter_1_and_its_twin_keep_the_same_promises() {
    compare("chapter-1");
}

#[test]
fn chapter_2_and_its_twin_keep_the_same_promises() {
    compare("chapter-2");
}

#[test]
fn chapter_3_and_its_twin_keep_the_same_promises() {
    compare("chapter-3");
}

#[test]
fn chapter_4_and_its_twin_keep_the_same_promises() {
    compare("chapter-4");
}

#[test]
fn chapter_5_and_its_twin_keep_the_same_promises() {
    compare("chapter-5");
}

#[test]
fn chapter_5_1_and_its_twin_keep_the_same_promises() {
    compare("chapter-5-1");
}

#[test]
fn chapter_5_2_and_its_twin_keep_the_same_promises() {
    compare("chapter-5-2");
}

#[test]
fn every_twin_is_compared_with_its_chapter() {
    let compared = include_str!("promises.rs");
    for entry in fs::read_dir(root().join("tests/node")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(chapter) =
            name.strip_suffix(".mjs").filter(|name| name.starts_with("chapter-"))
        {
            assert!(compared.contains(&format!("compare(\"{chapter}\")")), "{name}");
        }
    }
}

#[test]
fn every_difference_names_a_test_of_one_of_its_chapters() {
    let table = Differences::read(&root()).unwrap_or_else(|fault| panic!("{fault}"));
    for row in table.all() {
        let known: Vec<_> = row
            .chapters
            .iter()
            .flat_map(|chapter| names(test_program(chapter)))
            .collect();
        for name in row.promises() {
            assert!(known.iter().any(|known| known == name), "no test is called {name}");
        }
    }
}

/// Runs the chapter's own tests against its twin. Every one of them passes, or the table of
/// differences names it and it fails as the table says.
fn compare(chapter: &str) {
    if skipped("node") {
        return;
    }
    let table = Differences::read(&root()).unwrap_or_else(|fault| panic!("{fault}"));
    let rows: Vec<_> = table.of(chapter).collect();
    let tests = test_program(chapter);
    let known = names(tests);
    assert!(known.len() > 10, "{tests} has no tests");
    // Before the clock of any test runs: what is installed here, no test has to wait for.
    twin::of(chapter);
    let mut arguments = vec![AT_ONCE, "--exact"];
    for name in rows.iter().flat_map(|row| &row.not_asked) {
        arguments.extend(["--skip", name]);
    }
    let output = run(tests, &arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ended = Run::read(&text(&output.stdout), &text(&output.stderr));
    let faults = faults(&rows, &known, &ended);
    say(&summary(chapter, &known, &ended));
    assert!(faults.is_empty(), "see {}:\n{}", Differences::FILE, faults.join("\n\n"));
}

fn summary(chapter: &str, known: &[String], run: &Run) -> String {
    let passed = run.ended.values().filter(|end| end.is_ok()).count();
    let differ = run.ended.len() - passed;
    let kept = passed.saturating_sub(run.not_checked.len());
    let not_asked = known.len().saturating_sub(kept + differ);
    format!(
        "{chapter} in Node: {kept} promises kept, {differ} differ, {not_asked} not asked"
    )
}

/// Runs a chapter's test program, for its twin.
fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).env(twin::VARIABLE, "node").env("RUST_BACKTRACE", "0");
    for name in ["WORKBOOK_URL", "RUST_TEST_NOCAPTURE", "RUST_TEST_THREADS"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).output().expect("a test program runs")
}

/// The tests of a test program.
fn names(tests: &str) -> Vec<String> {
    let list = run(tests, &["--list", "--format=terse"]);
    let list = String::from_utf8_lossy(&list.stdout);
    list.lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect()
}

/// The program with a chapter's tests. Another package's program has no name here, so Cargo is
/// asked; with the whole workspace, for then it has just built them.
fn test_program(chapter: &str) -> &'static str {
    static PROGRAMS: OnceLock<HashMap<String, String>> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = Command::new(cargo);
        command.args(["test", "--no-run", "--workspace", "--message-format=json"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let built = command.current_dir(root()).stderr(Stdio::piped()).output();
        let built = built.expect("Cargo runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["kind"] == serde_json::json!(["test"]))
            .filter_map(|message| {
                let name = message["target"]["name"].as_str()?;
                Some((name.to_owned(), message["executable"].as_str()?.to_owned()))
            })
            .collect()
    });
    programs.get(chapter).unwrap_or_else(|| panic!("Cargo built no tests of {chapter}"))
}
