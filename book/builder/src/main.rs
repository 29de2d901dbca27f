//! Builds the book, and serves it while it is being written.
//!
//! Run:  cargo workbook book --serve --open

mod serve;
mod watch;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use mdbook_driver::MDBook;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("book: {error:#}");
            ExitCode::from(1)
        }
    }
}

/// The arguments come from `cargo workbook book`, which has checked them: the root, a
/// port or `-`, and `open` or `-`.
fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "called by `cargo workbook book`";
    let root = std::path::PathBuf::from(arguments.next().context(usage)?);
    let port: Option<u16> = arguments.next().context(usage)?.parse().ok();
    let opens = arguments.next().is_some_and(|word| word == "open");
    let folder = root.join("book/book");
    let built = build(&root);
    let Some(port) = port else {
        built?;
        let page = folder.join("index.html");
        println!("The book is at {}.", page.display());
        if opens {
            open(&page.display().to_string());
        }
        return Ok(());
    };
    // Somebody is writing: a page that does not build yet is worth waiting for.
    if let Err(error) = built {
        eprintln!("book: {error:#}");
    }
    let server = serve::Server::bind(port, folder)?;
    println!("The book is at {}. Ctrl-C stops it.", server.url());
    if opens {
        open(&server.url());
    }
    let changed = server.reloader();
    watch::spawn(root.clone(), move || match build(&root) {
        Ok(()) => changed.tell(),
        Err(error) => eprintln!("book: {error:#}"),
    });
    server.run();
    Ok(())
}

fn build(root: &Path) -> Result<()> {
    let book = root.join("book");
    let book = MDBook::load(&book).with_context(|| format!("in {}", book.display()))?;
    book.build().context("the book does not build")
}

/// Hands a file or an address to whatever the desktop opens it with.
fn open(what: &str) {
    let command = match std::env::consts::OS {
        "macos" => ["open", what].to_vec(),
        "windows" => ["cmd", "/c", "start", "", what].to_vec(),
        _ => ["xdg-open", what].to_vec(),
    };
    if std::process::Command::new(command[0]).args(&command[1..]).spawn().is_err() {
        println!("Open {what} in your browser.");
    }
}
