//! Measurements as bars. Who is who is told by a pattern and a word, not by a colour.

use anyhow::{Result, ensure};

use crate::{LOADS, Run, SERVERS, metric, table::escape, title};

/// The plots there are, with their metric and their loads.
const PLOTS: [(&str, &str, &str, &[&str]); 4] = [
    (
        "cpu",
        "CPU time of the server for each message it delivered, in microseconds",
        "cpu",
        &["echo", "room-100", "room-500", "room-2000", "rooms"],
    ),
    (
        "p99",
        "Latency that 99 of 100 deliveries stayed below, in milliseconds",
        "p99",
        &["echo", "room-100", "room-500", "room-2000", "rooms"],
    ),
    (
        "memory",
        "Memory of the server for each idle connection, in KiB",
        "memory",
        &["idle-1000", "idle-10000"],
    ),
    (
        "handshake-cpu",
        "CPU time of the server for each handshake, in microseconds",
        "handshake-cpu",
        &["handshake-ws", "handshake"],
    ),
];

const WIDTH: usize = 720;
const LABELS: usize = 150;
const VALUES: usize = 120;
const BAR: usize = 16;
const ROW: usize = 22;
const HEAD: usize = 30;

/// A plot of a run as SVG without a blank line: `cpu`, `p99`, `memory` or `handshake-cpu`.
pub fn plot(run: &Run, name: &str) -> Result<String> {
    let known: Vec<_> = PLOTS.iter().map(|(name, ..)| *name).collect();
    let found = PLOTS.iter().find(|(own, ..)| *own == name);
    ensure!(found.is_some(), "there is no plot `{name}`; there are {}", known.join(", "));
    let (_, caption, id, loads) = found.expect("BUG: it has just been ensured");
    let metric = metric(id)?;
    let mut bars = Vec::new();
    for load in *loads {
        let of: Vec<_> = SERVERS
            .iter()
            .filter_map(|server| Some((server, run.spread(load, server.id, id)?)))
            .collect();
        if !of.is_empty() {
            bars.push((title(&LOADS, load)?, of));
        }
    }
    let all = bars.iter().flat_map(|(_, of)| of.iter().map(|(_, spread)| spread.most));
    let most = all.fold(0.0, f64::max);
    ensure!(most > 0.0, "the run has nothing for the plot `{name}`");
    let scale = (WIDTH - LABELS - VALUES) as f64 / most;
    let (mut body, mut y) = (String::new(), 0);
    for (load, of) in bars {
        let text_y = y + HEAD - 9;
        body.push_str(&format!(
            "<text x=\"0\" y=\"{text_y}\" font-weight=\"bold\">{}</text>\n",
            escape(load)
        ));
        y += HEAD;
        for (server, spread) in of {
            let middle = y + BAR / 2;
            let [median, least, most] =
                [spread.median, spread.least, spread.most].map(|value| value * scale);
            let (left, right) = (LABELS as f64 + least, LABELS as f64 + most);
            let end = right.max(LABELS as f64 + median) + 8.0;
            body.push_str(&format!(
                "<text x=\"{label_x}\" y=\"{base}\" text-anchor=\"end\">{label}</text>\n\
                 <rect x=\"{LABELS}\" y=\"{y}\" width=\"{median:.1}\" height=\"{BAR}\" \
                 fill=\"{fill}\" stroke=\"currentColor\"/>\n\
                 <path d=\"M{left:.1} {middle}H{right:.1}\" stroke=\"currentColor\" \
                 stroke-width=\"3\"/>\n\
                 <text x=\"{end:.1}\" y=\"{base}\">{value}</text>\n",
                label_x = LABELS - 8,
                base = middle + 5,
                label = escape(server.title),
                fill = fill(name, server.id),
                value = metric.show(spread.median),
            ));
            y += ROW;
        }
    }
    let label = escape(caption);
    Ok(format!(
        "<figure class=\"measured\">\n<figcaption>{label}. Hatched: Node. Filled: the chapter. \
         Empty: bare TCP. The thick line goes from the best round to the worst.</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" role=\"img\" \
         aria-label=\"{label}. The tables on this page have the same numbers.\" \
         font-size=\"14\" fill=\"currentColor\">\n\
         <defs><pattern id=\"hatched-{name}\" width=\"6\" height=\"6\" \
         patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <path d=\"M0 0V6\" stroke=\"currentColor\" stroke-width=\"3\"/></pattern></defs>\n\
         {body}</svg>\n</figure>\n",
        height = y + 4,
    ))
}

fn fill(plot: &str, server: &str) -> String {
    match server {
        "floor" => "none".into(),
        node if node.starts_with("node") => format!("url(#hatched-{plot})"),
        _ => "currentColor\" fill-opacity=\"0.45".into(),
    }
}
