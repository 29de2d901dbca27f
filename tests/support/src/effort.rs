//! How much a run of the tests tries.
//!
//! A quick run asks for every promise, and the slow ones ask for the same with more clients,
//! more tries or more time. `WORKBOOK_TESTS` says which run this is.

use std::time::Duration;

use crate::{say, test_name};

/// What `WORKBOOK_TESTS` can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// `quick`, or nothing: what a reader waits for.
    Quick,
    /// `whole`: all that must hold before a change lands.
    Whole,
    /// `soak`: ten times as many tries as `whole`.
    Soak,
}

/// The effort of this run.
///
/// # Panics
/// If `WORKBOOK_TESTS` is another word.
pub fn effort() -> Effort {
    match std::env::var("WORKBOOK_TESTS").as_deref() {
        Err(_) | Ok("quick") => Effort::Quick,
        Ok("whole") => Effort::Whole,
        Ok("soak") => Effort::Soak,
        Ok(other) => panic!("WORKBOOK_TESTS is quick, whole or soak, not {other:?}"),
    }
}

/// How many of `all` tries this run makes: all in a soak, a tenth in a whole run, a hundredth
/// in a quick one, and always at least one.
pub fn times(all: usize) -> usize {
    let share = match effort() {
        Effort::Quick => 100,
        Effort::Whole => 10,
        Effort::Soak => 1,
    };
    (all / share).max(1)
}

/// The first `few` of `all` in a quick run, and all of them in a whole one.
pub fn some_of<T>(all: &[T], few: usize) -> &[T] {
    if effort() == Effort::Quick { &all[..few.min(all.len())] } else { all }
}

/// Whether a quick run leaves out the test that asks this. `why` says what is broad about it.
pub fn left_out(why: &str) -> bool {
    let left_out = effort() == Effort::Quick;
    if left_out {
        say(&format!("left out: {} ({why})", test_name()));
    }
    left_out
}

/// How long anything may take before a test gives up. Generous, because nothing is measured
/// with it and a busy machine is not a broken promise: 30 s. `WORKBOOK_PATIENCE` (seconds)
/// sets another limit; a reader who builds a server does not want to wait so long for each
/// promise that it does not keep yet.
pub fn deadline() -> Duration {
    let seconds = std::env::var("WORKBOOK_PATIENCE").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(30))
}

/// Whether this run has no time for a promise that takes at least `least` to be kept: one
/// with `WORKBOOK_PATIENCE`, unless `WORKBOOK_LONG` says that it has. The promise is then
/// listed as not checked.
pub fn takes_too_long(least: Duration) -> bool {
    let hurried = std::env::var_os("WORKBOOK_PATIENCE").is_some()
        && std::env::var_os("WORKBOOK_LONG").is_none();
    let too_long = hurried && least > Duration::from_secs(10);
    if too_long {
        say(&format!("not checked: {} (it takes {least:?})", test_name()));
    }
    too_long
}
