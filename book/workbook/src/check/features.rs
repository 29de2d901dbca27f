//! Features of dependencies that no member may switch on. Cargo unifies features: one that a
//! single member asks for is on in every program of the workspace.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Book, Fault};
use crate::workbook::{Workbook, slashed};

/// Clients of version 2 are decoded by code that a body of nine bytes sends round and round.
/// socketioxide's feature has engineioxide compile it.
const FORBIDDEN: [(&str, &str); 2] = [("socketioxide", "v4"), ("engineioxide", "v3")];

/// What `cargo metadata` says, as far as this needs it.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

/// A package with the features that it is built with.
#[derive(Deserialize)]
struct Node {
    id: String,
    features: Vec<String>,
}

pub(super) fn rule(book: &Book<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let metadata = match metadata(book.workbook) {
        Ok(metadata) => metadata,
        Err(error) => {
            let what = format!("Cargo cannot read the workspace: {error:#}");
            faults.push(Fault { path: "Cargo.toml".into(), line: 1, what });
            return Ok(());
        }
    };
    let has = |features: &[String], wanted: &str| features.iter().any(|it| it == wanted);
    for (crate_name, feature) in FORBIDDEN {
        let is_on = metadata.resolve.nodes.iter().any(|node| {
            let package = metadata.packages.iter().find(|package| package.id == node.id);
            package.is_some_and(|package| package.name == crate_name)
                && has(&node.features, feature)
        });
        if !is_on {
            continue;
        }
        let asks = |package: &&Package| {
            let mut dependencies = package.dependencies.iter();
            dependencies.any(|it| it.name == crate_name && has(&it.features, feature))
        };
        for package in metadata.packages.iter().filter(asks) {
            faults.push(Fault {
                path: from_root(book.workbook, &package.manifest_path),
                line: 1,
                what: format!(
                    "switches on the feature `{feature}` of {crate_name}, for every program: \
                     nine bytes can hang them then; leave it off"
                ),
            });
        }
    }
    Ok(())
}

/// Asks Cargo, with all features of all members.
fn metadata(workbook: &Workbook) -> Result<Metadata> {
    let mut command = workbook.cargo();
    command.args(["metadata", "--format-version=1", "--all-features"]);
    let output = command.stdin(Stdio::null()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("cannot read what cargo metadata says")
}

/// A manifest as messages name it. One outside of the workspace keeps its whole path.
fn from_root(workbook: &Workbook, manifest: &str) -> String {
    let manifest = Path::new(manifest);
    let root = workbook.root.canonicalize();
    let inside = root.ok().and_then(|root| manifest.strip_prefix(root).ok());
    slashed(inside.unwrap_or(manifest))
}
