//! What a reader sees, in a headless browser.
//!
//! A crate apart, because a browser's driver is much to compile: `cargo test -p chapter-N`
//! does without. A test here builds the chapter it needs, starts it, and opens its page in
//! Chromium by way of chromedriver.

mod install;

use std::{fs, ops::Deref, path::PathBuf, process::Stdio, time::Duration};

use serde_json::{Value, json};
use support::{Server, effort::deadline, official, record, within};
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{Instant, sleep},
};

/// How often a page is asked again whether it shows what it should.
const GLANCE: Duration = Duration::from_millis(50);

/// One visitor's browser, with a profile of its own. It is closed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    chromedriver: Child,
    profile: PathBuf,
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
        let profile = fresh_folder();
        let mut chromedriver = Command::new(&paths.chromedriver);
        chromedriver.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        chromedriver.stdin(Stdio::null()).kill_on_drop(true);
        // The browser joins this group, and can be ended with it.
        #[cfg(unix)]
        chromedriver.process_group(0);
        let mut chromedriver = chromedriver.spawn().expect("BUG: it has just been found");
        let output = chromedriver.stdout.take().expect("BUG: piped");
        let port = within("chromedriver to say its port", port(output)).await;

        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary(&paths.chromium).expect("BUG: a path is a string");
        let profile_flag = format!("--user-data-dir={}", profile.display());
        let flags = [
            "--headless",
            "--disable-gpu",
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
        Self { driver, chromedriver, profile }
    }

    /// Runs a script's function body in the page and returns what it returns.
    pub async fn run(&self, script: &str) -> Value {
        let value = within(script, self.driver.execute(script, vec![])).await;
        value.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
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
        while self.run(&script).await != true {
            if started.elapsed() > deadline() {
                let text = self.run("return document.body.innerText").await;
                panic!("waited in vain for {expression}; the page shows:\n{text}");
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

    /// Notes from the next page on what goes wrong in a page. [`Browser::faults`] says what.
    pub async fn note_faults(&self) {
        let source = json!({ "source": NOTE_FAULTS });
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source).await;
    }

    /// What has gone wrong in this page: errors of scripts, things that did not load, what
    /// the page's policy forbade, and what was complained about on the console.
    pub async fn faults(&self) -> Value {
        self.run("return window.faults").await
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
    /// critical barrier: wide and narrow, light and dark.
    pub async fn is_for_everybody(&self) {
        for (width, scheme) in
            [(1200, "light"), (1200, "dark"), (320, "light"), (320, "dark")]
        {
            self.look(width, 800, scheme).await;
            let overflow = self.overflow().await;
            assert!(overflow <= 0, "{overflow} px too wide at {width} px");
            assert_eq!(self.barriers(&[]).await, NO_BARRIERS, "at {width} px, {scheme}");
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
        if self.run("return typeof axe").await == "undefined" {
            let axe = official::modules().join("node_modules/axe-core/axe.min.js");
            let axe = fs::read_to_string(axe).expect("it is installed with the clients");
            self.run(&axe).await;
        }
        let found = self.driver.execute_async(AXE, vec![json!(rules)]);
        let found = within("axe", found).await.expect("axe runs");
        found.convert().expect("a list of strings")
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

/// What [`Browser::barriers`] returns of a page that is for everybody.
pub const NO_BARRIERS: [&str; 0] = [];

/// Returns what axe-core finds serious or critical, one line for each place.
const AXE: &str = r#"
    const [rules, done] = arguments;
    const options = rules.length > 0 ? { runOnly: rules } : {};
    axe.run(options).then(({ violations }) => done(violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ html, any }) =>
            `${id}: ${html} (${any.map(({ message }) => message).join("; ")})`))));
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

impl Drop for Browser {
    fn drop(&mut self) {
        // Not by a polite command over the wire: this also runs while a test panics.
        if let Some(pid) = self.chromedriver.id() {
            let mut kill = if cfg!(windows) {
                let mut kill = std::process::Command::new("taskkill");
                kill.args(["/T", "/F", "/PID", &pid.to_string()]);
                kill
            } else {
                let mut kill = std::process::Command::new("kill");
                kill.args(["-KILL", "--", &format!("-{pid}")]);
                kill
            };
            kill.stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
        }
        fs::remove_dir_all(&self.profile).ok();
    }
}

pub use support::program;

/// Builds a chapter and starts it, or uses the server that `WORKBOOK_URL` names.
pub async fn chapter(package: &str) -> Server {
    Server::start(&program(package)).await
}

fn fresh_folder() -> PathBuf {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("workbook-browser-{}-{count}", std::process::id());
    std::env::temp_dir().join(name)
}

/// Reads chromedriver's output up to the line that names its port, and keeps reading, so
/// that it never writes into a closed pipe.
async fn port(output: impl tokio::io::AsyncRead + Unpin + Send + 'static) -> u16 {
    let mut lines = BufReader::new(output).lines();
    let port = loop {
        let line = lines.next_line().await.expect("a readable pipe");
        let line = line.expect("chromedriver names its port before it ends");
        let port = line.rsplit("on port ").next().map(|port| port.trim_end_matches('.'));
        if line.contains("started successfully")
            && let Some(port) = port.and_then(|port| port.parse().ok())
        {
            break port;
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    port
}
