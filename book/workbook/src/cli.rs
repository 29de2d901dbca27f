//! What the reader types, and what each command says about itself.

use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// A command, and the clone that it works on.
#[derive(Parser)]
#[command(bin_name = "cargo workbook", override_help = OVERVIEW)]
pub(crate) struct Call {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[arg(long, global = true, value_name = "CLONE")]
    pub(crate) root: Option<PathBuf>,
}

/// What `cargo workbook` alone says.
pub(crate) const OVERVIEW: &str = "\
The workbook's commands. Each explains itself with --help.

  cargo workbook list               the chapters, in order
  cargo workbook diff 3 4           what chapter 4 changes in chapter 3
  cargo workbook start 4 ~/my-4     the program before chapter 4, to build chapter 4 in
  cargo workbook compare 4 ~/my-4   your program against chapter 4's
  cargo workbook check 4 --url http://127.0.0.1:8005
                                    chapter 4's promises, against your running server
  cargo workbook test               every chapter's promises
  cargo workbook book --serve       the book, in your browser
  cargo workbook client             fetches the Socket.IO browser client without Node
  cargo workbook bench --quick      how fast the chapters are, beside the same in Node

For those who write the book:

  cargo workbook check              does the book still match the code
  cargo workbook carry 2.2          a correction in step 2.2, into the steps that grow from it
  cargo workbook record 4           records chapter 4's transcripts and picture again
  cargo workbook weave              the mdBook preprocessor; mdBook calls it

--root CLONE works on another clone than the one around you.
";

/// A command's own help: the words above it in `Command`, below how it is called.
const HELP: &str = "{usage}\n\n{about}\n";

// The first paragraph is what `-h` shows, all of it is `--help`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists the chapters and their steps in order, each with its package, its folder and its
    /// idea.
    #[command(verbatim_doc_comment, override_usage = "cargo workbook list")]
    List,

    /// Shows what chapter B changes in chapter A, file by file. Without A: the chapter that B
    /// builds on. Unchanged functions are folded to their signatures. Long lines are wrapped
    /// at 80 columns; --width 0 leaves them alone. Exit code 0, also when they differ.
    ///
    ///   cargo workbook diff 3 4
    ///   cargo workbook diff 3 4 src/main.rs
    ///   cargo workbook diff 5-1 5-2
    #[command(
        verbatim_doc_comment,
        override_usage = "cargo workbook diff A B [FILE] [--width COLUMNS]\n\
                          cargo workbook diff B [FILE]"
    )]
    Diff {
        #[arg(required = true, num_args = 1..=3, value_name = "B")]
        what: Vec<String>,
        #[arg(long)]
        width: Option<usize>,
    },

    /// Writes the program that chapter N starts from into DIR, as a crate of its own that builds
    /// anywhere. Change it into chapter N there; your clone stays as it was. Chapters that start
    /// afresh give you a minimal program: it serves the page, and the rest is yours. --solution
    /// writes chapter N itself. DIR must be empty or not exist.
    ///
    ///   cargo workbook start 4 ~/my-chapter-4
    #[command(
        verbatim_doc_comment,
        override_usage = "cargo workbook start N DIR [--solution]"
    )]
    Start {
        #[arg(value_name = "N")]
        chapter: String,
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        #[arg(long)]
        solution: bool,
    },

    /// Shows how the program in DIR differs from chapter N. Exit code 1 when it does.
    ///
    ///   cargo workbook compare 4 ~/my-chapter-4
    #[command(verbatim_doc_comment, override_usage = "cargo workbook compare N DIR")]
    Compare {
        #[arg(value_name = "N")]
        chapter: String,
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },

    /// Without N: checks that the book matches the code. With N: runs chapter N's tests, against
    /// the chapter in this clone or against a server that you started, in Rust or in anything
    /// else. Promises that need the process itself are then listed as not checked: --program
    /// has them start your program instead, and checks all.
    /// PROMISE: only those with these words in their names. --watch checks again whenever your
    /// server has restarted, until Ctrl-C.
    /// --prose lists where a sentence or a name could be plainer; that is no fault.
    /// Exit code 1 when something is wrong.
    ///
    ///   cargo workbook check 4 --url http://127.0.0.1:8005
    ///   cargo workbook check 4 --url http://127.0.0.1:8005 --watch
    ///   cargo workbook check 4 "unknown path" --url http://127.0.0.1:8005
    ///   cargo workbook check 4.1 --program ~/mine/target/debug/chapter-4-1
    #[command(
        verbatim_doc_comment,
        override_usage = "cargo workbook check [--prose]\n\
                          cargo workbook check N [PROMISE] [--url URL] [--watch]\n\
                          cargo workbook check N [PROMISE] --program FILE"
    )]
    Check {
        #[arg(value_name = "N")]
        chapter: Option<String>,
        promise: Option<String>,
        #[arg(long, requires = "chapter", value_parser = url)]
        url: Option<String>,
        #[arg(long, requires = "url")]
        watch: bool,
        #[arg(long, requires = "chapter", conflicts_with = "url", value_name = "FILE")]
        program: Option<PathBuf>,
        #[arg(long, conflicts_with = "chapter")]
        prose: bool,
    },

    /// Tests each step's own promises, and all of each chapter's last step, side by side. --all
    /// tests everything, as must hold before a change lands. WORDS: only tests with these words
    /// in their names. The last line says how many passed, failed and were left out.
    #[command(
        verbatim_doc_comment,
        override_usage = "cargo workbook test [--all] [WORDS]"
    )]
    Test {
        words: Option<String>,
        #[arg(long)]
        all: bool,
    },

    /// Tests the promises about many tries with all of their tries. It takes long.
    #[command(verbatim_doc_comment, override_usage = "cargo workbook soak [WORDS]")]
    Soak { words: Option<String> },

    /// Fetches the official Socket.IO browser client from the npm registry, verifies it against
    /// the checksums in this clone, and puts it where the chapters look for it. You need this
    /// only when there is no npm on your machine.
    #[command(verbatim_doc_comment, override_usage = "cargo workbook client")]
    Client,

    /// Builds the book into book/book. --serve also serves it on 127.0.0.1 (port 3000 unless you
    /// say otherwise) and builds again when a page or a chapter changes; --open opens it in your
    /// browser. Needs no mdBook. The first call compiles it.
    #[command(
        verbatim_doc_comment,
        override_usage = "cargo workbook book [--serve] [--open] [--port PORT]"
    )]
    Book {
        #[arg(long)]
        serve: bool,
        #[arg(long)]
        open: bool,
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },

    /// Measures chapters, the same programs in Node and a bare TCP server under the same loads, in
    /// turns, and prints tables. Needs Linux, and Node for the comparison. Let the machine do
    /// nothing else meanwhile. A full run takes about ten minutes, --quick less than two; before the
    /// first, cargo builds everything with all optimisations, which takes minutes of its own.
    /// LOAD: echo, room-100, room-500, room-2000, rooms, handshake-ws, handshake, idle-1000 or
    /// idle-10000. --out keeps the numbers; the book shows the newest file in book/measurements.
    ///
    ///   cargo workbook bench --quick
    ///   cargo workbook bench --out book/measurements/2026-01-31.json
    #[command(
        verbatim_doc_comment,
        override_usage = "cargo workbook bench [--quick] [--only LOAD] [--out FILE]"
    )]
    Bench {
        #[arg(long)]
        quick: bool,
        #[arg(long)]
        only: Option<String>,
        #[arg(long)]
        out: Option<PathBuf>,
    },

    /// Carries what you changed in step N since the last commit into every step that grows from
    /// it, file by file, with a three-way merge. A file in which both changed the same lines is
    /// named and stays as it was; --conflicts leaves it with git's markers, for you to decide.
    /// Exit code 1 when there is such a file.
    ///
    ///   cargo workbook carry 2.2
    #[command(
        verbatim_doc_comment,
        override_usage = "cargo workbook carry N [--conflicts]"
    )]
    Carry {
        #[arg(value_name = "N")]
        step: String,
        #[arg(long)]
        conflicts: bool,
    },

    /// Runs the tests of chapter N, or of all, and keeps what they saw: the transcripts and, with
    /// --pictures, the pictures of the pages. Look at the changes before you commit them.
    #[command(
        verbatim_doc_comment,
        override_usage = "cargo workbook record [N] [--pictures]"
    )]
    Record {
        chapter: Option<String>,
        #[arg(long)]
        pictures: bool,
    },

    /// The mdBook preprocessor. mdBook calls it; book/book.toml says how.
    #[command(verbatim_doc_comment, override_usage = "cargo workbook weave")]
    Weave {
        #[command(subcommand)]
        asked: Option<Asked>,
    },
}

/// What mdBook asks before it sends the book.
#[derive(Subcommand)]
pub(crate) enum Asked {
    #[command(hide = true)]
    Supports { renderer: String },
}

/// Reads the command line. Misuse ends the program with 2, a wish for help with 0.
pub(crate) fn parse() -> Call {
    let command = Call::command().mut_subcommands(|command| command.help_template(HELP));
    let call = Call::from_arg_matches(&command.get_matches());
    call.unwrap_or_else(|misuse| misuse.exit())
}

/// The tests speak plain HTTP.
fn url(text: &str) -> Result<String, &'static str> {
    match text.strip_prefix("http://") {
        Some(address) if !address.is_empty() => Ok(text.to_owned()),
        _ => Err("it needs an address such as http://127.0.0.1:8005"),
    }
}
