//! The outermost functions, classes and variables of a script, by name.

use crate::rust_items::Item;
use crate::source::Source;

/// Every named declaration that begins a line, with the comments above it. Where one ends
/// the indentation says: the scripts here are formatted, and one that is not would be cut
/// where a reader sees it.
pub(crate) fn items(source: &Source) -> Vec<Item> {
    let declared = source.lines.iter().enumerate();
    let declared = declared.filter_map(|(at, line)| Some((at, declaration(&line.text)?)));
    let item = |(at, (kind, name)): (usize, (&str, &str))| {
        let names = vec![name.to_owned(), format!("{kind} {name}")];
        Item::outermost(names, source.first_comment(at)..source.block_end(at))
    };
    declared.map(item).collect()
}

/// `("function", "onJoin")` for `export async function onJoin(`.
fn declaration(line: &str) -> Option<(&str, &str)> {
    let mut rest = line;
    for word in ["export ", "default ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let (kind, rest) = rest.split_once(' ')?;
    let kind = kind.trim_end_matches('*');
    let known = ["function", "class", "const", "let", "var"].contains(&kind);
    let rest = rest.trim_start_matches('*');
    let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let name = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
    (known && !name.is_empty()).then_some((kind, name))
}
