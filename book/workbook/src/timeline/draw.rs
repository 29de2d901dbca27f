//! A timeline as SVG. Colours are the theme's; nothing is told by a colour alone.

use std::fmt::Write as _;

use super::{Moment, Timeline};
use crate::html::escape;

/// A drawing's measures, in its own units.
pub(super) struct Size {
    class: &'static str,
    width: f32,
    font: f32,
    /// Space between neighbours.
    gap: f32,
}

pub(super) const WIDE: Size = Size { class: "wide", width: 720., font: 15., gap: 12. };
pub(super) const NARROW: Size = Size { class: "narrow", width: 340., font: 13., gap: 8. };

/// Letters in a row, code or not.
type Run = (bool, String);

pub(super) fn svg(timeline: &Timeline, title: &str, size: &Size) -> String {
    let mut drawing =
        Drawing { size, lanes: timeline.lanes.len(), out: String::new(), y: 0. };
    let top = drawing.heads(&timeline.lanes);
    let mut pauses = Vec::new();
    for moment in &timeline.events {
        match moment {
            Moment::Arrow { from, to, lost, text } => {
                drawing.arrow(*from, *to, *lost, text);
            }
            Moment::Note { lane, text } => drawing.note(*lane, text),
            Moment::Pause => pauses.push(drawing.pause()),
        }
    }
    let height = drawing.y + size.gap;
    let lines = drawing.lines(top, &pauses, height);
    format!(
        "<svg class=\"{}\" viewBox=\"0 0 {} {height:.0}\" role=\"img\" aria-label=\"{title}\" \
         font-size=\"{}\">\n{lines}{}</svg>\n",
        size.class, size.width, size.font, drawing.out
    )
}

struct Drawing<'a> {
    size: &'a Size,
    lanes: usize,
    out: String,
    /// Where the next thing begins.
    y: f32,
}

impl Drawing<'_> {
    fn column(&self) -> f32 {
        self.size.width / self.lanes as f32
    }

    fn centre(&self, lane: usize) -> f32 {
        self.column() * (lane as f32 + 0.5)
    }

    fn line_height(&self) -> f32 {
        self.size.font * 1.35
    }

    /// The lanes' names. Returns where their lines begin.
    fn heads(&mut self, lanes: &[String]) -> f32 {
        let room = self.column() - 3. * self.size.gap;
        let names: Vec<_> =
            lanes.iter().map(|name| self.wrapped(name, room, 1.1)).collect();
        let most = names.iter().map(Vec::len).max().unwrap_or(1);
        let height = most as f32 * self.line_height() + self.size.gap;
        for (lane, name) in names.iter().enumerate() {
            let free = (most - name.len()) as f32 * self.line_height() / 2.;
            self.frame("head", lane, 1., self.column() - self.size.gap, height);
            self.text("name", self.centre(lane), 1. + self.size.gap / 2. + free, name);
        }
        self.y = height + 1.;
        self.y
    }

    fn arrow(&mut self, from: usize, to: usize, lost: bool, text: &str) {
        let (a, b) = (self.centre(from), self.centre(to));
        let (way, length) = ((b - a).signum(), (b - a).abs());
        let head = self.size.font * 0.6;
        let lines = self.wrapped(text, length - self.size.gap, 1.);
        self.y += self.size.gap;
        let middle = f32::midpoint(a, b);
        self.said("said", middle, &lines);
        self.y += lines.len() as f32 * self.line_height() + head;
        let y = self.y;
        let start = a + way * 4.;
        let _ = writeln!(
            self.out,
            "<circle class=\"start\" cx=\"{a:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
        );
        if lost {
            let end = a + way * length * 0.7;
            let _ = writeln!(
                self.out,
                "<path class=\"arrow lost\" d=\"M{start:.1} {y:.1}H{end:.1}\"/>\
                 <path class=\"cross\" d=\"m{:.1} {:.1}l{head:.1} {head:.1}m0 -{head:.1}l-{head:.1} {head:.1}\"/>",
                end - head / 2. + way * head,
                y - head / 2.,
            );
        } else {
            let (end, back) = (b - way * 1., b - way * head * 1.5);
            let _ = writeln!(
                self.out,
                "<path class=\"arrow\" d=\"M{start:.1} {y:.1}H{back:.1}\"/>\
                 <path class=\"tip\" d=\"M{end:.1} {y:.1}L{back:.1} {:.1}V{:.1}z\"/>",
                y - head * 0.75,
                y + head * 0.75,
            );
        }
        self.y += head;
    }

    fn note(&mut self, lane: usize, text: &str) {
        let gap = self.size.gap;
        let room = self.column() - 2.5 * gap;
        let lines = self.wrapped(text, room, 1.);
        let longest = lines.iter().map(|line| self.long(line)).fold(0., f32::max);
        let height = lines.len() as f32 * self.line_height() + gap;
        self.y += gap;
        self.frame("note", lane, self.y, longest.min(room) + 1.5 * gap, height);
        self.text("noted", self.centre(lane), self.y + gap / 2., &lines);
        self.y += height;
    }

    /// Returns between which heights the lanes are broken.
    fn pause(&mut self) -> (f32, f32) {
        let start = self.y + self.size.gap;
        let end = start + 1.6 * self.line_height();
        let words = vec![vec![(false, "time passes".to_owned())]];
        self.y = start + 0.3 * self.line_height();
        self.said("pause", self.size.width / 2., &words);
        self.y = end;
        (start, end)
    }

    /// The lanes, dotted where time passes.
    fn lines(&self, top: f32, pauses: &[(f32, f32)], bottom: f32) -> String {
        let mut lines = String::new();
        for lane in 0..self.lanes {
            let (x, mut from) = (self.centre(lane), top);
            for &(start, end) in pauses {
                let _ = writeln!(
                    lines,
                    "<path class=\"lane\" d=\"M{x:.1} {from:.1}V{start:.1}\"/>\
                     <path class=\"lane dotted\" d=\"M{x:.1} {start:.1}V{end:.1}\"/>"
                );
                from = end;
            }
            let _ = writeln!(
                lines,
                "<path class=\"lane\" d=\"M{x:.1} {from:.1}V{bottom:.1}\"/>"
            );
        }
        lines
    }

    fn frame(&mut self, class: &str, lane: usize, y: f32, width: f32, height: f32) {
        let x = self.centre(lane) - width / 2.;
        let _ = writeln!(
            self.out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" rx=\"4\"/>"
        );
    }

    /// Words on ground of their own: a lane may run behind them.
    fn said(&mut self, class: &str, x: f32, lines: &[Vec<Run>]) {
        let width = lines.iter().map(|line| self.long(line)).fold(0., f32::max);
        let _ = writeln!(
            self.out,
            "<rect class=\"behind\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" \
             height=\"{:.1}\"/>",
            x - width / 2.,
            self.y,
            lines.len() as f32 * self.line_height(),
        );
        self.text(class, x, self.y, lines);
    }

    /// Lines below each other, their middle at `x`.
    fn text(&mut self, class: &str, x: f32, top: f32, lines: &[Vec<Run>]) {
        for (nth, line) in lines.iter().enumerate() {
            let y = top + self.line_height() * (nth as f32 + 0.76);
            let runs = line.iter().map(|(code, letters)| match code {
                true => format!("<tspan class=\"code\">{}</tspan>", escape(letters)),
                false => escape(letters),
            });
            let runs: String = runs.collect();
            let _ = writeln!(
                self.out,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" \
                 text-anchor=\"middle\">{runs}</text>"
            );
        }
    }

    /// Words in lines that fit; a word that is longer than a line is broken.
    fn wrapped(&self, text: &str, room: f32, stretch: f32) -> Vec<Vec<Run>> {
        let room = room / stretch;
        let (mut lines, mut line): (Vec<Vec<Run>>, Vec<Run>) = (Vec::new(), Vec::new());
        for word in words(text) {
            let blank = if line.is_empty() { 0. } else { self.size.font * 0.27 };
            if !line.is_empty() && self.long(&line) + blank + self.long(&word) > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push((false, " ".into()));
            }
            for (code, letters) in word {
                let mut piece = String::new();
                for letter in letters.chars() {
                    let now = self.long(&line) + self.width(code, &piece);
                    if now + letter_width(code, letter) * self.size.font > room {
                        let next = piece.split_off(cut(&piece));
                        line.push((code, std::mem::replace(&mut piece, next)));
                        lines.push(std::mem::take(&mut line));
                    }
                    piece.push(letter);
                }
                line.push((code, piece));
            }
        }
        lines.push(line);
        lines
    }

    fn long(&self, line: &[Run]) -> f32 {
        line.iter().map(|(code, letters)| self.width(*code, letters)).sum()
    }

    fn width(&self, code: bool, letters: &str) -> f32 {
        letters.chars().map(|letter| letter_width(code, letter)).sum::<f32>()
            * self.size.font
    }
}

/// A text's words, each in runs of code and prose. Blanks inside code break it too.
fn words(text: &str) -> Vec<Vec<Run>> {
    let mut words = vec![Vec::new()];
    for (nth, part) in text.split('`').enumerate() {
        for (at, piece) in part.split(' ').enumerate() {
            if at > 0 {
                words.push(Vec::new());
            }
            if let (false, Some(word)) = (piece.is_empty(), words.last_mut()) {
                word.push((nth % 2 == 1, piece.to_owned()));
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Where a word that is too long is broken: after its last sign, if half of it is before.
fn cut(word: &str) -> usize {
    let sign = |c: char| !c.is_alphanumeric() && !"\"'([{<&".contains(c);
    let after = word.rmatch_indices(sign).map(|(at, sign)| at + sign.len()).next();
    after.filter(|&at| at * 2 >= word.len()).unwrap_or(word.len())
}

/// About how wide a letter is, in the page's font: rather too wide than too narrow.
fn letter_width(code: bool, letter: char) -> f32 {
    match letter {
        _ if code => 0.54,
        ' ' => 0.27,
        'i' | 'j' | 'l' | 'f' | 't' | 'r' | 'I' | '.' | ',' | ':' | ';' | '\'' | '!'
        | '|' | '(' | ')' | '[' | ']' | '-' | '/' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' | '→' => 0.92,
        'A'..='Z' => 0.68,
        _ => 0.57,
    }
}
