//! What a reader sees, in a headless browser.
//!
//! A crate apart, because a browser's driver is much to compile: `cargo test -p chapter-N`
//! does without. A test here builds the chapter it needs, starts it, and opens its page in
//! Chromium by way of chromedriver.

mod driver;
mod install;

use std::{fs, ops::Deref, time::Duration};

use serde_json::{Value, json};
use support::{
    Server,
    effort::{deadline, left_out, some_of},
    official, record, within,
};
use thirtyfour::{
    ChromiumLikeCapabilities, DesiredCapabilities, WebDriver, error::WebDriverResult,
};
use tokio::time::{Instant, sleep};

use driver::Driver;

/// How often a page is asked again whether it shows what it should.
const GLANCE: Duration = Duration::from_millis(50);

/// One visitor's browser, with a profile of its own. It is closed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    // Dropped first, which kills chromedriver. Otherwise dropping the session would send a
    // polite command and wait for its answer, even while a test panics.
    _driver: Driver,
    driver: WebDriver,
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

impl Browser {
    /// Opens a page of `server` in a new browser, in a window of 1200 by 800. Nothing if
    /// `WORKBOOK_SKIP` leaves the browser out.
    pub async fn open(server: &Server, path: &str) -> Option<Self> {
        Self::at(&server.url(path)).await
    }

    /// Opens a URL in a new browser. Nothing if `WORKBOOK_SKIP` leaves the browser out.
    pub async fn at(url: &str) -> Option<Self> {
        if support::skipped("browser") {
            return None;
        }
        let browser = Self::start().await;
        browser.visit(url).await;
        Some(browser)
    }

    /// Goes to a URL and waits until the page has loaded.
    pub async fn visit(&self, url: &str) {
        let loaded = within(url, self.driver.goto(url)).await;
        loaded.unwrap_or_else(|error| panic!("{url} does not load: {error}"));
    }

    async fn start() -> Self {
        let paths = install::find();
        let (process, port) = Driver::start(&paths.chromedriver).await;

        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary(&paths.chromium).expect("BUG: a path is a string");
        let profile_flag = format!("--user-data-dir={}", process.profile().display());
        let flags = [
            "--headless",
            "--disable-gpu",
            // A container's /dev/shm has 64 MiB, and a tab that finds it full crashes.
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--no-sandbox",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1200,800",
            &profile_flag,
        ];
        for flag in flags {
            capabilities.add_arg(flag).expect("BUG: a flag is a string");
        }
        let url = format!("http://127.0.0.1:{port}");
        let driver = within("a browser window", WebDriver::new(url, capabilities)).await;
        let driver = driver.unwrap_or_else(|error| panic!("no browser window: {error}"));
        let browser = Self { _driver: process, driver };
        let source = json!({ "source": NOTE_FAULTS });
        browser.cdp("Page.addScriptToEvaluateOnNewDocument", source).await;
        browser
    }

    /// Runs a script's function body in the page and returns what it returns.
    pub async fn run(&self, script: &str) -> Value {
        let value = self.try_run(script).await;
        value.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    async fn try_run(&self, script: &str) -> WebDriverResult<Value> {
        let value = within(script, self.driver.execute(script, vec![])).await?;
        Ok(value.json().clone())
    }

    /// Waits until a JavaScript expression is true in the page.
    ///
    /// # Panics
    /// If it does not become true in time: with the expression and what the page shows.
    pub async fn until(&self, expression: &str) {
        // An element that is not there yet is no error, the expression is just not true.
        let script =
            format!("try {{ return Boolean({expression}) }} catch {{ return false }}");
        let started = Instant::now();
        loop {
            // A page that is being left takes a script with it: the next page is asked.
            let answer = self.try_run(&script).await;
            if answer.as_ref().is_ok_and(|answer| answer == true) {
                return;
            }
            if started.elapsed() > deadline() {
                let text = self.try_run("return document.body.innerText").await;
                panic!(
                    "waited in vain for {expression}: {answer:?}; the page shows {text:?}"
                );
            }
            sleep(GLANCE).await;
        }
    }

    /// Clicks the first element that `css` selects.
    pub async fn click(&self, css: &str) {
        let element = self.find(thirtyfour::By::Css(css)).await;
        let element = element.unwrap_or_else(|error| panic!("no {css}: {error}"));
        element
            .click()
            .await
            .unwrap_or_else(|error| panic!("cannot click {css}: {error}"));
    }

    /// Replaces the text of the field that `css` selects.
    pub async fn write(&self, css: &str, text: &str) {
        let element = self.find(thirtyfour::By::Css(css)).await;
        let element = element.unwrap_or_else(|error| panic!("no {css}: {error}"));
        element.clear().await.expect("an empty field");
        element.send_keys(text).await.expect("a field to write into");
    }

    /// Presses keys where the focus is.
    pub async fn press(&self, keys: impl Into<thirtyfour::TypingData>) {
        let focus = self.driver.active_element().await.expect("something has the focus");
        focus.send_keys(keys).await.expect("it takes keys");
    }

    /// Gives the page a size, in CSS pixels, and a colour scheme (`light` or `dark`).
    pub async fn look(&self, width: u32, height: u32, scheme: &str) {
        self.size(width, height).await;
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let media = json!({ "media": "", "features": features });
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    /// Lays the page out as on paper, `width` CSS pixels wide.
    pub async fn look_printed(&self, width: u32) {
        self.size(width, 800).await;
        self.cdp("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
        self.until("matchMedia('print').matches").await;
    }

    async fn size(&self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Has the system ask every page for less motion.
    pub async fn less_motion(&self) {
        let features = json!([{ "name": "prefers-reduced-motion", "value": "reduce" }]);
        let media = json!({ "media": "", "features": features });
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    /// What has gone wrong in this page: errors of scripts, things that did not load, what
    /// the page's policy forbade, and what was complained about on the console.
    pub async fn faults(&self) -> Vec<String> {
        let faults = self.run("return window.faults").await;
        serde_json::from_value(faults).expect("BUG: NOTE_FAULTS collects strings")
    }

    /// Removes all cookies.
    pub async fn forget(&self) {
        self.cdp("Network.clearBrowserCookies", json!({})).await;
    }

    /// Cuts the browser off from every network, or connects it again.
    pub async fn offline(&self, offline: bool) {
        self.network(offline, -1).await;
    }

    /// Lets it send so many bytes a second, and no more.
    pub async fn slow_upload(&self, bytes_per_second: i32) {
        self.network(false, bytes_per_second).await;
    }

    async fn network(&self, offline: bool, upload: i32) {
        let conditions = json!({
            "offline": offline, "latency": 0,
            "downloadThroughput": -1, "uploadThroughput": upload,
        });
        self.cdp("Network.enable", json!({})).await;
        self.cdp("Network.emulateNetworkConditions", conditions).await;
    }

    /// Runs no script of the pages that are visited from now on, or runs them again. Those of
    /// a test run all the same.
    pub async fn scripts(&self, run: bool) {
        self.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    async fn cdp(&self, command: &str, parameters: Value) {
        let devtools = self.driver.cdp();
        let answer = within(command, devtools.send_raw(command, parameters)).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// Fails if the page is wider than its window, or if axe-core finds a serious or
    /// critical barrier: wide and narrow, light and dark. A quick run looks once.
    pub async fn is_for_everybody(&self) {
        let looks = [(1200, "light"), (320, "dark"), (1200, "dark"), (320, "light")];
        for (width, scheme) in some_of(&looks, 1) {
            self.look(*width, 800, scheme).await;
            // A colour that is half way between two schemes is neither's.
            self.until(
                "document.getAnimations().every((it) => !(it instanceof CSSTransition))",
            )
            .await;
            let overflow = self.overflow().await;
            assert!(overflow <= 0, "{overflow} px too wide at {width} px");
            assert_eq!(self.barriers(&[]).await, NOTHING, "at {width} px, {scheme}");
        }
        self.look(1200, 800, "light").await;
    }

    /// By how many pixels the page is wider than its window.
    pub async fn overflow(&self) -> i64 {
        let script = "return document.documentElement.scrollWidth - innerWidth";
        self.run(script).await.as_i64().expect("whole pixels")
    }

    /// What axe-core finds serious or critical in the page as it is now, by these of its
    /// rules or by all. Nothing without Node, which brings axe-core.
    pub async fn barriers(&self, rules: &[&str]) -> Vec<String> {
        if official::skip() {
            return vec![];
        }
        self.axe(json!(rules), Value::Null).await.0
    }

    /// The same by the rules [`OF_COLOUR`], and only for those elements whose colours, sizes
    /// and backgrounds are not in `seen`, which they are added to. A book's page has
    /// thousands of coloured words, and a theme a few dozens of combinations.
    pub async fn barriers_of_new_colours(&self, seen: &mut Vec<String>) -> Vec<String> {
        if official::skip() {
            return vec![];
        }
        let (barriers, new) = self.axe(json!(OF_COLOUR), json!(seen)).await;
        seen.extend(new);
        barriers
    }

    async fn axe(&self, rules: Value, seen: Value) -> (Vec<String>, Vec<String>) {
        if self.run("return typeof axe").await == "undefined" {
            let axe = official::modules().join("node_modules/axe-core/axe.min.js");
            let axe = fs::read_to_string(axe).expect("it is installed with the clients");
            self.run(&axe).await;
        }
        let found = self.driver.execute_async(AXE, vec![rules, seen]);
        let found = within("axe", found).await.expect("axe runs");
        found.convert().expect("two lists of strings")
    }

    /// Takes a picture of the whole page, for the book, in a recording run.
    pub async fn picture(&self, package: &str, folder: &str) {
        // A window that is too small shows how high the page is.
        self.look(1000, 100, "light").await;
        let height = self.run("return document.documentElement.scrollHeight").await;
        let height = height.as_u64().and_then(|height| u32::try_from(height).ok());
        self.look(1000, height.unwrap_or(800).min(2200), "light").await;
        let png = within("a picture", self.driver.screenshot_as_png()).await;
        record::picture(package, folder, &png.expect("a picture"));
        self.look(1200, 800, "light").await;
    }
}

/// What [`Browser::barriers`] and [`Browser::faults`] return of a page that has none.
pub const NOTHING: [&str; 0] = [];

/// The rules of axe that a theme can break: it changes colours and nothing else.
pub const OF_COLOUR: [&str; 2] = ["color-contrast", "link-in-text-block"];

/// Returns what axe-core finds serious or critical, one line for each place, and the
/// combinations of colours that it has looked at if it was told those that it need not.
const AXE: &str = r#"
    const [rules, seen, done] = arguments;
    // A page of code has thousands of elements that pass. Only violations are reported.
    const options = { resultTypes: ["violations"], preload: false };
    if (rules.length > 0) options.runOnly = rules;
    const known = new Set(seen ?? []);
    const before = known.size;
    const include = [];
    const stacks = new Map([[null, ""]]);
    // All that lies under a text: every ancestor that paints or fades, without repetitions.
    const stack = (element) => {
        if (!stacks.has(element)) {
            const style = getComputedStyle(element);
            const paints = [style.backgroundColor, style.backgroundImage, style.opacity,
                style.filter, style.color, style.textShadow].join();
            const below = stack(element.parentElement);
            stacks.set(element, below.endsWith(paints) ? below : `${below}/${paints}`);
        }
        return stacks.get(element);
    };
    const hasText = ({ childNodes }) => [...childNodes].some((node) =>
        node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
    for (const element of seen === null ? [] : document.body.querySelectorAll("*")) {
        if (!hasText(element) || !element.checkVisibility()) continue;
        const style = getComputedStyle(element);
        const font = [style.fontSize, style.fontWeight, style.textDecorationLine,
            element.localName, element.parentElement.localName].join();
        const combination = `${font} ${stack(element)}`;
        if (known.has(combination)) continue;
        known.add(combination);
        include.push(element);
    }
    const combinations = [...known].slice(before);
    if (seen !== null && include.length === 0) return done([[], combinations]);
    const context = seen === null ? document : { include };
    axe.run(context, options).then(({ violations }) => done([violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ html, any }) =>
            `${id}: ${html} (${any.map(({ message }) => message).join("; ")})`)),
        combinations]));
"#;

/// Runs before every page's own scripts.
const NOTE_FAULTS: &str = r#"
    window.faults = [];
    const note = (what) => window.faults.push(String(what));
    addEventListener("error", ({ message, target }) => note(message ?? target.src), true);
    addEventListener("unhandledrejection", ({ reason }) => note(reason));
    addEventListener("securitypolicyviolation", ({ blockedURI, violatedDirective }) =>
        note(`${violatedDirective}: ${blockedURI}`));
    for (const level of ["error", "warn"]) console[level] = (...words) => note(words);
"#;

pub use support::program;

/// Builds a chapter and starts it, or uses the server that `WORKBOOK_URL` names.
pub async fn chapter(package: &str) -> Server {
    Server::start(&program(package)).await
}

/// The same, for what only a whole run asks of a page. A quick run looks at each page once,
/// in [`Browser::is_for_everybody`].
pub async fn broad_chapter(package: &str) -> Option<Server> {
    Some(Server::start(&broad_program(package)?).await)
}

/// The program of a chapter for a test that only a whole run asks.
pub fn broad_program(package: &str) -> Option<String> {
    (!left_out("one more look at a page")).then(|| program(package))
}
