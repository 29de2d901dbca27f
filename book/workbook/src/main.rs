//! The book's preprocessor, its checker, and the reader's commands.
//!
//! `weave` puts the chapters' code into the book's pages, `check` looks whether the two
//! still match, and the other commands are for readers: `cargo workbook` lists them.

mod check;
mod cli;
mod commands;
mod course;
mod directive;
mod html;
mod js_items;
mod ladder;
mod page;
mod piece;
mod plain;
mod red;
mod rest;
mod rust_items;
mod select;
mod source;
mod step_diff;
mod terminal;
mod timeline;
mod weave;
mod workbook;

use std::process::ExitCode;

use crate::cli::{Asked, Call, Command};
use crate::workbook::Workbook;

/// How a command ended. Errors are told on standard error.
pub(crate) enum Outcome {
    Fine,
    /// The command worked, and found something that the reader should look at.
    Found,
}

fn main() -> ExitCode {
    match run(cli::parse()) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Err(error) => {
            eprintln!("workbook: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(call: Call) -> anyhow::Result<Outcome> {
    let command = match call.command {
        None => {
            terminal::line(format_args!("{}", cli::OVERVIEW.trim_end()));
            return Ok(Outcome::Fine);
        }
        // Needs no clone, or gets to know it from mdBook.
        Some(Command::Weave { asked: None }) => {
            return weave::run().map(|()| Outcome::Fine);
        }
        Some(Command::Weave { asked: Some(Asked::Supports { renderer }) }) => {
            let supported = renderer != "not-supported";
            return Ok(if supported { Outcome::Fine } else { Outcome::Found });
        }
        Some(command) => command,
    };
    let workbook = Workbook::open(ladder::find_root(call.root)?)?;
    commands::run(&workbook, command)
}
