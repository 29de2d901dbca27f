//! Links lead somewhere, and the book asks no other host for anything.

use anyhow::Result;

use super::{Book, Fault};
use crate::page::{Link, Page};
use crate::select::nearest;

pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    for woven in &book.pages {
        check(book, &woven.page, "book/src", faults);
    }
    if let Ok(text) = std::fs::read_to_string(book.workbook.root.join("README.md")) {
        check(book, &Page::read("README.md".into(), text), "", faults);
    }
    Ok(())
}

/// `top` is the folder that links must not leave.
fn check(book: &Book<'_>, page: &Page, top: &str, faults: &mut Vec<Fault>) {
    for link in &page.links {
        if let Some(what) = wrong(book, page, top, link) {
            faults.push(Fault { path: page.path.clone(), line: link.line, what });
        }
    }
}

fn wrong(book: &Book<'_>, page: &Page, top: &str, link: &Link) -> Option<String> {
    let target = link.target.as_str();
    if target.contains("://") || target.starts_with("//") || target.starts_with("mailto:")
    {
        let fetched = link.embedded && top == "book/src";
        let what = format!(
            "`{target}` would be fetched from another host; keep a copy in book/src"
        );
        return fetched.then_some(what);
    }
    if target.starts_with("data:") {
        return None;
    }
    let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { page.path.clone() } else { join(&page.path, file) };
    if !path.starts_with(top) {
        return Some(format!(
            "`{target}` leads out of the book; readers have only the book there"
        ));
    }
    // A link may name the page that mdBook makes.
    let path = match path.strip_suffix(".html") {
        Some(stem) if book.workbook.root.join(format!("{stem}.md")).is_file() => {
            format!("{stem}.md")
        }
        _ => path,
    };
    if !book.workbook.root.join(&path).exists() {
        let known: Vec<&str> =
            book.pages.iter().map(|woven| woven.page.path.as_str()).collect();
        return Some(format!(
            "`{target}` leads nowhere: there is no {path}{}",
            nearest(&path, &known)
        ));
    }
    no_heading(book, &path, fragment)
}

fn no_heading(book: &Book<'_>, path: &str, fragment: &str) -> Option<String> {
    let page = &book.pages.iter().find(|woven| woven.page.path == path)?.page;
    let ids: Vec<&str> =
        page.headings.iter().map(|heading| heading.id.as_str()).collect();
    let known = fragment.is_empty()
        || ids.contains(&fragment)
        || page.text.contains(&format!("id=\"{fragment}\""));
    let what = format!("{path} has no heading `#{fragment}`{}", nearest(fragment, &ids));
    (!known).then_some(what)
}

/// A relative link, seen from the root.
fn join(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
