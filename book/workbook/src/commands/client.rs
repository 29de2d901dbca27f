//! `client`: the official browser client without Node.

use anyhow::{Context, Result};

use crate::Outcome;
use crate::terminal::say;
use crate::workbook::{CHAPTERS, Workbook};

/// Runs `book/fetch-client`, which brings TLS and archives and is not in the workspace.
pub(super) fn run(workbook: &Workbook) -> Result<Outcome> {
    say!(
        "Fetching the Socket.IO browser client. The fetcher compiles first: about 20 s."
    );
    let status = workbook
        .cargo()
        .args(["run", "--quiet", "--locked"])
        .args(["--manifest-path", "book/fetch-client/Cargo.toml"])
        .args(["--target-dir", "target/fetch-client", "--"])
        .arg(format!("{CHAPTERS}/browser-kit"))
        .status()
        .context("cannot run cargo")?;
    if status.success() {
        say!("The next `cargo run` serves it.");
        return Ok(Outcome::Fine);
    }
    say!(
        "Nothing was changed. With Node installed, a plain build fetches the client too."
    );
    Ok(Outcome::Found)
}
