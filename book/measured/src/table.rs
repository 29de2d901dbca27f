//! Measurements as rows and columns, for the terminal and for the book.

use anyhow::{Result, ensure};

use crate::{GOALS, LOADS, Run, SERVERS, metric, title};

/// Rows and columns, as text.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// The heads of the columns.
    pub head: Vec<String>,
    /// The cells, row by row. The first column is text, the others are numbers.
    pub rows: Vec<Vec<String>>,
    /// What a reader of the numbers has to know.
    pub remarks: Vec<String>,
}

/// The tables there are, with the loads and the metrics that they show.
const TABLES: [(&str, &str, &[&str], &[&str]); 5] = [
    ("echo", "The echo of chapter 1", &["echo"], &["cpu", "p50", "p99", "p999", "rate"]),
    (
        "rooms",
        "A message for everybody in a room",
        &["room-100", "room-500", "room-2000", "rooms"],
        &["cpu", "p50", "p99", "p999", "rate"],
    ),
    (
        "handshakes",
        "Connections that are opened and closed",
        &["handshake-ws", "handshake"],
        &["handshake-cpu", "handshakes"],
    ),
    (
        "idle",
        "Connections that are open and silent",
        &["idle-1000", "idle-10000"],
        &["memory"],
    ),
    (
        "generator",
        "What the generator itself needed",
        &["echo", "room-100", "room-500", "room-2000", "rooms"],
        &["late", "generator"],
    ),
];

/// One of the tables of a run: `echo`, `rooms`, `handshakes`, `idle`, `generator` or `goals`.
pub fn table(run: &Run, name: &str) -> Result<Table> {
    if name == "goals" {
        return Ok(goals(run));
    }
    let known: Vec<_> = TABLES.iter().map(|(name, ..)| *name).chain(["goals"]).collect();
    let found = TABLES.iter().find(|(own, ..)| *own == name);
    ensure!(
        found.is_some(),
        "there is no table `{name}`; there are {}",
        known.join(", ")
    );
    let (_, caption, loads, metrics) = found.expect("BUG: it has just been ensured");
    let mut head = vec!["Load".to_owned(), "Server".to_owned()];
    for id in *metrics {
        head.push(metric(id)?.title.to_owned());
    }
    let (mut rows, mut remarks) = (Vec::new(), Vec::new());
    for load in *loads {
        for server in SERVERS {
            let cells: Vec<_> =
                metrics.iter().map(|id| cell(run, load, server.id, id)).collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let mut row = vec![title(&LOADS, load)?.to_owned(), server.title.to_owned()];
            row.extend(cells.into_iter().map(|cell| cell.unwrap_or_else(|| "–".into())));
            rows.push(row);
        }
        let of = run.results.iter().filter(|result| result.load == *load);
        // The last table has numbers for what these remarks say.
        for result in of.filter(|_| name != "generator") {
            let who = title(&SERVERS, &result.server)?;
            let where_ = title(&LOADS, load)?;
            remarks.extend(
                result.remarks.iter().map(|what| format!("{where_}, {who}: {what}")),
            );
        }
    }
    ensure!(!rows.is_empty(), "the run has nothing for the table `{name}`");
    Ok(Table { caption: (*caption).to_owned(), head, rows, remarks })
}

/// The median, and the rounds' least and most if they differ.
fn cell(run: &Run, load: &str, server: &str, id: &str) -> Option<String> {
    let (spread, metric) = (run.spread(load, server, id)?, metric(id).ok()?);
    let [median, least, most] =
        [spread.median, spread.least, spread.most].map(|value| metric.show(value));
    Some(if least == most { median } else { format!("{median} ({least}–{most})") })
}

fn goals(run: &Run) -> Table {
    let head = ["Load", "What", "Chapter", "Node", "Share", "Goal", ""];
    let rows = GOALS.iter().filter_map(|goal| {
        let verdict = goal.verdict(run).ok()?;
        Some(vec![
            title(&LOADS, goal.load).ok()?.to_owned(),
            format!("{}: {}", goal.ours, metric(goal.metric).ok()?.title),
            metric(goal.metric).ok()?.show(verdict.ours),
            metric(goal.metric).ok()?.show(verdict.theirs),
            format!("{:.2}", verdict.share),
            format!("{:.2}", goal.at_most),
            if verdict.met { "met".into() } else { "missed".into() },
        ])
    });
    Table {
        caption: "What was hoped for, and what came of it".into(),
        head: head.map(str::to_owned).to_vec(),
        rows: rows.collect(),
        remarks: Vec::new(),
    }
}

impl Table {
    /// For a terminal. A load is named once.
    pub fn text(&self) -> String {
        let mut rows = vec![self.head.clone()];
        rows.extend(self.rows.clone());
        for at in (2..rows.len()).rev() {
            if rows[at][0] == rows[at - 1][0] {
                rows[at][0].clear();
            }
        }
        let wide =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<_> =
            (0..self.head.len()).map(|column| wide(column).unwrap_or(0)).collect();
        let mut text = format!("{}\n", self.caption);
        for row in &rows {
            let cells: Vec<_> = row
                .iter()
                .zip(&widths)
                .map(|(cell, &width)| format!("{cell:<width$}"))
                .collect();
            text.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
        }
        for remark in &self.remarks {
            text.push_str(&format!("  ! {remark}\n"));
        }
        text
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&self.head);
        text.push_str(&line(&vec!["---".to_owned(); self.head.len()]));
        text.extend(self.rows.iter().map(|row| line(row)));
        text
    }

    /// As HTML without a blank line, so that it can stand in Markdown. A load spans its rows.
    pub fn html(&self) -> String {
        let head: String = self
            .head
            .iter()
            .map(|head| format!("<th scope=\"col\">{}</th>", escape(head)))
            .collect();
        let mut body = String::new();
        let mut before: Option<&str> = None;
        for (at, row) in self.rows.iter().enumerate() {
            body.push_str("<tr>");
            if before != Some(&row[0]) {
                let rest = &self.rows[at..];
                let span = rest.iter().take_while(|other| other[0] == row[0]).count();
                let first = escape(&row[0]);
                body.push_str(&format!(
                    "<th scope=\"rowgroup\" rowspan=\"{span}\">{first}</th>"
                ));
            }
            before = Some(&row[0]);
            let cells = row[1..].iter().map(|cell| format!("<td>{}</td>", escape(cell)));
            body.extend(cells);
            body.push_str("</tr>\n");
        }
        let remarks: String = self
            .remarks
            .iter()
            .map(|remark| format!("<li>{}</li>\n", escape(remark)))
            .collect();
        let remarks = match remarks.as_str() {
            "" => String::new(),
            items => format!("<ul class=\"remarks\">\n{items}</ul>\n"),
        };
        format!(
            "<figure class=\"measured\">\n<figcaption>{}</figcaption>\n\
             <div class=\"table-wrapper\"><table>\n<thead><tr>{head}</tr></thead>\n\
             <tbody>\n{body}</tbody>\n</table></div>\n{remarks}</figure>\n",
            escape(&self.caption)
        )
    }
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
