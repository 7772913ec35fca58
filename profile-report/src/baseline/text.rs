//! A baseline as the text of its file: a part of TOML, sorted, a function a line.

use std::fmt;

use super::entries::Baseline;
use super::entry::Entry;
use super::figure::Figure;

/// The version of the format, the file's first word.
pub(super) const FORMAT: u64 = 1;

const HEADING: &str = "\
# Memory of profiled functions: the most that any single call took, in bytes.
# MEMPROF_BASELINE=save cargo test    writes this file; the settings are yours to change
# MEMPROF_BASELINE=check cargo test   fails where more is taken
";

impl fmt::Display for Baseline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HEADING)?;
        writeln!(formatter, "format = {FORMAT}")?;
        writeln!(
            formatter,
            "tolerance = {}",
            quoted(&self.tolerance.shown_percent())
        )?;
        writeln!(
            formatter,
            "rss_floor = {}",
            quoted(&self.tolerance.shown_floor())
        )?;
        if !self.only.is_empty() {
            let only: Vec<String> = self.only.iter().map(|part| quoted(part)).collect();
            writeln!(formatter, "only = [{}]", only.join(", "))?;
        }
        let mut program = None;
        for (key, entry) in &self.entries {
            if program != Some(&key.program) {
                program = Some(&key.program);
                writeln!(formatter, "\n[{}]", bare_or_quoted(&key.program))?;
            }
            writeln!(formatter, "{} = {}", quoted(&key.function), figures(entry))?;
        }
        Ok(())
    }
}

/// `{ peak_rss = 0, heap_peak = 16008 }`: what is known.
fn figures(entry: &Entry) -> String {
    let known = Figure::ALL.iter();
    let known =
        known.filter_map(|figure| Some(format!("{} = {}", figure.key(), entry.get(*figure)?)));
    let known: Vec<String> = known.collect();
    if known.is_empty() {
        return "{}".to_owned();
    }
    format!("{{ {} }}", known.join(", "))
}

/// `text` as a key of TOML.
fn bare_or_quoted(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !text.is_empty() && text.chars().all(is_bare) {
        return text.to_owned();
    }
    quoted(text)
}

/// `text` as a string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            _ if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
