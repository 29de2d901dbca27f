//! Fetches the official Socket.IO browser client from the npm registry, for readers
//! without Node. `cargo workbook client` runs it with the folder of browser-kit.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use npm_utils::{download, extract, integrity, registry::Registry};

const PACKAGE: &str = "socket.io-client";

/// From the package's file to the name that the chapters serve it by.
const FILES: [(&str, &str); 6] = [
    ("dist/socket.io.js", "socket.io.js"),
    ("dist/socket.io.js.map", "socket.io.js.map"),
    ("dist/socket.io.min.js", "socket.io.min.js"),
    ("dist/socket.io.min.js.map", "socket.io.min.js.map"),
    ("dist/socket.io.msgpack.min.js", "socket.io.msgpack.min.js"),
    ("dist/socket.io.msgpack.min.js.map", "socket.io.msgpack.min.js.map"),
];

fn main() -> ExitCode {
    let Some(kit) = env::args_os().nth(1) else {
        eprintln!("fetch-client: called by `cargo workbook client`");
        return ExitCode::from(2);
    };
    match run(Path::new(&kit)) {
        Ok(version) => {
            println!(
                "{PACKAGE} {version}, verified, is in {}.",
                Path::new(&kit).join("client").display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("fetch-client: {error}");
            ExitCode::from(1)
        }
    }
}

fn run(kit: &Path) -> npm_utils::Result<String> {
    let (version, checksum) = pinned(kit)?;
    // The lock file holds no addresses, so that any mirror of the registry will do.
    let registry = match env::var("npm_config_registry") {
        Ok(mirror) => Registry::with_base_url(mirror.trim_end_matches('/')),
        Err(_) => Registry::npm(),
    };
    let archive = download::fetch(&registry.tarball_url(PACKAGE, &version))?;
    integrity::verify(PACKAGE, &archive, &checksum)?;
    let (part, done) = (kit.join("client.part"), kit.join("client"));
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    let written = extract::tar_gz(
        &archive,
        &part,
        Some("package/"),
        extract::Select::Files(&FILES),
    )?;
    if written != FILES.len() {
        return Err(
            format!("the package holds {written} of {} files", FILES.len()).into()
        );
    }
    // Whole or not at all: a build that looks in between finds no folder.
    if done.exists() {
        fs::remove_dir_all(&done)?;
    }
    fs::rename(part, done)?;
    Ok(version)
}

/// The version and the checksum that browser-kit's lock file pins.
fn pinned(kit: &Path) -> npm_utils::Result<(String, String)> {
    let lock: serde_json::Value =
        serde_json::from_slice(&fs::read(kit.join("package-lock.json"))?)?;
    let entry = &lock["packages"][format!("node_modules/{PACKAGE}")];
    match (entry["version"].as_str(), entry["integrity"].as_str()) {
        (Some(version), Some(checksum)) => Ok((version.into(), checksum.into())),
        _ => Err(format!("package-lock.json pins no {PACKAGE}").into()),
    }
}
