//! `check N`: a step's promises, against this clone's program or any server.

mod choice;
mod report;
mod seen;
mod server;
mod watch;

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use runner::{End, Plan};

use self::choice::Promise;
pub(super) use self::choice::in_names;
use self::report::Report;
use crate::Outcome;
use crate::ladder::Step;
use crate::terminal::say;
use crate::workbook::Workbook;

/// What the reader wants checked.
struct Wish<'a> {
    step: &'a Step,
    /// Words in the promises' names.
    only: Option<&'a str>,
    asked: Asked<'a>,
}

/// What is checked.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// This clone's program, which every test starts.
    Clone,
    /// The reader's program, which every test starts.
    Program(&'a Path),
    /// A server that runs.
    Url(&'a str),
}

pub(super) fn run(
    workbook: &Workbook,
    chapter: &str,
    only: Option<&str>,
    asked: Asked<'_>,
    watch: bool,
) -> Result<Outcome> {
    let wish = Wish { step: workbook.ladder.find(chapter)?, only, asked };
    let shown = match asked {
        Asked::Clone => "the program in this clone".to_owned(),
        Asked::Program(program) => {
            ensure!(program.is_file(), "there is no program {}", program.display());
            program.display().to_string()
        }
        Asked::Url(url) => {
            if !watch {
                server::connect(url)?;
            }
            url.to_owned()
        }
    };
    say!(
        "Checking {} against {shown}. Cargo builds the tests first.\n",
        wish.step.number()
    );
    let promises = choice::promises(workbook, &wish)?;
    ensure!(!promises.is_empty(), "no promise of {} has these words", wish.step.number());
    if let Asked::Url(url) = asked
        && watch
    {
        return watch::run(workbook, &wish, url, &promises);
    }
    let report = check(&promises, &wish);
    report.say(workbook, &wish);
    Ok(if report.broken() == 0 { Outcome::Fine } else { Outcome::Found })
}

/// Runs the promises' tests, each in a process of its own, many at once: most of them wait.
fn check<'a>(promises: &'a [Promise], wish: &Wish<'_>) -> Report<'a> {
    let set = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let unset = |name: &str| (name.to_owned(), None);
    let mut environment = vec![set("WORKBOOK_TESTS", "quick"), unset("WORKBOOK_RECORD")];
    let long = Duration::from_secs(120);
    let (at_once, limit) = match wish.asked {
        Asked::Clone => {
            environment.extend([unset("WORKBOOK_URL"), unset("WORKBOOK_PATIENCE")]);
            (12, long)
        }
        Asked::Program(_) => {
            environment.extend([unset("WORKBOOK_URL"), unset("WORKBOOK_SERVER")]);
            (12, long)
        }
        Asked::Url(url) => {
            environment.push(set("WORKBOOK_URL", url));
            environment.push(unset("WORKBOOK_SERVER"));
            (16, Duration::from_secs(20))
        }
    };
    if !matches!(wish.asked, Asked::Clone) {
        // A reader's server does not keep most promises yet, and each of those is waited for.
        environment.push(set("WORKBOOK_PATIENCE", "3"));
    }
    // Somebody who asks for some promises by name has the time that they take.
    let (limit, has_time) =
        if wish.only.is_some() { (long, true) } else { (limit, false) };
    let has_time = has_time || matches!(wish.asked, Asked::Program(_));
    environment.push(if has_time {
        set("WORKBOOK_LONG", "1")
    } else {
        unset("WORKBOOK_LONG")
    });
    let plan = Plan { at_once, weight: &|_| 1, limit, environment };
    let cases = promises.iter().map(|promise| promise.case.clone()).collect();
    let mut ends: HashMap<String, End> = HashMap::new();
    runner::run(cases, &plan, |ended| {
        ends.insert(ended.case.name, ended.end);
        progress(ends.len(), promises.len());
    });
    Report::new(promises, &mut ends)
}

/// How far the tests are, on a terminal: one line that is written over, and wiped at the end.
fn progress(ended: usize, of: usize) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let text =
            if ended < of { format!("{ended} of {of} tests") } else { String::new() };
        write!(terminal, "\r{text:<20}\r").ok();
    }
}
