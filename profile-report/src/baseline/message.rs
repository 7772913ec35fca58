//! What is said in the terminal of functions that take more than their baseline.

use std::fmt::Write;

use super::compare::{Compared, Comparison, Verdict};
use super::key::Key;
use crate::text::visible::{source_line, truncate, visible};

/// The most functions that are named.
const FUNCTIONS: usize = 20;
/// The most columns of a line's source.
const SOURCE: usize = 70;

impl Comparison {
    /// Every figure that is higher than allowed, with what it was, what it is, and the lines that take
    /// most of it; empty if there is none.
    #[must_use]
    pub fn message(&self) -> String {
        let worse: Vec<&Compared> = self.with(Verdict::Worse).collect();
        let functions: Vec<&[&Compared]> = worse.chunk_by(|a, b| a.key == b.key).collect();
        if functions.is_empty() {
            return String::new();
        }
        let mut text = String::new();
        for figures in functions.iter().take(FUNCTIONS) {
            function(&mut text, figures);
        }
        if functions.len() > FUNCTIONS {
            let more = functions.len() - FUNCTIONS;
            let _ = write!(text, "\n\n… and {more} more functions");
        }
        text.trim_start_matches('\n').to_owned()
    }
}

fn function(text: &mut String, figures: &[&Compared]) {
    let Some(first) = figures.first() else { return };
    let place = first.entry.origin.as_ref();
    let place = place.map_or_else(String::new, |origin| {
        format!(" ({}:{})", visible(&origin.file), origin.line)
    });
    let Key { program, function } = &first.key;
    let _ = write!(
        text,
        "\n\n`{}`{place} takes more than its baseline in `{}`",
        visible(function),
        visible(program)
    );
    for compared in figures {
        figure(text, compared);
    }
}

fn figure(text: &mut String, compared: &Compared) {
    let Compared {
        figure,
        was,
        allowed,
        ..
    } = *compared;
    let is = compared.is.unwrap_or_default();
    let _ = write!(
        text,
        "\n  {}: was {}, is {} ({}); allowed {}",
        figure.title(),
        figure.show_exactly(was),
        figure.show_exactly(is),
        change(was, is),
        figure.show_exactly(allowed),
    );
    let origin = compared.entry.origin.as_ref();
    for line in origin.into_iter().flat_map(|origin| {
        let file = &origin.file;
        origin.lines(figure).iter().map(move |line| (file, line))
    }) {
        let (file, line) = line;
        let source = truncate(&source_line(&line.source), SOURCE);
        let _ = write!(
            text,
            "\n    {}:{}  {}  {source}",
            visible(file),
            line.line,
            figure.show(line.amount)
        );
    }
}

/// `+12.5%`, or by how many times.
pub(super) fn change(was: u64, is: u64) -> String {
    if was == is {
        return "as before".to_owned();
    }
    if was == 0 {
        return "new".to_owned();
    }
    let share = 100.0 * (is as f64 - was as f64) / was as f64;
    let times = is as f64 / was as f64;
    if times >= 10.0 {
        format!("{times:.0} times as much")
    } else if share.abs() < 0.1 {
        "by less than 0.1%".to_owned()
    } else {
        format!("{share:+.1}%")
    }
}
