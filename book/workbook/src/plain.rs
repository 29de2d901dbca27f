//! A piece as Markdown, for renderers that do not write HTML.

use std::fmt::Write as _;

use crate::piece::{
    Code, Column, DifferenceTable, Measured, Pair, Piece, Tree, sentence,
};
use crate::red::{Against, Red};
use crate::step_diff::Change;

pub(crate) fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Code(code) => fence(code),
        Piece::Sides(pairs) => pairs.iter().flat_map(Pair::sides).map(side).collect(),
        Piece::Tree(files) => tree(files),
        Piece::Transcript(recorded) => format!("```text\n{}```\n", recorded.body),
        Piece::Measured(Measured::Words(words)) => words.clone(),
        Piece::Measured(Measured::Table(table)) => table.markdown(),
        // The tables have the same numbers.
        Piece::Measured(Measured::Plot(_)) => String::new(),
        Piece::Promise(kept) => format!("{}:\n\n{}", kept.sentence(), fence(&kept.code)),
        Piece::Red(broken) => red(broken),
        Piece::Rest(left) => {
            let figures: String = left.codes.iter().map(fence).collect();
            format!("{} ({}):\n\n{figures}", left.summary(), left.number())
        }
        Piece::Differences(table) => differences(table),
        Piece::Steps(table) => table.clone(),
    }
}

/// A chapter's page has the reasons. The table of all also says which chapters a row is about
/// and which promises hold it against both servers.
pub(crate) fn differences(table: &DifferenceTable) -> String {
    let mut text = String::from("| In Node | Here | Why |\n|---|---|---|\n");
    for row in &table.rows {
        let mut why = row.why.clone();
        if table.all {
            let plural = if row.chapters.len() == 1 { "" } else { "s" };
            let promises: Vec<_> = row.promises().map(sentence).collect();
            let asked = if row.fails.is_empty() { ", not asked of the twin" } else { "" };
            let _ = write!(
                why,
                "<br>Chapter{plural} {}{asked}: *{}.*",
                row.chapters.join(", "),
                promises.join(". ")
            );
        }
        let cells = [&row.node, &row.here, &why].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn red(red: &Red) -> String {
    let on = match &red.against {
        Against::Step(number) => format!("`{number}`"),
        Against::Start(number) => {
            format!("the program that `cargo workbook start {number}` gives")
        }
        Against::Without { file, .. } => format!("`{file}` without one of its lines"),
    };
    let lines = red.lines().into_iter().map(|(_, line)| format!("{line}\n"));
    format!(
        "{}: fails on {on}\n\n```text\n{}```\n",
        red.sentence(),
        lines.collect::<String>()
    )
}

fn side((label, column): (&str, &Column)) -> String {
    format!("{label}: {}\n", fence(&column.code))
}

fn fence(code: &Code) -> String {
    let is_diff = code.from.is_some();
    let language = if is_diff { "diff" } else { code.source.language() };
    let mut text = format!("`{}`", code.source.path);
    if let Some(place) = code.place() {
        let _ = write!(text, ", {place}");
    }
    // Code may hold a fence of its own, in a comment.
    let _ = writeln!(text, "\n\n````{language}");
    for row in &code.rows {
        let sign = match row.change {
            _ if !is_diff => "",
            Change::Added => "+",
            Change::Removed => "-",
            _ => " ",
        };
        let _ = writeln!(text, "{}", format!("{sign}{}", row.text()).trim_end());
    }
    text + "````\n"
}

fn tree(tree: &Tree) -> String {
    let mut text = String::from("| File | State |\n|---|---|\n");
    for file in &tree.files {
        let _ = writeln!(text, "| `{}` | {} |", file.path, file.fate());
    }
    text
}
