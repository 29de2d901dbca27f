//! What pages become.

mod fixture;

use fixture::Fixture;

#[test]
fn an_item_comes_with_its_comments_its_file_and_its_lines() {
    let book = Fixture::new("weave_item");
    let page = book.weave("{{#item 2-two/src/main.rs greet}}\n", "html").unwrap();
    assert!(
        page.contains("<code class=\"file\">chapters/2-two/src/main.rs</code>"),
        "{page}"
    );
    assert!(page.contains("lines 7–10"), "{page}");
    assert!(page.contains("/// Says hello to somebody.\n"), "{page}");
    assert!(page.contains("format!(&quot;hello, {name}&quot;)"), "{page}");
    assert!(!page.contains("Answers a greeting"), "{page}");
}

#[test]
fn parts_that_do_not_follow_each_other_say_where_each_stands() {
    let book = Fixture::new("weave_places");
    let page = book.weave("{{#item 2-two/src/main.rs main, header}}\n", "html").unwrap();
    assert!(page.contains("<span class=\"place\">lines 18–23, 1–3</span>"), "{page}");
}

#[test]
fn a_diff_shows_what_came_and_what_went_in_the_files_language() {
    let book = Fixture::new("weave_diff");
    let page = book.weave("{{#diff 1-one 2-two src/main.rs main}}\n", "html").unwrap();
    assert!(page.contains("class=\"language-rust"), "{page}");
    assert!(
        page.contains(
            "<del>    println!(&quot;{}&quot;, greet(&quot;you&quot;));\n</del>"
        ),
        "{page}"
    );
    assert!(
        page.contains("<ins>    let greeting = greet(&quot;you&quot;);\n</ins>"),
        "{page}"
    );
    assert!(page.contains("3 added, 1 removed"), "{page}");
}

#[test]
fn unchanged_functions_are_folded_to_their_signatures() {
    let book = Fixture::new("weave_folded");
    let page = book.weave("{{#diff 1-one 2-two src/main.rs}}\n", "html").unwrap();
    let folded =
        "<span class=\"folded\">fn greet(name: impl Display) -&gt; String { … }\n</span>";
    assert!(page.contains(folded), "{page}");
    assert!(!page.contains("hello, {name}"), "{page}");
}

#[test]
fn no_line_of_a_figure_is_blank_for_that_would_end_its_html() {
    let book = Fixture::new("weave_blank");
    let page = book.weave("{{#item 2-two/src/main.rs}}\n", "html").unwrap();
    let code = page.split("<pre>").nth(1).unwrap().split("</pre>").next().unwrap();
    assert!(code.lines().all(|line| !line.trim().is_empty()), "{code}");
}

#[test]
fn anchors_mark_a_part_and_are_never_shown() {
    let book = Fixture::new("weave_anchor");
    let page = book.weave("{{#item 2-two/static/index.html hello}}\n", "html").unwrap();
    assert!(page.contains("&lt;script src=&quot;hello.js&quot;&gt;"), "{page}");
    assert!(page.contains("line 8<"), "the place counts the marker's line: {page}");
    let whole = book.weave("{{#item 2-two/static/index.html}}\n", "html").unwrap();
    assert!(!whole.contains("ANCHOR"), "{whole}");
}

#[test]
fn a_block_is_named_by_its_opening_words() {
    let book = Fixture::new("weave_block");
    let page = book
        .weave("{{#item 2-two/static/index.html '<section id=\"talk\"'}}\n", "html")
        .unwrap();
    assert!(page.contains("lines 3–6"), "{page}");
    let error =
        book.weave("{{#item 2-two/src/main.rs \"println\"}}\n", "html").unwrap_err();
    assert!(error.contains("more than one line") && error.contains("21, 22"), "{error}");
}

#[test]
fn a_block_can_be_looked_for_inside_an_item_only() {
    let book = Fixture::new("weave_inside");
    let text = "{{#item 2-two/src/main.rs \"let\" .. 'println!(\"{}\"' in main}}\n";
    assert!(book.weave(text, "html").unwrap().contains("lines 20–22"));
}

#[test]
fn a_table_of_a_manifest_is_an_item() {
    let book = Fixture::new("weave_table");
    let page = book.weave("{{#item 2-two/Cargo.toml [dependencies]}}\n", "html").unwrap();
    assert!(page.contains("browser-kit.workspace = true"), "{page}");
    assert!(!page.contains("[package]"), "{page}");
}

#[test]
fn a_tree_says_what_became_of_each_file() {
    let book = Fixture::new("weave_tree");
    book.write("chapters/2-two/src/answer.rs", "//! Answers.\n");
    book.write("chapters/1-one/src/silence.rs", "//! Says\n//! nothing.\n");
    let page = book.weave("{{#tree 2-two}}\n", "html").unwrap();
    assert!(
        page.contains("<tr class=\"changed\"><td><code>src/main.rs</code>"),
        "{page}"
    );
    assert!(
        page.contains("<tr class=\"same\"><td><code>static/index.html</code>"),
        "{page}"
    );
    assert!(page.contains("<tr class=\"new\"><td><code>src/answer.rs</code>"), "{page}");
    let removed = "<tr class=\"removed\"><td><code>src/silence.rs</code></td><td>removed</td><td>−2</td>";
    assert!(page.contains(removed), "{page}");
}

#[test]
fn a_tree_names_the_earlier_step_that_has_a_file_just_so() {
    let book = Fixture::new("weave_tree_as_in");
    book.replace("book/steps.toml", "from = \"1-one\"\n", "");
    let page = book.weave("{{#tree 2-two}}\n", "html").unwrap();
    let row = "<tr class=\"same\"><td><code>static/index.html</code></td><td>as in 1</td><td></td>";
    assert!(page.contains(row), "{page}");
    let page = book.weave("{{#tree 2-two}}\n", "markdown").unwrap();
    assert!(page.contains("| `static/index.html` | as in 1 |"), "{page}");
}

/// The page of chapter 2 with the figure of its main function only, and its rest.
fn with_a_rest(name: &str) -> Fixture {
    let book = Fixture::new(name);
    book.write(
        "book/src/one.md",
        "# One\n\n{{#item 1-one/src/main.rs header, use, \"browser_kit\" in main}}\n",
    );
    book
}

#[test]
fn the_rest_is_what_no_other_figure_of_the_page_shows_file_by_file() {
    let book = with_a_rest("weave_rest");
    let page = book.weave("{{#rest 1}}\n", "html").unwrap();
    let start = "<details class=\"rest\">\n<summary>Everything else in this step</summary>\n\n\
                 <div id=\"the-rest\">\n<figure";
    assert!(page.starts_with(start), "{page}");
    let files: Vec<&str> = page
        .split("<code class=\"file\">")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    let expected = ["Cargo.toml", "src/main.rs", "static/index.html"];
    assert_eq!(files, expected.map(|file| format!("chapters/1-one/{file}")), "{page}");
    assert!(page.contains("lines 7–12, 14–15</span>"), "{page}");
    assert!(page.contains("fn greet"), "{page}");
    assert!(!page.contains("browser_kit::hello") && !page.contains("use std"), "{page}");
}

#[test]
fn the_rest_lists_the_lines_that_the_step_before_had_and_this_one_has_not() {
    let book = Fixture::new("weave_rest_gone");
    book.replace("book/src/one.md", "# One", "# One again");
    book.replace("book/steps.toml", "page = \"two.md\"", "page = \"one.md\"");
    book.replace("book/steps.toml", "page = \"one.md\"\n\n", "page = \"two.md\"\n\n");
    let page = book.weave("{{#rest 2}}\n", "html").unwrap();
    let (_, gone) = page.split_once("lines of the step before are gone").unwrap();
    assert!(gone.contains("<del>") && !gone.contains("<ins>"), "{page}");
    let (before, now) = (
        book.read("chapters/1-one/src/main.rs"),
        book.read("chapters/2-two/src/main.rs"),
    );
    let kept =
        before.lines().find(|line| line.contains("fn main") && now.contains(*line));
    assert!(!gone.contains(kept.unwrap()), "{page}");
}

#[test]
fn a_page_with_a_rest_says_above_its_figures_to_type_the_imports_first() {
    let book = with_a_rest("weave_rest_first");
    let page = book.weave("## The change\n\nWords.\n\n{{#rest 1}}\n", "html").unwrap();
    let (above, below) = page.split_once("Words.").unwrap();
    assert!(above.contains("<a href=\"#the-rest\">"), "{page}");
    assert!(!below.contains("type them first"), "{page}");
    let page = book.weave("\n## The change\n\nWords.\n", "html").unwrap();
    assert!(!page.contains("#the-rest"), "{page}");
}

#[test]
fn the_rest_of_a_step_has_no_line_that_was_there_before() {
    let book = Fixture::new("weave_rest_new");
    book.replace("book/src/one.md", "# One", "# One again");
    book.replace("book/steps.toml", "page = \"two.md\"", "page = \"one.md\"");
    book.replace("book/steps.toml", "page = \"one.md\"\n\n", "page = \"two.md\"\n\n");
    let page = book.weave("{{#rest 2}}\n", "markdown").unwrap();
    assert!(page.starts_with("Everything else in this step (2):\n\n"), "{page}");
    assert!(page.contains("fn answer"), "{page}");
    assert!(!page.contains("fn greet") && !page.contains("index.html"), "{page}");
}

const PROMISED: &str = "promises = [[\"a_greeting_comes_back\", \"no <greeting> came\"]]\n\
                        also = [[\"it_stops_when_asked\", \"\"]]\n";

/// The page that is woven belongs to the second step.
fn with_promises(name: &str) -> Fixture {
    let book = Fixture::new(name);
    book.replace("book/steps.toml", "page = \"one.md\"\n", "");
    book.replace("book/steps.toml", "page = \"two.md\"", "page = \"one.md\"");
    book.append("book/steps.toml", PROMISED);
    book
}

#[test]
fn a_red_promise_says_on_what_it_fails_and_how() {
    let book = with_promises("weave_red");
    let page = book.weave("{{#red a_greeting_comes_back}}\n", "html").unwrap();
    let caption = "<figure class=\"red\">\n<figcaption><strong>A greeting comes back</strong> \
                   <span class=\"on\">fails on <code>1</code></span></figcaption>";
    assert!(page.contains(caption), "{page}");
    let test = "<span class=\"failed\">test a_greeting_comes_back ... FAILED\n</span>";
    assert!(page.contains(test), "{page}");
    let words = "<span class=\"output\">no &lt;greeting&gt; came\n</span>";
    assert!(page.contains(words), "{page}");
    let page = book.weave("{{#red a_greeting_comes_back}}\n", "markdown").unwrap();
    let text = "A greeting comes back: fails on `1`\n\n```text\n\
                test a_greeting_comes_back ... FAILED\nno <greeting> came\n```\n";
    assert!(page.contains(text), "{page}");
}

#[test]
fn a_first_steps_promise_fails_on_the_program_that_start_gives() {
    let book = with_promises("weave_red_start");
    book.replace("book/steps.toml", "from = \"1-one\"\n", "");
    let page = book.weave("{{#red a_greeting_comes_back}}\n", "html").unwrap();
    let on = "fails on the program that <code>cargo workbook start 2</code> gives";
    assert!(page.contains(on), "{page}");
}

#[test]
fn a_sabotaged_promise_fails_without_its_line() {
    let book = with_promises("weave_red_sabotage");
    let sabotage =
        "sabotage = [[\"it_stops_when_asked\", \"src/main.rs\", \"stop();\"]]\n";
    book.append("book/steps.toml", sabotage);
    let page = book.weave("{{#red it_stops_when_asked}}\n", "html").unwrap();
    assert!(page.contains("fails without a line of <code>src/main.rs</code>"), "{page}");
    assert!(page.contains("#     stop();\n"), "{page}");
}

#[test]
fn a_promise_that_is_not_the_steps_own_is_not_red() {
    let book = with_promises("weave_red_stranger");
    let error = book.weave("{{#red a_greeting_came}}\n", "html").unwrap_err();
    assert!(
        error.contains("book/src/one.md:1: `a_greeting_came` is no promise of chapter-2")
    );
    assert!(error.contains("did you mean `a_greeting_comes_back`?"), "{error}");
    let error = book.weave("{{#red it_stops_when_asked}}\n", "html").unwrap_err();
    assert!(error.contains("does not say how `it_stops_when_asked` fails"), "{error}");
}

#[test]
fn a_transcript_names_the_test_that_recorded_it() {
    let book = Fixture::new("weave_transcript");
    let page = book.weave("{{#transcript chapter-2/greeting}}\n", "html").unwrap();
    assert!(page.contains("<code>a_greeting_comes_back</code>"), "{page}");
    assert!(page.contains("<span class=\"sent\">&gt; hello\n</span>"), "{page}");
    assert!(!page.contains("#: recorded"), "{page}");
}

#[test]
fn a_promise_reads_as_a_sentence_and_shows_its_test_when_it_stands_alone() {
    let book = Fixture::new("weave_promise");
    let page = book
        .weave("Indeed: {{#promise 1 an_empty_name_gets_no_hello}}.\n", "html")
        .unwrap();
    assert!(page.contains(">An empty name gets no hello</span>."), "{page}");
    let page =
        book.weave("{{#promise 1 an_empty_name_gets_no_hello}}\n", "html").unwrap();
    assert!(page.contains("<summary>An empty name gets no hello</summary>"), "{page}");
    assert!(page.contains("fn an_empty_name_gets_no_hello() {}"), "{page}");
}

const DIFFERENCES: &str = r#"
[[difference]]
chapters = ["chapter-1", "chapter-2"]
here = "`a | b`"
node = "`a`"
why = "Because."
fails.an_empty_name_gets_no_hello = "in vain"

[[difference]]
chapters = ["chapter-2"]
here = "quick"
node = "slow"
why = "It is another language."
not_asked = ["a_greeting_comes_back"]
"#;

#[test]
fn differences_are_a_table_of_one_chapter_or_of_all() {
    let book = Fixture::new("weave_differences");
    book.write("tests/node/differences.toml", DIFFERENCES);
    let page = book.weave("{{#differences chapter-1}}\n", "html").unwrap();
    let expected =
        "| In Node | Here | Why |\n|---|---|---|\n| `a` | `a \\| b` | Because. |\n\n";
    assert_eq!(page, expected);
    let page = book.weave("{{#differences}}\n", "html").unwrap();
    let first =
        "| `a` | `a \\| b` | Because.<br>Chapters 1, 2: *An empty name gets no hello.* |";
    assert!(page.contains(first), "{page}");
    let second = "<br>Chapter 2, not asked of the twin: *A greeting comes back.* |";
    assert!(page.contains(second), "{page}");
}

#[test]
fn a_difference_names_a_test_that_exists_and_has_a_reason() {
    let book = Fixture::new("weave_bad_differences");
    let weave = |table: &str| {
        book.write("tests/node/differences.toml", table);
        book.weave("{{#differences chapter-2}}\n", "html").unwrap_err()
    };
    let error = weave(&DIFFERENCES.replace("a_greeting_comes_back", "a_greeting_comes"));
    assert!(error.contains("book/src/one.md:1: tests/node/differences.toml"), "{error}");
    assert!(error.contains("has no test `a_greeting_comes`"), "{error}");
    let error = weave(&DIFFERENCES.replace("It is another language.", ""));
    assert!(error.contains("empty text"), "{error}");
    let error = weave(&DIFFERENCES.replace("\"chapter-2\"", "\"chapter-3\""));
    assert!(error.contains("has no row for this"), "{error}");
}

#[test]
fn an_escaped_directive_is_text() {
    let book = Fixture::new("weave_escaped");
    let text = "Write `\\{{#item 4.1-rooms/src/main.rs on_join}}`.\n";
    assert_eq!(book.weave(text, "html").unwrap(), text);
}

#[test]
fn a_directive_inside_a_list_is_refused() {
    let book = Fixture::new("weave_indented");
    let error = book.weave("- {{#item 2-two/src/main.rs greet}}\n", "html").unwrap_err();
    assert!(error.contains("book/src/one.md:1:"), "{error}");
    assert!(error.contains("a line of its own"), "{error}");
}

#[test]
fn renderers_other_than_html_get_a_diff_fence() {
    let book = Fixture::new("weave_plain");
    let page =
        book.weave("{{#diff 1-one 2-two src/main.rs main}}\n", "markdown").unwrap();
    assert!(page.contains("````diff\n"), "{page}");
    assert!(page.contains("\n+    let greeting = greet(\"you\");\n"), "{page}");
    assert!(!page.contains("<figure"), "{page}");
}

#[test]
fn a_page_with_windows_line_ends_weaves() {
    let book = Fixture::new("weave_crlf");
    let main = book.read("chapters/2-two/src/main.rs").replace('\n', "\r\n");
    book.write("chapters/2-two/src/main.rs", &main);
    let page =
        book.weave("One.\r\n\r\n{{#item 2-two/src/main.rs greet}}\r\n", "html").unwrap();
    assert!(page.contains("lines 7–10"), "{page}");
    book.passes();
}

const RUN: &str = r#"{
  "date": "2026-01-31",
  "machine": { "cpu": "A fast one", "cores": 2, "memory": 8, "system": "Linux" },
  "versions": {},
  "quick": false,
  "results": [
    { "load": "echo", "server": "chapter-1", "metrics": { "cpu": [5.0, 6.0, 7.0] } },
    { "load": "echo", "server": "node-1", "metrics": { "cpu": [12.0] } }
  ]
}"#;

#[test]
fn a_number_is_that_of_the_newest_run_and_stands_in_a_sentence() {
    let book = Fixture::new("weave_measured");
    book.write("book/measurements/2026-01-31.json", RUN);
    book.write("book/measurements/2025-01-31.json", "older, and not looked at");
    let page = "It takes {{#measured echo cpu chapter-1}}, \
                {{#measured echo cpu chapter-1 / node-1}} of Node's.\n";
    let page = book.weave(page, "html").unwrap();
    assert!(page.contains("It takes 6.0 µs, 0.50 of Node's."), "{page}");
    let page = book.weave("{{#measured run}}\n", "html").unwrap();
    assert!(page.contains("A full run of 2026-01-31, 1 to 3 rounds"), "{page}");
    assert!(page.contains("A fast one"), "{page}");
}

#[test]
fn a_table_and_a_plot_are_blocks_of_html() {
    let book = Fixture::new("weave_measured_blocks");
    book.write("book/measurements/2026-01-31.json", RUN);
    let page = book.weave("{{#measured table echo}}\n", "html").unwrap();
    assert!(page.contains("<td>6.0 (5.0–7.0)</td>"), "{page}");
    let page = book.weave("{{#measured plot cpu}}\n", "html").unwrap();
    assert!(page.contains("<svg") && page.contains("role=\"img\""), "{page}");
    let page = book.weave("{{#measured table echo}}\n", "markdown").unwrap();
    assert!(
        page.contains("| Echo, 100 connections | chapter-1 | 6.0 (5.0–7.0) |"),
        "{page}"
    );
    let inside = book.weave("See {{#measured table echo}}.\n", "html").unwrap_err();
    assert!(inside.contains("give it a line of its own"), "{inside}");
}

#[test]
fn what_nobody_measured_fails_the_build() {
    let book = Fixture::new("weave_not_measured");
    let fault = |page: &str| book.weave(page, "html").unwrap_err();
    let missing = fault("{{#measured table echo}}\n");
    assert!(missing.contains("no measurements"), "{missing}");
    book.write("book/measurements/2026-01-31.json", "{}");
    let malformed = fault("{{#measured table echo}}\n");
    assert!(malformed.contains("2026-01-31.json is not a run"), "{malformed}");
    let book = Fixture::new("weave_not_measured_either");
    book.write("book/measurements/2026-01-31.json", RUN);
    let fault = |page: &str| book.weave(page, "html").unwrap_err();
    let load = fault("{{#measured idle-1000 memory chapter-1}}\n");
    assert!(
        load.contains("nobody measured memory of chapter-1 under idle-1000"),
        "{load}"
    );
    let metric = fault("{{#measured echo speed chapter-1}}\n");
    assert!(metric.contains("there is no metric `speed`; there are cpu"), "{metric}");
    let words = fault("{{#measured echo}}\n");
    assert!(words.contains("`measured` needs `run`, `table NAME`"), "{words}");
}

#[test]
fn stock_mdbook_builds_the_book_and_fails_where_a_directive_does_not_resolve() {
    let book = Fixture::new("stock mdbook");
    let workbook = env!("CARGO_BIN_EXE_workbook");
    let manifest = format!(
        "[book]\ntitle = \"Small\"\n\n[preprocessor.workbook]\n\
         command = \"'{workbook}' weave\"\nbefore = [\"links\"]\n"
    );
    book.write("book/book.toml", &manifest);
    let build = || {
        std::process::Command::new("mdbook").arg("build").arg(book.path("book")).output()
    };
    let Ok(built) = build() else {
        eprintln!("skipped: there is no mdbook to try it with");
        return;
    };
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    let page = book.read("book/book/two.html");
    assert!(page.contains("class=\"step diff\""), "{page}");
    assert!(!page.contains("{{#"), "{page}");
    book.replace("chapters/2-two/src/main.rs", "answer(", "reply(");
    let built = build().unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(!built.status.success(), "{said}");
    assert!(said.contains("book/src/two.md:12: "), "{said}");
    assert!(said.contains("has no item or anchor `answer`"), "{said}");
}

const TWIN: &str = r#"// Says hello.
import { log } from "./log.mjs";

const LIMIT = 3;

/** Answers a greeting. */
export async function answer(greeting) {
  if (greeting === "") return "";
  return "hello yourself";
}

function sayGoodbye() {
  log("goodbye");
}

class Answer {
  accept() {
    log("accepted");
  }
}
"#;

/// What a page with these columns becomes.
fn sides(name: &str, node: &str, rust: &str) -> Result<String, String> {
    let book = Fixture::new(name);
    book.write("tests/node/chapter-2.mjs", TWIN);
    let directive = format!("{{{{#sides {node} | {rust}}}}}\n");
    book.weave(&directive, "html")
}

#[test]
fn a_part_of_a_twin_stands_beside_the_part_of_the_same_name() {
    let page = sides(
        "weave_sides",
        "tests/node/chapter-2.mjs answer, LIMIT",
        "2-two/src/main.rs answer, greet + main",
    )
    .unwrap();
    assert_eq!(page.matches("<div class=\"sides\" role=\"group\"").count(), 2, "{page}");
    assert!(page.contains("aria-label=\"LIMIT in Node, greet, main in Rust\""), "{page}");
    let node = page.find("<strong>Node</strong> <code>answer</code>").unwrap();
    let rust = page.find("<strong>Rust</strong> <code>answer</code>").unwrap();
    assert!(node < rust, "{page}");
    assert!(page[node..rust].contains("class=\"language-javascript"), "{page}");
    assert!(page[node..rust].contains("/** Answers a greeting. */"), "{page}");
    assert!(page[node..rust].contains("tests/node/chapter-2.mjs"), "{page}");
    assert!(!page[node..rust].contains("goodbye"), "{page}");
    assert!(page[rust..].contains("class=\"language-rust"), "{page}");
    let hanging = "<span style=\"--depth: 2\" class=\"same\">  return &quot;hello";
    assert!(page.contains(hanging), "{page}");
    let broken = "answer(<wbr>greeting: &amp;str)";
    assert!(page[rust..].contains(broken), "{page}");
    let blank = |code: &str| code.lines().any(|line| line.trim().is_empty());
    let codes = page.split("<pre>").skip(1);
    assert!(!codes.map(|code| code.split("</pre>").next().unwrap()).any(blank), "{page}");
}

#[test]
fn without_parts_in_rust_the_names_are_those_of_node() {
    let node = "tests/node/chapter-2.mjs answer";
    let page = sides("weave_sides_named", node, "2-two/src/main.rs").unwrap();
    assert!(page.contains("fn answer(<wbr>greeting: &amp;str)"), "{page}");
    let node = "tests/node/chapter-2.mjs sayGoodbye";
    let error = sides("weave_sides_unnamed", node, "2-two/src/main.rs").unwrap_err();
    assert!(error.contains("no item or anchor `say_goodbye`"), "{error}");
    let node = "tests/node/chapter-2.mjs \"accept(\" in Answer";
    let error = sides("weave_sides_opening", node, "2-two/src/main.rs").unwrap_err();
    assert!(error.contains("say what stands beside it"), "{error}");
    let page = sides("weave_sides_inside", node, "2-two/src/main.rs main").unwrap();
    assert!(page.contains("<strong>Node</strong> <code>Answer</code>"), "{page}");
}

#[test]
fn a_side_that_does_not_resolve_is_refused() {
    let twin = "tests/node/chapter-2.mjs";
    let program = "2-two/src/main.rs";
    let refused = |node: &str, rust: &str, what: &str| {
        let error = sides("weave_no_sides", node, rust).unwrap_err();
        assert!(error.contains("book/src/one.md:1: "), "{error}");
        assert!(error.contains(what), "{error}");
    };
    let anser = format!("{twin} anser");
    refused(&anser, program, "no item or anchor `anser`");
    refused(&format!("{twin} answers"), program, "did you mean `answer`?");
    let answer = format!("{twin} answer");
    refused(&answer, &format!("{program} answers"), "did you mean `answer`?");
    refused(twin, &format!("{program} main"), "`sides` needs parts of a twin");
    refused(
        &format!("{answer}, LIMIT"),
        &format!("{program} answer"),
        "names 2 for Node",
    );
    let crossed = format!("{program} main, answer");
    refused(&format!("{answer}, LIMIT"), &crossed, "`answer` would stand beside `main`");
    refused(&format!("{program} answer"), program, "is no twin");
    refused(&answer, twin, "is no program");
    refused("tests/node/chapter-3.mjs answer", program, "did you mean");
}

#[test]
fn renderers_other_than_html_get_two_fences() {
    let book = Fixture::new("weave_plain_sides");
    book.write("tests/node/chapter-2.mjs", TWIN);
    let directive = "{{#sides tests/node/chapter-2.mjs answer | 2-two/src/main.rs}}\n";
    let page = book.weave(directive, "markdown").unwrap();
    assert!(page.contains("Node: `tests/node/chapter-2.mjs`"), "{page}");
    assert!(page.contains("````javascript\n"), "{page}");
    assert!(page.contains("Rust: `chapters/2-two/src/main.rs`"), "{page}");
    assert!(!page.contains("<figure"), "{page}");
}

const TIMELINE: &str = "\
```timeline
title: A hello that is lost
lanes: client | library | handler task
client -> library: `hello`
library: nobody listens <yet>
---
client -x handler task: hello again
handler task -> client: goodbye
```
";

#[test]
fn a_timeline_is_drawn_for_wide_pages_and_for_narrow_ones_and_can_be_read_aloud() {
    let book = Fixture::new("weave_timeline");
    let page = book.weave(TIMELINE, "html").unwrap();
    for part in [
        "<svg class=\"wide\" viewBox=\"0 0 720 ",
        "<svg class=\"narrow\" viewBox=\"0 0 340 ",
        "role=\"img\" aria-label=\"A hello that is lost\"",
        "<tspan class=\"code\">hello</tspan>",
        "<path class=\"arrow lost\"",
        "<li>client to library: hello</li>\n<li>library: nobody listens &lt;yet&gt;</li>\n\
         <li>Time passes.</li>\n\
         <li>client to handler task, which it never reaches: hello again</li>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let figure = page.split("<figure").nth(1).unwrap().split("</figure>").next().unwrap();
    assert!(figure.lines().all(|line| !line.trim().is_empty()), "{figure}");
    let plain = book.weave(TIMELINE, "markdown").unwrap();
    assert!(
        plain.contains("1. client to library: `hello`\n2. library: nobody"),
        "{plain}"
    );
}

#[test]
fn an_example_of_a_timeline_stays_an_example() {
    let book = Fixture::new("weave_timeline_example");
    let page =
        book.weave(&format!("````text\n{TIMELINE}````\n\n{TIMELINE}"), "html").unwrap();
    assert!(page.contains(&format!("````text\n{TIMELINE}````")), "{page}");
    assert_eq!(page.matches("<figure class=\"timeline\">").count(), 1, "{page}");
}

#[test]
fn a_wrong_line_of_a_timeline_stops_the_book() {
    let book = Fixture::new("weave_timeline_wrong");
    for (from, to, fault) in [
        (
            "lanes: client | library | handler task\n",
            "",
            "one.md:3: `lanes: client | server` comes before `client`",
        ),
        (
            "client -> library:",
            "client -> libary:",
            "one.md:4: the timeline has no lane `libary`; did you mean `library`?",
        ),
        (
            "client | library | handler task",
            "client",
            "one.md:3: a timeline has two or three lanes, not 1",
        ),
        (
            "client -> library:",
            "client -> client:",
            "one.md:4: an arrow needs two lanes; a note is `client: `hello``",
        ),
        (
            "goodbye",
            "",
            "one.md:8: `handler task -> client:` says nothing after its colon",
        ),
        (
            "title: A hello that is lost\n",
            "",
            "one.md:1: the timeline has no line `title: …`",
        ),
        ("---", "later", "one.md:6: `later` is no line of a timeline"),
    ] {
        let error = book.weave(&TIMELINE.replace(from, to), "html").unwrap_err();
        assert!(error.contains(fault), "{fault}\n{error}");
    }
}

const CHAPTERS: &str = "\
[[chapter]]
number = 1
title = \"A hello\"
page = \"one.md\"
evening = true

[[chapter]]
number = 2
title = \"An answer\"
page = \"two.md\"
evening = true

";

fn with_chapters(name: &str) -> Fixture {
    let book = Fixture::new(name);
    book.replace("book/steps.toml", "budget = 20\n", "budget = 20\nkind = \"deep\"\n");
    book.write("book/steps.toml", &(CHAPTERS.to_owned() + &book.read("book/steps.toml")));
    book
}

#[test]
fn the_steps_of_a_chapter_are_a_table_with_their_minutes() {
    let book = with_chapters("weave_steps");
    let page = book.weave("{{#steps 2}}\n", "html").unwrap();
    assert!(
        page.contains("| [Two](two.md) | A hello that answers | deep | 5 |"),
        "{page}"
    );
    // 1,400 words are seven minutes more.
    book.append("book/src/two.md", &"word ".repeat(1400));
    let page = book.weave("{{#steps 2}}\n", "html").unwrap();
    assert!(page.contains("| deep | 10 |"), "{page}");
    // And 100 lines are ten.
    let lines: String =
        (0..100).map(|n| format!("const N{n}: u8 = {n};\n// {n}\n\n")).collect();
    book.append("chapters/2-two/src/main.rs", &lines);
    let page = book.weave("{{#steps 2}}\n", "html").unwrap();
    assert!(page.contains("| deep | 20 |"), "{page}");
    let error = book.weave("{{#steps 7}}\n", "html").unwrap_err();
    assert!(error.contains("there is no chapter 7; the chapters are 1, 2"), "{error}");
}

#[test]
fn the_first_steps_of_the_chapters_are_one_evening() {
    let book = with_chapters("weave_evening");
    let page = book.weave("{{#evening}}\n", "html").unwrap();
    let rows = "| [One](one.md) | A hello | `cargo run -p chapter-1` | 8 | 5 |\n\
                | [Two](two.md) | A hello that answers | `cargo run -p chapter-2` | 13 | 5 |\n\
                | **All of them** | | | **21** | **10** |";
    assert!(page.contains(rows), "{page}");
    let error =
        Fixture::new("weave_no_evening").weave("{{#evening}}\n", "html").unwrap_err();
    assert!(
        error.contains("no chapter of book/steps.toml has `evening = true`"),
        "{error}"
    );
}

#[test]
fn the_sidebar_marks_a_step_and_the_pages_title_stays_as_it_was() {
    let book = with_chapters("weave_sidebar");
    assert_eq!(book.name("\n", "html"), "One · core · 5\u{a0}min");
    assert_eq!(book.name("\n", "markdown"), "One");
    let woven = book.woven("# One\n", "html").unwrap();
    let page = &woven["items"][0]["Chapter"]["content"];
    assert_eq!(page, "{{#title One - Small}}\n# One\n");
}

#[test]
fn a_step_answers_to_its_number_in_directives_too() {
    let book = Fixture::new("weave_numbers");
    std::fs::rename(book.path("chapters/2-two"), book.path("chapters/2.3-two")).unwrap();
    book.replace("book/steps.toml", "2-two", "2.3-two");
    let of_folder = book.weave("{{#item 2.3-two/src/main.rs answer}}\n", "html").unwrap();
    for name in ["2", "2.3", "2-3", "chapter-2-3", "chapter-2"] {
        let item = format!("{{{{#item {name}/src/main.rs answer}}}}\n");
        assert_eq!(book.weave(&item, "html").unwrap(), of_folder, "{name}");
        let page = format!(
            "{{{{#tree {name}}}}}\n\n{{{{#diff 1 {name} src/main.rs main}}}}\n\n\
             {{{{#transcript {name}/greeting}}}}\n\n\
             {{{{#promise {name} a_greeting_comes_back}}}}\n"
        );
        book.weave(&page, "html").unwrap();
    }
}
