//! Fetches the official Socket.IO browser client, so that no third-party file is
//! kept in this repository. Two places are asked, in this order:
//!
//! 1. the folder `client/` next to this file, filled by `cargo workbook client`;
//! 2. npm, with the versions and hashes of `package-lock.json`.
//!
//! A reader with neither still gets a program that builds and runs: the routes then
//! answer with a sentence that says what to do.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The files a page may ask for under `/socket.io/`, as Node's `serveClient` names them.
const FILES: [&str; 6] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
];

/// What npm needs in order to install, and what a new installation depends on.
const MANIFESTS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Where npm puts the files, below the folder it runs in.
const DIST: &str = "node_modules/socket.io-client/dist";

/// npm without a network can wait for minutes; a reader who wants to see a chapter
/// run cannot.
const PATIENCE: Duration = Duration::from_secs(90);

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by Cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by Cargo"));

    println!("cargo::rerun-if-env-changed=WORKBOOK_CLIENT");
    for manifest in MANIFESTS {
        println!("cargo::rerun-if-changed={manifest}");
    }
    let version = pinned_version(&fs::read_to_string(here.join("package.json"))?)
        .expect("package.json pins socket.io-client");

    // `WORKBOOK_CLIENT=none` builds what a reader without Node.js gets.
    let folder = if env::var_os("WORKBOOK_CLIENT").is_some_and(|it| it == "none") {
        None
    } else {
        find_client(&here, &out, &version)?
    };
    fs::write(out.join("client.rs"), rust_source(&version, folder))
}

/// The Rust expression of the folder that holds the client, or `None`.
fn find_client(
    here: &Path,
    out: &Path,
    version: &str,
) -> io::Result<Option<&'static str>> {
    let client = here.join("client");
    // Cargo takes a missing path for a changed one, so only an existing folder is named.
    // One that appears after npm succeeded would hold the same files.
    if client.exists() {
        println!("cargo::rerun-if-changed=client");
        match check(&client, version) {
            Ok(()) => return Ok(Some(r#"env!("CARGO_MANIFEST_DIR"), "/client/""#)),
            Err(why) => {
                warn(&format!("chapters/browser-kit/client is not used: {why}."));
            }
        }
    }
    match install(here, &out.join("npm"), version)? {
        Ok(()) => {
            Ok(Some(r#"env!("OUT_DIR"), "/npm/node_modules/socket.io-client/dist/""#))
        }
        Err(why) => {
            warn(&format!(
                "The Socket.IO browser client is missing ({why}). Pages will say so. \
                 Install Node.js, or run `cargo workbook client`, then build again."
            ));
            // A path that never exists makes the next build try again.
            println!("cargo::rerun-if-changed={}", out.join("try-again").display());
            Ok(None)
        }
    }
}

/// Runs `npm ci` on copies of the manifests, so that the source tree stays clean.
/// The inner error says why there is no client; the outer one is a broken build folder.
fn install(here: &Path, work: &Path, version: &str) -> io::Result<Result<(), String>> {
    fs::create_dir_all(work)?;
    let mut wanted = String::new();
    for manifest in MANIFESTS {
        let text = fs::read_to_string(here.join(manifest))?;
        fs::write(work.join(manifest), &text)?;
        wanted += &text;
    }

    // The stamp is written last and removed first: an interrupted installation has none.
    let stamp = work.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|had| had == wanted)
        && check(&work.join(DIST), version).is_ok()
    {
        return Ok(Ok(()));
    }
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }

    let log = work.join("npm.log");
    let mut npm = match npm_ci(work, File::create(&log)?) {
        Ok(npm) => npm,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Err("npm was not found".to_owned()));
        }
        Err(error) => return Ok(Err(format!("npm did not start: {error}"))),
    };
    let installed = match wait(&mut npm)? {
        None => Err(format!("npm took longer than {} seconds", PATIENCE.as_secs())),
        Some(status) if !status.success() => Err(first_error(&log)),
        Some(_) => check(&work.join(DIST), version),
    };
    if installed.is_ok() {
        fs::write(stamp, wanted)?;
    }
    Ok(installed)
}

fn npm_ci(work: &Path, log: File) -> io::Result<Child> {
    // On Windows npm is a script, and only its full name starts it.
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        // With a warm cache this asks no network. Without one, a second try after one
        // second is enough: npm's own pause is ten.
        .args(["--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"])
        .current_dir(work)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
}

/// Waits for npm, and kills it when its time is over (then the answer is `None`).
fn wait(npm: &mut Child) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(status) = npm.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(50));
    }
    if cfg!(windows) {
        // Killing the script would leave the Node.js process below it running.
        let tree = ["/T", "/F", "/PID", &npm.id().to_string()];
        Command::new("taskkill").args(tree).status().ok();
    }
    // It may have ended by itself a moment ago; then there is nothing to kill.
    npm.kill().ok();
    npm.wait()?;
    Ok(None)
}

/// All files are there, and every script says that it is the pinned version.
fn check(folder: &Path, version: &str) -> Result<(), String> {
    let banner = format!("Socket.IO v{version}");
    for name in FILES {
        let bytes = fs::read(folder.join(name))
            .map_err(|error| format!("{name} cannot be read: {error}"))?;
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
        if bytes.is_empty() || (name.ends_with(".js") && !start.contains(&banner)) {
            return Err(format!("{name} is not the one of version {version}"));
        }
    }
    Ok(())
}

fn pinned_version(package_json: &str) -> Option<String> {
    let after_key = package_json.split_once(r#""socket.io-client":"#)?.1;
    after_key.split('"').nth(1).map(str::to_owned)
}

/// npm's first line names the kind of failure, such as `code ENOTFOUND`. The lines
/// after it name hosts and folders, which a warning needs not repeat.
fn first_error(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    match log.lines().find_map(|line| line.strip_prefix("npm error code ")) {
        Some(code) => format!("npm stopped with {code}"),
        None => "npm failed".to_owned(),
    }
}

fn warn(sentence: &str) {
    println!("cargo::warning={sentence}");
}

/// `VERSION` and `CLIENT`, which `src/lib.rs` includes.
fn rust_source(version: &str, folder: Option<&str>) -> String {
    let mut source = format!(
        "const VERSION: &str = {version:?};\n\
         const CLIENT: [(&str, Option<&[u8]>); {}] = [\n",
        FILES.len()
    );
    for name in FILES {
        let bytes = match folder {
            Some(folder) => format!("Some(include_bytes!(concat!({folder}, {name:?})))"),
            None => "None".to_owned(),
        };
        writeln!(source, "    ({name:?}, {bytes}),").expect("a String takes all text");
    }
    source + "];\n"
}
