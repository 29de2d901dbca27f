//! How long each test took the last time.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use runner::Case;

use super::{LIMIT, full_name};
use crate::workbook::Workbook;

/// How long each test took the last time.
#[derive(Default)]
pub(super) struct Took(pub(super) BTreeMap<String, Duration>);

impl Took {
    fn file(workbook: &Workbook) -> PathBuf {
        workbook.root.join("target/tests-took.txt")
    }

    pub(super) fn read(workbook: &Workbook) -> Self {
        let text = fs::read_to_string(Self::file(workbook)).unwrap_or_default();
        let rows = text.lines().filter_map(|line| {
            let (took, name) = line.split_once(' ')?;
            Some((name.to_owned(), Duration::from_millis(took.parse().ok()?)))
        });
        Self(rows.collect())
    }

    /// One that is not known may be the longest of all.
    pub(super) fn of(&self, case: &Case) -> Duration {
        self.0.get(&full_name(case)).copied().unwrap_or(LIMIT)
    }

    /// Keeps what this run measured, and of earlier ones what this run did not.
    pub(super) fn write(&self, workbook: &Workbook, mut earlier: Self) {
        earlier.0.extend(self.0.clone());
        let rows =
            earlier.0.iter().map(|(name, took)| format!("{} {name}\n", took.as_millis()));
        // Without it the next run has another order, and nothing is lost.
        fs::write(Self::file(workbook), rows.collect::<String>()).ok();
    }
}
