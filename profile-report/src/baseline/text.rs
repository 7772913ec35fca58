//! A baseline as the text of its file: JSON, sorted, a function a line.

use std::fmt;

use super::entries::Baseline;
use super::entry::Entry;
use super::figure::Figure;
use crate::format::json::text_of;

/// The version of the format. Version 1 was TOML.
pub(super) const FORMAT: u64 = 2;

/// Says what the file is, as JSON has no comments.
const ABOUT: &str = "Memory of profiled functions: the most that any single call took, in bytes. \
    `MEMPROF_BASELINE=save cargo test` writes this file and keeps its settings, \
    `MEMPROF_BASELINE=check cargo test` fails where more is taken.";

impl fmt::Display for Baseline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tolerance = quoted(&self.tolerance.shown_percent())?;
        let rss_floor = quoted(&self.tolerance.shown_floor())?;
        writeln!(formatter, "{{")?;
        writeln!(formatter, "  \"about\": {},", quoted(ABOUT)?)?;
        writeln!(formatter, "  \"format\": {FORMAT},")?;
        writeln!(formatter, "  \"tolerance\": {tolerance},")?;
        writeln!(formatter, "  \"rss_floor\": {rss_floor},")?;
        if !self.only.is_empty() {
            let only: Result<Vec<String>, fmt::Error> =
                self.only.iter().map(|part| quoted(part)).collect();
            writeln!(formatter, "  \"only\": [{}],", only?.join(", "))?;
        }
        writeln!(formatter, "  \"programs\": {{{}}}", self.programs()?)?;
        writeln!(formatter, "}}")
    }
}

impl Baseline {
    /// What stands between the braces: a line for each program, and one for each of its functions.
    fn programs(&self) -> Result<String, fmt::Error> {
        let entries: Vec<_> = self.entries.iter().collect();
        let programs = entries.chunk_by(|(a, _), (b, _)| a.program == b.program);
        let mut texts = Vec::new();
        for functions in programs {
            let Some((first, _)) = functions.first() else {
                continue;
            };
            let lines = functions.iter().map(|(key, entry)| {
                let name = quoted(&key.function)?;
                Ok(format!("\n      {name}: {}", figures(entry)))
            });
            let lines = lines.collect::<Result<Vec<String>, fmt::Error>>()?;
            let name = quoted(&first.program)?;
            texts.push(format!("\n    {name}: {{{}\n    }}", lines.join(",")));
        }
        let end = if texts.is_empty() { "" } else { "\n  " };
        Ok(texts.join(",") + end)
    }
}

/// `{ "peak_rss": 0, "heap_peak": 16008 }`: what is known.
fn figures(entry: &Entry) -> String {
    let known = Figure::ALL.iter();
    let known =
        known.filter_map(|figure| Some(format!("\"{}\": {}", figure.key(), entry.get(*figure)?)));
    let known: Vec<String> = known.collect();
    if known.is_empty() {
        return "{}".to_owned();
    }
    format!("{{ {} }}", known.join(", "))
}

/// `text` as a string of JSON.
fn quoted(text: &str) -> Result<String, fmt::Error> {
    text_of(&text).map_err(|_| fmt::Error)
}
