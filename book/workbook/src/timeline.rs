//! Timelines: a fence in a page that says who sends what to whom, in the order of time.

mod draw;

use std::fmt::Write as _;
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use crate::html::escape;
use crate::select::nearest;

/// The first word of the fence.
pub(crate) const FENCE: &str = "timeline";

/// What happens between two to three lanes, from top to bottom.
#[derive(Debug)]
pub(crate) struct Timeline {
    title: String,
    lanes: Vec<String>,
    events: Vec<Moment>,
}

/// One line of the fence. Lanes are indices.
#[derive(Debug)]
enum Moment {
    Arrow { from: usize, to: usize, lost: bool, text: String },
    Note { lane: usize, text: String },
    Pause,
}

/// A fence and where it is.
pub(crate) struct Found {
    /// Bytes of the page.
    pub(crate) span: Range<usize>,
    /// The line of the page, and what the fence draws.
    pub(crate) timeline: std::result::Result<Timeline, (usize, anyhow::Error)>,
}

/// Every timeline of a page, in order. One inside another fence is an example, and text.
pub(crate) fn find(page: &str) -> Vec<Found> {
    let events = Parser::new(page).into_offset_iter();
    let fences = events.filter_map(|(event, span)| match event {
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info)))
            if info.split([' ', ',']).next() == Some(FENCE) =>
        {
            Some(span)
        }
        _ => None,
    });
    let found = fences.map(|span| {
        let first = page[..span.start].matches('\n').count() + 1;
        let lines = page[span.clone()].lines().enumerate().skip(1);
        let lines = lines.filter(|(_, line)| !line.trim_start().starts_with("```"));
        let lines = lines.map(|(at, line)| (first + at, line.trim()));
        Found { timeline: parse(first, lines), span }
    });
    found.collect()
}

fn parse<'a>(
    first: usize,
    lines: impl Iterator<Item = (usize, &'a str)>,
) -> std::result::Result<Timeline, (usize, anyhow::Error)> {
    let mut timeline =
        Timeline { title: String::new(), lanes: Vec::new(), events: Vec::new() };
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        timeline.line(line).map_err(|error| (number, error))?;
    }
    match timeline {
        Timeline { ref title, .. } if title.is_empty() => Err("title: …"),
        Timeline { ref lanes, .. } if lanes.is_empty() => Err("lanes: client | server"),
        Timeline { ref events, .. } if events.is_empty() => Err("client -> server: …"),
        timeline => return Ok(timeline),
    }
    .map_err(|line| (first, anyhow::anyhow!("the timeline has no line `{line}`")))
}

impl Timeline {
    fn line(&mut self, line: &str) -> Result<()> {
        if line.chars().all(|c| c == '-') {
            self.events.push(Moment::Pause);
            return Ok(());
        }
        let (head, text) = line.split_once(':').with_context(|| {
            format!("`{line}` is no line of a timeline: write `client -> server: text`")
        })?;
        let (head, text) = (head.trim(), text.trim().to_owned());
        ensure!(!text.is_empty(), "`{line}` says nothing after its colon");
        match head {
            "title" => self.title = text,
            "lanes" => self.lanes(&text)?,
            _ => {
                let event = self.event(head, text)?;
                self.events.push(event);
            }
        }
        Ok(())
    }

    fn lanes(&mut self, text: &str) -> Result<()> {
        self.lanes = text.split('|').map(|lane| lane.trim().to_owned()).collect();
        let count = self.lanes.len();
        ensure!(
            (2..=3).contains(&count),
            "a timeline has two or three lanes, not {count}"
        );
        ensure!(self.lanes.iter().all(|lane| !lane.is_empty()), "a lane has no name");
        Ok(())
    }

    fn event(&self, head: &str, text: String) -> Result<Moment> {
        for (sign, lost) in [(" -> ", false), (" -x ", true)] {
            let Some((from, to)) = head.split_once(sign) else { continue };
            let (from, to) = (self.lane(from)?, self.lane(to)?);
            if from == to {
                bail!("an arrow needs two lanes; a note is `{}: {text}`", self.lanes[to]);
            }
            return Ok(Moment::Arrow { from, to, lost, text });
        }
        Ok(Moment::Note { lane: self.lane(head)?, text })
    }

    fn lane(&self, name: &str) -> Result<usize> {
        ensure!(!self.lanes.is_empty(), "`lanes: client | server` comes before `{name}`");
        let known: Vec<&str> = self.lanes.iter().map(String::as_str).collect();
        known.iter().position(|lane| *lane == name.trim()).with_context(|| {
            format!(
                "the timeline has no lane `{}`{}; its lanes are {}",
                name.trim(),
                nearest(name.trim(), &known),
                known.join(", ")
            )
        })
    }

    /// The events as sentences, for those who do not see the drawing.
    fn sentences(&self) -> Vec<String> {
        let lane = |at: &usize| &self.lanes[*at];
        let sentence = |event: &Moment| match event {
            Moment::Arrow { from, to, lost: false, text } => {
                format!("{} to {}: {text}", lane(from), lane(to))
            }
            Moment::Arrow { from, to, lost: true, text } => {
                format!("{} to {}, which it never reaches: {text}", lane(from), lane(to))
            }
            Moment::Note { lane: at, text } => format!("{}: {text}", lane(at)),
            Moment::Pause => "Time passes.".to_owned(),
        };
        self.events.iter().map(sentence).collect()
    }

    /// A drawing for wide pages, one for narrow ones, and the same as a list, which is read
    /// aloud. The theme shows one of the drawings.
    pub(crate) fn html(&self) -> String {
        let title = escape(&self.title.replace('`', ""));
        let items: String = self
            .sentences()
            .iter()
            .map(|sentence| format!("<li>{}</li>\n", escape(&sentence.replace('`', ""))))
            .collect();
        format!(
            "<figure class=\"timeline\">\n<figcaption>{title}</figcaption>\n{}{}\
             <ol class=\"unseen\">\n{items}</ol>\n</figure>\n",
            draw::svg(self, &title, &draw::WIDE),
            draw::svg(self, &title, &draw::NARROW),
        )
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("**{}**\n\n", self.title);
        for (number, sentence) in (1..).zip(self.sentences()) {
            let _ = writeln!(text, "{number}. {sentence}");
        }
        text
    }
}
