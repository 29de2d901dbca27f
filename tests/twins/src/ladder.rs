//! Which promises a step keeps: what this needs of `book/steps.toml`.

use std::{fs, path::Path};

use serde::Deserialize;

/// The steps, in teaching order.
#[derive(Clone, Debug, Deserialize)]
pub struct Ladder {
    #[serde(rename = "step")]
    steps: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
struct Step {
    package: String,
    folder: String,
    #[serde(default)]
    promises: Vec<(String, String)>,
    #[serde(default)]
    also: Vec<(String, String)>,
    #[serde(default)]
    ends: Vec<(String, String)>,
}

impl Step {
    fn chapter(&self) -> &str {
        self.folder.split(['.', '-']).next().unwrap_or_default()
    }
}

impl Ladder {
    /// Reads the ladder of the workspace at `root`.
    ///
    /// # Errors
    /// A sentence, if the file cannot be read or is no ladder.
    pub fn read(root: &Path) -> Result<Self, String> {
        let file = root.join("book/steps.toml");
        let text = fs::read_to_string(file).map_err(|error| format!("{error}"))?;
        toml::from_str(&text).map_err(|error| format!("{error}"))
    }

    /// The package that holds the tests of `package`, and the names of those that it keeps:
    /// its own and those of earlier steps of its chapter. Nothing if its steps do not name
    /// their promises.
    pub fn promises_of(&self, package: &str) -> Option<(&str, Vec<String>)> {
        let step = self.steps.iter().find(|step| step.package == package)?;
        let chapter = self.steps.iter().filter(|other| other.chapter() == step.chapter());
        let last = chapter.clone().next_back()?;
        let mut names = Vec::new();
        for step in chapter {
            names.retain(|name| !step.ends.iter().any(|(ended, _)| ended == name));
            names.extend(
                step.promises.iter().chain(&step.also).map(|(name, _)| name.clone()),
            );
            if step.package == package {
                break;
            }
        }
        if names.is_empty() { None } else { Some((&last.package, names)) }
    }
}
