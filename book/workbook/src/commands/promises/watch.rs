//! `check N --watch`: again whenever the server has restarted, and only what changed.

use std::sync::mpsc;
use std::thread;

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
    // A thread of its own: a restart while the tests run counts as well.
    let (restarted, heard) = mpsc::channel();
    let address = url.to_owned();
    thread::spawn(move || {
        loop {
            server::restarted(&address);
            restarted.send(()).ok();
        }
    });
    let mut last: Report<'_> = check(promises, wish);
    last.say(workbook, wish);
    say!("\nWatching {url}. Restart your program to check it again; Ctrl-C ends this.");
    while heard.recv().is_ok() {
        // However often it has restarted meanwhile.
        while heard.try_recv().is_ok() {}
        let now = check(promises, wish);
        say!("");
        now.say_changes(&last);
        last = now;
    }
    Ok(Outcome::Fine)
}
