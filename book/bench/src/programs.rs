//! The programs under test, built and found.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use support::twin;

use crate::{
    plan::{Step, Thoroughness},
    process::{Program, said},
};

/// The chapters that are measured.
const CHAPTERS: [&str; 4] = ["chapter-1", "chapter-2", "chapter-4", "chapter-5-3"];
/// Where the twins' modules are once they were fetched.
const INSTALLED: &str = "target/twins/node_modules";

/// Programs by the names of their servers, and the versions of what they are made of.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    programs: BTreeMap<&'static str, Program>,
    pub(crate) versions: BTreeMap<String, String>,
}

impl Programs {
    pub(crate) fn get(&self, server: &str) -> Option<&Program> {
        self.programs.get(server)
    }

    /// Builds what the steps need. Without Node its servers are left out, and it says so.
    pub(crate) fn build(root: &Path, steps: &[Step], how: Thoroughness) -> Result<Self> {
        let mut servers: Vec<&'static str> = steps
            .iter()
            .flat_map(|step| step.servers.iter().map(|(name, _)| *name))
            .collect();
        servers.sort_unstable();
        servers.dedup();
        let mut all = Self::default();
        let own = std::env::current_exe().context("cannot see this program")?;
        all.programs
            .insert("floor", Program { path: own, arguments: vec!["floor".to_owned()] });
        // All of them, whichever are asked for: with another set of packages cargo chooses
        // other features of what they share, and compiles it again.
        all.build_chapters(root, &CHAPTERS, how)?;
        let twins = servers.iter().copied().filter(|name| name.starts_with("node-"));
        let twins: Vec<&'static str> = twins.collect();
        if !twins.is_empty() {
            all.find_twins(root, &twins, how)?;
        }
        Ok(all)
    }

    fn build_chapters(
        &mut self,
        root: &Path,
        chapters: &[&'static str],
        how: Thoroughness,
    ) -> Result<()> {
        if how == Thoroughness::Tiny {
            return self.find_chapters(chapters);
        }
        println!(
            "Building the chapters with all optimisations. The first time takes minutes."
        );
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--quiet", "--release"]);
        cargo.args(["--message-format", "json-render-diagnostics"]);
        for chapter in chapters {
            cargo.args(["-p", chapter]);
        }
        let output = cargo.current_dir(root).stderr(Stdio::inherit()).output();
        let output = output.context("cannot run cargo")?;
        ensure!(
            output.status.success(),
            "the chapters do not build; cargo says why above"
        );
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let message: serde_json::Value =
                serde_json::from_str(line).unwrap_or_default();
            let name = message["target"]["name"].as_str().unwrap_or_default();
            let chapter = chapters.iter().find(|chapter| **chapter == name);
            if let (Some(chapter), Some(path)) = (chapter, message["executable"].as_str())
            {
                let program =
                    Program { path: PathBuf::from(path), arguments: Vec::new() };
                self.programs.insert(chapter, program);
            }
        }
        ensure!(
            chapters.iter().all(|chapter| self.programs.contains_key(chapter)),
            "cargo does not say where the chapters' programs are"
        );
        let rustc = said("rustc", "--version", root)?;
        let version = rustc.split(' ').nth(1).unwrap_or_default();
        self.versions.insert("rustc".to_owned(), version.to_owned());
        Ok(())
    }

    /// A tiny run is a test: it takes the programs that other tests have built, next to its
    /// own, and does without those that nobody has.
    fn find_chapters(&mut self, chapters: &[&'static str]) -> Result<()> {
        let own = std::env::current_exe()?;
        for chapter in chapters {
            let path =
                own.with_file_name(format!("{chapter}{}", std::env::consts::EXE_SUFFIX));
            if path.is_file() {
                self.programs.insert(chapter, Program { path, arguments: Vec::new() });
            }
        }
        Ok(())
    }

    fn find_twins(
        &mut self,
        root: &Path,
        twins: &[&'static str],
        how: Thoroughness,
    ) -> Result<()> {
        let skip = std::env::var("WORKBOOK_SKIP").unwrap_or_default();
        let node = said("node", "--version", root);
        let node = match node {
            _ if skip.split(',').any(|word| word.trim() == "node") => None,
            Ok(version) => Some(version),
            Err(_) => None,
        };
        let Some(version) = node else {
            println!(
                "Without Node its servers are left out: there is nothing to compare with."
            );
            return Ok(());
        };
        self.versions
            .insert("Node".to_owned(), version.trim_start_matches('v').to_owned());
        if how == Thoroughness::Tiny && !root.join(INSTALLED).is_dir() {
            println!("The twins are left out: what they need has not been fetched.");
            return Ok(());
        }
        for server in twins {
            let file = twin::of(server.replace("node-", "chapter-").as_ref());
            let arguments = vec![file.to_string_lossy().into_owned()];
            self.programs.insert(server, Program { path: "node".into(), arguments });
        }
        Ok(())
    }
}
