//! The promises of each chapter, asked of its twin in Node.

use std::{fs, sync::OnceLock, time::Duration};

use runner::{Case, Ended, Plan};
use support::{effort, root, skipped, twin};
use twins::{Differences, Ladder, Run, faults};

/// How many promises are asked at once. Most of the time a test waits, but each starts a Node,
/// and some promises are about a second that passes.
const AT_ONCE: usize = 8;

/// How long one may take.
const LIMIT: Duration = Duration::from_secs(5 * 60);

#[test]
fn chapter_0_and_its_twin_keep_the_same_promises() {
    compare("chapter-0");
}

#[test]
fn chapter_1_1_and_its_twin_keep_the_same_promises() {
    compare("chapter-1-1");
}

#[test]
fn chapter_1_and_its_twin_keep_the_same_promises() {
    compare("chapter-1");
}

#[test]
fn chapter_2_1_and_its_twin_keep_the_same_promises() {
    compare("chapter-2-1");
}

#[test]
fn chapter_2_and_its_twin_keep_the_same_promises() {
    compare("chapter-2");
}

#[test]
fn chapter_3_and_its_twin_keep_the_same_promises() {
    compare("chapter-3");
}

#[test]
fn chapter_4_and_its_twin_keep_the_same_promises() {
    compare("chapter-4");
}

#[test]
fn chapter_5_and_its_twin_keep_the_same_promises() {
    compare("chapter-5");
}

#[test]
fn chapter_5_2_and_its_twin_keep_the_same_promises() {
    compare("chapter-5-2");
}

#[test]
fn chapter_5_3_and_its_twin_keep_the_same_promises() {
    compare("chapter-5-3");
}

#[test]
fn every_twin_is_compared_with_its_chapter() {
    let compared = include_str!("promises.rs");
    for entry in fs::read_dir(root().join("tests/node")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(chapter) =
            name.strip_suffix(".mjs").filter(|name| name.starts_with("chapter-"))
        {
            assert!(compared.contains(&format!("compare(\"{chapter}\")")), "{name}");
        }
    }
}

#[test]
fn every_difference_names_a_test_of_one_of_its_chapters() {
    let table = Differences::read(&root()).unwrap_or_else(|fault| panic!("{fault}"));
    for row in table.all() {
        let known: Vec<_> =
            row.chapters.iter().flat_map(|chapter| cases(chapter)).collect();
        for name in row.promises() {
            assert!(
                known.iter().any(|case| case.name == name),
                "no test is called {name}"
            );
        }
    }
}

/// Runs the chapter's own tests against its twin. Every one of them passes, or the table of
/// differences names it and it fails as the table says.
fn compare(chapter: &str) {
    if skipped("node") || effort::left_out("the same promises, of the twins in Node") {
        return;
    }
    let table = Differences::read(&root()).unwrap_or_else(|fault| panic!("{fault}"));
    let rows: Vec<_> = table.of(chapter).collect();
    let cases = cases(chapter);
    let known: Vec<_> = cases.iter().map(|case| case.name.clone()).collect();
    assert!(known.len() > 10, "{chapter} has no tests");
    // Before the clock of any test runs: what is installed here, no test has to wait for.
    twin::of(chapter.as_ref());
    let not_asked: Vec<_> = rows.iter().flat_map(|row| &row.not_asked).collect();
    let asked = cases.into_iter().filter(|case| !not_asked.contains(&&case.name));
    let environment = vec![
        (twin::VARIABLE.to_owned(), Some("node".to_owned())),
        ("WORKBOOK_URL".to_owned(), None),
    ];
    let plan = Plan { at_once: AT_ONCE, weight: &|_| 1, limit: LIMIT, environment };
    let mut run = Run::new();
    runner::run(asked.collect(), &plan, |Ended { case, end, .. }| {
        run.insert(case.name, end);
    });
    let faults = faults(&rows, &known, &run);
    assert!(faults.is_empty(), "see {}:\n{}", Differences::FILE, faults.join("\n\n"));
}

/// The tests of a chapter's program: those of its package, or those that the ladder names.
fn cases(chapter: &str) -> Vec<Case> {
    let all = all_cases();
    // Unit tests are about the program's inside, which a twin does not have.
    let of = |package: &str, case: &Case| {
        case.program.package == package && !case.program.is_unit
    };
    let ladder = Ladder::read(&root()).unwrap_or_else(|fault| panic!("{fault}"));
    let Some((package, names)) = ladder.promises_of(chapter) else {
        return all.iter().filter(|case| of(chapter, case)).cloned().collect();
    };
    let named = all.iter().filter(|case| of(package, case) && names.contains(&case.name));
    let mut cases: Vec<Case> = named.cloned().collect();
    for case in &mut cases {
        case.environment.push((support::PROGRAM.to_owned(), chapter.to_owned()));
    }
    cases
}

fn all_cases() -> &'static [Case] {
    static ALL: OnceLock<Vec<Case>> = OnceLock::new();
    ALL.get_or_init(|| {
        let built = runner::everything(&root()).expect("the tests build");
        runner::cases(&built).expect("programs that list their tests")
    })
}
