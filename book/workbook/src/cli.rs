//! What the reader types, and what each command says about itself.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::commands::test::Effort;

/// A command with its options, read and checked.
pub(crate) enum Command {
    Help(String),
    List,
    Diff { from: String, to: Option<String>, file: Option<String>, width: Option<usize> },
    Start { chapter: String, folder: PathBuf, solution: bool },
    Compare { chapter: String, folder: PathBuf },
    CheckBook,
    CheckChapter { chapter: String, only: Option<String>, url: Option<String> },
    Test { effort: Effort, only: Option<String> },
    Client,
    Book { serve: bool, open: bool, port: u16 },
    Bench { quick: bool, out: Option<PathBuf>, only: Option<String> },
    Record { chapter: Option<String>, pictures: bool },
    Weave { supports: Option<String> },
}

/// A command and the clone that `--root` names.
pub(crate) struct Call {
    pub(crate) command: Command,
    pub(crate) root: Option<PathBuf>,
}

const OVERVIEW: &str = "\
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
  cargo workbook record 4           records chapter 4's transcripts and picture again
  cargo workbook weave              the mdBook preprocessor; mdBook calls it

--root CLONE works on another clone than the one around you.
";

const HELP: [(&str, &str); 12] = [
    (
        "list",
        "\
cargo workbook list

Lists the chapters in order, each with its command and its idea.
",
    ),
    (
        "diff",
        "\
cargo workbook diff A B [FILE] [--width COLUMNS]
cargo workbook diff B [FILE]

Shows what chapter B changes in chapter A, file by file. Without A: the chapter that B
builds on. Unchanged functions are folded to their signatures. Long lines are wrapped
at 80 columns; --width 0 leaves them alone. Exit code 0, also when they differ.

  cargo workbook diff 3 4
  cargo workbook diff 3 4 src/main.rs
  cargo workbook diff 5-1 5-2
",
    ),
    (
        "start",
        "\
cargo workbook start N DIR [--solution]

Writes the program that chapter N starts from into DIR, as a crate of its own that builds
anywhere. Change it into chapter N there; your clone stays as it was. Chapters that start
afresh give you a minimal program. --solution writes chapter N itself. DIR must be empty
or not exist.

  cargo workbook start 4 ~/my-chapter-4
",
    ),
    (
        "compare",
        "\
cargo workbook compare N DIR

Shows how the program in DIR differs from chapter N. Exit code 1 when it does.

  cargo workbook compare 4 ~/my-chapter-4
",
    ),
    (
        "check",
        "\
cargo workbook check
cargo workbook check N [PROMISE] [--url URL]

Without N: checks that the book matches the code. With N: runs chapter N's tests, against
the chapter in this clone or against a server that you started, in Rust or in anything
else. Promises that need the process itself are then listed as not checked.
PROMISE: only those with these words in their names.
Exit code 1 when something is wrong.

  cargo workbook check 4 --url http://127.0.0.1:8005
  cargo workbook check 4 \"unknown path\" --url http://127.0.0.1:8005
",
    ),
    (
        "test",
        "\
cargo workbook test [--all] [WORDS]

Tests each step's own promises, and all of each chapter's last step, side by side. --all
tests everything, as must hold before a change lands. WORDS: only tests with these words
in their names. The last line says how many passed, failed and were left out.
",
    ),
    (
        "soak",
        "\
cargo workbook soak [WORDS]

Tests the promises about many tries with all of their tries. It takes long.
",
    ),
    (
        "client",
        "\
cargo workbook client

Fetches the official Socket.IO browser client from the npm registry, verifies it against
the checksums in this clone, and puts it where the chapters look for it. You need this
only when there is no npm on your machine.
",
    ),
    (
        "book",
        "\
cargo workbook book [--serve] [--open] [--port PORT]

Builds the book into book/book. --serve also serves it on 127.0.0.1 (port 3000 unless you
say otherwise) and builds again when a page or a chapter changes; --open opens it in your
browser. Needs no mdBook. The first call compiles it.
",
    ),
    (
        "bench",
        "\
cargo workbook bench [--quick] [--only LOAD] [--out FILE]

Measures chapters, the same programs in Node and a bare TCP server under the same loads, in
turns, and prints tables. Needs Linux, and Node for the comparison. Let the machine do
nothing else meanwhile. A full run takes about ten minutes, --quick less than two; before the
first, cargo builds everything with all optimisations, which takes minutes of its own.
LOAD: echo, room-100, room-500, room-2000, rooms, handshake-ws, handshake, idle-1000 or
idle-10000. --out keeps the numbers; the book shows the newest file in book/measurements.

  cargo workbook bench --quick
  cargo workbook bench --out book/measurements/2026-01-31.json
",
    ),
    (
        "record",
        "\
cargo workbook record [N] [--pictures]

Runs the tests of chapter N, or of all, and keeps what they saw: the transcripts and, with
--pictures, the pictures of the pages. Look at the changes before you commit them.
",
    ),
    (
        "weave",
        "\
cargo workbook weave

The mdBook preprocessor. mdBook calls it; book/book.toml says how.
",
    ),
];

/// Reads the command line. An error is misuse.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Call> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut given = Given::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(value) => given.values.push(value),
            Long("root") => given.root = Some(parser.value()?.into()),
            Long("url") => given.url = Some(url(parser.value()?.string()?)?),
            Long("width") => given.width = Some(parser.value()?.parse()?),
            Long("port") => given.port = Some(parser.value()?.parse()?),
            Long("out") => given.out = Some(parser.value()?.into()),
            Long("only") => given.only = Some(parser.value()?.string()?),
            Long("help") | Short('h') => given.flags.push("help"),
            Long("solution") => given.flags.push("solution"),
            Long("pictures") => given.flags.push("pictures"),
            Long("serve") => given.flags.push("serve"),
            Long("open") => given.flags.push("open"),
            Long("quick") => given.flags.push("quick"),
            other => return Err(other.unexpected().into()),
        }
    }
    let root = given.root.take();
    Ok(Call { command: given.command()?, root })
}

/// The tests speak plain HTTP.
fn url(text: String) -> Result<String> {
    if text.strip_prefix("http://").is_none_or(str::is_empty) {
        bail!("--url needs an address such as http://127.0.0.1:8005, not `{text}`");
    }
    Ok(text)
}

#[derive(Default)]
struct Given {
    values: Vec<OsString>,
    flags: Vec<&'static str>,
    root: Option<PathBuf>,
    url: Option<String>,
    width: Option<usize>,
    port: Option<u16>,
    out: Option<PathBuf>,
    only: Option<String>,
}

impl Given {
    fn command(mut self) -> Result<Command> {
        if self.values.is_empty() {
            return Ok(Command::Help(OVERVIEW.into()));
        }
        let name = self.text(0)?;
        if name == "help" {
            let topic = if self.values.len() > 1 { self.text(1)? } else { String::new() };
            return Ok(Command::Help(help_for(&topic).unwrap_or(OVERVIEW).into()));
        }
        let Some(help) = help_for(&name) else {
            let known: Vec<&str> = HELP.iter().map(|(name, _)| *name).collect();
            let near = crate::select::nearest(&name, &known);
            bail!("there is no command `{name}`{near}\n\n{OVERVIEW}");
        };
        if self.flag("help") {
            return Ok(Command::Help(help.into()));
        }
        self.named(&name).map_err(|error| anyhow::anyhow!("{error:#}\n\n{help}"))
    }

    fn named(&mut self, name: &str) -> Result<Command> {
        let command = match (name, self.values.len() - 1) {
            ("list", 0) => Command::List,
            ("diff", 1..=3) => self.diff()?,
            ("start", 2) => Command::Start {
                chapter: self.text(1)?,
                folder: self.path(2),
                solution: self.flag("solution"),
            },
            ("compare", 2) => {
                Command::Compare { chapter: self.text(1)?, folder: self.path(2) }
            }
            ("check", 0) if self.url.is_none() => Command::CheckBook,
            ("check", 1 | 2) => Command::CheckChapter {
                chapter: self.text(1)?,
                only: self.values.get(2).map(|_| self.text(2)).transpose()?,
                url: self.url.take(),
            },
            ("test", 0 | 1) => Command::Test {
                effort: if self.flag("all") { Effort::Whole } else { Effort::Quick },
                only: self.values.get(1).map(|_| self.text(1)).transpose()?,
            },
            ("soak", 0 | 1) => Command::Test {
                effort: Effort::Soak,
                only: self.values.get(1).map(|_| self.text(1)).transpose()?,
            },
            ("client", 0) => Command::Client,
            ("book", 0) => Command::Book {
                serve: self.flag("serve"),
                open: self.flag("open"),
                port: self.port.take().unwrap_or(3000),
            },
            ("bench", 0) => Command::Bench {
                quick: self.flag("quick"),
                out: self.out.take(),
                only: self.only.take(),
            },
            ("record", 0) => {
                Command::Record { chapter: None, pictures: self.flag("pictures") }
            }
            ("record", 1) => Command::Record {
                chapter: Some(self.text(1)?),
                pictures: self.flag("pictures"),
            },
            // mdBook asks `weave supports html` before it sends the book.
            ("weave", 0) => Command::Weave { supports: None },
            ("weave", 2) => Command::Weave { supports: Some(self.text(2)?) },
            _ => bail!("`{name}` was given too little or too much"),
        };
        self.leftovers(name)?;
        Ok(command)
    }

    fn diff(&mut self) -> Result<Command> {
        let width = self.width.take();
        let looks_like_file = |text: &str| {
            text.contains(['/', '\\'])
                || text.contains(".rs")
                || text.ends_with(".toml")
                || text.ends_with(".html")
        };
        let first = self.text(1)?;
        Ok(
            match (
                self.values.len() - 1,
                self.values.get(2).map(|_| self.text(2)).transpose()?,
            ) {
                (1, _) => Command::Diff { from: first, to: None, file: None, width },
                (2, Some(second)) if looks_like_file(&second) => {
                    Command::Diff { from: first, to: None, file: Some(second), width }
                }
                (_, to) => {
                    let file = self.values.get(3).map(|_| self.text(3)).transpose()?;
                    Command::Diff { from: first, to, file, width }
                }
            },
        )
    }

    /// An option that the command does not know is a mistake worth telling.
    fn leftovers(&self, name: &str) -> Result<()> {
        let own: &[&str] = match name {
            "start" => &["solution"],
            "test" => &["all"],
            "book" => &["serve", "open"],
            "bench" => &["quick"],
            "record" => &["pictures"],
            _ => &[],
        };
        if let Some(flag) = self.flags.iter().find(|flag| !own.contains(flag)) {
            bail!("`{name}` has no option --{flag}");
        }
        let values = [
            ("url", self.url.is_some()),
            ("width", self.width.is_some()),
            ("port", self.port.is_some()),
            ("out", self.out.is_some()),
            ("only", self.only.is_some()),
        ];
        if let Some((option, _)) = values.iter().find(|(_, given)| *given) {
            bail!("`{name}` has no option --{option}");
        }
        Ok(())
    }

    fn flag(&self, name: &str) -> bool {
        self.flags.contains(&name)
    }

    fn text(&self, at: usize) -> Result<String> {
        match self.values[at].to_str() {
            Some(text) => Ok(text.to_owned()),
            None => bail!("{} is not Unicode", self.values[at].display()),
        }
    }

    fn path(&self, at: usize) -> PathBuf {
        PathBuf::from(&self.values[at])
    }
}

fn help_for(name: &str) -> Option<&'static str> {
    HELP.iter().find(|(own, _)| *own == name).map(|(_, help)| *help)
}
