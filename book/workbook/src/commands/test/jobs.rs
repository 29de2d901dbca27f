//! Which test asks which program, and what is expected of it.

use std::collections::BTreeSet;

use runner::Case;

use super::Effort;
use crate::ladder::Step;
use crate::workbook::{CHAPTERS, Workbook};

/// Names the program to ask, if it is not the one that the test belongs to.
pub(super) const PROGRAM: &str = "WORKBOOK_PROGRAM";
/// Says that a promise is to be seen broken, and by which step it is kept first.
pub(super) const RED: &str = "WORKBOOK_RED";
/// Names the page of the program that serves a page and nothing else.
const PAGE: &str = "WORKBOOK_PAGE";
const SKELETON: &str = "skeleton";

/// A test, asked of a program.
pub(super) struct Job {
    pub(super) case: Case,
    pub(super) why: Why,
}

/// Why a test is asked.
pub(super) enum Why {
    /// It is the program's own promise, or no promise of a program.
    Own { of_a_program: bool },
    /// A promise of an earlier step, asked of an inner one.
    Inherited,
    /// The step before must break it, with these words.
    Red(String),
}

impl Job {
    /// Why this run leaves it out.
    pub(super) fn left_out(&self, effort: Effort) -> Option<&'static str> {
        match (&self.why, effort) {
            (Why::Inherited, Effort::Quick) => {
                Some("an earlier step's, tested again by the chapter's last")
            }
            (Why::Red(_), Effort::Quick) => Some("a promise, broken by the step before"),
            _ => None,
        }
    }

    /// Only programs are tried so often, and each promise in one of them.
    pub(super) fn is_soaked(&self) -> bool {
        matches!(self.why, Why::Own { of_a_program: true })
    }
}

/// All that may be asked.
pub(super) fn all(workbook: &Workbook, cases: Vec<Case>) -> Vec<Job> {
    let ladder = &workbook.ladder;
    let mut jobs = Vec::new();
    let mut known = BTreeSet::new();
    for step in &ladder.steps {
        let of_step = |case: &&Case| case.program.package == step.package;
        if ladder.is_staged(step) {
            let last = ladder.last_of(step);
            let tests = cases.iter().filter(|case| {
                case.program.package == last.package && !case.program.is_unit
            });
            let tests: Vec<&Case> = tests.collect();
            jobs.extend(asked_of(workbook, step, &tests));
            let unit_tests =
                cases.iter().filter(of_step).filter(|case| case.program.is_unit);
            jobs.extend(unit_tests.map(|case| own(case, true)));
            continue;
        }
        for case in cases.iter().filter(of_step) {
            let again = !known.insert(case.name.clone()) && !step.ends_its_chapter();
            let why =
                if again { Why::Inherited } else { Why::Own { of_a_program: true } };
            jobs.push(Job { case: case.clone(), why });
        }
    }
    let is_of_a_step = |case: &Case| {
        ladder.steps.iter().any(|step| step.package == case.program.package)
    };
    jobs.extend(
        cases.iter().filter(|case| !is_of_a_step(case)).map(|case| own(case, false)),
    );
    jobs
}

fn own(case: &Case, of_a_program: bool) -> Job {
    Job { case: case.clone(), why: Why::Own { of_a_program } }
}

/// What a step of a chapter is asked: its own promises and those of earlier steps. The last
/// step's package holds the tests, and is asked all that has not ended.
fn asked_of(workbook: &Workbook, step: &Step, tests: &[&Case]) -> Vec<Job> {
    let ladder = &workbook.ladder;
    let is_last = ladder.last_of(step).package == step.package;
    let ended: Vec<&str> = ladder
        .chapter_of(step)
        .flat_map(|step| &step.ends)
        .map(|(name, _)| name.as_str())
        .collect();
    let inherited = ladder.inherited(step);
    let mut jobs = Vec::new();
    for &test in tests {
        let name = test.name.as_str();
        let own = step.own().find(|(own, _)| *own == name);
        let why = match own {
            Some(_) => Why::Own { of_a_program: is_last },
            None if is_last && !ended.contains(&name) => Why::Own { of_a_program: true },
            None if inherited.contains(&name) => Why::Inherited,
            None => continue,
        };
        let mut case = test.clone();
        if !is_last {
            case.environment.push((PROGRAM.to_owned(), step.package.clone()));
        }
        jobs.push(Job { case, why });
        if let Some((_, words)) = own
            && !step.is_excused(name)
        {
            jobs.push(red(workbook, step, test, words));
        }
    }
    jobs
}

/// The promise as the step before must break it.
fn red(workbook: &Workbook, step: &Step, test: &Case, words: &str) -> Job {
    let set = |name: &str, value: String| (name.to_owned(), value);
    let mut case = test.clone();
    case.environment = vec![
        set(RED, step.package.clone()),
        set("WORKBOOK_LONG", "1".into()),
        set("WORKBOOK_PATIENCE", "3".into()),
        set("WORKBOOK_TESTS", "quick".into()),
    ];
    match workbook.ladder.before(step) {
        Some(before) => case.environment.push(set(PROGRAM, before.package.clone())),
        None => {
            let chapter = workbook.root.join(CHAPTERS).join(&step.folder);
            let page = chapter.join("static/index.html").display().to_string();
            case.environment.extend([set(PROGRAM, SKELETON.into()), set(PAGE, page)]);
        }
    }
    Job { case, why: Why::Red(words.to_owned()) }
}
