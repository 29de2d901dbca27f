//! Runs tests side by side.

use std::{
    io::{self, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::case::Case;

/// How tests are run.
pub struct Plan<'a> {
    /// How much may go on at once.
    pub at_once: usize,
    /// What a test takes of it: 1 for one that mostly waits.
    pub weight: &'a dyn Fn(&Case) -> usize,
    /// How long a test may take. One that takes longer is ended, with all that it started.
    pub limit: Duration,
    /// Environment variables for all of them; one without a value is removed.
    pub environment: Vec<(String, Option<String>)>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It kept its promise.
    Passed,
    /// It did not. What the test said, without what the test runner and a backtrace say.
    Failed(String),
    /// It had nothing to do in this run, and said why: `left out`, `not checked` or `skipped`.
    Aside {
        /// One of the three words.
        how: &'static str,
        /// The reason.
        why: String,
    },
}

/// A test that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The test.
    pub case: Case,
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
}

/// The words by which a test says that it has nothing to do.
const ASIDE: [&str; 3] = ["left out", "not checked", "skipped"];

/// Runs `cases`, the first ones first, and hands over each as it ends.
pub fn run(cases: Vec<Case>, plan: &Plan<'_>, mut ended: impl FnMut(Ended)) {
    let (sender, receiver) = mpsc::channel();
    let mut waiting: Vec<Case> = cases;
    waiting.reverse();
    let mut taken = 0;
    loop {
        while let Some(case) = next(&mut waiting, plan, taken) {
            let weight = (plan.weight)(&case).min(plan.at_once);
            taken += weight;
            let (sender, limit) = (sender.clone(), plan.limit);
            let command = command(&case, &plan.environment);
            thread::spawn(move || {
                let started = Instant::now();
                let end = one(&case, command, limit)
                    .unwrap_or_else(|error| End::Failed(format!("cannot run: {error}")));
                sender.send((Ended { case, end, took: started.elapsed() }, weight)).ok();
            });
        }
        if taken == 0 {
            return;
        }
        let (test, weight) = receiver.recv().expect("BUG: this function holds a sender");
        taken -= weight;
        ended(test);
    }
}

/// The first test for which there is room. One that is too large waits for room, and smaller
/// ones pass it by.
fn next(waiting: &mut Vec<Case>, plan: &Plan<'_>, taken: usize) -> Option<Case> {
    let room = plan.at_once.saturating_sub(taken);
    let fits = |case: &Case| (plan.weight)(case).min(plan.at_once) <= room;
    let at = waiting.iter().rposition(fits)?;
    Some(waiting.remove(at))
}

fn command(case: &Case, environment: &[(String, Option<String>)]) -> Command {
    let mut command = Command::new(&case.program.path);
    // Two threads, because a single one would run the test in the main thread, and tests know
    // their names from their threads.
    command.args(["--exact", &case.name, "--nocapture", "--test-threads=2"]);
    command.current_dir(&case.program.folder).env("RUST_BACKTRACE", "0");
    for name in ["RUST_TEST_THREADS", "RUST_TEST_NOCAPTURE"] {
        command.env_remove(name);
    }
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.envs(case.environment.iter().map(|(name, value)| (name, value)));
    command
}

fn one(case: &Case, mut command: Command, limit: Duration) -> io::Result<End> {
    let (mut output, input) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    // This side's end of the pipe goes with it, or reading would never come to an end.
    drop(command);
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        output.read_to_end(&mut text).ok();
        said.send(text).ok();
    });
    // The output ends when the test and all that it started have ended.
    let text = heard.recv_timeout(limit);
    let late = text.is_err();
    if late {
        end_all(&mut child);
    }
    let status = child.wait()?;
    let text = text.or_else(|_| heard.recv_timeout(Duration::from_secs(5)));
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    if late {
        let said = said_by_the_test(&case.name, &text);
        return Ok(End::Failed(format!(
            "took longer than {limit:?}, and was ended\n{said}"
        )));
    }
    Ok(judge(&case.name, status, &text))
}

/// Ends a test and what it started: browsers and servers are in its process group.
fn end_all(child: &mut Child) {
    #[cfg(unix)]
    Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status().ok();
    child.kill().ok();
}

fn judge(name: &str, status: ExitStatus, text: &str) -> End {
    if !status.success() {
        return End::Failed(said_by_the_test(name, text));
    }
    let aside = text.lines().find_map(|line| {
        let (how, rest) = line.split_once(": ")?;
        let how = ASIDE.into_iter().find(|word| *word == how)?;
        let why =
            rest.split_once(" (").map_or(rest, |(_, why)| why.trim_end_matches(')'));
        Some(End::Aside { how, why: why.to_owned() })
    });
    aside.unwrap_or(End::Passed)
}

/// What a test said itself: without the lines of the test runner and of a panic's head.
fn said_by_the_test(name: &str, text: &str) -> String {
    let noise = |line: &str| {
        let line = line.trim();
        let starts = [
            "running 1 test",
            "test result: ",
            "thread '",
            "note: run with `RUST_BACKTRACE",
        ];
        starts.iter().any(|start| line.starts_with(start))
            || line.strip_prefix("test ").is_some_and(|rest| rest.starts_with(name))
            || ["failures:", "successes:", name].contains(&line)
    };
    let lines: Vec<&str> = text.lines().filter(|line| !noise(line)).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn status(code: i32) -> ExitStatus {
        std::os::unix::process::ExitStatusExt::from_raw(code << 8)
    }

    #[cfg(unix)]
    #[test]
    fn an_exit_code_says_how_a_test_ended() {
        let text =
            "\nrunning 1 test\ntest it_counts ... ok\n\ntest result: ok. 1 passed\n";
        assert_eq!(judge("it_counts", status(0), text), End::Passed);
        let text = "\nrunning 1 test\n\nthread 'it_counts' (7) panicked at a.rs:1:2:\nleft: 1\n\
                    note: run with `RUST_BACKTRACE=1` environment variable\ntest it_counts ... FAILED\n\
                    \nfailures:\n\nfailures:\n    it_counts\n\ntest result: FAILED. 0 passed\n";
        assert_eq!(judge("it_counts", status(101), text), End::Failed("left: 1".into()));
    }

    #[cfg(unix)]
    #[test]
    fn a_test_with_nothing_to_do_says_why() {
        let text =
            "running 1 test\nleft out: it_counts (five themes)\ntest it_counts ... ok\n";
        let why = "five themes".to_owned();
        assert_eq!(
            judge("it_counts", status(0), text),
            End::Aside { how: "left out", why }
        );
    }
}
