//! How long the pages are, and where words could be plainer.

use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;

use super::{Book, Fault};
use crate::page::Passage;
use crate::source::Source;
use crate::workbook::CHAPTERS;

/// The most words of prose on a step's page.
const MOST_WORDS: usize = 2_000;
/// All pages of chapters 0 to 6 together have fewer.
const TOO_MANY: usize = 45_000;

/// How many words the pages have.
pub(crate) struct Words {
    pub(crate) all: usize,
    pub(crate) most: usize,
    pub(crate) too_many: usize,
    /// Pages over the most, whether or not that is a fault yet.
    pub(crate) long: Vec<(String, usize)>,
}

pub(crate) fn words(book: &Book<'_>) -> Words {
    let pages = book.pages.iter().map(|woven| &woven.page);
    let pages = pages.filter(|page| is_of_a_chapter(book, &page.path));
    let pages: Vec<_> = pages.map(|page| (page.path.clone(), page.words)).collect();
    let all = pages.iter().map(|(_, count)| count).sum();
    let long = pages.into_iter().filter(|(_, count)| *count > MOST_WORDS).collect();
    Words { all, most: MOST_WORDS, too_many: TOO_MANY, long }
}

fn is_of_a_chapter(book: &Book<'_>, path: &str) -> bool {
    let name = path.strip_prefix("book/src/").unwrap_or(path);
    let numbered = name.strip_prefix("chapter-").is_some_and(|rest| {
        rest.starts_with(|c: char| ('0'..='6').contains(&c))
            && !rest[1..].starts_with(|c: char| c.is_ascii_digit())
    });
    numbered || book.workbook.step_of_page(path).is_some()
}

/// The pages of steps that name their promises are short, and so is the book.
pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let words = words(book);
    for (path, count) in words.long {
        let step = book.workbook.step_of_page(&path);
        if step.is_some_and(|step| !step.promises.is_empty()) {
            let what = format!(
                "has {count} words of prose, and {MOST_WORDS} are the most; what can go?"
            );
            faults.push(Fault { path, line: 1, what });
        }
    }
    if words.all >= TOO_MANY {
        let what = format!(
            "the pages of the chapters have {} words, and are to have fewer than {TOO_MANY}",
            words.all
        );
        faults.push(Fault { path: "book/src".into(), line: 1, what });
    }
    Ok(())
}

/// A pattern, and what to write instead.
type Habit = (&'static str, &'static str);

/// In sentences: on pages, and in the comments of programs.
const SENTENCES: [Habit; 13] = [
    (r"(?i)\bthat (?:is|are|was|were) none\b", "say `invalid`"),
    (r"(?:^|[.!?:] )(?:Who|What)\b[^.?!]*[.!]", "name who acts"),
    (r"(?i)\bwhoever\b", "name who acts"),
    (r"(?i)\balso (?:when|if)\b", "even when, even if"),
    (
        r"(?i)\bin the very moment\b|\bthe moment at which\b",
        "as soon as; the `Instant` when",
    ),
    (r"(?i)\b(?:stands?|stood)\b", "is; or the real verb"),
    (r"(?:^|[.!?] )It (?:\w+)", "repeat the noun"),
    (
        r"(?:^|[.!?] )(?:That|This) (?:is|was|has|had|does|did|can|could|will|would|may|must|means|makes|needs|happens|works|keeps|lets|gives|takes|shows)\b",
        "repeat the noun",
    ),
    (
        r"(?i)\b(?:doors?|doorkeepers?|seats?|farewells?|somebody|(?:its|his|her|their|your) turn)\b",
        "the code's own term first",
    ),
    (
        r"(?i)\ba (?:text|word|moment|place)\b",
        "name the thing: a string, an error code, a slot",
    ),
    (
        r"(?i)\bnot (?:until|before|unless|without)\b[^.?!]*\b(?:not|no|none|nobody|nothing|never)\b",
        "say what happens, and when",
    ),
    (r"(?i)\bnever not\b|\bnot un\w+|\bnothing (?:is|does) not\b", "say what happens"),
    (
        r"(?:^|[.!?:] )[^,.!?:]*, and (?:\w+s|\w+ed) (?:\w+ ?){0,2}[.!]",
        "two short predicates need no comma",
    ),
];

/// Where programs declare a name that says too little.
const NAMES: [Habit; 9] = [
    (
        r"\bmod (?:patience|lean|body|process|answer)\b",
        "write_timeout, slim_request, drain_body, bootstrap, reply",
    ),
    (r"\b(?:struct|enum|trait|type) (?:Patient|Peer)\b", "TimeoutListener, PeerIp"),
    (r"\b(?:struct|enum|trait|type) (?:Answer|Lent)\b", "Reply; what it lends"),
    (
        r"\b(?:struct|enum|trait|type) (?:Seats?|Presence|Names)\b",
        "RoomState, Rooms; one word for one thing",
    ),
    (
        r"\b(?:struct|enum|trait|type) (?:Doorkeeper|Turn|Stretch)\b",
        "PasswordGate, HashPermit, MessageRange",
    ),
    (
        r"\b(?:struct|enum|trait|type) (?:Refusal|Refused|Refusals)\b",
        "one word for one thing",
    ),
    (
        r"\bfn (?:keep_little|whole|read_on|hear|forgive|pace|inspect|say|look|tab_comes|tab_goes)\b",
        "a verb and what it is done to",
    ),
    (r"\b(?:const|static) (?:ROOM|FAREWELL)\b|\broom: Semaphore\b", "what it limits"),
    (r"\bsecret: bool\b|\bfn secret\b", "has_password, id_text"),
];

fn compiled(habits: &[Habit]) -> Vec<(Regex, &'static str)> {
    let regex = |pattern: &str| Regex::new(pattern).ok();
    habits
        .iter()
        .filter_map(|(pattern, instead)| Some((regex(pattern)?, *instead)))
        .collect()
}

static IN_SENTENCES: LazyLock<Vec<(Regex, &str)>> =
    LazyLock::new(|| compiled(&SENTENCES));
static IN_NAMES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| compiled(&NAMES));

/// Every place where words could be plainer, a line for each. None is a fault: a pattern knows
/// no meaning.
pub(crate) fn findings(book: &Book<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for woven in &book.pages {
        for passage in &woven.page.passages {
            in_sentences(&woven.page.path, passage, &mut found);
        }
    }
    for step in &book.workbook.ladder.steps {
        let folder = format!("{CHAPTERS}/{}", step.folder);
        for file in book.workbook.files(&folder) {
            if !file.ends_with(".rs")
                || book.workbook.as_in(&step.folder, &file).is_some()
            {
                continue;
            }
            let source = book.workbook.source(&format!("{folder}/{file}"))?;
            for passage in comments(&source) {
                in_sentences(&source.path, &passage, &mut found);
            }
            for line in &source.lines {
                let code = line.text.split("//").next().unwrap_or_default();
                for (regex, instead) in IN_NAMES.iter() {
                    for hit in regex.find_iter(code) {
                        let place = (source.path.clone(), line.number);
                        found.push((place, hit.as_str().to_owned(), *instead));
                    }
                }
            }
        }
    }
    found.sort();
    let line = |((path, line), words, instead): ((String, usize), String, &str)| {
        format!("{path}:{line}: \"{words}\": {instead}")
    };
    Ok(found.into_iter().map(line).collect())
}

type Finding = ((String, usize), String, &'static str);

fn in_sentences(path: &str, passage: &Passage, found: &mut Vec<Finding>) {
    for (regex, instead) in IN_SENTENCES.iter() {
        for hit in regex.find_iter(&passage.text) {
            let words = hit.as_str().trim_start_matches(['.', '!', '?', ':', ' ']);
            let at = hit.end() - words.len();
            let place = (path.to_owned(), passage.line(at));
            found.push((place, shortened(words), *instead));
        }
    }
}

fn shortened(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.by_ref().take(60).collect();
    if letters.next().is_some() { format!("{first}…") } else { first }
}

/// Comments that have lines of their own, each run of lines as one passage.
fn comments(source: &Source) -> Vec<Passage> {
    let (mut passages, mut open) = (Vec::new(), None::<Passage>);
    for line in &source.lines {
        let text = line.text.trim();
        let words =
            text.strip_prefix("//").map(|text| text.trim_start_matches(['/', '!']));
        match words {
            Some(words) if !words.trim().is_empty() => {
                let passage = open.get_or_insert_default();
                if !passage.text.is_empty() {
                    passage.text.push(' ');
                }
                passage.push(words.trim(), line.number);
            }
            _ => passages.extend(open.take()),
        }
    }
    passages.extend(open);
    passages
}
