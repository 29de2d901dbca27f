//! `book`: builds and serves the book without mdBook.

use anyhow::{Context, Result};

use crate::Outcome;
use crate::terminal::say;
use crate::workbook::Workbook;

/// This tool's own, whichever clone `--root` names.
const BUILDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../builder/Cargo.toml");

/// Calls the package `book`, which brings mdBook's library. It is a program of its own
/// because it takes three times as long to compile as everything else here.
pub(super) fn run(
    workbook: &Workbook,
    serve: bool,
    open: bool,
    port: u16,
) -> Result<Outcome> {
    say!("Building the book. The first time, cargo compiles mdBook: a minute or two.");
    let port = if serve { port.to_string() } else { "-".into() };
    let root = workbook.root.canonicalize().context("cannot see the clone")?;
    let status = workbook
        .cargo()
        .args(["run", "--quiet", "--manifest-path", BUILDER, "--"])
        .arg(root)
        .args([port.as_str(), if open { "open" } else { "-" }])
        .status()
        .context("cannot run cargo")?;
    Ok(if status.success() { Outcome::Fine } else { Outcome::Found })
}
