//! Starts a chapter and talks to it over the wire, as a test or a reader's client would.
//!
//! A test starts a [`Server`] and then uses the client that fits the promise: [`http`] for a
//! request, [`ws`] for WebSocket frames, [`polling`] and [`socket_io`] for packets, and
//! [`official`] for what the official JavaScript client makes of them. [`chat`] has what the
//! GIF chat's tests need on top.
//!
//! Nothing here sleeps. What should happen is awaited with [`within`] a generous deadline;
//! that something did *not* happen is shown by something sent later that arrived first.

pub mod chat;
pub mod crooked;
pub mod effort;
pub mod http;
mod npm;
pub mod official;
pub mod polling;
pub mod proxy;
pub mod record;
mod server;
pub mod socket_io;
pub mod twin;
pub mod ws;

use std::{future::Future, io::Write, path::PathBuf, time::Duration};

pub use server::{PROGRAM, Server, is_ours};

/// Awaits `future`, or fails the test with what was missing.
///
/// # Panics
/// If `future` takes longer than [`effort::deadline`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    within_after(Duration::ZERO, what, future).await
}

/// The same for what comes after `least` at the earliest: the deadline begins then.
pub async fn within_after<T>(
    least: Duration,
    what: &str,
    future: impl Future<Output = T>,
) -> T {
    let deadline = least + effort::deadline();
    match tokio::time::timeout(deadline, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {deadline:?} in vain for {what}"),
    }
}

/// A name that no other test uses, nor this one in another run, because tests may share a
/// server: `word`, a hyphen and eight characters more.
pub fn own_name(word: &str) -> String {
    format!("{word}-{:08x}", fastrand::u32(..))
}

/// Nine digits that no other test uses, nor this one in another run.
pub fn own_digits() -> String {
    format!("{:09}", fastrand::u32(..1_000_000_000))
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Whether `WORKBOOK_SKIP` (a list such as `browser,node`) names `what`. If it does, this
/// says so on standard error, where a passing test's output is otherwise hidden.
pub fn skipped(what: &str) -> bool {
    let list = std::env::var("WORKBOOK_SKIP").unwrap_or_default();
    let skipped = list.split(',').any(|item| item.trim() == what);
    if skipped {
        say(&format!("skipped: {} (WORKBOOK_SKIP={list})", test_name()));
    }
    skipped
}

/// Writes a line to standard error past the test runner, which hides what passing tests
/// print.
pub fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

/// The name of the running test: its runner gives it to the thread.
pub fn test_name() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}
