//! A chapter's manifest without the workspace: what it inherits is written out.

use anyhow::{Context, Result};
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// Reads a manifest.
pub(super) fn read(file: &std::path::Path) -> Result<DocumentMut> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    text.parse().with_context(|| format!("{} is not a manifest", file.display()))
}

/// Writes out what `manifest` inherits from the workspace. Paths to other members become
/// `members`/name: they are copied along.
pub(super) fn stand_alone(manifest: &mut DocumentMut, workspace: &Item, members: &str) {
    if let Some(package) = manifest.get_mut("package").and_then(Item::as_table_mut) {
        inherit_package(package, workspace.get("package"));
    }
    for name in ["dependencies", "build-dependencies"] {
        if let Some(table) = manifest.get_mut(name).and_then(Item::as_table_like_mut) {
            inherit_dependencies(table, workspace.get("dependencies"), members);
        }
    }
    if let (Some(lints), Some(shared)) =
        (manifest.get_mut("lints"), workspace.get("lints"))
    {
        *lints = shared.clone();
        set_implicit(lints);
    }
    // The tests stay in the clone: they run against whatever `--url` names.
    manifest.remove("test");
    // The program is called as its package.
    manifest.remove("bin");
    manifest.remove("dev-dependencies");
}

fn inherit_package(package: &mut Table, shared: Option<&Item>) {
    let keys: Vec<String> = package.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        if !inherits(&package[&key]) {
            continue;
        }
        match shared.and_then(|shared| shared.get(&key)) {
            Some(value) => package[&key] = value.clone(),
            None => drop(package.remove(&key)),
        }
        if let Some(mut key) = package.key_mut(&key) {
            key.fmt();
        }
    }
}

fn inherit_dependencies(table: &mut dyn TableLike, shared: Option<&Item>, members: &str) {
    let names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let Some(own) = table.get(&name).filter(|own| inherits(own)) else { continue };
        let Some(shared) = shared.and_then(|shared| shared.get(&name)) else { continue };
        let merged = merge(own, shared, &name, members);
        table.insert(&name, Item::Value(merged));
        if let Some(mut key) = table.key_mut(&name) {
            key.fmt();
        }
    }
}

/// The workspace's dependency with the chapter's own features added.
fn merge(own: &Item, shared: &Item, name: &str, members: &str) -> Value {
    let features = |item: &Item| -> Vec<Value> {
        let list = item.get("features").and_then(Item::as_array);
        list.into_iter().flatten().cloned().collect()
    };
    let added = features(own);
    if shared.is_str() && added.is_empty() {
        return shared.as_value().cloned().unwrap_or_else(|| Value::from("*"));
    }
    let mut table = InlineTable::new();
    match shared.as_str() {
        Some(version) => drop(table.insert("version", version.into())),
        None => {
            for (key, value) in
                shared.as_table_like().into_iter().flat_map(|table| table.iter())
            {
                if let Some(value) = value.as_value() {
                    table.insert(key, value.clone());
                }
            }
        }
    }
    if table.contains_key("path") {
        table.insert("path", format!("{members}{name}").into());
    }
    if !added.is_empty() {
        let mut all: Vec<Value> = features(shared);
        all.extend(added);
        table.insert("features", Value::Array(all.into_iter().collect()));
    }
    table.fmt();
    Value::InlineTable(table)
}

fn inherits(item: &Item) -> bool {
    item.get("workspace").and_then(Item::as_bool) == Some(true)
}

/// `[lints.rust]` without an empty `[lints]` above it.
fn set_implicit(item: &mut Item) {
    if let Some(table) = item.as_table_mut() {
        table.set_implicit(true);
        for (_, inner) in table.iter_mut() {
            if let Some(inner) = inner.as_table_mut() {
                // Positions belong to the manifest this was copied from.
                inner.set_position(None);
            }
        }
    }
}
