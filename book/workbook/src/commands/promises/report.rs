//! What became of the promises, on at most a screen.

use std::collections::{BTreeMap, HashMap};

use runner::End;

use super::choice::Promise;
use super::seen::seen;
use super::{Asked, Wish};
use crate::terminal::{Screen, paragraph, say};
use crate::workbook::Workbook;

/// Broken promises of earlier steps are named if they are so few.
const FEW: usize = 3;
/// What a line begins with.
const KEPT: &str = "  kept    ";
const BROKEN: &str = "  BROKEN  ";
const ASIDE: &str = "  -       ";
const SAME: &str = "          - ";

/// What became of one.
enum Colour {
    Kept,
    Broken(Broken),
    /// Why it was not checked.
    Aside(String),
}

/// What a broken promise's test said.
struct Broken {
    /// What was seen: others may be broken for the same reason.
    cause: String,
    more: String,
    /// All of it.
    said: String,
}

/// What became of all, in the order in which they are told.
pub(super) struct Report<'a> {
    promises: Vec<(&'a Promise, Colour)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(promises: &'a [Promise], ends: &mut HashMap<String, End>) -> Self {
        let colour = |promise: &Promise| match ends.remove(&promise.case.name) {
            Some(End::Passed) => Colour::Kept,
            Some(End::Failed(said)) => {
                let (cause, more) = seen(&said);
                Colour::Broken(Broken { cause, more, said })
            }
            Some(End::Aside { why, .. }) => Colour::Aside(why),
            None => Colour::Aside("its test did not run".into()),
        };
        let mut colour = colour;
        let promises = promises.iter().map(|promise| (promise, colour(promise)));
        Self { promises: promises.collect() }
    }

    pub(super) fn broken(&self) -> usize {
        self.count(|_, colour| matches!(colour, Colour::Broken(..)))
    }

    fn kept(&self) -> usize {
        self.count(|_, colour| matches!(colour, Colour::Kept))
    }

    fn count(&self, is: impl Fn(&Promise, &Colour) -> bool) -> usize {
        self.promises.iter().filter(|(promise, colour)| is(promise, colour)).count()
    }

    /// The whole report.
    pub(super) fn say(&self, workbook: &Workbook, wish: &Wish<'_>) {
        // Whoever asks for some promises wants to see each.
        let (shown, rest): (Vec<_>, Vec<_>) = self
            .promises
            .iter()
            .partition(|(promise, _)| promise.own || wish.only.is_some());
        say_each(&shown);
        if let ([(promise, Colour::Broken(broken))], Some(_)) = (&shown[..], wish.only) {
            say_all(promise, &broken.said);
        }
        say_earlier(&rest);
        self.say_aside();
        say!("\n{}", self.totals());
        self.say_next(workbook, wish);
    }

    fn totals(&self) -> String {
        let (kept, broken) = (self.kept(), self.broken());
        let aside = self.promises.len() - kept - broken;
        format!("{kept} kept, {broken} broken, {aside} not checked.")
    }

    /// One line for all that were not checked, with the reasons.
    fn say_aside(&self) {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, colour) in &self.promises {
            if let Colour::Aside(why) = colour {
                *reasons.entry(why).or_default() += 1;
            }
        }
        let sum: usize = reasons.values().sum();
        let reasons: Vec<String> = match reasons.len() {
            1 => reasons.into_keys().map(str::to_owned).collect(),
            _ => reasons.iter().map(|(why, count)| format!("{why} ({count})")).collect(),
        };
        if sum > 0 {
            say_labelled(ASIDE, &format!("{sum} not checked: {}", reasons.join("; ")));
        }
    }

    fn say_next(&self, workbook: &Workbook, wish: &Wish<'_>) {
        let number = wish.step.number();
        let url = match wish.asked {
            Asked::Clone => String::new(),
            Asked::Program(program) => format!(" --program {}", program.display()),
            Asked::Url(url) => format!(" --url {url}"),
        };
        let broken =
            self.promises.iter().find(|(_, colour)| matches!(colour, Colour::Broken(..)));
        if let Some((promise, _)) = broken {
            if wish.only.is_none() {
                say!("Next, the first that is broken, alone:");
                say!("  cargo workbook check {number} {}{url}", promise.test());
            }
            say!("Its test is in {}.", promise.file(workbook, wish.step));
            return;
        }
        let left = self
            .count(|promise, colour| promise.own && matches!(colour, Colour::Aside(_)));
        if let (Asked::Url(_), true) = (wish.asked, left > 0) {
            say!("{left} of the step's own promises need your program or more time:");
            say!("  cargo workbook check {number} --program FILE");
            return;
        }
        let mut steps = workbook.ladder.steps.iter();
        steps.find(|step| step.package == wish.step.package);
        if let (Some(next), None) = (steps.next(), wish.only) {
            say!("Next: cargo workbook start {} DIR", next.number());
        }
    }

    /// Which promises are not what they were.
    pub(super) fn say_changes(&self, before: &Self) {
        let both = self.promises.iter().zip(&before.promises);
        let changed = both.filter(|((_, now), (_, was))| match now {
            Colour::Kept => !matches!(was, Colour::Kept),
            Colour::Broken(_) => !matches!(was, Colour::Broken(_)),
            Colour::Aside(_) => false,
        });
        let changed: Vec<_> = changed.map(|(now, _)| now).collect();
        say_each(&changed);
        let what = if changed.is_empty() { "Nothing changed: " } else { "" };
        say!("{what}{}", self.totals());
    }
}

/// One line for each that is kept; those that are broken for one reason below it.
fn say_each(shown: &[&(&Promise, Colour)]) {
    let mut told: Vec<&str> = Vec::new();
    for (promise, colour) in shown {
        let broken = match colour {
            Colour::Kept => {
                say_labelled(KEPT, &promise.sentence());
                continue;
            }
            Colour::Broken(broken) if !told.contains(&broken.cause.as_str()) => broken,
            Colour::Broken(_) | Colour::Aside(_) => continue,
        };
        told.push(&broken.cause);
        let is_same = |colour: &Colour| matches!(colour, Colour::Broken(other) if other.cause == broken.cause);
        let same = shown.iter().filter(|(_, colour)| is_same(colour));
        let same: Vec<String> = same.map(|(promise, _)| promise.sentence()).collect();
        if let [one] = &same[..] {
            say_labelled(BROKEN, one);
            say_seen(broken);
            continue;
        }
        say_labelled(BROKEN, &format!("{} promises: {}", same.len(), broken.cause));
        for sentence in same {
            say_labelled(SAME, &sentence);
        }
    }
}

/// What was seen, in at most two lines.
fn say_seen(broken: &Broken) {
    let Broken { cause, more, .. } = broken;
    let text = if more.is_empty() { cause.clone() } else { format!("{cause}; {more}") };
    let text = paragraph(&text, BROKEN.len());
    let lines: Vec<&str> = text.lines().collect();
    for (nth, line) in lines.iter().take(2).enumerate() {
        let more = if nth == 1 && lines.len() > 2 { " …" } else { "" };
        say!("{}", clipped(&format!("{line}{more}"), 80));
    }
}

/// A sentence behind its label, with its other lines below its beginning.
fn say_labelled(label: &str, sentence: &str) {
    let screen = Screen::new(None);
    let text = paragraph(sentence, label.len());
    let painted = match label {
        KEPT => screen.good(label),
        BROKEN => screen.bad(label),
        _ => label.to_owned(),
    };
    say!("{painted}{}", text[label.len()..].trim_end());
}

/// All that a single test said.
fn say_all(promise: &Promise, said: &str) {
    say!("\nWhat {} said:", promise.case.name);
    for line in said.lines().take(20) {
        say!("  {line}");
    }
}

/// One line for all that earlier steps promise.
fn say_earlier(rest: &[&(&Promise, Colour)]) {
    let kept = rest.iter().filter(|(_, colour)| matches!(colour, Colour::Kept)).count();
    let broken = rest.iter().filter(|(_, colour)| matches!(colour, Colour::Broken(..)));
    let broken: Vec<String> = broken.map(|(promise, _)| promise.sentence()).collect();
    match (kept, broken.len()) {
        (0, 0) => {}
        (kept, 0) => {
            say_labelled(KEPT, &format!("promises of earlier steps: all {kept}"));
        }
        (kept, count) => {
            let all = kept + count;
            let names = if count <= FEW {
                format!(" ({})", broken.join("; "))
            } else {
                String::new()
            };
            let text = format!("promises of earlier steps: {count} of {all}{names}");
            say_labelled(BROKEN, &text);
        }
    }
}

fn clipped(line: &str, columns: usize) -> String {
    match line.char_indices().nth(columns) {
        Some(_) => line.chars().take(columns - 1).chain(['…']).collect(),
        None => line.to_owned(),
    }
}
