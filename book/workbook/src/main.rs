//! The book's preprocessor, its checker, and the reader's commands.
//!
//! `weave` puts the chapters' code into the book's pages, `check` looks whether the two
//! still match, and the other commands are for readers: `cargo workbook` lists them.

mod check;
mod cli;
mod commands;
mod directive;
mod html;
mod js_items;
mod ladder;
mod page;
mod piece;
mod plain;
mod rust_items;
mod select;
mod source;
mod step_diff;
mod terminal;
mod weave;
mod workbook;

use std::process::ExitCode;

use crate::cli::{Call, Command};
use crate::workbook::Workbook;

/// How a command ended. Errors are told on standard error.
pub(crate) enum Outcome {
    Fine,
    /// The command worked, and found something that the reader should look at.
    Found,
}

fn main() -> ExitCode {
    let call = match cli::parse(std::env::args_os().skip(1)) {
        Ok(call) => call,
        Err(misuse) => {
            eprintln!("workbook: {misuse:#}");
            return ExitCode::from(2);
        }
    };
    match run(call) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Err(error) => {
            eprintln!("workbook: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(call: Call) -> anyhow::Result<Outcome> {
    // These two need no clone, or get to know it from mdBook.
    match &call.command {
        Command::Help(text) => {
            terminal::line(format_args!("{}", text.trim_end()));
            return Ok(Outcome::Fine);
        }
        Command::Weave { supports: Some(renderer) } => {
            return Ok(if renderer == "not-supported" {
                Outcome::Found
            } else {
                Outcome::Fine
            });
        }
        Command::Weave { supports: None } => return weave::run().map(|()| Outcome::Fine),
        _ => {}
    }
    let workbook = Workbook::open(ladder::find_root(call.root)?)?;
    commands::run(&workbook, call.command)
}
