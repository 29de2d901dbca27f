//! Tests by name.

use std::{
    io,
    process::{Command, Stdio},
    sync::Arc,
};

use crate::built::{Built, TestProgram};

/// One test.
#[derive(Clone, Debug)]
pub struct Case {
    /// The program that holds it.
    pub program: Arc<TestProgram>,
    /// Its name with its modules: `lobby::a_list_is_complete`.
    pub name: String,
    /// Environment variables for this test alone.
    pub environment: Vec<(String, String)>,
}

/// Lists all tests of `built`, in the order of packages, programs and names.
///
/// # Errors
/// If a program does not say what tests it holds.
pub fn cases(built: &Built) -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for program in &built.tests {
        let program = Arc::new(program.clone());
        let names = names(&program)?.into_iter();
        cases.extend(names.map(|name| Case {
            program: program.clone(),
            name,
            environment: Vec::new(),
        }));
    }
    Ok(cases)
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
