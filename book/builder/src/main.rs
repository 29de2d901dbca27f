//! Builds the book, and serves it while it is being written.
//!
//! Run:  cargo workbook book --serve --open

mod changes;
mod serve;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use tokio::runtime::Runtime;
use tokio::sync::watch;

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
/// port or `-`, and `open` or `-`. A test adds the folder to build into.
fn run() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let usage = "called by `cargo workbook book`";
    let root = PathBuf::from(arguments.next().context(usage)?);
    let port = arguments.next().context(usage)?;
    let port: Option<u16> = port.to_str().and_then(|port| port.parse().ok());
    let opens = arguments.next().is_some_and(|word| word == "open");
    let folder = arguments.next().map_or_else(|| root.join("book/book"), PathBuf::from);
    let before = changes::state(&root);
    let built = build(&root, &folder);
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
    let (builds, told) = watch::channel(serve::first_build());
    let output = folder.clone();
    changes::spawn(root.clone(), before, move || match build(&root, &output) {
        Ok(()) => builds.send_modify(|build| *build += 1),
        Err(error) => eprintln!("book: {error:#}"),
    });
    Runtime::new()?.block_on(async {
        let listener = serve::bind(port).await?;
        let url = format!("http://{}", listener.local_addr()?);
        println!("The book is at {url}. Ctrl-C stops it.");
        if opens {
            open(&url);
        }
        serve::run(listener, folder, told).await
    })
}

fn build(root: &Path, folder: &Path) -> Result<()> {
    let book = root.join("book");
    let mut book =
        MDBook::load(&book).with_context(|| format!("in {}", book.display()))?;
    book.config.build.build_dir = folder.to_owned();
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
