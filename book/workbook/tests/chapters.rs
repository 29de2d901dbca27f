//! The reader's commands on the real chapters.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{Server, effort::left_out};

/// Runs a command of the workbook on this clone.
fn workbook(arguments: &[&str]) -> Output {
    let root = support::root();
    Command::new(env!("CARGO_BIN_EXE_workbook"))
        .args(arguments)
        .arg("--root")
        .arg(root)
        .env_remove("WORKBOOK_URL")
        .env_remove("WORKBOOK_RECORD")
        .output()
        .expect("it runs")
}

/// A chapter's program, as this clone builds it.
fn program(package: &str) -> String {
    let program = runner::program(&support::root(), package).expect("it builds");
    program.display().to_string()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The number and the package of each step, in order.
fn steps() -> Vec<(String, String)> {
    let list = text(&workbook(&["list"]).stdout);
    let rows = list.lines().filter(|line| line.contains("chapters/"));
    let steps: Vec<_> = rows
        .filter_map(|row| {
            let mut words = row.split_whitespace().map(str::to_owned);
            words.next().zip(words.next())
        })
        .collect();
    assert!(steps.len() >= 2, "{list}");
    steps
}

/// An empty place outside the clone's workspace, with a blank in its name.
fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a reader").join(name);
    if place.exists() {
        fs::remove_dir_all(&place).expect("it is ours");
    }
    place
}

/// Builds the crate in a folder, as a reader does there, and returns its program. All
/// share what they compile, so that each costs seconds.
fn build(folder: &Path, package: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a reader/target");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(folder)
        .output()
        .expect("Cargo runs");
    assert!(built.status.success(), "{package} in {folder:?}: {}", text(&built.stderr));
    assert!(!text(&built.stderr).contains("error"), "{}", text(&built.stderr));
    target.join(format!("debug/{package}{}", std::env::consts::EXE_SUFFIX))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_chapter_starts_as_a_crate_of_its_own_that_builds_and_runs() {
    if left_out("chapters as a reader starts them") {
        return;
    }
    for (number, package) in steps() {
        for solution in [false, true] {
            let name = if solution { format!("{number} whole") } else { number.clone() };
            let folder = place(&name);
            let path = folder.to_str().unwrap();
            let mut arguments = vec!["start", &number, path];
            arguments.extend(solution.then_some("--solution"));
            let said = workbook(&arguments);
            assert!(said.status.success(), "{}", text(&said.stderr));
            let program = build(&folder, &package);
            let Some(server) = Server::own(program.to_str().unwrap()).await else {
                return;
            };
            let page = support::http::get(&server, "/").await;
            assert_eq!(page.status, 200, "{package}");
            let html = page.text();
            assert!(html.starts_with("<!doctype html>"), "{package}: {html}");
            // A template is a page by now, when the reader has written nothing.
            assert!(!html.contains("{%") && !html.contains("{{"), "{package}: {html}");
            for (before, _) in html.match_indices(".js\"") {
                let path = html[..before].rsplit('"').next().unwrap().to_owned() + ".js";
                let script = support::http::get(&server, &path).await;
                assert_eq!(script.status, 200, "{package}: {path}");
            }
            if solution {
                let said = workbook(&["compare", &number, path]);
                assert_eq!(said.status.code(), Some(0), "{}", text(&said.stdout));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_passes_against_the_chapter_and_names_the_promise_that_another_server_breaks()
 {
    if left_out("it runs Cargo for its tests") {
        return;
    }
    let Some(right) = Server::own(&program("chapter-2")).await else { return };
    let promise = "an unknown path is 404";
    let said = workbook(&["check", "2", promise, "--url", &right.url("")]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    assert!(text(&said.stdout).contains(&format!("kept    {promise}")), "{said:?}");

    let Some(wrong) = Server::own(&program("chapter-1")).await else { return };
    let promise = "a session begins with four packets over http";
    let said = workbook(&["check", "2", promise, "--url", &wrong.url("")]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    assert!(text(&said.stdout).contains(&format!("BROKEN  {promise}")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promises_about_the_program_itself_are_not_checked_against_another() {
    if left_out("it runs Cargo for its tests") {
        return;
    }
    let Some(server) = Server::own(&program("chapter-1")).await else { return };
    let said = workbook(&["check", "1", "ctrl c and sigterm", "--url", &server.url("")]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    assert!(text(&said.stdout).contains("0 kept, 0 broken, 1 not checked"), "{said:?}");
}

#[test]
fn every_diff_of_neighbours_fits_80_columns() {
    for pair in steps().windows(2) {
        let said = workbook(&["diff", &pair[0].0, &pair[1].0]);
        assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
        let diff = text(&said.stdout);
        assert!(diff.lines().count() > 20, "{diff}");
        let wide = diff.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None);
    }
}
