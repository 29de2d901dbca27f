//! What the chapters' twins in Node do in another way: the table in
//! `tests/node/differences.toml`. The tests hold it against both servers, and the book shows it.

mod ladder;
mod verdict;

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

pub use ladder::Ladder;
pub use verdict::{Run, faults};

/// One difference between a chapter and its twin.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The chapters' packages, such as `chapter-5-1`. Not every promise has to be one of each.
    pub chapters: Vec<String>,
    /// What the chapter does.
    pub here: String,
    /// What its twin does.
    pub node: String,
    /// The reason.
    pub why: String,
    /// The promises that the twin does not keep, each with words of how its test fails.
    #[serde(default)]
    pub fails: BTreeMap<String, String>,
    /// The promises that cannot be asked of the twin.
    #[serde(default)]
    pub not_asked: Vec<String>,
}

impl Difference {
    /// The names of the promises it is about.
    pub fn promises(&self) -> impl Iterator<Item = &str> {
        self.fails.keys().chain(&self.not_asked).map(String::as_str)
    }
}

/// All differences, in the order of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Differences {
    #[serde(rename = "difference", default)]
    rows: Vec<Difference>,
}

impl Differences {
    /// Where the table is, from the root of the workspace.
    pub const FILE: &str = "tests/node/differences.toml";

    /// Reads the table of the workspace at `root`. A folder without one has no differences.
    ///
    /// # Errors
    /// A sentence, if the file cannot be read or a row is not complete.
    pub fn read(root: &Path) -> Result<Self, String> {
        let file = root.join(Self::FILE);
        if !file.exists() {
            return Ok(Self { rows: Vec::new() });
        }
        let text = fs::read_to_string(file).map_err(|error| format!("{error}"))?;
        let table: Self = toml::from_str(&text).map_err(|error| format!("{error}"))?;
        for row in &table.rows {
            if row.chapters.is_empty() || row.promises().next().is_none() {
                return Err(format!("a row names no chapter or no promise: {row:?}"));
            }
            if row
                .fails
                .values()
                .chain([&row.here, &row.node, &row.why])
                .any(String::is_empty)
            {
                return Err(format!("a row has an empty text: {row:?}"));
            }
        }
        Ok(table)
    }

    /// Every row.
    pub fn all(&self) -> &[Difference] {
        &self.rows
    }

    /// The differences of one chapter.
    pub fn of<'a>(&'a self, chapter: &'a str) -> impl Iterator<Item = &'a Difference> {
        self.rows
            .iter()
            .filter(move |row| row.chapters.iter().any(|name| name == chapter))
    }
}
