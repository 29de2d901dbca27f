//! The reader's commands, as a reader types them.

mod fixture;

use fixture::Fixture;

#[test]
fn without_arguments_the_commands_are_listed() {
    let said = Fixture::new("no_arguments").run(&[]);
    assert_eq!(said.code, Some(0));
    for command in
        ["list", "diff", "start", "compare", "check", "book", "client", "record"]
    {
        assert!(said.out.contains(&format!("cargo workbook {command}")), "{}", said.out);
    }
}

#[test]
fn every_command_explains_itself() {
    let book = Fixture::new("help");
    for command in
        ["list", "diff", "start", "compare", "check", "book", "client", "record", "weave"]
    {
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
    let one = said.out.find("chapter-1    chapters/1-one").unwrap();
    let two = said.out.find("chapter-2    chapters/2-two").unwrap();
    assert!(one < two, "{}", said.out);
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
        said.out.contains("the program of chapter-1, to build chapter-2 in"),
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
    assert!(book.read("one/src/main.rs").contains("Build chapter-1 here"));
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

#[test]
fn the_promises_are_checked_against_a_url_and_those_of_the_process_are_not() {
    let book = Fixture::new("check_url");
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let said = book.run(&["check", "2", "--url", &url]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("kept         a greeting comes back"), "{}", said.out);
    assert!(
        said.out.contains("not checked  it stops when asked (it needs the process)"),
        "{}",
        said.out
    );
    assert!(said.out.contains("1 kept, 0 broken, 1 not checked"), "{}", said.out);

    let broken = format!("{url}/broken");
    let said = book.run(&["check", "2", "--url", &broken]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("BROKEN       a greeting comes back"), "{}", said.out);
    assert!(said.out.contains(&format!("no answer from {broken}")), "{}", said.out);
    let again = format!("cargo workbook check 2 a_greeting_comes_back --url {broken}");
    assert!(said.out.contains(&again), "{}", said.out);
    assert_eq!(said.err, "", "what the report says is not said twice");

    let said = book.run(&["check", "2", "it stops", "--url", &broken]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("0 kept, 0 broken, 1 not checked"), "{}", said.out);
    let said = book.run(&["check", "2", "it flies", "--url", &url]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("no promise of chapter-2 has these words"), "{}", said.err);
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
