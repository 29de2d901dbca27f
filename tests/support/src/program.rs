//! Programs of other packages.

use std::{
    collections::HashMap,
    process::Stdio,
    sync::{Mutex, OnceLock, PoisonError},
};

use serde_json::Value;

use crate::root;

/// Builds a package's program and returns its path. A test cannot name the program of
/// another package, so Cargo is asked where it put it.
pub fn program(package: &str) -> String {
    static BUILT: OnceLock<Mutex<HashMap<String, String>>> = OnceLock::new();
    let built = BUILT.get_or_init(Mutex::default);
    let known = || built.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(program) = known().get(package) {
        return program.clone();
    }
    // Not under the lock: a failed build is one test's story, and Cargo has a lock itself.
    let program = build(package);
    known().insert(package.to_owned(), program.clone());
    program
}

fn build(package: &str) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let build = std::process::Command::new(cargo)
        .args(["build", "--quiet", "--message-format=json", "-p", package])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .expect("Cargo runs");
    assert!(build.status.success(), "{package} does not build");
    String::from_utf8_lossy(&build.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == package)
        .find_map(|message| message["executable"].as_str().map(str::to_owned))
        .unwrap_or_else(|| panic!("Cargo built no program called {package}"))
}
