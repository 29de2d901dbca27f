//! The program that a first step starts from: it listens, and serves the step's page.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::ladder::Step;
use crate::workbook::files_in;

/// What the browser gets: the parts of a step that nobody is asked to type.
pub(super) const PARTS: [&str; 2] = ["static/", "templates/"];

/// What a file is, by the end of its name: a constant of the skeleton.
const KINDS: [(&str, &str, &str); 4] = [
    (".js", "JAVASCRIPT", "text/javascript; charset=utf-8"),
    (".css", "CSS", "text/css; charset=utf-8"),
    (".html", "HTML", "text/html; charset=utf-8"),
    (".svg", "SVG", "image/svg+xml"),
];
const BYTES: (&str, &str, &str) = ("", "BYTES", "application/octet-stream");

/// The words of a template that name no value.
const WORDS: [&str; 12] = [
    "and", "or", "not", "is", "in", "if", "elif", "else", "defined", "true", "false",
    "loop",
];

/// The step in `folder`, without its program. `has_kit`: it depends on `browser-kit`.
pub(super) fn program(step: &Step, folder: &Path, has_kit: bool) -> String {
    let parts = Parts::read(folder);
    let (mut consts, mut values, mut routes) = (BTreeSet::new(), String::new(), vec![]);
    let template = parts.first_template();
    if parts.pages.contains_key("static/index.html") {
        let page = "Html(include_str!(\"../static/index.html\"))";
        routes.push(format!(".route(\"/\", get({page}))"));
    } else if let Some(first) = template {
        values = parts.rendered(first);
        routes.push(".route(\"/\", get(Html(page)))".to_owned());
    }
    let has_template = !values.is_empty();
    for name in parts.names("static/").filter(|name| *name != "index.html") {
        let kind = KINDS.into_iter().find(|(end, ..)| name.ends_with(end));
        let (_, kind, header) = kind.unwrap_or(BYTES);
        consts.insert(format!(
            "const {kind}: [(HeaderName, &str); 1] = [(CONTENT_TYPE, \"{header}\")];"
        ));
        let file = format!("include_bytes!(\"../static/{name}\").as_slice()");
        let path = parts.path_of(name);
        routes.push(format!(".route(\"{path}\", get(({kind}, {file})))"));
    }
    let headers =
        if consts.is_empty() { "" } else { "http::{HeaderName, header::CONTENT_TYPE}, " };
    let html = if routes.iter().any(|route| route.contains("Html(")) {
        "response::Html, "
    } else {
        ""
    };
    let get = if routes.is_empty() { "" } else { "routing::get" };
    if has_kit {
        routes.push(".merge(browser_kit::routes())".to_owned());
    }
    let map = if values.contains("HashMap") { "collections::HashMap, " } else { "" };
    let tera = if has_template { "use tera::{Context, Tera};\n" } else { "" };
    let lesson = step.pages().next().unwrap_or_default();
    let (idea, routes) = (&step.idea, routes.join("\n        "));
    let consts = consts.into_iter().collect::<Vec<_>>().join("\n");
    format!(
        "//! {idea}.
//!
//! Run:  cargo run
//!
//! So far it serves the page, and the page finds nobody to talk to. The lesson is
//! book/src/{lesson}.

use std::{{{map}env, error::Error}};

use axum::{{Router, {headers}{html}{get}}};
{tera}use tokio::net::TcpListener;

{consts}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {{
{values}    let app = Router::new()
        {routes};
    let host = env::var(\"HOST\").unwrap_or(\"127.0.0.1\".to_owned());
    let port = env::var(\"PORT\").unwrap_or(\"8005\".to_owned());
    let listener = TcpListener::bind(format!(\"{{host}}:{{port}}\")).await?;
    println!(\"listening on http://{{}}\", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}}
"
    )
}

/// The files of a step.
struct Parts {
    /// What the browser gets: paths and texts.
    pages: BTreeMap<String, String>,
    /// The step's own program, the file that says what is at `/` first.
    program: String,
}

impl Parts {
    fn read(folder: &Path) -> Self {
        let text = |file: &String| {
            let bytes = std::fs::read(folder.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let mut files = files_in(folder);
        let mut program: Vec<String> =
            files.iter().filter(|file| file.ends_with(".rs")).map(text).collect();
        program.sort_by_key(|text| !text.contains(".route(\"/\","));
        let program = program.concat();
        files.retain(|file| PARTS.iter().any(|part| file.starts_with(part)));
        let pages = files.into_iter().map(|file| (file.clone(), text(&file))).collect();
        Self { pages, program }
    }

    fn names(&self, part: &str) -> impl Iterator<Item = &str> {
        self.pages.keys().filter_map(move |file| file.strip_prefix(part))
    }

    fn template(&self, name: &str) -> &str {
        self.pages.get(&format!("templates/{name}")).map_or("", String::as_str)
    }

    /// Where the pages ask for a file.
    fn path_of(&self, name: &str) -> String {
        let end = format!("/{name}\"");
        let asked = self.pages.values().find_map(|text| {
            let before = &text[..text.find(&end)?];
            let path = &before[before.rfind('"')? + 1..];
            path.starts_with('/').then(|| format!("{path}/{name}"))
        });
        asked.unwrap_or_else(|| format!("/assets/{name}"))
    }

    /// The page that the step's program names first.
    fn first_template(&self) -> Option<&str> {
        let extended = |name: &str| {
            let extends = format!("{{% extends \"{name}\" %}}");
            self.pages.values().any(|text| text.contains(&extends))
        };
        let is_page = |name: &&str| {
            let text = self.template(name);
            text.contains("<html") || text.contains("{% extends")
        };
        self.names("templates/")
            .filter(|name| is_page(name) && !extended(name))
            .min_by_key(|name| {
                self.program.find(&format!("\"{name}\"")).unwrap_or(usize::MAX)
            })
    }

    /// Statements that make a page of a template, with empty values for all that it asks for.
    fn rendered(&self, first: &str) -> String {
        let mut text = String::from("    let mut tera = Tera::new();\n");
        text += "    tera.add_raw_templates([\n";
        for name in self.names("templates/") {
            let file = format!("include_str!(\"../templates/{name}\")");
            text += &format!("        (\"{name}\", {file}),\n");
        }
        text +=
            "    ])?;\n    // What the page shows as long as there is nothing to show.\n";
        text += "    let mut values = Context::new();\n";
        let mut asked = Asked::default();
        self.read_template(first, &mut asked);
        for (name, value) in asked.values() {
            text += &format!("    values.insert(\"{name}\", {value});\n");
        }
        text + &format!("    let page = tera.render(\"{first}\", &values)?;\n")
    }

    /// Reads what a template and those that it takes in ask for.
    fn read_template(&self, name: &str, asked: &mut Asked) {
        for piece in self.template(name).split("{%").skip(1) {
            let tag = piece.split("%}").next().unwrap_or_default();
            let quoted = tag.split('"').nth(1).unwrap_or_default();
            let words = words(tag);
            match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["extends" | "include", ..] => self.read_template(quoted, asked),
                ["for", item, "in", list, ..] => {
                    asked.own.insert(item.to_owned());
                    asked.lists.insert(list.to_owned());
                }
                ["set", own, value] => {
                    asked.own.insert(own.to_owned());
                    asked.same.push((value.to_owned(), own.to_owned()));
                }
                ["if" | "elif", ..] => asked.hear(&words),
                _ => {}
            }
        }
        for piece in self.template(name).split("{{").skip(1) {
            asked.hear(&words(piece.split("}}").next().unwrap_or_default()));
        }
    }
}

/// What templates ask for.
#[derive(Default)]
struct Asked {
    /// Values and their fields.
    fields: BTreeMap<String, BTreeSet<String>>,
    lists: BTreeSet<String>,
    /// Names that a template gives itself.
    own: BTreeSet<String>,
    /// A value, and another name of it.
    same: Vec<(String, String)>,
}

impl Asked {
    fn hear(&mut self, words: &[String]) {
        for word in words.iter().filter(|word| !WORDS.contains(&word.as_str())) {
            let (name, field) = word.split_once('.').unwrap_or((word, ""));
            let fields = self.fields.entry(name.to_owned()).or_default();
            fields.extend((!field.is_empty()).then(|| field.to_owned()));
        }
    }

    /// An empty value for each name, as an expression.
    fn values(mut self) -> BTreeMap<String, String> {
        for (value, own) in std::mem::take(&mut self.same) {
            let fields = self.fields.get(&own).cloned().unwrap_or_default();
            self.fields.entry(value).or_default().extend(fields);
        }
        let (own, lists) = (self.own, self.lists);
        let fields = self.fields.into_iter().filter(|(name, _)| !own.contains(name));
        let value = |fields: BTreeSet<String>| {
            if fields.is_empty() {
                return "\"\"".to_owned();
            }
            let fields: Vec<String> = fields.into_iter().collect();
            format!("&HashMap::from({fields:?}.map(|field| (field, \"\")))")
        };
        let mut values: BTreeMap<String, String> =
            fields.map(|(name, fields)| (name, value(fields))).collect();
        values.extend(lists.into_iter().map(|name| (name, "&[\"\"; 0]".to_owned())));
        values
    }
}

/// The names in a tag: not what is quoted, and not the filters.
fn words(tag: &str) -> Vec<String> {
    let bare: String = tag.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let bare = bare.split('|').next().unwrap_or_default();
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let words = bare.split(|c| !is_part(c)).filter(|word| !word.is_empty());
    words
        .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}
