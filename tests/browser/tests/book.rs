//! What a reader sees of the book, opened from disk without a network.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

use browser::{Browser, NOTHING, OF_COLOUR, program};
use serde_json::Value;
use support::{
    effort::{Effort, effort, left_out, some_of},
    within,
};
use thirtyfour::Key;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

const THEMES: [&str; 5] = ["light", "rust", "coal", "navy", "ayu"];

/// The built book, in a folder with a blank in its name, as many a reader's. Several test
/// programs at once share one build, as long as nothing that the book is made of changes.
fn book() -> &'static Path {
    static BOOK: OnceLock<PathBuf> = OnceLock::new();
    BOOK.get_or_init(|| {
        let builder = program("book");
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = place.join("the book");
        let newest = newest(&support::root()).max(modified(Path::new(&builder)));
        let state = format!("{newest:?}");
        // Written last: a folder without it was not finished.
        let finished = place.join("the book.built");
        let is_built = || fs::read_to_string(&finished).is_ok_and(|was| was == state);
        // Those who read the book share the lock until they end.
        static LOCK: OnceLock<fs::File> = OnceLock::new();
        let lock = || fs::File::create(place.join("the book.lock")).expect("a file");
        let lock = LOCK.get_or_init(lock);
        lock.lock_shared().expect("a file lock");
        if is_built() {
            return folder;
        }
        lock.unlock().expect("a file lock");
        lock.lock().expect("a file lock");
        if !is_built() {
            fs::remove_file(&finished).ok();
            let weave = format!("'{}' weave", program("workbook"));
            let output = Command::new(builder)
                // As book.toml says, but without Cargo, which may be busy.
                .env("MDBOOK_PREPROCESSOR__WORKBOOK__COMMAND", weave)
                .args([&support::root(), Path::new("-"), Path::new("-"), &folder])
                .output()
                .expect("the builder runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "the book does not build:\n{said}");
            fs::write(&finished, &state).expect("a file");
        }
        lock.unlock().expect("a file lock");
        lock.lock_shared().expect("a file lock");
        folder
    })
}

/// When something below a folder last changed, came or went. Whatever is not a source is
/// passed over.
fn newest(folder: &Path) -> SystemTime {
    let skipped = ["target", "node_modules", ".git"];
    let mut newest = modified(folder);
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name();
        if skipped.iter().any(|skipped| name == *skipped) {
            continue;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let path = entry.path();
        newest =
            newest.max(if is_folder { self::newest(&path) } else { modified(&path) });
    }
    newest
}

fn modified(path: &Path) -> SystemTime {
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    modified.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The address of a file of the book.
fn url(name: &str) -> String {
    let path = book().join(name).display().to_string();
    let path = path.replace('\\', "/").replace('%', "%25").replace(' ', "%20");
    format!("file:///{}", path.trim_start_matches('/'))
}

/// Every page that the book has, but three: the one that holds all others again for the
/// printer, the one that only a web server shows, and the frame that stands in for the
/// table of contents where there is no JavaScript.
fn pages() -> Vec<String> {
    let mut pages = files(book(), ".html");
    pages.retain(|page| !["print.html", "404.html", "toc.html"].contains(&page.as_str()));
    assert!(pages.len() > 5, "the book has its pages: {pages:?}");
    pages
}

/// Files below a folder, named from there.
fn files(folder: &Path, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let below = files(&entry.path(), ending);
            found.extend(below.into_iter().map(|below| format!("{name}/{below}")));
        } else if name.ends_with(ending) {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// Opens a page of the built book. Colours change at once: nothing is measured half way.
async fn open(page: &str) -> Option<Browser> {
    let browser = Browser::at(&url(page)).await?;
    at_once(&browser).await;
    Some(browser)
}

async fn visit(browser: &Browser, page: &str) {
    browser.visit(&url(page)).await;
    at_once(browser).await;
}

async fn at_once(browser: &Browser) {
    browser
        .run(
            "const style = document.createElement('style');
             style.textContent = '* { transition: none !important }';
             document.head.append(style);",
        )
        .await;
}

async fn choose_theme(browser: &Browser, theme: &str) {
    let button = format!("document.getElementById('mdbook-theme-{theme}')");
    browser.run(&format!("{button}.click()")).await;
    browser
        .until(&format!("document.documentElement.classList.contains('{theme}')"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_for_everybody_in_every_theme() {
    is_for_everybody(1200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_narrow_page_is_for_everybody_in_every_theme() {
    if left_out("the book once more") {
        return;
    }
    is_for_everybody(320).await;
}

/// Makes text of the words of code that have nothing but a colour. No other rule has anything
/// to say about them, and they are nine in ten elements of a page.
const WITHOUT_HIGHLIGHTS: &str = "
    for (const word of document.querySelectorAll('pre code span')) {
        const attributes = word.getAttributeNames().join();
        if (attributes === 'class') word.replaceWith(...word.childNodes);
    }
    document.normalize();";

async fn is_for_everybody(width: u32) {
    let Some(browser) = open("index.html").await else { return };
    browser.look(width, 800, "light").await;
    let mut faults = Vec::new();
    // For each theme the colours that have been looked at.
    let mut seen = vec![Vec::new(); THEMES.len()];
    for page in pages() {
        visit(&browser, &page).await;
        for part in too_wide(&browser).await {
            faults.push(format!("{page}, too wide: {part}"));
        }
        for fault in browser.faults().await {
            faults.push(format!("{page}: {fault}"));
        }
        for (theme, seen) in some_of(&THEMES, 1).iter().zip(&mut seen) {
            choose_theme(&browser, theme).await;
            let barriers = match (*theme, effort()) {
                ("light", Effort::Quick) => {
                    let mut barriers = browser.barriers_of_new_colours(seen).await;
                    browser.run(WITHOUT_HIGHLIGHTS).await;
                    barriers.extend(browser.barriers_but_colours().await);
                    barriers
                }
                ("light", _) => browser.barriers(&[]).await,
                _ => browser.barriers_of_new_colours(seen).await,
            };
            for barrier in barriers {
                faults.push(format!("{page}, {theme}: {barrier}"));
            }
        }
    }
    assert!(faults.is_empty(), "at {width} px:\n{}", faults.join("\n"));
}

/// What is wider than the window, and not inside something that scrolls by itself. The
/// theme's page hides what is too wide, so that its own width says nothing.
async fn too_wide(browser: &Browser) -> Vec<String> {
    let parts = browser
        .run(
            "const sticksOut = (part) => part.getBoundingClientRect().right > innerWidth + 1;
             return [...document.querySelectorAll('main *')]
               .filter((part) => sticksOut(part) && !sticksOut(part.parentElement))
               .filter((part) => !part.closest('.table-wrapper *, pre > code *, .unseen'))
               .map((part) => part.outerHTML.slice(0, 100))",
        )
        .await;
    serde_json::from_value(parts).expect("a list of strings")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_would_be_found() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("index.html").await else { return };
    if support::official::skip() {
        return;
    }
    browser.run("document.querySelector('main p').style.color = '#bbb'").await;
    let found = browser.barriers(&OF_COLOUR).await;
    let is_found = |found: &[String]| {
        found.iter().any(|barrier| barrier.starts_with("color-contrast"))
    };
    assert!(is_found(&found), "{found:?}");
    let mut seen = Vec::new();
    let found = browser.barriers_of_new_colours(&mut seen).await;
    assert!(is_found(&found), "{found:?}");
    // The same colours once more: nobody looks.
    assert_eq!(browser.barriers_of_new_colours(&mut seen).await, NOTHING);
    browser.run("document.querySelector('main p').style.minWidth = '2000px'").await;
    assert_eq!(too_wide(&browser).await.len(), 1);
}

/// The table of contents is part of every page; on a narrow one it is shut at first.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_narrow_page_the_table_of_contents_opens_by_keyboard() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("index.html").await else { return };
    browser.look(320, 800, "light").await;
    visit(&browser, "chapter-1.html").await;
    let is_shut = "getComputedStyle(document.querySelector('#mdbook-sidebar')).display === 'none' \
                   || document.querySelector('#mdbook-sidebar').getBoundingClientRect().right <= 0";
    browser.until(is_shut).await;
    focus_by_tab(&browser, "document.activeElement.id === 'mdbook-sidebar-toggle'").await;
    browser.press(Key::Enter).await;
    browser.until(&format!("!({is_shut})")).await;
    assert_eq!(browser.barriers(&[]).await, NOTHING);
}

/// Presses Tab until what has the focus fits.
async fn focus_by_tab(browser: &Browser, fits: &str) {
    for _ in 0..500 {
        browser.press(Key::Tab).await;
        if browser.run(&format!("return {fits}")).await == true {
            return;
        }
    }
    panic!("Tab never reaches {fits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_asks_another_host_for_anything() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("index.html").await else { return };
    // What a page asked other hosts for, whether it got it or not.
    let asked = "return performance.getEntriesByType('resource').map(({ name }) => name)";
    let foreign = |asked: Value| -> Vec<String> {
        let asked: Vec<String> = serde_json::from_value(asked).expect("a list of URLs");
        asked.into_iter().filter(|url| !url.starts_with("file://")).collect()
    };
    for page in pages() {
        visit(&browser, &page).await;
        assert_eq!(foreign(browser.run(asked).await), NOTHING, "{page}");
    }
    // This would have been seen.
    browser.run("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/a.png' }))").await;
    browser
        .until("performance.getEntriesByName('http://127.0.0.1:9/a.png').length > 0")
        .await;
    assert_eq!(foreign(browser.run(asked).await).len(), 1);
}

#[test]
fn no_file_of_the_book_names_another_host_where_it_would_be_asked() {
    if support::skipped("browser") || left_out("the book once more") {
        return;
    }
    let mut faults = Vec::new();
    for file in files(book(), ".html") {
        let html = fs::read_to_string(book().join(&file)).expect("a page");
        for tag in html.split('<').filter(|tag| !tag.starts_with("a ")) {
            let tag = tag.split('>').next().unwrap_or_default();
            if ["src=\"http", "src=\"//", "href=\"http", "href=\"//", "srcset=\"http"]
                .iter()
                .any(|asks| tag.contains(asks))
            {
                faults.push(format!("{file}: <{tag}>"));
            }
        }
    }
    for file in files(book(), ".css") {
        let css = fs::read_to_string(book().join(&file)).expect("a style");
        for asks in ["url(http", "url(\"http", "url('http", "url(//", "@import \"http"] {
            if css.contains(asks) {
                faults.push(format!("{file}: {asks}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn copying_a_diff_gives_the_new_code_and_nothing_else() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("how-this-book-is-made.html").await else { return };
    let diff = "document.querySelector('figure.diff')";
    browser.until(&format!("{diff}.querySelectorAll('del').length > 0")).await;
    let shown = browser
        .run(&format!("return {diff}.querySelector('pre > code').innerText"))
        .await;
    let copied = copy(&browser, "figure.diff .clip-button").await;
    let new = browser
        .run(&format!("return Array.from({diff}.querySelectorAll('ins'), (line) => line.textContent)"))
        .await;
    let new: Vec<String> = serde_json::from_value(new).expect("lines");
    assert!(!new.is_empty());
    assert_eq!(copied, new.concat());
    // As the program has it: no signs, no marks, no old lines.
    let program = support::root().join("chapters/2.2-acknowledgements/src/main.rs");
    let program = fs::read_to_string(program).expect("the program").replace("\r\n", "\n");
    for line in copied.lines() {
        assert!(
            program.lines().any(|of_program| of_program == line),
            "{line:?} is no line of it"
        );
    }
    let gone =
        browser.run(&format!("return {diff}.querySelector('del').textContent")).await;

    assert!(shown.as_str().unwrap().contains(gone.as_str().unwrap().trim()));
    assert!(!copied.contains(gone.as_str().unwrap().trim()), "{copied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copying_an_item_gives_all_of_it() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("chapter-2-1.html").await else { return };
    let copied = copy(&browser, "figure.step:not(.diff) .clip-button").await;
    let program = support::root().join("chapters/2.1-news/src/main.rs");
    let program = fs::read_to_string(program).expect("the program").replace("\r\n", "\n");
    assert!(copied.starts_with("#[tokio::main]\n"), "{copied}");
    assert!(program.contains(copied.trim_end()), "{copied}");
}

/// Presses a copy button by keyboard, and returns what a paste then gives.
async fn copy(browser: &Browser, button: &str) -> String {
    browser.run(&format!("document.querySelector({button:?}).focus()")).await;
    browser.press(Key::Enter).await;
    browser
        .run(
            "const pad = Object.assign(document.createElement('textarea'), { id: 'pad' });
             document.body.prepend(pad);
             pad.focus();",
        )
        .await;
    browser.press(Key::Control + "v").await;
    browser.until("document.querySelector('#pad').value !== ''").await;
    let pasted = browser.run("return document.querySelector('#pad').value").await;
    pasted.as_str().expect("text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_folded_opens_by_keyboard() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("chapter-1-1.html").await else { return };
    browser.until("document.querySelectorAll('main details').length > 1").await;
    for details in ["details:not(.promise)", "details.promise"] {
        let details = format!("document.querySelector('main {details}')");
        browser.until(&format!("!{details}.open")).await;
        focus_by_tab(
            &browser,
            &format!("document.activeElement === {details}.querySelector('summary')"),
        )
        .await;
        browser.press(Key::Enter).await;
        browser.until(&format!("{details}.open")).await;
    }
    assert_eq!(browser.barriers(&[]).await, NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_wider_than_the_page_scrolls_by_keyboard() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("index.html").await else { return };
    browser.look(320, 800, "light").await;
    visit(&browser, "chapter-1-1.html").await;
    focus_by_tab(&browser, "document.activeElement.matches('figure pre > code')").await;
    browser.press(Key::Right + Key::Right).await;
    browser.until("document.activeElement.scrollLeft > 0").await;
}

/// How the two columns of each comparison on a page stand to each other.
async fn columns(browser: &Browser) -> Vec<String> {
    let columns = browser
        .run(
            "const labels = (figures) =>
               figures.map((figure) => figure.querySelector('strong').innerText).join();
             const seen = (figures) => figures.every((figure) =>
               figure.checkVisibility() && figure.querySelector('pre').offsetHeight > 20);
             return [...document.querySelectorAll('.sides')].map((sides) => {
               const figures = [...sides.querySelectorAll('figure')];
               if (labels(figures) !== 'Node,Rust' || !seen(figures)) return 'not there';
               const [node, rust] = figures.map((figure) => figure.getBoundingClientRect());
               const code = figures.map((figure) =>
                 figure.querySelector('pre').getBoundingClientRect().top);
               if (node.right < rust.left && code[0] === code[1]) return 'beside';
               if (node.bottom < rust.top && node.left === rust.left) return 'below';
               return 'anywhere';
             })",
        )
        .await;
    serde_json::from_value(columns).expect("a list of strings")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_stands_beside_its_program_or_above_it_where_there_is_no_room() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("index.html").await else { return };
    for scripts in [true, false] {
        browser.scripts(scripts).await;
        for chapter in [
            "1-1", "1-3", "1-4", "2-1", "2-3", "2-4", "3-2", "3-3", "4-2", "4-3", "4-4",
            "5-2", "5-3", "5-4",
        ] {
            let page = format!("chapter-{chapter}.html");
            for (width, place) in
                [(1920, "beside"), (1200, "beside"), (800, "below"), (320, "below")]
            {
                let here = format!("{page}, {width} px, scripts: {scripts}");
                browser.look(width, 800, "light").await;
                browser.visit(&url(&page)).await;
                let class = "return document.documentElement.classList.contains('js')";
                assert_eq!(browser.run(class).await, scripts, "{here}");
                let columns = columns(&browser).await;
                assert!(!columns.is_empty(), "{here}: nothing is compared");
                assert!(
                    columns.iter().all(|column| column == place),
                    "{here}: {columns:?}"
                );
                assert_eq!(too_wide(&browser).await, NOTHING, "{here}");
                assert!(browser.overflow().await <= 0, "{here}");
            }
            browser.look_printed(PAPER).await;
            let columns = columns(&browser).await;
            assert!(
                columns.iter().all(|column| column == "below"),
                "{page}: {columns:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn comparisons_are_for_everybody_wide_and_narrow() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("chapter-4-4.html").await else { return };
    for width in [1920, 1200, 320] {
        browser.look(width, 800, "light").await;
        for theme in THEMES {
            choose_theme(&browser, theme).await;
            let barriers = match theme {
                "light" => browser.barriers(&[]).await,
                _ => browser.barriers_of_new_colours(&mut Vec::new()).await,
            };
            assert_eq!(barriers, NOTHING, "{width} px, {theme}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copying_a_side_gives_its_lines_as_the_program_has_them() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("chapter-4-4.html").await else { return };
    let copied = copy(&browser, ".sides figure:last-of-type .clip-button").await;
    let program = support::root().join("chapters/4.4-whispers/src/whisper.rs");
    let program = fs::read_to_string(program).expect("the program").replace("\r\n", "\n");
    assert!(copied.lines().count() > 10, "{copied}");
    assert!(program.contains(copied.trim_end()), "{copied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_is_searched_without_a_server() {
    let Some(browser) = open("index.html").await else { return };
    browser.press("s").await;
    browser.until("document.activeElement.id === 'mdbook-searchbar'").await;
    browser.press("acknowledgement").await;
    browser
        .until("document.querySelectorAll('#mdbook-searchresults a').length > 0")
        .await;
    assert_eq!(browser.barriers(&[]).await, NOTHING);
    browser.press(Key::Down + Key::Enter).await;
    browser.until("document.querySelector('main mark') !== null").await;
}

/// The width of a sheet of A4 without its margins, in CSS pixels.
const PAPER: u32 = 700;

#[tokio::test(flavor = "multi_thread")]
async fn on_paper_no_code_is_cut_off_and_paper_is_white() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("index.html").await else { return };
    for page in pages() {
        browser.look(1200, 800, "light").await;
        visit(&browser, &page).await;
        for theme in ["light", "navy"] {
            browser.look(1200, 800, "light").await;
            choose_theme(&browser, theme).await;
            browser.look_printed(PAPER).await;
            let cut = browser
                .run(
                    "return [...document.querySelectorAll('main pre > code, main table, main img')]
                       .filter((part) => part.scrollWidth > part.clientWidth + 1
                         || part.getBoundingClientRect().right > innerWidth)
                       .map((part) => part.textContent.slice(0, 60))",
                )
                .await;
            assert_eq!(cut, serde_json::json!([]), "{page} is cut off");
            assert!(browser.overflow().await <= 0, "{page} is wider than paper");
            let ground = "getComputedStyle(document.documentElement).backgroundColor";
            let ground = browser.run(&format!("return {ground}")).await;
            assert_eq!(ground, "rgb(255, 255, 255)", "{page}, {theme}");
        }
    }
}

/// A book of one page about a program of one function, served as a writer does.
#[cfg(unix)]
struct Served {
    root: PathBuf,
    url: String,
    process: tokio::process::Child,
}

#[cfg(unix)]
impl Served {
    async fn start(name: &str) -> Self {
        // What the command is going to run. Compiled here, and not while the first line of
        // output is awaited.
        let built = runner::build(&support::root(), &["build", "--package", "book"]);
        built.expect("it builds");
        let workbook = program("workbook");
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let weave =
            format!("[preprocessor.workbook]\ncommand = \"'{workbook}' weave\"\n");
        let step = "[[step]]\npackage = \"chapter-1\"\nfolder = \"1-one\"\n\
                    idea = \"A hello\"\npage = \"one.md\"\n";
        for (file, text) in [
            ("book/book.toml", format!("[book]\ntitle = \"Small\"\n\n{weave}").as_str()),
            ("book/steps.toml", step),
            ("book/src/SUMMARY.md", "# Summary\n\n- [One](one.md)\n"),
            ("book/src/one.md", "# One\n\n{{#item 1-one/src/main.rs main}}\n"),
            ("chapters/1-one/src/main.rs", "fn main() {\n    println!(\"hello\");\n}\n"),
        ] {
            let file = root.join(file);
            fs::create_dir_all(file.parent().expect("BUG: it has one"))
                .expect("a folder");
            fs::write(file, text).expect("a file");
        }
        let mut process = tokio::process::Command::new(workbook)
            .args(["book", "--serve", "--port", "0", "--root"])
            .arg(&root)
            .stdout(std::process::Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("it runs");
        let output = process.stdout.take().expect("BUG: piped");
        let mut lines = BufReader::new(output).lines();
        let address = async {
            loop {
                let line = lines.next_line().await.expect("a pipe").expect("it serves");
                if let Some(rest) = line.strip_prefix("The book is at ") {
                    break rest.split(". ").next().unwrap_or_default().to_owned();
                }
            }
        };
        let url = within("the book's address", address).await;
        Self { root, url, process }
    }
}

#[cfg(unix)]
impl Drop for Served {
    fn drop(&mut self) {
        // The command, the cargo that it calls, and the server.
        if let Some(pid) = self.process.id() {
            let group = format!("-{pid}");
            Command::new("kill").args(["-KILL", "--", &group]).status().ok();
        }
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_in_a_chapter_shows_on_the_open_page() {
    if support::skipped("browser") || left_out("the book once more") {
        return;
    }
    let book = Served::start("served edit").await;
    let Some(browser) = Browser::at(&book.url).await else { return };
    let shows = |text: &str| {
        format!("document.querySelector('figure').textContent.includes({text:?})")
    };
    browser.until(&shows("hello")).await;
    let program = book.root.join("chapters/1-one/src/main.rs");
    for greeting in ["good morning", "good evening"] {
        let edited = std::time::Instant::now();
        fs::write(&program, format!("fn main() {{\n    println!(\"{greeting}\");\n}}\n"))
            .unwrap();
        browser.until(&shows(greeting)).await;
        println!("shown after {:?}", edited.elapsed());
    }
    // While it does not build, the page stays, and comes back when it does.
    fs::write(&program, "fn man() {}\n").unwrap();
    fs::write(
        book.root.join("book/src/one.md"),
        "# One\n\n{{#item 1-one/src/main.rs man}}\n",
    )
    .unwrap();
    browser.until(&shows("fn man() {}")).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_served_book_gives_away_only_the_book() {
    if support::skipped("browser") || left_out("the book once more") {
        return;
    }
    let book = Served::start("served only").await;
    let address = book.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    for (path, status) in [
        ("/", 200),
        ("/one.html", 200),
        ("/../book.toml", 404),
        ("/..%2fbook.toml", 404),
        ("/.nojekyll", 404),
        ("/nothing.html", 404),
    ] {
        let answer = ask(&address, path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

/// Sends a path as it stands, dots and all.
#[cfg(unix)]
async fn ask(address: &str, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = Vec::new();
    within("an answer", stream.read_to_end(&mut answer)).await.expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_paper_the_answers_can_be_read() {
    if left_out("the book once more") {
        return;
    }
    let Some(browser) = open("chapter-1-1.html").await else { return };
    let answer = "document.querySelector('main details:not(.promise) > :last-child')";
    browser.until(&format!("!{answer}.checkVisibility()")).await;
    browser.look_printed(PAPER).await;
    browser.until(&format!("{answer}.checkVisibility()")).await;
}
