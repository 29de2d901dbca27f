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
    // The lock file holds no addresses, so that any mirror of the registry will do.
    let registry = match env::var("npm_config_registry") {
        Ok(mirror) => Registry::with_base_url(mirror.trim_end_matches('/')),
        Err(_) => Registry::npm(),
    };
    match run(Path::new(&kit), &registry) {
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

fn run(kit: &Path, registry: &Registry) -> npm_utils::Result<String> {
    let (version, checksum) = pinned(kit)?;
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::path::PathBuf;

    use super::*;

    /// A kit with the lock file that is committed, in a folder of its own.
    fn kit(name: &str) -> PathBuf {
        let kit =
            env::temp_dir().join(format!("fetch client {} {name}", std::process::id()));
        fs::create_dir_all(&kit).unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let lock = here.join("../../chapters/browser-kit/package-lock.json");
        fs::copy(lock, kit.join("package-lock.json")).unwrap();
        kit
    }

    #[test]
    fn what_the_lock_file_does_not_know_is_refused_and_nothing_is_changed() {
        let kit = kit("forged");
        fs::create_dir_all(kit.join("client")).unwrap();
        fs::write(kit.join("client/socket.io.js"), "the old one").unwrap();
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        // A registry that hands out something else.
        std::thread::spawn(move || {
            for mut stream in server.incoming().flatten() {
                let mut request = [0; 1024];
                assert!(stream.read(&mut request).unwrap() > 0);
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let error = run(&kit, &Registry::with_base_url(&url)).unwrap_err().to_string();
        assert!(error.contains(PACKAGE), "{error}");
        let old = fs::read_to_string(kit.join("client/socket.io.js")).unwrap();
        assert_eq!(old, "the old one");
        assert!(!kit.join("client.part").exists());
        fs::remove_dir_all(kit).unwrap();
    }

    #[test]
    fn a_registry_that_is_not_there_is_an_error() {
        let kit = kit("offline");
        // A port that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let registry = Registry::with_base_url(format!("http://{free}"));
        assert!(run(&kit, &registry).is_err());
        assert!(!kit.join("client").exists());
        fs::remove_dir_all(kit).unwrap();
    }

    #[test]
    fn the_lock_file_pins_a_version_and_a_checksum() {
        let kit = kit("pinned");
        let (version, checksum) = pinned(&kit).unwrap();
        assert!(version.starts_with("4."), "{version}");
        assert!(checksum.starts_with("sha512-"), "{checksum}");
        fs::remove_dir_all(kit).unwrap();
    }
}
