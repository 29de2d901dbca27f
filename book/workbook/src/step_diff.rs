//! The lines of one step against the step before it, as rows to show.

use std::ops::Range;

use similar::{Algorithm, ChangeTag, TextDiff};

use crate::source::Source;

/// Unchanged lines shown around a change.
const CONTEXT: usize = 3;

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    Same,
    /// New in this step, beside lines that are not.
    New,
    Added,
    Removed,
    /// Unchanged lines left out.
    Gap,
    /// The signature of an unchanged function whose body is left out.
    Folded,
}

/// A line on the page.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) change: Change,
    /// The text in pieces; `true` marks what differs inside a replaced line.
    pub(crate) parts: Vec<(bool, String)>,
    /// Its index in the new file, for lines that are there.
    pub(crate) at: Option<usize>,
}

impl Row {
    pub(crate) fn plain(source: &Source, at: usize) -> Self {
        let parts = vec![(false, source.lines[at].text.clone())];
        Self { change: Change::Same, parts, at: Some(at) }
    }

    pub(crate) fn gap() -> Self {
        Self { change: Change::Gap, parts: vec![(false, "⋮".into())], at: None }
    }

    pub(crate) fn text(&self) -> String {
        self.parts.iter().map(|(_, text)| text.as_str()).collect()
    }

    fn is_blank(&self) -> bool {
        self.parts.iter().all(|(_, text)| text.trim().is_empty())
    }
}

/// Every line of both ranges, nothing left out.
pub(crate) fn rows(
    old: &Source,
    a: Range<usize>,
    new: &Source,
    b: Range<usize>,
) -> Vec<Row> {
    let (before, after) = (old.texts(&a), new.texts(&b));
    let diff =
        TextDiff::configure().algorithm(Algorithm::Patience).diff_slices(&before, &after);
    let mut rows = Vec::new();
    for op in diff.ops() {
        for change in diff.iter_inline_changes(op) {
            let kind = match change.tag() {
                ChangeTag::Equal => Change::Same,
                ChangeTag::Insert => Change::Added,
                ChangeTag::Delete => Change::Removed,
            };
            let parts = quiet(
                change.iter_strings_lossy().map(|(m, text)| (m, text.into_owned())),
            );
            rows.push(Row {
                change: kind,
                parts,
                at: change.new_index().map(|at| at + b.start),
            });
        }
    }
    rows
}

/// Marks help where little of a line differs; where most of it does, they are noise.
fn quiet(parts: impl Iterator<Item = (bool, String)>) -> Vec<(bool, String)> {
    let parts: Vec<(bool, String)> = parts.collect();
    let length = |marked: bool| -> usize {
        let of_kind = parts.iter().filter(|(own, _)| *own == marked);
        of_kind.map(|(_, text)| text.trim().len()).sum()
    };
    if length(true) <= length(false) {
        return parts;
    }
    vec![(false, parts.into_iter().map(|(_, text)| text).collect())]
}

/// The old lines that stand where `b` stands in the new file.
pub(crate) fn counterpart(old: &Source, new: &Source, b: &Range<usize>) -> Range<usize> {
    let whole = (old.texts(&(0..old.lines.len())), new.texts(&(0..new.lines.len())));
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .diff_slices(&whole.0, &whole.1);
    let (mut start, mut end) = (None, 0);
    for op in diff.ops() {
        let (a_op, b_op) = (op.old_range(), op.new_range());
        let inside = b_op.start.max(b.start)..b_op.end.min(b.end);
        if inside.is_empty() {
            continue;
        }
        // Inside equal lines the two sides advance together.
        let shift = |at: usize| match op.tag() {
            similar::DiffTag::Equal => a_op.start + (at - b_op.start),
            _ if at == b_op.start => a_op.start,
            _ => a_op.end,
        };
        start = start.or(Some(shift(inside.start)));
        end = if inside.end == b_op.end { a_op.end } else { shift(inside.end) };
    }
    start.map_or(0..0, |start| start..end.max(start))
}

/// Leaves out what a reader need not see: unchanged functions are folded to their
/// signatures, and of other unchanged lines only those near a change stay.
pub(crate) fn fold(rows: Vec<Row>, new: &Source) -> Vec<Row> {
    let near = near_changes(&rows);
    let mut fate: Vec<Fate> =
        near.iter().map(|&near| if near { Fate::Shown } else { Fate::Hidden }).collect();
    let mut folded: Vec<&Range<usize>> = Vec::new();
    for item in &new.items {
        let Some(signature) = &item.signature else { continue };
        let inside: Vec<usize> = positions(&rows, &item.range);
        let in_folded = folded.iter().any(|outer| outer.contains(&item.range.start));
        let (Some(&first), Some(&last)) = (inside.first(), inside.last()) else {
            continue;
        };
        if in_folded || inside.len() < item.range.len() {
            continue;
        }
        let changed = rows[first..=last].iter().any(|row| row.change != Change::Same);
        if !changed {
            inside.iter().for_each(|&at| fate[at] = Fate::Silent);
        }
        let lines = positions(&rows, signature);
        lines.iter().for_each(|&at| fate[at] = Fate::Shown);
        if !changed {
            folded.push(&item.range);
        }
        // A function on one line has no body to leave out.
        if let (false, Some(&last)) =
            (changed || signature.end == item.range.end, lines.last())
        {
            fate[last] = Fate::Folded;
        }
    }
    collect(rows, &fate)
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Shown,
    Folded,
    /// Left out, and a mark says so.
    Hidden,
    /// Left out of a folded function: its ` … }` says so.
    Silent,
}

fn positions(rows: &[Row], range: &Range<usize>) -> Vec<usize> {
    let inside = |row: &Row| row.at.is_some_and(|at| range.contains(&at));
    (0..rows.len()).filter(|&at| inside(&rows[at])).collect()
}

fn near_changes(rows: &[Row]) -> Vec<bool> {
    let changed = |at: usize| rows[at].change != Change::Same;
    (0..rows.len())
        .map(|at| {
            let around = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(rows.len());
            around.into_iter().any(changed)
        })
        .collect()
}

fn collect(rows: Vec<Row>, fate: &[Fate]) -> Vec<Row> {
    let mut kept: Vec<Row> = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let left_out = |fate: Fate| matches!(fate, Fate::Hidden | Fate::Silent);
        let run = fate[at..].iter().take_while(|&&fate| left_out(fate)).count();
        if run == 0 {
            let mut row = rows[at].clone();
            if fate[at] == Fate::Folded {
                row.change = Change::Folded;
                row.parts.push((false, " … }".into()));
            }
            kept.push(row);
            at += 1;
            continue;
        }
        let told =
            (at..at + run).any(|at| fate[at] == Fate::Hidden && !rows[at].is_blank());
        match (told, run) {
            (true, 1) => kept.push(rows[at].clone()),
            (true, _) => kept.push(Row::gap()),
            (false, _) => {}
        }
        at += run;
    }
    kept
}
