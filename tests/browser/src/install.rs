//! Finds Chromium and chromedriver, or says what to install.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// A browser and its driver.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) chromium: String,
    pub(crate) chromedriver: PathBuf,
}

const CHROMIUM: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "Google Chrome",
];
const CHROMEDRIVER: [&str; 2] = ["chromedriver", "chromium.chromedriver"];

/// # Panics
/// If there is none and it may not be installed: with the sentence to read.
pub(crate) fn find() -> Paths {
    static FOUND: OnceLock<Paths> = OnceLock::new();
    FOUND
        .get_or_init(|| look().or_else(install).unwrap_or_else(|| panic!("{SENTENCE}")))
        .clone()
}

const SENTENCE: &str = "\
    these tests look at the pages in a real browser, and need Chromium (or Chrome) and \
    chromedriver of the same version.\n  \
    Debian, Ubuntu:  sudo apt-get install chromium chromium-driver\n  \
    Fedora:          sudo dnf install chromium chromedriver\n  \
    macOS:           brew install --cask google-chrome chromedriver\n  \
    Windows:         winget install Google.Chrome, and chromedriver from \
                     https://googlechromelabs.github.io/chrome-for-testing/\n\
    Set CHROME and CHROMEDRIVER to their paths if they are not found, or \
    WORKBOOK_SKIP=browser to leave these tests out";

fn look() -> Option<Paths> {
    let chromium =
        chosen("CHROME").or_else(|| CHROMIUM.iter().find_map(on_path)).or_else(known)?;
    let chromedriver =
        chosen("CHROMEDRIVER").or_else(|| CHROMEDRIVER.iter().find_map(on_path))?;
    Some(Paths { chromium: chromium.to_string_lossy().into_owned(), chromedriver })
}

fn chosen(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

fn on_path(name: &&str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

/// Where installers put Chrome without telling `PATH`.
fn known() -> Option<PathBuf> {
    [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    ]
    .iter()
    .map(PathBuf::from)
    .find(|file| file.is_file())
}

/// Installs both by the system's package manager, where that asks nobody: as root on a
/// Debian-like system, which is what a container and a CI machine are.
fn install() -> Option<Paths> {
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        return None;
    }
    support::say(
        "installing chromium and chromium-driver with apt-get, for the browser tests",
    );
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command.output().is_ok_and(|output| output.status.success())
    };
    apt(&["update", "--quiet"]);
    apt(&[
        "install",
        "--quiet",
        "--yes",
        "--no-install-recommends",
        "chromium",
        "chromium-driver",
    ])
    .then(look)
    .flatten()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
