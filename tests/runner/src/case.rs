//! Tests by name.

use std::{
    io,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use crate::built::{Built, TestProgram, build};

/// One test.
#[derive(Clone, Debug)]
pub struct Case {
    /// The program that holds it.
    pub program: Arc<TestProgram>,
    /// Its name with its modules: `lobby::a_list_is_complete`.
    pub name: String,
}

/// All tests of some packages.
#[derive(Debug)]
pub struct Suite {
    /// In the order of packages, programs and names.
    pub cases: Vec<Case>,
    /// What Cargo built, the programs under test included.
    pub built: Built,
}

impl Suite {
    /// Builds the tests of `packages`, or of the whole workspace if there are none, and lists
    /// them.
    ///
    /// # Errors
    /// If they do not build, or a program does not say what tests it holds.
    pub fn build(root: &Path, packages: &[&str]) -> io::Result<Self> {
        let mut arguments = vec!["test", "--no-run"];
        for package in packages {
            arguments.extend(["--package", *package]);
        }
        if packages.is_empty() {
            arguments.push("--workspace");
        }
        if !cfg!(debug_assertions) {
            arguments.push("--release");
        }
        let built = build(root, &arguments)?;
        let mut cases = Vec::new();
        for program in &built.tests {
            let program = Arc::new(program.clone());
            for name in names(&program)? {
                cases.push(Case { program: program.clone(), name });
            }
        }
        Ok(Self { cases, built })
    }
}

/// The tests of a program.
fn names(program: &TestProgram) -> io::Result<Vec<String>> {
    let mut list = Command::new(&program.path);
    list.args(["--list", "--format=terse"]).current_dir(&program.folder);
    let output = list.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let what = format!("{} does not list its tests", program.path.display());
        return Err(io::Error::other(what));
    }
    let list = String::from_utf8_lossy(&output.stdout);
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(str::to_owned).collect())
}
