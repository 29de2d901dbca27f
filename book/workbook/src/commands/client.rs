//! `client`: the official browser client without Node.
use crate::Outcome;
use crate::workbook::Workbook;
use anyhow::Result;
pub(super) fn run(_workbook: &Workbook) -> Result<Outcome> {
    anyhow::bail!("not yet")
}
