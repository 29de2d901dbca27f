//! The ladder of steps, read from `book/steps.toml`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// One rung: a chapter's program, its page and its tests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// The cargo package, such as `chapter-5-1`.
    pub(crate) package: String,
    /// Its folder under `chapters/`.
    pub(crate) folder: String,
    /// What it teaches, in one line.
    pub(crate) idea: String,
    /// Its page, relative to `book/src`.
    page: Option<String>,
    #[serde(default)]
    pages: Vec<String>,
    /// The file that holds its promises.
    pub(crate) test: Option<String>,
    /// The folder it is compared with. Absent: a fresh start, where every line is new.
    pub(crate) from: Option<String>,
    /// A picture of its page, relative to `book/src`.
    pub(crate) picture: Option<String>,
    /// How many new lines of Rust it may bring.
    pub(crate) budget: Option<usize>,
    /// Whether the thread of the course goes through it.
    #[serde(default)]
    pub(crate) kind: Kind,
    /// Its own promises in the order of its page: the name of the test, and words of how it
    /// fails on the step before.
    #[serde(default)]
    pub(crate) promises: Vec<(String, String)>,
    /// More promises that fail on the step before and hold from here on; no section of the
    /// page is about them.
    #[serde(default)]
    pub(crate) also: Vec<(String, String)>,
    /// Promises of its own that the step before may keep by luck: the name of the test, the
    /// file and the line without which it fails.
    #[serde(default)]
    pub(crate) sabotage: Vec<(String, String, String)>,
    /// Promises of its own that the step before cannot be seen to break, with the reason.
    #[serde(default)]
    pub(crate) unproven: Vec<(String, String)>,
    /// Promises of earlier steps that end here on purpose, with the reason.
    #[serde(default)]
    pub(crate) ends: Vec<(String, String)>,
}

/// How much a reader misses without a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Later steps need it.
    #[default]
    Core,
    /// It can be left out.
    Deep,
}

impl Step {
    /// What a reader sees and types: `2.4`, which the folder's name begins with.
    pub(crate) fn number(&self) -> &str {
        self.folder.split('-').next().unwrap_or(&self.folder)
    }

    /// Its chapter's number.
    pub(crate) fn chapter(&self) -> &str {
        self.number().split('.').next().unwrap_or_default()
    }

    pub(crate) fn pages(&self) -> impl Iterator<Item = &str> {
        self.page.iter().chain(&self.pages).map(String::as_str)
    }

    pub(crate) fn test_file(&self) -> String {
        let default = || format!("tests/{}.rs", self.package.replace('-', "_"));
        self.test.clone().unwrap_or_else(default)
    }

    /// Whether it is the last step of its chapter: `chapter-5`, and not `chapter-5-1`.
    pub(crate) fn ends_its_chapter(&self) -> bool {
        self.package == format!("chapter-{}", self.chapter())
    }

    /// The names of its own promises, each with words of how it fails on the step before.
    pub(crate) fn own(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.promises.iter().chain(&self.also);
        all.map(|(name, words)| (name.as_str(), words.as_str()))
    }

    /// Whether a promise of its own is proven in another way than by the step before.
    pub(crate) fn is_excused(&self, name: &str) -> bool {
        self.sabotage.iter().any(|(excused, ..)| excused == name)
            || self.unproven.iter().any(|(excused, _)| excused == name)
    }

    /// Whether this is one of its exact names, but for the signs between the numbers.
    fn answers_to(&self, dashed: &str) -> bool {
        let short = self.package.strip_prefix("chapter-").unwrap_or(&self.package);
        dashed == dash(&self.folder) || dashed == self.package || dashed == short
    }
}

/// All steps, in teaching order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ladder {
    #[serde(rename = "step", default)]
    pub(crate) steps: Vec<Step>,
    #[serde(rename = "chapter", default)]
    pub(crate) chapters: Vec<Chapter>,
}

/// What several steps are about together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chapter {
    pub(crate) number: u32,
    pub(crate) title: String,
    /// Its own page, relative to `book/src`.
    pub(crate) page: String,
    /// Whether its first step is one of those that a reader can walk in one evening.
    #[serde(default)]
    pub(crate) evening: bool,
}

impl Ladder {
    /// Reads `steps.toml` in the book's folder.
    pub(crate) fn read(book: &Path) -> Result<Self> {
        let file = book.join("steps.toml");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", file.display()))
    }

    /// Finds a step by a name or a path to its folder, or says which there are.
    pub(crate) fn find(&self, name: &str) -> Result<&Step> {
        let known: Vec<&str> = self.steps.iter().map(Step::number).collect();
        let folder = name.trim_end_matches(['/', '\\']);
        self.get(folder.rsplit(['/', '\\']).next().unwrap_or(folder)).with_context(|| {
            format!("there is no chapter `{name}`; the chapters are {}", known.join(", "))
        })
    }

    /// Finds a step by `2.3`, `2-3`, `chapter-2-3` or its folder. The last step of chapter 2
    /// is the package `chapter-2` in the folder `2.4-disconnects`: it answers to `2`, and to
    /// its folder's number as well.
    pub(crate) fn get(&self, name: &str) -> Option<&Step> {
        let dashed = dash(name);
        let number = dashed.strip_prefix("chapter-").unwrap_or(&dashed);
        let by_name = self.steps.iter().find(|step| step.answers_to(&dashed));
        by_name.or_else(|| self.steps.iter().find(|step| dash(step.number()) == number))
    }

    /// The steps that grow from this one, directly or through others, in order.
    pub(crate) fn growing_from(&self, step: &Step) -> Vec<&Step> {
        let mut grown: Vec<&Step> = Vec::new();
        // A step grows from an earlier one, so one pass sees all.
        for later in &self.steps {
            let from = |earlier: &str| later.from.as_deref() == Some(earlier);
            if from(&step.folder) || grown.iter().any(|between| from(&between.folder)) {
                grown.push(later);
            }
        }
        grown
    }

    /// The steps of a chapter, in order.
    pub(crate) fn of_chapter(&self, number: &str) -> Vec<&Step> {
        self.steps.iter().filter(|step| step.chapter() == number).collect()
    }

    /// The numbers of the chapters that have steps, in order.
    pub(crate) fn chapter_numbers(&self) -> Vec<&str> {
        let mut numbers: Vec<&str> = self.steps.iter().map(Step::chapter).collect();
        numbers.dedup();
        numbers
    }

    /// What `steps.toml` says about a chapter.
    pub(crate) fn chapter(&self, number: &str) -> Option<&Chapter> {
        self.chapters.iter().find(|chapter| chapter.number.to_string() == number)
    }

    /// The steps of the same chapter, in their order.
    pub(crate) fn chapter_of<'a>(
        &'a self,
        step: &'a Step,
    ) -> impl Iterator<Item = &'a Step> {
        self.of_chapter(step.chapter()).into_iter()
    }

    /// The step that ends the chapter: its package holds the tests of all its steps.
    pub(crate) fn last_of<'a>(&'a self, step: &'a Step) -> &'a Step {
        self.chapter_of(step).last().unwrap_or(step)
    }

    /// Whether the chapter's steps name their promises.
    pub(crate) fn is_staged(&self, step: &Step) -> bool {
        self.chapter_of(step).any(|other| !other.promises.is_empty())
    }

    /// The promises of earlier steps of the chapter that hold on `step` as well.
    pub(crate) fn inherited<'a>(&'a self, step: &'a Step) -> Vec<&'a str> {
        let earlier =
            || self.chapter_of(step).take_while(|other| other.package != step.package);
        let ended = earlier().chain([step]).flat_map(|other| &other.ends);
        let ended: Vec<&str> = ended.map(|(name, _)| name.as_str()).collect();
        let names = earlier().flat_map(Step::own).map(|(name, _)| name);
        names.filter(|name| !ended.contains(name)).collect()
    }

    /// The step whose program a reader starts from when building this one.
    pub(crate) fn before(&self, step: &Step) -> Option<&Step> {
        self.get(step.from.as_deref()?)
    }
}

fn dash(name: &str) -> String {
    name.replace(['.', '_'], "-")
}

/// The folder that holds `book/steps.toml`: the given one, or the nearest above.
pub(crate) fn find_root(given: Option<PathBuf>) -> Result<PathBuf> {
    let start = match given {
        Some(root) if root.join("book/steps.toml").is_file() => return Ok(root),
        Some(root) => bail!("{} holds no book/steps.toml", root.display()),
        None => std::env::current_dir()?,
    };
    // A reader may call from anywhere when cargo was given --manifest-path.
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    start
        .ancestors()
        .chain(built_in.ancestors())
        .find(|folder| folder.join("book/steps.toml").is_file())
        .map(Path::to_path_buf)
        .context("no book/steps.toml here or above; run this inside the workbook's clone")
}

#[cfg(test)]
mod tests {
    use super::Ladder;

    #[test]
    fn a_step_inherits_what_earlier_steps_of_its_chapter_promise_until_a_step_ends_it() {
        let ladder: Ladder = toml::from_str(
            r#"
            [[step]]
            package = "chapter-1"
            folder = "1.1-alone"
            idea = ""
            promises = [["it_ticks", "in vain"]]
            [[step]]
            package = "chapter-2-1"
            folder = "2.1-first"
            idea = ""
            promises = [["it_greets", "in vain"], ["it_forgets", "in vain"]]
            [[step]]
            package = "chapter-2-2"
            folder = "2.2-second"
            idea = ""
            also = [["it_answers", "404"]]
            [[step]]
            package = "chapter-2"
            folder = "2.3-third"
            idea = ""
            ends = [["it_forgets", "from here on it remembers"]]
            "#,
        )
        .expect("a ladder");
        let step = |package: &str| ladder.get(package).expect("a step");
        assert_eq!(ladder.inherited(step("chapter-2-1")), [""; 0]);
        assert_eq!(ladder.inherited(step("chapter-2-2")), ["it_greets", "it_forgets"]);
        assert_eq!(ladder.inherited(step("chapter-2")), ["it_greets", "it_answers"]);
        assert_eq!(ladder.last_of(step("chapter-2-1")).package, "chapter-2");
        assert!(ladder.is_staged(step("chapter-2")));
    }
}
