//! A good book passes; a book that is broken in one way is refused, and told where.

mod fixture;

use fixture::Fixture;

#[test]
fn a_good_book_passes() {
    Fixture::new("good").passes();
}

// The ways in which a book and its code drift apart.

#[test]
fn an_item_that_was_renamed_is_missed_where_a_page_names_it() {
    let book = Fixture::new("renamed_item");
    book.replace("chapters/2-two/src/main.rs", "answer(", "reply(");
    book.refuses("book/src/two.md:12:", "no item or anchor `answer`");
    let error = book.weave("\n{{#item 2-two/src/main.rs repl}}\n", "html").unwrap_err();
    assert!(error.contains("book/src/one.md:2:"), "{error}");
    assert!(error.contains("did you mean `reply`?"), "{error}");
}

#[test]
fn a_directive_that_does_not_resolve_is_one_fault_not_one_for_each_line_it_would_show() {
    let book = Fixture::new("one_fault");
    book.replace("book/src/two.md", "src/main.rs answer", "src/main.rs anser");
    let said = book.run(&["check"]);
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert!(said.err.contains("did you mean `answer`?"), "{}", said.err);
}

#[test]
fn a_line_that_no_page_shows_is_refused() {
    let book = Fixture::new("new_line");
    book.append("chapters/2-two/src/main.rs", "\nconst LIMIT: usize = 3;\n");
    book.refuses(
        "chapters/2-two/src/main.rs:25:",
        "new in chapter-2 and shown nowhere in two.md",
    );
}

#[test]
fn an_edited_transcript_is_refused() {
    let book = Fixture::new("edited_transcript");
    book.replace("book/transcripts/chapter-2/greeting.txt", "yourself", "to you");
    book.refuses(
        "book/transcripts/chapter-2/greeting.txt:1:",
        "was edited after it was recorded",
    );
    book.refuses("book/src/two.md:21:", "was edited after it was recorded");
}

#[test]
fn an_include_that_leads_nowhere_is_refused() {
    let book = Fixture::new("broken_include");
    book.replace("book/src/one.md", "1-one/static/index.html", "1-one/static/indes.html");
    book.refuses(
        "book/src/one.md:16:",
        "did you mean `chapters/1-one/static/index.html`?",
    );
}

// Directives.

#[test]
fn mdbooks_own_includes_are_refused_because_they_break_in_silence() {
    let book = Fixture::new("own_include");
    book.append("book/src/one.md", "\n{{#include ../../Cargo.toml:nosuch}}\n");
    book.refuses("book/src/one.md:27:", "mdBook's own");
}

#[test]
fn an_unknown_directive_is_refused_with_the_nearest_one() {
    let book = Fixture::new("unknown_directive");
    book.append("book/src/one.md", "\n{{#itme 1-one/src/main.rs main}}\n");
    book.refuses("book/src/one.md:27:", "did you mean `item`?");
}

#[test]
fn a_promise_without_a_test_is_refused() {
    let book = Fixture::new("no_such_test");
    book.replace(
        "tests/chapter_1.rs",
        "an_empty_name_gets_no_hello",
        "an_empty_name_is_fine",
    );
    book.refuses("book/src/one.md:25:", "no test `an_empty_name_gets_no_hello`");
}

#[test]
fn a_promise_of_a_chapter_that_there_is_not_is_refused() {
    let book = Fixture::new("no_such_chapter");
    book.replace("book/src/one.md", "promise chapter-1 ", "promise chapter-11 ");
    book.refuses(
        "book/src/one.md:25:",
        "there is no step `chapter-11` in book/steps.toml",
    );
}

#[test]
fn a_failure_without_a_promise_is_refused() {
    let book = Fixture::new("no_promise");
    book.replace(
        "book/src/one.md",
        ": {{#promise chapter-1 an_empty_name_gets_no_hello}}",
        "",
    );
    book.refuses("book/src/one.md:23:", "names no test that shows it");
}

#[test]
fn a_diff_of_what_did_not_change_is_refused() {
    let book = Fixture::new("no_difference");
    book.replace("book/src/two.md", "src/main.rs answer", "src/main.rs greet");
    book.refuses("book/src/two.md:12:", "nothing differs");
}

// What is explained.

#[test]
fn more_than_25_new_lines_at_once_are_refused() {
    let book = Fixture::new("too_much");
    let many: String = (0..30).map(|n| format!("    println!(\"{n}\");\n")).collect();
    book.replace(
        "chapters/1-one/src/main.rs",
        "    browser_kit",
        &format!("{many}    browser_kit"),
    );
    book.refuses(
        "book/src/one.md:11:",
        "new lines of chapters/1-one/src/main.rs at once",
    );
}

/// A twin of chapter 2, and a page that shows it beside the chapter.
fn with_a_twin(name: &str, lines: usize) -> Fixture {
    let book = Fixture::new(name);
    let body = "  log();\n".repeat(lines - 2);
    book.write("tests/node/chapter-2.mjs", &format!("function answer() {{\n{body}}}\n"));
    let page = "\nThe twin answers as often as it can, and nobody knows why; here one answer has \
                to do.\n\n{{#sides tests/node/chapter-2.mjs answer | 2-two/src/main.rs}}\n";
    book.append("book/src/two.md", page);
    book
}

#[test]
fn a_twin_beside_its_program_passes() {
    with_a_twin("sides", 40).passes();
}

#[test]
fn a_column_of_more_than_40_lines_is_refused() {
    let book = with_a_twin("long_side", 41);
    book.refuses("book/src/two.md:29:", "is 41 lines long, and 40 is the most");
}

#[test]
fn a_comparison_does_not_count_as_showing_what_is_new() {
    let book = with_a_twin("sides_only", 3);
    book.replace("book/src/two.md", "{{#diff 1-one 2-two src/main.rs answer}}\n", "");
    book.refuses("chapters/2-two/src/main.rs:12:", "shown nowhere in two.md");
}

#[test]
fn a_part_that_was_renamed_in_a_twin_is_missed_where_a_page_names_it() {
    let book = with_a_twin("renamed_twin", 3);
    book.replace("tests/node/chapter-2.mjs", "answer", "reply");
    book.refuses("book/src/two.md:29:", "no item or anchor `answer`");
}

// Everything else in a step.

/// A book whose page of chapter 2 shows the rest of it at its end.
fn with_a_rest(name: &str) -> Fixture {
    let book = Fixture::new(name);
    book.replace("book/src/two.md", "header, main", "main");
    book.append("book/src/two.md", "\n{{#rest 2}}\n");
    book
}

#[test]
fn what_no_figure_shows_may_be_in_the_rest() {
    let book = with_a_rest("rest");
    let said = book.run(&["check"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.out.contains("chapter-2    7 of 9 new lines shown, 2 in the rest\n"),
        "{}",
        said.out
    );
    book.replace("book/src/two.md", "\n{{#rest 2}}\n", "");
    book.refuses(
        "chapters/2-two/src/main.rs:1:",
        "show all that is left with `{{#rest 2}}`",
    );
}

#[test]
fn a_rest_that_shows_nothing_is_refused() {
    let book = Fixture::new("empty_rest");
    let manifest = "\n{{#item 2-two/Cargo.toml}}\n";
    book.append("book/src/two.md", &format!("{manifest}\n{{{{#rest 2}}}}\n"));
    book.refuses("book/src/two.md:29:", "every new line of 2 is in a figure already");
}

#[test]
fn a_rest_on_the_page_of_another_step_is_refused() {
    let book = with_a_rest("foreign_rest");
    book.append("book/src/one.md", "\n{{#rest 2}}\n");
    book.refuses("book/src/one.md:27:", "on a page of that step: two.md");
}

#[test]
fn a_second_rest_is_refused() {
    let book = with_a_rest("two_rests");
    book.append("book/src/two.md", "\n{{#rest 2-two}}\n");
    book.refuses("book/src/two.md:29:", "chapter-2 has a `rest` already");
}

#[test]
fn a_rest_with_more_than_a_third_of_the_rust_is_refused() {
    let book = with_a_rest("much_rest");
    book.replace("book/src/two.md", "{{#diff 1-one 2-two src/main.rs answer}}\n", "");
    book.refuses("book/src/two.md:26:", "6 of 9 new lines of Rust are in the `rest`");
}

#[test]
fn a_rest_with_more_than_a_third_of_the_scripts_is_refused() {
    let book = with_a_rest("much_script");
    let page = "chapters/2-two/static/index.html";
    let style = "<style>\n  h1 { color: red }\n  h1 { color: blue }\n</style>\n";
    book.append(page, style);
    book.take_picture();
    // Styles and markup may be there as they like.
    book.passes();
    book.append(
        page,
        "<script>\n  const a = 1;\n  const b = 2;\n  const c = 3;\n</script>\n",
    );
    book.take_picture();
    book.refuses("book/src/two.md:27:", "3 of 3 new lines of script are in the `rest`");
    let shown =
        "{{#item 2-two/static/index.html \"const a\" .. \"const b\"}}\n\n{{#rest 2}}";
    book.replace("book/src/two.md", "{{#rest 2}}", shown);
    book.passes();
}

#[test]
fn an_exception_is_not_needed_where_the_rest_is_shown() {
    let book = Fixture::new("excepted_rest");
    book.append("book/src/one.md", "\n{{#rest 1}}\n");
    book.refuses("book/exceptions.toml:1:", "nothing needs the exception");
    book.write("book/exceptions.toml", "");
    book.passes();
}

#[test]
fn a_rest_may_show_more_than_25_lines() {
    let book = with_a_rest("long_rest");
    let many: String = (0..30).map(|n| format!("  <p>{n}</p>\n")).collect();
    book.append("chapters/2-two/static/index.html", &many);
    book.take_picture();
    book.passes();
}

#[test]
fn a_file_that_any_earlier_step_has_just_so_is_not_new() {
    let book = Fixture::new("shared_file");
    let shared = "//! Shared.\n\nfn shared() {}\n";
    book.write("chapters/1-one/src/shared.rs", shared);
    book.write("chapters/2-two/src/shared.rs", &format!("{shared}fn more() {{}}\n"));
    book.refuses("chapters/2-two/src/shared.rs:4:", "this line is new in chapter-2");
    // A step after it, which builds on 1-one, has the file of 2-two.
    with_a_third(&book);
    book.write(
        "chapters/3-three/src/shared.rs",
        &book.read("chapters/2-two/src/shared.rs"),
    );
    let said = book.run(&["check"]);
    assert!(said.err.contains("chapters/3-three/src/main.rs:3:"), "{}", said.err);
    assert!(!said.err.contains("chapters/3-three/src/shared.rs"), "{}", said.err);
}

/// A third chapter, which begins with the files of the first.
fn with_a_third(book: &Fixture) {
    for file in ["Cargo.toml", "src/main.rs", "static/index.html"] {
        let text = book.read(&format!("chapters/1-one/{file}"));
        let text =
            text.replace("chapter-1", "chapter-3").replace("chapter_1", "chapter_3");
        book.write(&format!("chapters/3-three/{file}"), &text);
    }
    book.write("tests/chapter_3.rs", &book.read("tests/chapter_1.rs"));
    book.write("book/src/three.md", "# Three\n\n{{#tree 3-three}}\n");
    book.append("book/src/SUMMARY.md", "- [Three](three.md)\n");
    book.append("README.md", "| `chapter-3` | a third |\n");
    let step = "\n[[step]]\npackage = \"chapter-3\"\nfolder = \"3-three\"\nidea = \"A third\"\n\
                page = \"three.md\"\nfrom = \"1-one\"\n";
    book.append("book/steps.toml", step);
}

// The promises that the ladder names.

const PROMISED: &str = "promises = [[\"a_greeting_comes_back\", \"no greeting came\"]]\n\
                        also = [[\"it_stops_when_asked\", \"it still runs\"]]\n";

/// A book whose chapter 2 names its promises.
fn with_promises(name: &str) -> Fixture {
    let book = Fixture::new(name);
    book.append("book/steps.toml", PROMISED);
    let page = "\nNow {{#promise chapter-2 a_greeting_comes_back}}.\n";
    book.append("book/src/two.md", page);
    book
}

#[test]
fn a_step_that_names_its_promises_passes() {
    with_promises("promised").passes();
}

#[test]
fn a_promise_that_its_page_does_not_show_is_refused() {
    let book = with_promises("unshown_promise");
    book.replace(
        "book/src/two.md",
        "{{#promise chapter-2 a_greeting_comes_back}}",
        "it does",
    );
    book.refuses("book/src/two.md:1:", "shows no promise `a_greeting_comes_back`");
}

#[test]
fn promises_in_another_order_than_on_the_page_are_refused() {
    let book = with_promises("promises_in_disorder");
    let other = "[\"it_stops_when_asked\", \"it still runs\"]";
    book.replace("book/steps.toml", &format!("also = [{other}]\n"), "");
    book.replace("book/steps.toml", "came\"]]", &format!("came\"], {other}]"));
    let page = book.read("book/src/two.md");
    book.append("book/src/two.md", "\nAnd {{#promise chapter-2 it_stops_when_asked}}.\n");
    book.passes();
    let first = "# Two\n\nFirst {{#promise chapter-2 it_stops_when_asked}}.\n";
    book.write("book/src/two.md", &page.replace("# Two\n", first));
    book.refuses(
        "book/src/two.md:3:",
        "the promise `it_stops_when_asked` has another place in book/steps.toml",
    );
}

#[test]
fn a_promise_that_is_no_test_is_refused() {
    let book = with_promises("promise_of_nothing");
    book.replace("book/steps.toml", "it_stops_when_asked", "it_stops_when_told");
    book.refuses(
        "book/steps.toml:16:",
        "tests/chapter_2.rs has no test `it_stops_when_told`",
    );
}

#[test]
fn a_test_in_a_module_has_the_modules_name() {
    let book = with_promises("promise_in_a_module");
    let module = "\n#[path = \"chapter_2/more.rs\"]\nmod more;\n";
    book.append("tests/chapter_2.rs", module);
    book.write("tests/chapter_2/more.rs", "//! More.\n\n#[test]\nfn it_is_more() {}\n");
    book.refuses(
        "tests/chapter_2/more.rs:3:",
        "no step of chapter 2 names `more::it_is_more`",
    );
    let more = "also = [[\"more::it_is_more\", \"less\"], ";
    book.replace("book/steps.toml", "also = [", more);
    book.passes();
}

#[test]
fn a_test_that_two_steps_name_is_refused() {
    let book = with_promises("promised_twice");
    let again = "promises = [[\"it_stops_when_asked\", \"it still runs\"], ";
    book.replace("book/steps.toml", "promises = [", again);
    book.refuses("tests/chapter_2.rs:16:", "names `it_stops_when_asked` more than once");
}

#[test]
fn the_tests_of_a_chapter_without_promises_need_no_step() {
    let book = with_promises("unpromised");
    book.append("tests/chapter_1.rs", "\n#[test]\nfn another() {}\n");
    book.passes();
}

#[test]
fn a_promise_without_words_needs_another_proof() {
    let book = with_promises("wordless");
    book.replace("book/steps.toml", "\"it still runs\"", "\"\"");
    book.refuses("book/steps.toml:16:", "has no words of how it fails");
    let unproven = "unproven = [[\"it_stops_when_asked\", \"Every program stops.\"]]\n";
    book.append("book/steps.toml", unproven);
    book.passes();
}

#[test]
fn a_line_to_sabotage_is_in_its_file_once() {
    let book = with_promises("sabotage");
    book.replace("book/steps.toml", "\"it still runs\"", "\"\"");
    let good = "sabotage = [[\"it_stops_when_asked\", \"src/main.rs\", \"browser_kit::hello();\"]]\n";
    book.append("book/steps.toml", good);
    book.passes();
    book.replace("book/steps.toml", "browser_kit::hello();", "}");
    book.refuses("book/steps.toml:16:", "chapters/2-two/src/main.rs has 3 lines `}`");
    book.replace("book/steps.toml", "\"}\"", "\"stop();\"");
    book.refuses(
        "book/steps.toml:16:",
        "chapters/2-two/src/main.rs has no line `stop();`",
    );
}

#[test]
fn what_is_sabotaged_is_a_promise() {
    let book = with_promises("sabotaged_stranger");
    book.replace("book/steps.toml", "also", "unproven");
    book.refuses("book/steps.toml:16:", "is neither in `promises` nor in `also`");
}

#[test]
fn a_step_with_promises_and_without_a_budget_is_refused() {
    let book = with_promises("no_budget");
    book.replace("book/steps.toml", "budget = 20\n", "");
    book.refuses("book/steps.toml:8:", "chapter-2 has promises and no budget");
}

#[test]
fn an_inner_step_is_asked_by_the_tests_of_the_last_one() {
    let book = with_promises("inner_step");
    let manifest =
        book.read("chapters/1-one/Cargo.toml").replace("chapter-1", "chapter-2-1");
    let (before, rest) = manifest.split_once("[[test]]").unwrap();
    let (_, after) = rest.split_once("[dependencies]").unwrap();
    let manifest = format!("{before}[dependencies]{after}");
    book.write("chapters/2.1-half/Cargo.toml", &manifest);
    for file in ["src/main.rs", "static/index.html"] {
        book.write(
            &format!("chapters/2.1-half/{file}"),
            &book.read(&format!("chapters/1-one/{file}")),
        );
    }
    book.write("book/src/half.md", "# Half\n\n{{#promise 2-1 a_greeting_comes_back}}\n");
    book.append("book/src/SUMMARY.md", "- [Half](half.md)\n");
    book.replace("README.md", "| `chapter-2` |", "| `chapter-2-1`, `chapter-2` |");
    let step = "[[step]]\npackage = \"chapter-2-1\"\nfolder = \"2.1-half\"\nidea = \"A half\"\n\
                page = \"half.md\"\nfrom = \"1-one\"\nbudget = 0\n\
                promises = [[\"a_greeting_comes_back\", \"no greeting\"]]\n\n";
    let second = "[[step]]\npackage = \"chapter-2\"\n";
    book.replace("book/steps.toml", second, &format!("{step}{second}"));
    book.refuses("tests/chapter_2.rs:7:", "more than once: chapter-2-1, chapter-2");
    book.replace(
        "book/steps.toml",
        "promises = [[\"a_greeting_comes_back\", \"no greeting came\"]]\n",
        "",
    );
    book.passes();
}

// Words.

#[test]
fn a_page_of_a_step_with_promises_has_at_most_2000_words() {
    let book = with_promises("long_page");
    let words = "word ".repeat(2_000);
    book.append("book/src/one.md", &format!("\n{words}\n"));
    let said = book.run(&["check"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.out.contains("book/src/one.md has 2097 words, and 2000"),
        "{}",
        said.out
    );
    book.append("book/src/two.md", &format!("\n{words}\n"));
    book.refuses("book/src/two.md:1:", "words of prose, and 2000 are the most");
}

#[test]
fn the_chapters_have_fewer_than_45000_words() {
    let book = Fixture::new("long_book");
    book.append("book/src/one.md", &format!("\n{}\n", "word ".repeat(45_000)));
    book.refuses("book/src:1:", "are to have fewer than 45000");
}

#[test]
fn words_that_could_be_plainer_are_counted_and_listed_on_demand() {
    let book = Fixture::new("plain_words");
    let page = "\nThe page stands here. Whoever reads it is told. It is short, and ends.\n\
                The server answers also when nobody asks.\n";
    book.append("book/src/one.md", page);
    book.append("chapters/1-one/src/main.rs", "\nstruct Patient;\n");
    let said = book.run(&["check", "--prose"]);
    for line in [
        "book/src/one.md:27: \"stands\": is; or the real verb",
        "book/src/one.md:27: \"Whoever\": name who acts",
        "book/src/one.md:27: \"It is\": repeat the noun",
        "book/src/one.md:28: \"also when\": even when, even if",
        "chapters/1-one/src/main.rs:17: \"struct Patient\": TimeoutListener, PeerIp",
        "chapters/1-one/src/main.rs:7: \"somebody\": the code's own term first",
    ] {
        assert!(said.out.contains(line), "no `{line}` in {}", said.out);
    }
    let count = said.out.lines().filter(|line| line.contains(": \"")).count();
    let said = book.run(&["check"]);
    let sum = format!(
        "{count} places where words could be plainer; `cargo workbook check --prose`"
    );
    assert!(said.out.contains(&sum) && !said.out.contains(": \""), "{}", said.out);
}

// Exceptions.

#[test]
fn an_exception_without_a_reason_is_refused() {
    let book = Fixture::new("no_reason");
    book.replace("book/exceptions.toml", "The title of a page needs no explanation.", "");
    book.refuses("book/exceptions.toml:1:", "has no reason");
}

#[test]
fn an_exception_that_nothing_needs_is_refused() {
    let book = Fixture::new("unused_exception");
    let more = "\n[[exception]]\nfile = \"2-two/*\"\nreason = \"It was needed once, long ago.\"\n";
    book.append("book/exceptions.toml", more);
    book.refuses("book/exceptions.toml:6:", "nothing needs the exception for 2-two/*");
}

#[test]
fn an_exception_of_a_rule_that_there_is_not_is_refused() {
    let book = Fixture::new("unknown_rule");
    let more = "\n[[exception]]\nrule = \"tone\"\nfile = \"one.md\"\nreason = \"It is a matter of taste.\"\n";
    book.append("book/exceptions.toml", more);
    book.refuses("book/exceptions.toml:6:", "there is no rule `tone`");
}

// Anchors.

#[test]
fn an_anchor_that_no_page_uses_is_refused() {
    let book = Fixture::new("unused_anchor");
    book.replace("book/src/one.md", ", hello}}", ", \"<script\"}}");
    book.refuses(
        "chapters/1-one/static/index.html:7:",
        "no page uses the anchor `hello`",
    );
}

#[test]
fn an_anchor_that_does_not_end_is_refused() {
    let book = Fixture::new("open_anchor");
    book.replace("chapters/2-two/static/index.html", "<!-- ANCHOR_END: hello -->\n", "");
    book.refuses("chapters/2-two/static/index.html:7:", "has no `ANCHOR_END: hello`");
}

// Fences.

#[test]
fn loose_code_is_refused() {
    let book = Fixture::new("loose_code");
    book.append("book/src/one.md", "\n```rust\nfn loose() {}\n```\n");
    book.refuses("book/src/one.md:27:", "loose rust: nobody compiled it");
}

#[test]
fn a_fence_that_does_not_say_what_it_holds_is_refused() {
    let book = Fixture::new("nameless_fence");
    book.append("book/src/one.md", "\n```\nfn loose() {}\n```\n");
    book.refuses("book/src/one.md:27:", "does not say what it holds");
}

#[test]
fn an_indented_block_is_refused() {
    let book = Fixture::new("indented_block");
    book.append("book/src/one.md", "\nSo it is:\n\n    fn loose() {}\n");
    book.refuses("book/src/one.md:29:", "an indented block is code");
}

#[test]
fn loose_code_in_html_is_refused() {
    let book = Fixture::new("html_block");
    book.append("book/src/one.md", "\n<pre><code>fn loose() {}</code></pre>\n");
    book.refuses("book/src/one.md:27:", "loose html");
}

#[test]
fn loose_code_with_an_exception_passes() {
    let book = Fixture::new("excepted_fence");
    book.append("book/src/one.md", "\n```js\nio.on('connection', hello);\n```\n");
    let exception = "\n[[exception]]\nrule = \"fence\"\nfile = \"one.md\"\npart = \"io.on\"\n\
                     reason = \"The other language's way, for comparison.\"\n";
    book.append("book/exceptions.toml", exception);
    book.passes();
}

// Recordings.

#[test]
fn a_transcript_that_no_page_shows_is_refused() {
    let book = Fixture::new("unshown_transcript");
    book.replace("book/src/two.md", "{{#transcript chapter-2/greeting}}", "");
    book.refuses("book/transcripts/chapter-2/greeting.txt:1:", "no page shows it");
}

#[test]
fn a_transcript_that_no_test_records_is_refused() {
    let book = Fixture::new("orphaned_transcript");
    book.replace("tests/chapter_2.rs", "\"greeting\"", "\"farewell\"");
    book.refuses(
        "book/transcripts/chapter-2/greeting.txt:1:",
        "no test in tests/chapter_2.rs",
    );
}

#[test]
fn a_transcript_that_was_never_recorded_is_refused() {
    let book = Fixture::new("missing_transcript");
    book.replace("book/src/two.md", "chapter-2/greeting}}", "chapter-2/greetings}}");
    book.refuses("book/src/two.md:21:", "did you mean `greeting`?");
}

#[test]
fn a_picture_of_a_page_that_changed_is_refused() {
    let book = Fixture::new("stale_picture");
    book.replace("chapters/2-two/static/index.html", "Again", "Once more");
    book.refuses("book/src/pictures/chapter-2.png:1:", "has changed since this picture");
}

// Links.

#[test]
fn a_link_to_a_page_that_is_not_there_is_refused() {
    let book = Fixture::new("dead_link");
    book.replace("book/src/two.md", "one.md#what", "ones.md#what");
    book.refuses("book/src/two.md:25:", "leads nowhere");
}

#[test]
fn a_link_to_a_heading_that_is_not_there_is_refused() {
    let book = Fixture::new("dead_fragment");
    book.replace("book/src/two.md", "#what-goes-wrong", "#what-went-wrong");
    book.refuses("book/src/two.md:25:", "did you mean `what-goes-wrong`?");
}

#[test]
fn a_picture_from_another_host_is_refused() {
    let book = Fixture::new("foreign_picture");
    book.append("book/src/one.md", "\n![A logo](https://example.com/logo.png)\n");
    book.refuses("book/src/one.md:27:", "would be fetched from another host");
}

#[test]
fn a_link_out_of_the_book_is_refused() {
    let book = Fixture::new("link_out");
    book.append("book/src/one.md", "\n[The code](../../chapters/1-one/src/main.rs)\n");
    book.refuses("book/src/one.md:27:", "leads out of the book");
}

// What every chapter has.

#[test]
fn a_chapter_without_its_page_is_refused() {
    let book = Fixture::new("no_page");
    book.remove("book/src/two.md");
    book.refuses("book/steps.toml:1:", "chapter-2 has no page book/src/two.md");
}

#[test]
fn a_page_outside_the_summary_is_refused() {
    let book = Fixture::new("hidden_page");
    book.write("book/src/three.md", "# Three\n");
    book.refuses("book/src/three.md:1:", "not in book/src/SUMMARY.md");
}

#[test]
fn a_chapter_without_a_readme_row_is_refused() {
    let book = Fixture::new("no_readme_row");
    book.replace("README.md", "| `chapter-2` |", "| the second |");
    book.refuses(
        "README.md:1:",
        "no row of a table is about chapter 2; add one with `chapter-2`",
    );
}

#[test]
fn a_chapters_readme_row_names_its_first_program_and_its_last() {
    let book = Fixture::new("readme_row");
    steps_of_chapter_2(&book);
    book.refuses(
        "README.md:1:",
        "add one with `chapter-2-1` and `chapter-2`, its first program and its last",
    );
    book.replace("README.md", "| `chapter-2` |", "| `chapter-2-1`, `chapter-2` |");
    let said = book.run(&["check"]);
    assert!(!said.err.contains("README.md"), "{}", said.err);
}

/// Chapter 2 in three steps: 2.1, 2.2, and 2.3, which is the package `chapter-2`.
fn steps_of_chapter_2(book: &Fixture) {
    let rename = |from: &str, to: &str| {
        std::fs::rename(book.path(from), book.path(to)).expect("it is ours");
    };
    rename("chapters/2-two", "chapters/2.3-two");
    book.replace("book/steps.toml", "\"2-two\"", "\"2.3-two\"");
    let mut steps = String::new();
    for (number, from) in [(1, "1-one"), (2, "2.1-two")] {
        let folder = format!("chapters/2.{number}-two");
        for file in ["src/main.rs", "static/index.html", "Cargo.toml"] {
            let text = book.read(&format!("chapters/1-one/{file}"));
            let text = text.replace("chapter-1", &format!("chapter-2-{number}"));
            book.write(&format!("{folder}/{file}"), &text);
        }
        steps += &format!(
            "[[step]]\npackage = \"chapter-2-{number}\"\nfolder = \"2.{number}-two\"\n\
             idea = \"A hello\"\npage = \"two-{number}.md\"\n\
             test = \"tests/chapter_2.rs\"\nfrom = \"{from}\"\n\n"
        );
    }
    book.replace(
        "book/steps.toml",
        "[[step]]\npackage = \"chapter-2\"",
        &format!("{steps}[[step]]\npackage = \"chapter-2\""),
    );
}

#[test]
fn a_chapter_whose_page_is_missing_is_refused() {
    let book = Fixture::new("no_chapter_page");
    let chapter = "[[chapter]]\nnumber = 1\ntitle = \"One\"\npage = \"chapter-1.md\"\n\n";
    book.write("book/steps.toml", &(chapter.to_owned() + &book.read("book/steps.toml")));
    book.refuses("book/steps.toml:1:", "chapter 1 has no page book/src/chapter-1.md");
}

#[test]
fn a_fault_in_a_timeline_is_told_with_its_line() {
    let book = Fixture::new("timeline_fault");
    let fence = "\n```timeline\ntitle: A hello\nlanes: client | server\nclient -> sever: hello\n```\n";
    book.append("book/src/one.md", fence);
    let line =
        book.read("book/src/one.md").lines().position(|line| line.contains("sever:"));
    let place = format!("book/src/one.md:{}:", line.unwrap() + 1);
    book.refuses(&place, "no lane `sever`; did you mean `server`?");
    book.replace("book/src/one.md", "-> sever:", "-> server:");
    book.passes();
}

#[test]
fn a_chapter_without_tests_is_refused() {
    let book = Fixture::new("no_tests");
    book.write("tests/chapter_1.rs", "fn an_empty_name_gets_no_hello() {}\n");
    book.refuses("tests/chapter_1.rs:1:", "holds no test of chapter-1");
}

#[test]
fn a_chapter_whose_test_file_is_gone_is_refused() {
    let book = Fixture::new("no_test_file");
    book.remove("tests/chapter_1.rs");
    book.refuses("book/steps.toml:1:", "there is no tests/chapter_1.rs");
}

#[test]
fn a_package_under_another_name_is_refused() {
    let book = Fixture::new("other_package");
    book.replace("chapters/2-two/Cargo.toml", "\"chapter-2\"", "\"chapter-two\"");
    book.refuses("chapters/2-two/Cargo.toml:1:", "the package is not called chapter-2");
}

#[test]
fn a_step_without_a_page_is_refused() {
    let book = Fixture::new("pageless_step");
    book.replace("book/steps.toml", "page = \"two.md\"\n", "");
    book.refuses("book/steps.toml:1:", "chapter-2 names no page");
}

#[test]
fn a_chapter_without_a_test_target_is_refused() {
    let book = Fixture::new("no_target");
    book.replace(
        "chapters/2-two/Cargo.toml",
        "../../tests/chapter_2.rs",
        "../../tests/chapter_1.rs",
    );
    book.refuses("chapters/2-two/Cargo.toml:1:", "has no test target");
}

#[test]
fn a_chapter_without_the_workspaces_lints_is_refused() {
    let book = Fixture::new("no_lints");
    book.replace("chapters/2-two/Cargo.toml", "[lints]\nworkspace = true\n", "");
    book.refuses(
        "chapters/2-two/Cargo.toml:1:",
        "does not inherit the workspace's lints",
    );
}

#[test]
fn a_program_that_the_ladder_does_not_know_is_refused() {
    let book = Fixture::new("unknown_folder");
    book.write("chapters/3-three/src/main.rs", "fn main() {}\n");
    book.refuses("chapters/3-three:1:", "does not know");
}

#[test]
fn a_step_over_its_budget_is_refused() {
    let book = Fixture::new("over_budget");
    book.replace("book/steps.toml", "budget = 20", "budget = 2");
    book.refuses("chapters/2-two:1:", "its budget is 2");
}

#[test]
fn a_line_that_moved_and_a_comment_take_nothing_of_the_budget() {
    let book = Fixture::new("moved_lines");
    // Five lines of the program and a bracket are new. Its comments do not count.
    book.replace("book/steps.toml", "budget = 20", "budget = 5");
    book.refuses("chapters/2-two:1:", "brings 6 new lines of Rust, and its budget is 5");
    book.replace("book/steps.toml", "budget = 5", "budget = 6");
    book.passes();
    let moved = "    browser_kit::hello();\n";
    book.replace("chapters/2-two/src/main.rs", moved, "");
    book.replace(
        "chapters/2-two/src/main.rs",
        "println!(\"{greeting}\");\n",
        &format!("println!(\"{{greeting}}\");\n{moved}"),
    );
    book.passes();
}

#[test]
fn a_file_of_any_earlier_step_takes_nothing_of_the_budget() {
    let book = Fixture::new("shared_budget");
    let shared = "//! Shared.\n\nfn one() {}\n\nfn two() {}\n";
    book.write("chapters/2-two/src/shared.rs", shared);
    book.write("chapters/3-three/src/shared.rs", shared);
    with_a_third(&book);
    book.append("book/steps.toml", "budget = 0\n");
    let said = book.run(&["check"]);
    assert!(!said.err.contains("its budget is 0"), "{}", said.err);
    book.append("chapters/3-three/src/shared.rs", "\nfn three() {}\n");
    book.refuses("chapters/3-three:1:", "brings 1 new lines of Rust");
}

// What need not change.

#[test]
fn items_in_another_order_are_refused() {
    let book = Fixture::new("other_order");
    let greet = "/// Says hello to somebody.\nfn greet(name: impl Display) -> String {\n    \
                 format!(\"hello, {name}\")\n}\n\n";
    book.replace("chapters/2-two/src/main.rs", greet, "");
    book.append("chapters/2-two/src/main.rs", &format!("\n{greet}"));
    book.refuses("chapters/2-two/src/main.rs:13:", "`main` comes before `greet` here");
}

#[test]
fn a_file_under_another_name_is_refused() {
    let book = Fixture::new("other_name");
    let page = book.read("chapters/2-two/static/index.html");
    book.remove("chapters/2-two/static/index.html");
    book.write("chapters/2-two/static/home.html", &page);
    book.refuses(
        "chapters/2-two/static/home.html:1:",
        "was called static/index.html in 1-one",
    );
}

#[test]
fn another_order_and_another_name_pass_with_a_reason() {
    let book = Fixture::new("excepted_order");
    let page = book.read("chapters/2-two/static/index.html");
    let page = page.split("<!-- ANCHOR: hello -->\n").next().unwrap();
    book.remove("chapters/2-two/static/index.html");
    book.write("chapters/2-two/static/home.html", page);
    book.take_picture();
    let reason = "reason = \"This chapter is about the name of a file.\"\n";
    for (rule, file) in [("rename", "static/home.html"), ("coverage", "static/home.html")]
    {
        let exception = format!(
            "\n[[exception]]\nrule = \"{rule}\"\nfile = \"2-two/{file}\"\n{reason}"
        );
        book.append("book/exceptions.toml", &exception);
    }
    book.passes();
}

/// A library with a feature that no program may have, and the one below it.
fn with_libraries(book: &Fixture) {
    for (name, feature, rest) in [
        ("engineioxide", "v3 = []", ""),
        (
            "socketioxide",
            "v4 = [\"engineioxide/v3\"]",
            "[dependencies]\nengineioxide = { path = \"../engineioxide\" }\n",
        ),
    ] {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[features]\n{feature}\n\n{rest}"
        );
        book.write(&format!("libraries/{name}/Cargo.toml"), &manifest);
        book.write(&format!("libraries/{name}/src/lib.rs"), "");
    }
    book.replace(
        "Cargo.toml",
        "[workspace.dependencies]",
        "[workspace.dependencies]\nsocketioxide = { path = \"libraries/socketioxide\" }",
    );
}

#[test]
fn a_member_that_lets_clients_of_version_2_in_is_refused() {
    let book = Fixture::new("version_2");
    with_libraries(&book);
    let manifest = "chapters/browser-kit/Cargo.toml";
    book.append(manifest, "\n[dependencies]\nsocketioxide.workspace = true\n");
    book.passes();
    let with = "socketioxide = { workspace = true, features = [\"v4\"] }";
    book.replace(manifest, "socketioxide.workspace = true", with);
    book.refuses(
        "chapters/browser-kit/Cargo.toml:1:",
        "the feature `v4` of socketioxide",
    );
}

#[test]
fn a_member_that_would_let_them_in_by_an_optional_feature_is_refused() {
    let book = Fixture::new("version_2_optional");
    with_libraries(&book);
    let engine = "engineioxide = { path = \"../../libraries/engineioxide\", optional = true, \
                  features = [\"v3\"] }";
    let manifest = "chapters/browser-kit/Cargo.toml";
    book.append(manifest, &format!("\n[dependencies]\n{engine}\n"));
    book.refuses(
        "chapters/browser-kit/Cargo.toml:1:",
        "the feature `v3` of engineioxide",
    );
}
