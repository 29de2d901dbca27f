//! `check N`: a chapter's promises, against this clone's program or any server.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, PipeReader};
use std::net::TcpStream;
use std::process::{Child, ExitStatus};

use anyhow::{Context, Result, bail, ensure};

use crate::Outcome;
use crate::terminal::{Screen, say};
use crate::workbook::Workbook;

/// How a suite says that a promise is not about the server it was given.
const NOT_CHECKED: &str = "not checked:";
/// How much a broken promise's test may say. A list of all that a client saw helps nobody.
const MOST_SAID: usize = 8;

pub(super) fn run(
    workbook: &Workbook,
    chapter: &str,
    only: Option<&str>,
    url: Option<&str>,
) -> Result<Outcome> {
    let step = workbook.ladder.find(chapter)?;
    if let Some(url) = url {
        somebody_listens(url)?;
    }
    say!(
        "Checking the promises of {} against {}.",
        step.package,
        url.unwrap_or("the program in this clone")
    );
    say!("Cargo builds the tests first; some of them are about waiting.");
    let mut report = Report::default();
    let only = only.map(|words| words.trim().replace(' ', "_"));
    let tests = cargo_test(workbook, &step.package, only.as_deref(), url)?;
    let status = tests.each_line(|line| report.hear(line))?;
    let (kept, broken) = (report.kept.len(), report.broken.len());
    if kept + broken + report.aside.len() == 0 {
        ensure!(!status.success(), "no promise of {} has these words", step.package);
        bail!("the tests of {} did not run; cargo says why above", step.package);
    }
    report.say_why(step.number(), url);
    say!("\n{kept} kept, {broken} broken, {} not checked.", report.aside.len());
    if broken == 0 {
        ensure!(status.success(), "the tests ended early; cargo says why above");
        return Ok(Outcome::Fine);
    }
    say!("The tests are in {}.", step.test_file());
    Ok(Outcome::Found)
}

/// Without a server every promise would be broken, each after half a minute.
fn somebody_listens(url: &str) -> Result<()> {
    let address = url.strip_prefix("http://").unwrap_or(url);
    let address = address.split('/').next().unwrap_or_default();
    let port = if address.contains(':') { "" } else { ":80" };
    let address = format!("{address}{port}");
    match TcpStream::connect(&address) {
        Ok(_) => Ok(()),
        Err(error) => {
            bail!("nothing answers at {url} ({error}); start the server, then check it")
        }
    }
}

/// A process, and everything it writes.
struct Running {
    child: Child,
    output: PipeReader,
}

impl Running {
    /// Hands over each line as it comes.
    fn each_line(mut self, mut hear: impl FnMut(&str)) -> Result<ExitStatus> {
        for line in BufReader::new(self.output).split(b'\n') {
            hear(String::from_utf8_lossy(&line?).trim_end());
        }
        Ok(self.child.wait()?)
    }
}

/// Starts a package's tests, or those with `only` in their names.
fn cargo_test(
    workbook: &Workbook,
    package: &str,
    only: Option<&str>,
    url: Option<&str>,
) -> Result<Running> {
    let mut command = workbook.cargo();
    command.args(["test", "--quiet", "--package", package, "--no-fail-fast", "--"]);
    // A test's name is that of its thread, and a single thread at a time has none.
    let threads =
        std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
    command.args(["--format", "pretty", "--test-threads", &threads.to_string()]);
    command.args(only);
    if let Some(url) = url {
        command.env("WORKBOOK_URL", url);
    }
    // A reader wants to know what was promised and what happened, not where we panic.
    command.env("RUST_BACKTRACE", "0");
    // One pipe for both, so that what a test says of itself comes before its result.
    let (output, input) = std::io::pipe()?;
    command.stdout(input.try_clone()?).stderr(input);
    let child = command.spawn().context("cannot run cargo")?;
    // `command` ends here, and with it this side's end of the pipe.
    Ok(Running { child, output })
}

/// What became of the promises so far. Says each as it is heard.
#[derive(Default)]
struct Report {
    kept: BTreeSet<String>,
    broken: Vec<String>,
    /// Neither: the promise is not about the server under test.
    aside: BTreeSet<String>,
    /// Whose output the runner is repeating.
    speaker: Option<String>,
    /// What a broken promise's test said.
    said: BTreeMap<String, Vec<String>>,
}

impl Report {
    /// Takes a line of the test runner, or one that a test wrote past it.
    fn hear(&mut self, line: &str) {
        let result = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
        let heading =
            line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" stdout ----"));
        if let Some(what) = line.strip_prefix(NOT_CHECKED) {
            self.set_aside(what.trim());
        } else if let Some((name, result)) = result {
            self.result(name, result);
        } else if let Some(name) = heading {
            self.speaker = Some(name.to_owned());
        } else if line == "failures:" {
            self.speaker = None;
        } else if let Some(name) = &self.speaker {
            self.said.entry(name.clone()).or_default().push(line.to_owned());
        } else if !is_the_runners(line, &self.broken) {
            // Whatever else cargo and the tests have to say.
            eprintln!("{line}");
        }
    }

    /// `name_of_test (why)` is neither kept nor broken.
    fn set_aside(&mut self, what: &str) {
        let (name, why) = what.split_once(' ').unwrap_or((what, ""));
        if self.aside.insert(name.to_owned()) {
            say!("  not checked  {} {why}", sentence(name));
        }
    }

    fn result(&mut self, name: &str, result: &str) {
        let screen = Screen::new(None);
        match result {
            _ if self.aside.contains(name) => {}
            "ok" => {
                self.kept.insert(name.to_owned());
                say!("  {}         {}", screen.good("kept"), sentence(name));
            }
            "FAILED" => {
                self.broken.push(name.to_owned());
                say!("  {}       {}", screen.bad("BROKEN"), sentence(name));
            }
            why => self.set_aside(&format!("{name} ({why})")),
        }
    }

    /// What the tests of the broken promises said.
    fn say_why(&self, number: &str, url: Option<&str>) {
        for name in &self.broken {
            say!("\n{}", Screen::new(None).bold(&sentence(name)));
            let said = self.said.get(name).map(Vec::as_slice).unwrap_or_default();
            let said: Vec<&String> = said.iter().filter(|line| !is_noise(line)).collect();
            for line in said.iter().take(MOST_SAID) {
                say!("  {line}");
            }
            if said.len() > MOST_SAID {
                say!("  … and {} lines more", said.len() - MOST_SAID);
            }
        }
        if let [first, ..] = &self.broken[..] {
            let url = url.map(|url| format!(" --url {url}")).unwrap_or_default();
            say!("\nOne at a time: cargo workbook check {number} {first}{url}");
        }
    }
}

fn is_noise(line: &str) -> bool {
    line.trim().is_empty()
        || line.starts_with("thread '")
        || line.contains("RUST_BACKTRACE")
}

/// Lines of the runner and of cargo that say what the report says better.
fn is_the_runners(line: &str, broken: &[String]) -> bool {
    let known =
        ["running ", "test result: ", "error: test failed", "error: 1 target failed"];
    line.trim().is_empty()
        || known.iter().any(|start| line.starts_with(start))
        || line.trim_start().starts_with("`-p ")
        || broken.iter().any(|name| line.trim() == name)
}

fn sentence(test: &str) -> String {
    test.rsplit("::").next().unwrap_or(test).replace('_', " ")
}
