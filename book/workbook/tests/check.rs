//! A good book passes; a book that is broken in one way is refused, and told where.

mod fixture;

use fixture::Fixture;

#[test]
fn a_good_book_passes() {
    Fixture::new("good").passes();
}

// The five ways in which a book and its code drift apart.

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
fn code_without_prose_before_it_is_refused() {
    let book = Fixture::new("no_prose");
    let prose = "The main function prints both, and the header says so: whoever runs the program sees\n\
                 what it does before reading on.\n";
    book.replace("book/src/two.md", prose, "");
    book.refuses("book/src/two.md:15:", "only 0 words stand between");
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
fn a_twin_without_prose_before_it_is_refused() {
    let book = with_a_twin("silent_sides", 3);
    let page = book.read("book/src/two.md");
    let silent = page.split_once("The twin answers").unwrap().0;
    let sides = page.lines().last().unwrap();
    book.write("book/src/two.md", &format!("{silent}{sides}\n"));
    book.refuses("book/src/two.md:27:", "only 9 words stand between");
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
    let book = Fixture::new("no_row");
    book.replace("README.md", "| `chapter-2` | a hello that answers |\n", "");
    book.refuses("README.md:1:", "about `chapter-2`");
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
