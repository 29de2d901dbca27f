//! What a run of a chapter's tests against its twin says about the table of differences.

use std::collections::BTreeMap;

use runner::End;

use crate::Difference;

/// How the tests of one chapter ended, by their names.
pub type Run = BTreeMap<String, End>;

/// All that is wrong with a table, given the tests that there are and how they ended. Every
/// test holds, or is named in a row and fails as the row says.
pub fn faults(rows: &[&Difference], known: &[String], run: &Run) -> Vec<String> {
    let mut faults = Vec::new();
    for row in rows {
        // A row may be about several chapters, and a name about one of them.
        if !row.promises().any(|name| known.iter().any(|known| known == name)) {
            faults.push(format!("a row names no test of this chapter: {}", row.here));
        }
    }
    for name in known {
        let expected = rows.iter().find_map(|row| row.fails.get(name));
        let asked = !rows.iter().any(|row| row.not_asked.contains(name));
        faults.extend(match (run.get(name), expected) {
            (None, _) if !asked => None,
            (None, _) => Some(format!("{name} did not come to its end")),
            (Some(End::Passed | End::Aside { .. }), None) => None,
            (Some(End::Passed | End::Aside { .. }), Some(_)) => Some(format!(
                "{name} holds in Node too: it is no difference any more"
            )),
            (Some(End::Failed(said)), None) => Some(format!(
                "{name} does not hold in Node, and no row names it as a difference:\n{said}"
            )),
            (Some(End::Failed(said)), Some(words)) if !said.contains(words.as_str()) => Some(
                format!("{name} fails in Node, but not with {words:?}:\n{said}"),
            ),
            (Some(End::Failed(_)), Some(_)) => None,
        });
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        let failed = |said: &str| End::Failed(said.to_owned());
        let why = "it needs the process".to_owned();
        let ended = [
            ("it_answers", End::Aside { how: "not checked", why }),
            ("it_counts", failed("left: 1\nright: 2")),
            ("it_waits", failed("waited in vain")),
        ];
        ended.map(|(name, end)| (name.to_owned(), end)).into()
    }

    fn row(fails: &[(&str, &str)], not_asked: &[&str]) -> Difference {
        let text = |text: &&str| (*text).to_owned();
        Difference {
            chapters: vec!["chapter-1".into()],
            here: "2".into(),
            node: "1".into(),
            why: "for a reason".into(),
            fails: fails.iter().map(|(name, words)| (text(name), text(words))).collect(),
            not_asked: not_asked.iter().map(text).collect(),
        }
    }

    fn faults_of(rows: &[Difference], known: &[&str]) -> Vec<String> {
        let known: Vec<_> = known.iter().map(|name| (*name).to_owned()).collect();
        faults(&rows.iter().collect::<Vec<_>>(), &known, &run())
    }

    const KNOWN: [&str; 3] = ["it_answers", "it_counts", "it_waits"];

    #[test]
    fn differences_that_fail_as_they_say_are_no_faults() {
        let rows = [row(&[("it_counts", "right: 2"), ("it_waits", "in vain")], &[])];
        assert_eq!(faults_of(&rows, &KNOWN), [""; 0]);
    }

    #[test]
    fn a_difference_that_is_not_named_is_a_fault() {
        let faults = faults_of(&[row(&[("it_counts", "right: 2")], &[])], &KNOWN);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("it_waits does not hold in Node"), "{faults:?}");
        assert!(faults[0].ends_with("waited in vain"), "{faults:?}");
    }

    #[test]
    fn a_difference_that_has_gone_is_a_fault() {
        let all =
            [("it_answers", "x"), ("it_counts", "right: 2"), ("it_waits", "in vain")];
        let faults = faults_of(&[row(&all, &[])], &KNOWN);
        assert_eq!(
            faults,
            ["it_answers holds in Node too: it is no difference any more"]
        );
    }

    #[test]
    fn a_failure_for_another_reason_is_a_fault() {
        let rows = [row(&[("it_counts", "in vain"), ("it_waits", "in vain")], &[])];
        let faults = faults_of(&rows, &KNOWN);
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].starts_with("it_counts fails in Node, but not with"),
            "{faults:?}"
        );
    }

    #[test]
    fn a_row_without_a_test_and_a_test_without_an_end_are_faults() {
        let all = row(&[("it_counts", "right: 2"), ("it_waits", "in vain")], &[]);
        let known = [&KNOWN[..], &["it_hangs"]].concat();
        let faults = faults_of(&[all, row(&[], &["it_sings"])], &known);
        let expected = [
            "a row names no test of this chapter: 2",
            "it_hangs did not come to its end",
        ];
        assert_eq!(faults, expected);
    }
}
