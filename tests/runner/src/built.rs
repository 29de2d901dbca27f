//! The one place that asks Cargo to build, and where it put what it built.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cargo_metadata::Message;

/// What Cargo built.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Programs by their names: `chapter-3` is the chapter itself.
    pub programs: BTreeMap<String, PathBuf>,
    /// Programs that hold tests.
    pub tests: Vec<TestProgram>,
}

/// A program that holds tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestProgram {
    /// The package that it belongs to.
    pub package: String,
    /// What its source is called: `chapter-3`, or the package itself for unit tests.
    pub target: String,
    /// Whether it holds the unit tests of a program or a library.
    pub is_unit: bool,
    /// The folder of the package: tests expect to be started there.
    pub folder: PathBuf,
    /// The program.
    pub path: PathBuf,
}

/// What says where the tests and programs of the whole workspace are, while all of them run:
/// then nobody has to ask Cargo, who might build them again.
pub const KEPT: &str = "WORKBOOK_BUILT";

/// The tests and programs of the whole workspace.
///
/// # Errors
/// If they do not build.
pub fn everything(root: &Path) -> io::Result<Built> {
    match kept()? {
        Some(built) => Ok(built),
        None => build(root, &["test", "--no-run", "--workspace"]),
    }
}

/// The program of a package, such as `chapter-3`.
///
/// # Errors
/// If it does not build, or the package has no program.
pub fn program(root: &Path, package: &str) -> io::Result<PathBuf> {
    let mut built = match kept()? {
        Some(built) => built,
        None => build(root, &["build", "--package", package])?,
    };
    let missing = || io::Error::other(format!("Cargo built no program called {package}"));
    built.programs.remove(package).ok_or_else(missing)
}

fn kept() -> io::Result<Option<Built>> {
    let Some(file) = std::env::var_os(KEPT) else { return Ok(None) };
    Built::read(&fs::read_to_string(file)?).map(Some)
}

impl Built {
    /// Notes where everything is, in a file that [`KEPT`] may name.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep(&self, file: &Path) -> io::Result<()> {
        let mut text = String::new();
        for (name, path) in &self.programs {
            text += &format!("{name}\t{}\n", path.display());
        }
        for TestProgram { package, target, is_unit, folder, path } in &self.tests {
            let (folder, path) = (folder.display(), path.display());
            text += &format!("{package}\t{target}\t{is_unit}\t{folder}\t{path}\n");
        }
        fs::write(file, text)
    }

    fn read(text: &str) -> io::Result<Self> {
        let mut built = Self::default();
        for line in text.lines() {
            match line.split('\t').collect::<Vec<_>>()[..] {
                [name, path] => {
                    built.programs.insert(name.to_owned(), path.into());
                }
                [package, target, is_unit, folder, path] => {
                    built.tests.push(TestProgram {
                        package: package.to_owned(),
                        target: target.to_owned(),
                        is_unit: is_unit == "true",
                        folder: folder.into(),
                        path: path.into(),
                    });
                }
                _ => {
                    return Err(io::Error::other(format!(
                        "not a note of a build: {line}"
                    )));
                }
            }
        }
        Ok(built)
    }
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
    let mut cargo = command.spawn()?;
    let output = cargo.stdout.take().expect("BUG: piped");
    let mut built = Built::default();
    for message in Message::parse_stream(BufReader::new(output)) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        let Some(path) = artifact.executable else { continue };
        let is_unit = !artifact.target.is_test();
        let (target, path) = (artifact.target.name, path.into_std_path_buf());
        if !artifact.profile.test {
            built.programs.insert(target, path);
            continue;
        }
        let manifest = artifact.manifest_path.into_std_path_buf();
        let folder = manifest.parent().unwrap_or(root).to_owned();
        let package = package_of(&artifact.package_id.repr);
        built.tests.push(TestProgram { package, target, is_unit, folder, path });
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
    use super::{Built, TestProgram, package_of};

    #[test]
    fn what_was_built_is_kept_as_it_was() {
        let tests = vec![TestProgram {
            package: "support".to_owned(),
            target: "support".to_owned(),
            is_unit: true,
            folder: "/ada/a workbook/tests/support".into(),
            path: "/ada/a workbook/target/debug/deps/support-1".into(),
        }];
        let programs = [("chapter-3".to_owned(), "/ada/chapter-3".into())].into();
        let built = Built { programs, tests };
        let file = std::env::temp_dir().join(format!("built-{}", std::process::id()));
        built.keep(&file).unwrap();
        let kept = Built::read(&std::fs::read_to_string(&file).unwrap()).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(kept, built);
    }

    #[test]
    fn a_packages_name_is_in_its_id() {
        let named = "path+file:///ada/workbook/chapters/3-namespaces#chapter-3@0.1.0";
        assert_eq!(package_of(named), "chapter-3");
        assert_eq!(package_of("path+file:///ada/tests/support#0.1.0"), "support");
    }
}
