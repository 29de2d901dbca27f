//! The reader's commands, as a reader types them.

#![allow(clippy::unwrap_used, reason = "only tests use this")]

mod fixture;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fixture::Fixture;

#[test]
fn without_arguments_the_commands_are_listed() {
    let said = Fixture::new("no_arguments").run(&[]);
    assert_eq!(said.code, Some(0));
    for command in
        ["list", "diff", "start", "compare", "check", "book", "client", "record", "carry"]
    {
        assert!(said.out.contains(&format!("cargo workbook {command}")), "{}", said.out);
    }
}

#[test]
fn every_command_explains_itself() {
    let book = Fixture::new("help");
    for command in [
        "list", "diff", "start", "compare", "check", "book", "client", "record", "carry",
        "weave",
    ] {
        let said = book.run(&[command, "--help"]);
        assert_eq!(said.code, Some(0), "{command}");
        assert!(
            said.out.starts_with(&format!("cargo workbook {command}")),
            "{}",
            said.out
        );
        let widest = said.out.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(90), "{}", said.out);
    }
}

#[test]
fn misuse_ends_with_2_and_says_what_is_right() {
    let book = Fixture::new("misuse");
    let said = book.run(&["dif", "1", "2"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("a similar subcommand exists: 'diff'"), "{}", said.err);
    let said = book.run(&["start", "2"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("cargo workbook start N DIR"), "{}", said.err);
    for command in ["diff", "start", "compare"] {
        let said = book.run(&[command]);
        assert_eq!(said.code, Some(2), "{command}");
        assert!(said.err.contains(&format!("cargo workbook {command} ")), "{}", said.err);
    }
    let said = book.run(&["list", "--serve"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("unexpected argument '--serve'"), "{}", said.err);
}

#[test]
fn the_chapters_are_listed_in_order() {
    let said = Fixture::new("list").run(&["list"]);
    assert_eq!(said.code, Some(0));
    let one = said.out.find("Chapter 1\n  1    chapter-1    chapters/1-one\n").unwrap();
    let two = said.out.find("Chapter 2\n  2    chapter-2    chapters/2-two\n").unwrap();
    assert!(one < two, "{}", said.out);
}

#[test]
fn steps_are_listed_below_their_chapter() {
    let book = Fixture::new("list_steps");
    let steps = "
[[step]]
package = \"chapter-3-1\"
folder = \"3.1-small\"
idea = \"Small\"

[[step]]
package = \"chapter-3\"
folder = \"3.2-large\"
idea = \"Large\"
kind = \"deep\"

[[chapter]]
number = 3
title = \"From small to large\"
page = \"chapter-3.md\"
";
    book.append("book/steps.toml", steps);
    let said = book.run(&["list"]);
    let chapter = "
Chapter 3: From small to large
  3.1  chapter-3-1  chapters/3.1-small
       Small
  3.2  chapter-3    chapters/3.2-large  (deep)
       Large
";
    assert!(said.out.contains(chapter), "{}", said.out);
}

/// A clone with a commit, in which 2.2 and 2.3 grow from 2.1, and 3.1 starts afresh.
fn with_history(name: &str) -> Fixture {
    let book = Fixture::new(name);
    let mut steps = String::new();
    for (number, from) in [("2.1", ""), ("2.2", "2.1-x"), ("2.3", "2.2-x"), ("3.1", "")] {
        let package = format!("chapter-{}", number.replace('.', "-"));
        steps += &format!(
            "[[step]]\npackage = \"{package}\"\nfolder = \"{number}-x\"\nidea = \"\"\n"
        );
        if !from.is_empty() {
            steps += &format!("from = \"{from}\"\n");
        }
        let main = MAIN.replace("NUMBER", number);
        book.write(&format!("chapters/{number}-x/src/main.rs"), &main);
        book.write(&format!("chapters/{number}-x/src/same.rs"), "one\ntwo\n");
    }
    book.write("book/steps.toml", &steps);
    book.write(".gitignore", "/target\n*.log\n");
    git(&book, &["init", "--quiet"]);
    git(&book, &["add", "--all"]);
    let me = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
    git(&book, &[&me[..], &["commit", "--quiet", "-m", "all"]].concat());
    book
}

const MAIN: &str = "a typo\n\n\n\nthe same\n\n\n\nthe end of NUMBER\n";

fn git(book: &Fixture, arguments: &[&str]) {
    let mut git = std::process::Command::new("git");
    let done = git.current_dir(&book.root).args(arguments).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

#[test]
fn a_correction_is_carried_into_every_step_that_grows_from_it() {
    let book = with_history("carry");
    book.replace("chapters/2.1-x/src/main.rs", "a typo", "no typo");
    book.replace("chapters/2.1-x/src/same.rs", "two", "three");
    book.write("chapters/2.1-x/src/new.rs", "new\n");
    book.write("chapters/2.1-x/a.log", "not of the program\n");
    let said = book.run(&["carry", "2.1"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    for number in ["2.2", "2.3"] {
        let main = MAIN.replace("a typo", "no typo").replace("NUMBER", number);
        assert_eq!(book.read(&format!("chapters/{number}-x/src/main.rs")), main);
        assert_eq!(
            book.read(&format!("chapters/{number}-x/src/same.rs")),
            "one\nthree\n"
        );
        assert_eq!(book.read(&format!("chapters/{number}-x/src/new.rs")), "new\n");
        assert!(!book.path(&format!("chapters/{number}-x/a.log")).exists());
    }
    assert!(book.read("chapters/3.1-x/src/main.rs").starts_with("a typo"));
    assert!(
        said.out.contains("src/main.rs\n  2.2  carried\n  2.3  carried\n"),
        "{}",
        said.out
    );
    assert!(said.out.ends_with("\n6 carried, 0 in conflict.\n"), "{}", said.out);
    let again = book.run(&["carry", "chapter-2-1"]);
    assert_eq!(
        (again.code, again.out.contains("0 carried, 0 in")),
        (Some(0), true),
        "{}",
        again.out
    );
}

#[test]
fn a_file_that_goes_goes_everywhere_unless_a_later_step_has_changed_it() {
    let book = with_history("carry_removed");
    book.remove("chapters/2.1-x/src/main.rs");
    book.remove("chapters/2.1-x/src/same.rs");
    let said = book.run(&["carry", "2.1", "--conflicts"]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    assert!(!book.path("chapters/2.3-x/src/same.rs").exists());
    assert_eq!(book.read("chapters/2.3-x/src/main.rs"), MAIN.replace("NUMBER", "2.3"));
    let line = "  2.3  conflict: chapters/2.3-x/src/main.rs is left as it was\n";
    assert!(said.out.contains(line), "{}", said.out);
}

#[test]
fn a_conflict_is_named_and_its_file_left_alone_unless_markers_are_wanted() {
    let book = with_history("carry_conflict");
    book.replace("chapters/2.2-x/src/main.rs", "a typo", "another typo");
    let before = book.read("chapters/2.2-x/src/main.rs");
    book.replace("chapters/2.1-x/src/main.rs", "a typo", "no typo");
    let said = book.run(&["carry", "2.1"]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    let line =
        "  2.2  conflict: chapters/2.2-x/src/main.rs is left as it was\n  2.3  carried\n";
    assert!(said.out.contains(line), "{}", said.out);
    assert_eq!(book.read("chapters/2.2-x/src/main.rs"), before);
    let said = book.run(&["carry", "2.1", "--conflicts"]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    let marked = book.read("chapters/2.2-x/src/main.rs");
    let markers =
        "<<<<<<< this step\nanother typo\n=======\nno typo\n>>>>>>> corrected\n";
    assert!(marked.starts_with(markers), "{marked}");
}

#[test]
fn there_must_be_something_to_carry_and_somewhere_to_carry_it() {
    let book = with_history("carry_nothing");
    let said = book.run(&["carry", "2.1"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("nothing in chapters/2.1-x has changed"), "{}", said.err);
    let said = book.run(&["carry", "2.3"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("no step grows from 2.3"), "{}", said.err);
}

#[test]
fn a_diff_fits_80_columns_and_has_no_colours_when_it_is_not_on_a_terminal() {
    let book = Fixture::new("diff");
    let long = "    // A comment that is so long that no terminal of eighty columns could hold it on one line.\n";
    book.replace(
        "chapters/2-two/src/main.rs",
        "    // Nobody",
        &format!("{long}    // Nobody"),
    );
    let said = book.run(&["diff", "1", "2"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.lines().all(|line| line.chars().count() <= 80), "{}", said.out);
    assert!(!said.out.contains('\x1b'), "{}", said.out);
    assert!(said.out.contains(" +     // A comment that is so long"), "{}", said.out);
    assert!(
        said.out.contains("fn greet(name: impl Display) -> String { … }"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("ANCHOR"), "{}", said.out);
}

/// `script` runs a command on a terminal of its own; not every system has it.
#[cfg(target_os = "linux")]
#[test]
fn a_diff_is_coloured_on_a_terminal_unless_the_reader_wants_none() {
    let book = Fixture::new("colours");
    let diff = format!("'{}' diff 1 2", env!("CARGO_BIN_EXE_workbook"));
    let on_terminal = |variable: &str, value: &str| {
        let mut script = std::process::Command::new("script");
        script.args(["--quiet", "--return", "--command", &diff, "/dev/null"]);
        script.env("TERM", "xterm").env_remove("NO_COLOR").env(variable, value);
        script.current_dir(&book.root).stdin(std::process::Stdio::null());
        script.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Ok(plain) = on_terminal("TERM", "xterm") else {
        eprintln!("skipped: there is no `script` to try it with");
        return;
    };
    assert!(plain.contains("\x1b[32m"), "{plain}");
    assert!(plain.contains("\x1b[31m"), "{plain}");
    for (variable, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = on_terminal(variable, value).unwrap();
        assert!(plain.contains("fn answer") && !plain.contains('\x1b'), "{plain}");
    }
}

#[test]
fn a_chapter_answers_to_its_number_its_package_and_its_folder() {
    let book = Fixture::new("names");
    let by_number = book.run(&["diff", "1", "2", "src/main.rs"]).out;
    assert!(by_number.contains("+11 -3"), "{by_number}");
    for arguments in [
        ["diff", "chapter-1", "chapter-2", "src/main.rs"],
        ["diff", "chapters/1-one/", "2-two", "src\\main.rs"],
    ] {
        assert_eq!(book.run(&arguments).out, by_number);
    }
    assert_eq!(book.run(&["diff", "2", "src/main.rs"]).out, by_number);
    // The last step of a chapter: `chapter-2` in `2.3-two`.
    let rename = |from: &str, to: &str| {
        std::fs::rename(book.path(from), book.path(to)).unwrap();
    };
    rename("chapters/2-two", "chapters/2.3-two");
    book.replace("book/steps.toml", "2-two", "2.3-two");
    let of_folder = by_number.replace("2-two", "2.3-two");
    let of_folder =
        of_folder.replace("\n2\n", "\n2.3\n").replace("start 2 ", "start 2.3 ");
    for name in ["2", "chapter-2", "2.3", "2-3", "chapter-2-3", "chapter_2_3", "2.3-two"]
    {
        assert_eq!(
            book.run(&["diff", "1", name, "src/main.rs"]).out,
            of_folder,
            "{name}"
        );
    }
    let said = book.run(&["diff", "1", "7"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("no chapter `7`; the chapters are 1, 2"), "{}", said.err);
}

#[test]
fn start_gives_the_program_before_the_chapter_and_it_builds_there() {
    let book = Fixture::new("start");
    let folder = book.path("my own chapter");
    let said = book.run(&["start", "2", folder.to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.out.contains("the program of step 1, to build step 2 in"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("my own chapter\""),
        "a path with blanks is quoted: {}",
        said.out
    );
    assert_eq!(
        book.read("my own chapter/src/main.rs"),
        book.read("chapters/1-one/src/main.rs")
    );
    let manifest = book.read("my own chapter/Cargo.toml");
    assert!(!manifest.contains("workspace = true"), "{manifest}");
    let built = std::process::Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&built.stdout), "hello, you\n", "{built:?}");
}

#[test]
fn start_can_give_the_solution_or_the_smallest_program() {
    let book = Fixture::new("start_others");
    let said =
        book.run(&["start", "2", book.path("two").to_str().unwrap(), "--solution"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(book.read("two/src/main.rs"), book.read("chapters/2-two/src/main.rs"));
    let said = book.run(&["start", "1", book.path("one").to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let main = book.read("one/src/main.rs");
    for part in [
        "listening on",
        "include_str!(\"../static/index.html\")",
        "browser_kit::routes()",
    ] {
        assert!(main.contains(part), "{main}");
    }
    assert!(main.lines().count() <= 40, "{main}");
    assert!(book.path("one/static/index.html").is_file());
}

#[test]
fn start_does_not_write_into_a_folder_that_holds_something() {
    let book = Fixture::new("start_full");
    book.write("mine/notes.txt", "mine");
    let said = book.run(&["start", "2", book.path("mine").to_str().unwrap()]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("is not empty"), "{}", said.err);
    assert!(!book.path("mine/src").exists());
    let file = book.path("mine/notes.txt");
    let said = book.run(&["start", "2", file.to_str().unwrap()]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("is a file"), "{}", said.err);
}

#[test]
fn compare_ends_with_0_only_when_nothing_differs() {
    let book = Fixture::new("compare");
    let folder = book.path("mine");
    let folder = folder.to_str().unwrap();
    book.run(&["start", "2", folder]);
    let said = book.run(&["compare", "2", folder]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("fn answer(greeting: &str)"), "{}", said.out);
    book.write("mine/src/main.rs", &book.read("chapters/2-two/src/main.rs"));
    let said = book.run(&["compare", "2", folder]);
    assert_eq!(said.code, Some(0), "{}", said.out);
}

#[test]
fn compare_takes_a_program_that_does_not_compile() {
    let book = Fixture::new("compare_broken");
    book.write("mine/src/main.rs", "fn main() {\n");
    let said = book.run(&["compare", "2", book.path("mine").to_str().unwrap()]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.out.contains("Lines with - are yours"), "{}", said.out);
}

/// A chapter's suite over the wire, as a reader's server meets it.
const PROMISES: &str = r#"//! The promises of chapter 2.

use std::io::{Read, Write};
use std::net::TcpStream;

fn get(path: &str) -> String {
    let url = std::env::var("WORKBOOK_URL").unwrap_or_default();
    let mut server = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    server.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    answer
}

fn aside(name: &str, why: &str) {
    writeln!(std::io::stderr(), "not checked: {name} ({why})").unwrap();
}

fn is_there(path: &str) {
    assert_eq!(&get(path)[9..12], "200", "GET {path}");
}

#[test]
fn an_empty_name_gets_no_hello() {
    is_there("/hello?name=");
}

#[test]
fn a_greeting_comes_back() {
    let patience = std::env::var("WORKBOOK_PATIENCE").unwrap();
    let tests = std::env::var("WORKBOOK_TESTS").unwrap();
    assert!(get("/").ends_with("hello"), "in a {tests} test, waited {patience} s for hello; there came []");
}

#[test]
fn all_greetings_come_back() {
    a_greeting_comes_back();
}

#[test]
fn the_page_is_there() {
    is_there("/");
}

#[test]
fn the_picture_is_there() {
    is_there("/picture");
}

#[test]
fn it_stops_when_asked() {
    if let Ok(program) = std::env::var("WORKBOOK_PROGRAM") {
        panic!("it would start {program}");
    }
    aside("it_stops_when_asked", "it needs the process");
}
"#;

/// A server that knows some paths and says one thing.
struct Naive {
    address: SocketAddr,
    /// All of them, until it stops.
    connections: Arc<Mutex<Option<Vec<TcpStream>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Naive {
    fn start(address: &str, paths: &'static [&'static str], says: &'static str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(Some(Vec::new())));
        let open = connections.clone();
        let thread = thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                match open.lock().unwrap().as_mut() {
                    Some(open) => open.push(client.try_clone().unwrap()),
                    None => return,
                }
                thread::spawn(move || answer(client, paths, says));
            }
        });
        Self { address, connections, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Answers one request, if the client sends one.
fn answer(mut client: TcpStream, paths: &[&str], says: &str) {
    let mut request = [0; 1000];
    let length = client.read(&mut request).unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    let known = paths.contains(&request.split(' ').nth(1).unwrap_or_default());
    let status = if known { "200 OK" } else { "404 Not Found" };
    if length > 0 {
        client.write_all(format!("HTTP/1.0 {status}\r\n\r\n{says}").as_bytes()).ok();
        client.shutdown(Shutdown::Both).ok();
    }
}

/// What the end of a program does.
impl Drop for Naive {
    fn drop(&mut self) {
        let open = self.connections.lock().unwrap().take();
        TcpStream::connect(self.address).ok();
        self.thread.take().unwrap().join().unwrap();
        for client in open.unwrap() {
            client.shutdown(Shutdown::Both).ok();
        }
    }
}

fn with_promises(name: &str) -> Fixture {
    let book = Fixture::new(name);
    book.write("tests/chapter_2.rs", PROMISES);
    let named = "{{#promise chapter-2 the_picture_is_there}} {{#promise chapter-2 a_greeting_comes_back}}";
    book.append("book/src/two.md", named);
    book
}

#[test]
fn a_naive_server_hears_on_a_screen_what_it_keeps_and_what_it_does_not() {
    let book = with_promises("check_naive");
    let server = Naive::start("127.0.0.1:0", &["/"], "who are you?");
    let said = book.run(&["check", "2", "--url", &server.url()]);
    let url = server.url();
    let report = format!(
        "\
Checking 2 against {url}. Cargo builds the tests first.

  BROKEN  the picture is there
          saw \"404\" instead of \"200\" (GET /picture)
  BROKEN  2 promises: in a quick test, waited 3 s for hello
          - a greeting comes back
          - all greetings come back
  kept    the page is there
  BROKEN  promises of earlier steps: 1 of 1 (an empty name gets no hello)
  -       1 not checked: it needs the process

1 kept, 4 broken, 1 not checked.
Next, the first that is broken, alone:
  cargo workbook check 2 the_picture_is_there --url {url}
Its test is in tests/chapter_2.rs.
"
    );
    assert_eq!(said.out, report);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
}

#[test]
fn a_server_that_keeps_all_that_a_url_can_show_is_told_how_to_check_the_rest() {
    let book = with_promises("check_right");
    book.append(
        "book/steps.toml",
        "\n[[step]]\npackage = \"chapter-3\"\nfolder = \"3-three\"\nidea = \"More\"\n",
    );
    let paths = &["/", "/picture", "/hello?name="];
    let server = Naive::start("127.0.0.1:0", paths, "hello");
    let said = book.run(&["check", "2", "--url", &server.url()]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    for line in [
        "  kept    the picture is there\n  kept    a greeting comes back\n",
        "  kept    promises of earlier steps: all 1\n",
        "\n5 kept, 0 broken, 1 not checked.\n1 of the step's own promises need your program or \
         more time:\n  cargo workbook check 2 --program FILE\n",
    ] {
        assert!(said.out.contains(line), "{line}{}", said.out);
    }
}

#[test]
fn one_promise_is_checked_alone_with_all_that_its_test_says() {
    let book = with_promises("check_one");
    let server = Naive::start("127.0.0.1:0", &["/"], "who are you?");
    let url = server.url();
    let said = book.run(&["check", "2", "a greeting", "--url", &url]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(
        said.out.contains("What a_greeting_comes_back said:\n  in a quick test"),
        "{}",
        said.out
    );
    assert!(said.out.contains("\n0 kept, 1 broken, 0 not checked.\n"), "{}", said.out);

    let said = book.run(&["check", "2", "it stops", "--url", &url]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("0 kept, 0 broken, 1 not checked"), "{}", said.out);
    let said = book.run(&["check", "2", "it flies", "--url", &url]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("no promise of 2 has these words"), "{}", said.err);
}

#[test]
fn without_a_url_the_program_of_the_clone_is_checked() {
    let said = Fixture::new("check_own").run(&["check", "2"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("against the program in this clone"), "{}", said.out);
    assert!(said.out.contains("  kept    a greeting comes back\n"), "{}", said.out);
    assert!(said.out.contains("\n2 kept, 0 broken, 0 not checked.\n"), "{}", said.out);
    let words = "A greeting comes back.";
    let said = Fixture::new("check_sentence").run(&["check", "2", words]);
    assert!(said.out.contains("\n1 kept, 0 broken, 0 not checked.\n"), "{}", said.out);
}

#[test]
fn a_program_of_the_readers_is_started_by_every_test() {
    let book = with_promises("check_program");
    let said = book.run(&["check", "2", "--program", "nothing"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("there is no program nothing"), "{}", said.err);
    let program = book.path("mine");
    std::fs::write(&program, "").unwrap();
    let said = book.run(&["check", "2", "it stops", "--program", "mine"]);
    let started = program.canonicalize().unwrap().display().to_string();
    assert!(said.out.contains(&format!("it would start {started}")), "{}", said.out);
}

/// Ends a command that ends only with Ctrl-C.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_watched_server_is_checked_again_when_it_has_restarted() {
    let book = with_promises("check_watch");
    let server = Naive::start("127.0.0.1:0", &["/"], "hello");
    let (url, address) = (server.url(), server.address.to_string());
    let watch = book.start(&["check", "2", "--watch", "--url", &url]);
    let mut watch = Killed(watch);
    let output = BufReader::new(watch.0.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || output.lines().try_for_each(|line| sender.send(line.unwrap())));
    let until = |end: &str| {
        let mut heard = String::new();
        loop {
            let line = lines.recv_timeout(Duration::from_secs(60));
            heard += &line.unwrap_or_else(|_| panic!("no line with {end:?}: {heard}"));
            heard += "\n";
            if heard.trim_end().ends_with(end) {
                return heard;
            }
        }
    };
    let first = until("Ctrl-C ends this.");
    assert!(first.contains("  BROKEN  the picture is there\n"), "{first}");
    drop(server);
    let server = Naive::start(&address, &["/", "/picture"], "who?");
    let second = until("not checked.");
    let changes = "
  kept    the picture is there
  BROKEN  2 promises: in a quick test, waited 3 s for hello
          - a greeting comes back
          - all greetings come back
2 kept, 3 broken, 1 not checked.
";
    assert_eq!(second, changes);
    drop(server);
    let _server = Naive::start(&address, &["/", "/picture"], "who?");
    assert_eq!(
        until("not checked."),
        "\nNothing changed: 2 kept, 3 broken, 1 not checked.\n"
    );
}

#[test]
fn a_server_that_is_not_there_is_one_sentence() {
    let book = Fixture::new("check_nobody");
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = book.run(&["check", "2", "--url", &format!("http://{free}")]);
    assert_eq!(said.code, Some(1));
    assert_eq!(said.out, "");
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert!(
        said.err.contains(&format!("nothing answers at http://{free}")),
        "{}",
        said.err
    );
    let said = book.run(&["check", "2", "--url", "127.0.0.1:8005"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("such as http://127.0.0.1:8005"), "{}", said.err);
}

#[test]
fn record_runs_the_tests_of_a_chapter_and_lets_them_write() {
    let book = Fixture::new("record");
    let said = book.run(&["record", "2"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(book.path("chapters/2-two/recorded").is_file());
}
