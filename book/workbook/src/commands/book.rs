//! `book`: builds and serves the book without mdBook.
use crate::Outcome;
use crate::workbook::Workbook;
use anyhow::Result;
pub(super) fn run(
    _workbook: &Workbook,
    _serve: bool,
    _open: bool,
    _port: u16,
) -> Result<Outcome> {
    anyhow::bail!("not yet")
}
