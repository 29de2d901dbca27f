//! Which promises are checked, and in which order they are told.

use std::collections::HashSet;

use anyhow::{Context, Result};
use runner::Case;

use super::{Asked, Wish};
use crate::directive::{self, Directive};
use crate::ladder::Step;
use crate::workbook::Workbook;

/// A promise of a step.
pub(super) struct Promise {
    pub(super) case: Case,
    /// The step's own: no earlier step makes it.
    pub(super) own: bool,
}

impl Promise {
    /// The test's name, without its module.
    pub(super) fn test(&self) -> &str {
        self.case.name.rsplit("::").next().unwrap_or_default()
    }

    /// The test's name, read as a sentence.
    pub(super) fn sentence(&self) -> String {
        self.test().replace('_', " ")
    }

    /// The file that holds the test.
    pub(super) fn file(&self, workbook: &Workbook, step: &Step) -> String {
        let module = self.case.name.split("::").next().unwrap_or_default();
        let end = format!("/{module}.rs");
        let mut files = workbook.test_files(&step.package).into_iter();
        files.find(|file| file.ends_with(&end)).unwrap_or_else(|| step.test_file())
    }
}

/// Builds the step's tests, and lists its promises: its own in the order in which its pages
/// name them, those that no page names, and those of earlier steps.
pub(super) fn promises(workbook: &Workbook, wish: &Wish<'_>) -> Result<Vec<Promise>> {
    let words = wish.only.map(in_names);
    let is_wanted =
        |case: &Case| words.as_ref().is_none_or(|words| case.name.contains(words));
    let mut promises = if workbook.ladder.is_staged(wish.step) {
        staged(workbook, wish)?
    } else {
        of_its_package(workbook, wish.step)?
    };
    promises.retain(|promise| is_wanted(&promise.case));
    if let Asked::Program(program) = wish.asked {
        // The tests are started elsewhere.
        let program = program.canonicalize()?.display().to_string();
        promises
            .iter_mut()
            .for_each(|promise| ask(std::slice::from_mut(&mut promise.case), &program));
    }
    Ok(promises)
}

/// Words as they are in the names of tests: a page shows those as sentences.
pub(in crate::commands) fn in_names(words: &str) -> String {
    words.trim().trim_end_matches('.').to_lowercase().replace(' ', "_")
}

/// Has the tests ask another program than the one they belong to.
fn ask(cases: &mut [Case], program: &str) {
    for case in cases {
        case.environment.push(("WORKBOOK_PROGRAM".into(), program.to_owned()));
    }
}

/// The promises of a step that names its own. The tests are in the chapter's last package.
fn staged(workbook: &Workbook, wish: &Wish<'_>) -> Result<Vec<Promise>> {
    let (ladder, step) = (&workbook.ladder, wish.step);
    let last = &ladder.last_of(step).package;
    let mut cases = cases(workbook, last)?;
    if let Asked::Clone = wish.asked
        && step.package != *last
    {
        // The tests find it beside the last step's program.
        runner::program(&workbook.root, &step.package)
            .with_context(|| format!("{} did not build", step.package))?;
        ask(&mut cases, &step.package);
    }
    let own: Vec<&str> = step.own().map(|(name, _)| name).collect();
    let names = own.iter().copied().chain(ladder.inherited(step));
    let promises = names.enumerate().filter_map(|(nth, name)| {
        let case = cases.iter().find(|case| case.name == name)?.clone();
        Some(Promise { case, own: nth < own.len() })
    });
    Ok(promises.collect())
}

/// The promises of a step whose package has tests of its own.
fn of_its_package(workbook: &Workbook, step: &Step) -> Result<Vec<Promise>> {
    let earlier = earlier(workbook, step)?;
    let mut promises: Vec<Promise> = cases(workbook, &step.package)?
        .into_iter()
        .map(|case| Promise { own: !earlier.contains(&case.name), case })
        .collect();
    let named = named(workbook, step)?;
    promises.sort_by_key(|promise| {
        let name = &promise.case.name;
        let is_named =
            |named: &String| name == named || name.ends_with(&format!("::{named}"));
        let place = named.iter().position(is_named).unwrap_or(named.len());
        (!promise.own, place)
    });
    Ok(promises)
}

/// The tests of a step: those of its file of promises, not those inside its program.
fn cases(workbook: &Workbook, package: &str) -> Result<Vec<Case>> {
    let arguments = ["test", "--no-run", "--quiet", "--package", package, "--test", "*"];
    let built = runner::build(&workbook.root, &arguments)
        .with_context(|| format!("the tests of {package} did not build"))?;
    runner::cases(&built).context("the tests do not say their names")
}

/// The names of the tests of all earlier steps, read from their sources: nobody wants to wait
/// until Cargo has built them all.
fn earlier(workbook: &Workbook, step: &Step) -> Result<HashSet<String>> {
    let before =
        workbook.ladder.steps.iter().take_while(|other| other.package != step.package);
    let mut names = HashSet::new();
    for other in before {
        let files = workbook.test_files(&other.package);
        for (nth, file) in files.iter().enumerate() {
            let source = workbook.source(file)?;
            // The first file is the program's root, and every other is a module of it.
            let module = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".rs");
            let module = if nth == 0 { String::new() } else { format!("{module}::") };
            let tests = source.items.iter().filter(|item| item.is_test);
            names.extend(tests.map(|item| format!("{module}{}", item.names[0])));
        }
    }
    Ok(names)
}

/// The tests that the step's pages name, in their order.
fn named(workbook: &Workbook, step: &Step) -> Result<Vec<String>> {
    let mut named = Vec::new();
    for page in step.pages() {
        let file = workbook.root.join("book/src").join(page);
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        for found in directive::find(&text) {
            if let Ok(Directive::Promise { test, .. }) = found.directive {
                named.push(test);
            }
        }
    }
    Ok(named)
}
