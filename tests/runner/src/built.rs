//! The one place that asks Cargo to build, and where it put what it built.

use std::{
    collections::BTreeMap,
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cargo_metadata::Message;

/// What Cargo built.
#[derive(Debug, Default)]
pub struct Built {
    /// Programs by their names: `chapter-3` is the chapter itself.
    pub programs: BTreeMap<String, PathBuf>,
    /// Programs that hold tests.
    pub tests: Vec<TestProgram>,
}

/// A program that holds tests.
#[derive(Clone, Debug)]
pub struct TestProgram {
    /// The package that it belongs to.
    pub package: String,
    /// What its source is called: `chapter-3`, or the package itself for unit tests.
    pub target: String,
    /// The folder of the package: tests expect to be started there.
    pub folder: PathBuf,
    /// The program.
    pub path: PathBuf,
}

/// Runs Cargo in the workspace at `root` with `arguments`, such as `test --no-run`, and
/// returns what it built. Cargo tells its progress on standard error.
///
/// # Errors
/// If Cargo cannot be started, or does not succeed.
pub fn build(root: &Path, arguments: &[&str]) -> io::Result<Built> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).arg("--message-format=json-render-diagnostics");
    command.current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped());
    // Cargo sets these for its own children, and would take them for the caller's wishes.
    for name in ["RUSTC_WRAPPER", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
        command.env_remove(name);
    }
    let mut cargo = command.spawn()?;
    let output = cargo.stdout.take().expect("BUG: piped");
    let mut built = Built::default();
    for message in Message::parse_stream(BufReader::new(output)) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        let Some(path) = artifact.executable else { continue };
        let (target, path) = (artifact.target.name, path.into_std_path_buf());
        if !artifact.profile.test {
            built.programs.insert(target, path);
            continue;
        }
        let manifest = artifact.manifest_path.into_std_path_buf();
        let folder = manifest.parent().unwrap_or(root).to_owned();
        let package = package_of(&artifact.package_id.repr);
        built.tests.push(TestProgram { package, target, folder, path });
    }
    let status = cargo.wait()?;
    if !status.success() {
        return Err(io::Error::other("Cargo could not build; it says why above"));
    }
    built.tests.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
    Ok(built)
}

/// The name in a package's id: `path+file:///…/tests/support#0.1.0`, or with `#name@0.1.0`.
fn package_of(id: &str) -> String {
    let (url, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => url.rsplit('/').next().unwrap_or(url).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::package_of;

    #[test]
    fn a_packages_name_is_in_its_id() {
        let named =
            "path+file:///home/ada/workbook/chapters/3-namespaces#chapter-3@0.1.0";
        assert_eq!(package_of(named), "chapter-3");
        assert_eq!(package_of("path+file:///ada/tests/support#0.1.0"), "support");
    }
}
