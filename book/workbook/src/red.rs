//! A promise as it fails before its step keeps it.

use anyhow::{Context, Result, bail};

use crate::piece::{folder_number, same_test, sentence};
use crate::select::nearest;
use crate::workbook::Workbook;

/// A promise that fails, and on what.
pub(crate) struct Red {
    /// The test's full name.
    pub(crate) test: String,
    pub(crate) against: Against,
    /// What the test said. Empty: only that it failed.
    pub(crate) words: String,
}

/// What a promise fails on.
pub(crate) enum Against {
    /// The step before, by its number.
    Step(String),
    /// The program that a reader begins this step with.
    Start(String),
    /// The step itself, when a line is taken out of one of its files.
    Without { file: String, line: String },
}

impl Red {
    pub(crate) fn sentence(&self) -> String {
        sentence(&self.test)
    }

    /// What a terminal says, with how it is to look.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Against::Without { file, line } = &self.against {
            lines.push(("note", format!("# {file} without this line:")));
            lines.push(("note", format!("#     {line}")));
        }
        lines.push(("failed", format!("test {} ... FAILED", self.test)));
        lines.extend(self.words.lines().map(|line| ("output", line.to_owned())));
        lines
    }
}

impl Workbook {
    pub(crate) fn red(&self, name: &str, page: &str) -> Result<Red> {
        let step = self.step_of_page(page).with_context(|| {
            format!("no step has this page, so `{name}` fails on none before it")
        })?;
        let Some((test, words)) = step.own().find(|(own, _)| same_test(own, name)) else {
            let known: Vec<&str> = step.own().map(|(test, _)| test).collect();
            bail!(
                "`{name}` is no promise of {} in book/steps.toml{}",
                step.package,
                nearest(name, &known)
            );
        };
        let without = step.sabotage.iter().find(|(sabotaged, ..)| sabotaged == test);
        let against = match (without, &step.from) {
            (Some((_, file, line)), _) => {
                Against::Without { file: file.clone(), line: line.clone() }
            }
            _ if words.is_empty() => {
                bail!("book/steps.toml does not say how `{name}` fails before this step")
            }
            (_, Some(from)) => Against::Step(folder_number(from)),
            (_, None) => Against::Start(folder_number(&step.folder)),
        };
        Ok(Red { test: test.to_owned(), against, words: words.to_owned() })
    }
}
