//! `check N --watch`: again whenever the server has restarted, and only what changed.

use anyhow::Result;

use super::choice::Promise;
use super::report::Report;
use super::{Wish, check, server};
use crate::Outcome;
use crate::terminal::say;
use crate::workbook::Workbook;

/// Ends with Ctrl-C.
pub(super) fn run(
    workbook: &Workbook,
    wish: &Wish<'_>,
    url: &str,
    promises: &[Promise],
) -> Result<Outcome> {
    if server::connect(url).is_err() {
        say!("Waiting for a server at {url}.");
        server::listens(url);
    }
    let mut last: Report<'_> = check(promises, wish);
    last.say(workbook, wish);
    say!(
        "\nWatching {url}: restart your program, and it is checked again. Ctrl-C ends this."
    );
    loop {
        server::restarted(url);
        let now = check(promises, wish);
        say!("");
        now.say_changes(&last);
        last = now;
    }
}
