//! `start`: a chapter's program as a crate of its own, outside the clone.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use toml_edit::{Item, Table, value};

use super::{manifest, skeleton};
use crate::Outcome;
use crate::ladder::Step;
use crate::terminal::say;
use crate::workbook::{CHAPTERS, Workbook};

/// The member that programs share: the browser's client and the wire panel.
const KIT: &str = "browser-kit";

pub(super) fn run(
    workbook: &Workbook,
    chapter: &str,
    folder: &Path,
    solution: bool,
) -> Result<Outcome> {
    let step = workbook.ladder.find(chapter)?;
    let shown = folder.display();
    ensure!(!folder.is_file(), "{shown} is a file; name a new folder");
    let is_empty =
        fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    ensure!(is_empty, "{shown} is not empty; name a new folder");
    let program = if solution { Some(step) } else { workbook.ladder.before(step) };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {shown}"))?;
    match program {
        Some(program) => {
            copy(&workbook.root.join(CHAPTERS).join(&program.folder), folder)?;
        }
        None => skeleton(workbook, step, folder)?,
    }
    write_manifest(workbook, step, program.unwrap_or(step), folder)?;
    for file in ["Cargo.lock", "rustfmt.toml", "clippy.toml"] {
        // Without a lock file cargo picks versions itself: worth a try, not an error.
        let _ = fs::copy(workbook.root.join(file), folder.join(file));
    }
    fs::write(folder.join(".gitignore"), "/target/\n/data/\n")?;
    say(step, program, folder, solution);
    Ok(Outcome::Fine)
}

fn say(step: &Step, program: Option<&Step>, folder: &Path, solution: bool) {
    let (number, shown) = (step.number(), folder.display());
    match program {
        Some(program) if solution => {
            say!("{shown} now holds step {} itself.", program.number());
        }
        Some(program) => say!(
            "{shown} now holds the program of step {}, to build step {number} in.",
            program.number()
        ),
        None => {
            say!(
                "{shown} now holds the page of step {number}, and a program that serves it."
            );
        }
    }
    say!("\nNext:\n  cd {}\n  cargo run", quoted(folder));
    if let Some(page) = step.pages().next() {
        say!("\nThe lesson is book/src/{page}. In the clone, when your program runs:");
    }
    say!("  cargo workbook check {number} --url http://127.0.0.1:8005");
    let built = folder.join("target/debug").join(&step.package);
    say!("  cargo workbook check {number} --program {}", quoted(&built));
    say!("  cargo workbook compare {number} {}", quoted(folder));
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) { format!("\"{text}\"") } else { text }
}

/// What the browser gets, and a `main` that serves it.
fn skeleton(workbook: &Workbook, step: &Step, folder: &Path) -> Result<()> {
    let chapter = workbook.root.join(CHAPTERS).join(&step.folder);
    for part in skeleton::PARTS {
        if chapter.join(part).is_dir() {
            copy(&chapter.join(part), &folder.join(part))?;
        }
    }
    let manifest = manifest::read(&chapter.join("Cargo.toml"))?;
    let has_kit = manifest["dependencies"].get(KIT).is_some();
    let main = folder.join("src/main.rs");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(&main, skeleton::program(step, &chapter, has_kit))?;
    // The reader's editor would do the same, and a reader without rustfmt can do without.
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--quiet", "--edition", "2024", "--config-path"]).arg(&workbook.root);
    let _ = rustfmt.arg(&main).status();
    Ok(())
}

fn write_manifest(
    workbook: &Workbook,
    step: &Step,
    program: &Step,
    folder: &Path,
) -> Result<()> {
    let root = manifest::read(&workbook.root.join("Cargo.toml"))?;
    let workspace =
        root.get("workspace").context("the clone's Cargo.toml has no workspace")?;
    let own = workbook.root.join(CHAPTERS).join(&program.folder).join("Cargo.toml");
    let mut own = manifest::read(&own)?;
    manifest::stand_alone(&mut own, workspace, "");
    own["package"]["name"] = value(step.package.clone());
    // What the rest of the chapter needs: whoever goes on to its next step in the same folder
    // has its crates.
    let steps = workbook.ladder.chapter_of(step);
    for step in steps.skip_while(|other| other.package != step.package) {
        add_missing(workbook, step, &mut own, workspace)?;
    }
    if let Some(profile) = root.get("profile") {
        let mut profile = profile.clone();
        keep_profiles_of(&own, &mut profile);
        own.insert("profile", profile);
    }
    if own["dependencies"].get(KIT).is_some() {
        copy_kit(workbook, workspace, folder)?;
    }
    // A root of its own, also when the folder lies inside somebody's workspace.
    let mut table = Table::new();
    table.insert("resolver", value("3"));
    own.insert("workspace", Item::Table(table));
    fs::write(folder.join("Cargo.toml"), own.to_string())?;
    Ok(())
}

/// Cargo warns of a profile for a package that the program does not depend on.
fn keep_profiles_of(own: &toml_edit::DocumentMut, profile: &mut Item) {
    let has = |name: &str| own["dependencies"].get(name).is_some();
    // What the others are built for: a GIF's frames, and Argon2's hash.
    let kept = |name: &str| match name {
        "*" => true,
        "weezl" => has("gif"),
        "blake2" => has("argon2"),
        name => has(name),
    };
    let packages = profile.get_mut("dev").and_then(|dev| dev.get_mut("package"));
    if let Some(packages) = packages.and_then(Item::as_table_mut) {
        packages.retain(|name, _| kept(name));
    }
}

fn add_missing(
    workbook: &Workbook,
    step: &Step,
    own: &mut toml_edit::DocumentMut,
    workspace: &Item,
) -> Result<()> {
    let target = workbook.root.join(CHAPTERS).join(&step.folder).join("Cargo.toml");
    let mut target = manifest::read(&target)?;
    manifest::stand_alone(&mut target, workspace, "");
    let wanted = target.get("dependencies").and_then(Item::as_table);
    let Some(present) = own["dependencies"].as_table_mut() else { return Ok(()) };
    for (name, dependency) in wanted.into_iter().flat_map(Table::iter) {
        present.insert(name, dependency.clone());
    }
    Ok(())
}

fn copy_kit(workbook: &Workbook, workspace: &Item, folder: &Path) -> Result<()> {
    let kit = workbook.root.join(CHAPTERS).join(KIT);
    copy(&kit, &folder.join(KIT))?;
    let mut own = manifest::read(&kit.join("Cargo.toml"))?;
    manifest::stand_alone(&mut own, workspace, "../");
    fs::write(folder.join(KIT).join("Cargo.toml"), own.to_string())?;
    Ok(())
}

/// Copies a folder, without what builds and runs leave behind.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in
        fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?
    {
        let entry = entry?;
        let name = entry.file_name();
        if ["target", "node_modules", "data", ".git"]
            .iter()
            .any(|skipped| name == *skipped)
        {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}
