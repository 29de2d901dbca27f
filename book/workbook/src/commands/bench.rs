//! `bench`: how fast the chapters are, beside the same in Node.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::Outcome;
use crate::terminal::say;
use crate::workbook::Workbook;

/// This tool's own, whichever clone `--root` names.
const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/Cargo.toml");

/// Calls the package `bench`. It is a program of its own: what sends the load has to be
/// compiled with all optimisations, and this tool should compile fast.
pub(super) fn run(
    workbook: &Workbook,
    quick: bool,
    out: Option<PathBuf>,
    only: Option<String>,
) -> Result<Outcome> {
    let root = workbook.root.canonicalize().context("cannot see the clone")?;
    let mut command = workbook.cargo();
    command.args(["run", "--quiet", "--release", "--manifest-path", BENCH, "--"]);
    command.arg("--root").arg(root);
    if quick {
        command.arg("--quick");
    }
    if let Some(only) = only {
        command.args(["--only", &only]);
    }
    if let Some(out) = &out {
        // Seen from here, wherever the other program runs.
        command.arg("--out").arg(std::path::absolute(out)?);
    }
    say!("Compiling the generator, if that is still to do.");
    let status = command.status().context("cannot run cargo")?;
    if status.success() && out.is_some() {
        say!("If the file is in book/measurements, `cargo workbook book` shows it.");
    }
    Ok(if status.success() { Outcome::Fine } else { Outcome::Found })
}
