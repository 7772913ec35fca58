//! The text of a baseline's file → what it says, or which line is wrong.
//!
//! It reads the part of TOML that is written (`text.rs`), in any order of the lines, with comments.

use std::error::Error;
use std::fmt;

use super::entries::Baseline;
use super::entry::Entry;
use super::figure::Figure;
use super::key::Key;
use super::text::FORMAT;
use crate::text::visible::{truncate, visible};

/// The most columns of a line that are shown.
const QUOTE: usize = 60;

/// A text that is not that of a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineError {
    line: usize,
    text: String,
    reason: String,
}

impl fmt::Display for BaselineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.reason)?;
        if !self.text.is_empty() {
            let shown = truncate(&visible(&self.text), QUOTE);
            write!(formatter, ", but it is `{shown}`")?;
        }
        Ok(())
    }
}

impl Error for BaselineError {}

/// What is wrong with a line.
type Wrong = String;

pub(super) fn parse(text: &str) -> Result<Baseline, BaselineError> {
    let mut file = File::default();
    for (at, line) in text.lines().enumerate() {
        file.line(line).map_err(|reason| BaselineError {
            line: at + 1,
            text: line.trim().to_owned(),
            reason,
        })?;
    }
    if !file.has_format {
        return Err(BaselineError {
            line: 1,
            text: String::new(),
            reason: format!("there is no `format = {FORMAT}`, so it is no baseline"),
        });
    }
    Ok(file.baseline)
}

/// What was read so far.
#[derive(Default)]
struct File {
    baseline: Baseline,
    has_format: bool,
    /// The program whose functions follow.
    program: Option<String>,
}

impl File {
    fn line(&mut self, line: &str) -> Result<(), Wrong> {
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"]
            .iter()
            .any(|mark| line.starts_with(mark))
        {
            return Err("a merge that was not resolved is left here".to_owned());
        }
        let mut rest = Rest(line.trim());
        if rest.is_over() {
            return Ok(());
        }
        if rest.take('[') {
            let program = rest.name()?;
            rest.expect(']')?;
            self.program = Some(program);
            return rest.end();
        }
        let name = rest.name()?;
        rest.expect('=')?;
        match self.program.clone() {
            None => self.setting(&name, &mut rest)?,
            Some(program) => self.function(program, name, &mut rest)?,
        }
        rest.end()
    }

    fn setting(&mut self, name: &str, rest: &mut Rest<'_>) -> Result<(), Wrong> {
        match name {
            "format" => match rest.number()? {
                FORMAT => self.has_format = true,
                other => {
                    return Err(format!(
                        "this version of memprof reads format {FORMAT}, not {other}"
                    ));
                }
            },
            "tolerance" => self.tolerance(&rest.string()?, true, "a percentage, such as \"5%\"")?,
            "rss_floor" => {
                self.tolerance(
                    &rest.string()?,
                    false,
                    "an amount of memory, such as \"1 MiB\"",
                )?;
            }
            "only" => self.baseline.only = rest.strings()?,
            _ => {
                return Err(
                    "expected `format`, `tolerance`, `rss_floor`, `only`, or a `[program]`"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }

    fn tolerance(&mut self, text: &str, percent: bool, expected: &str) -> Result<(), Wrong> {
        let tolerance = self.baseline.tolerance.with(text);
        self.baseline.tolerance = tolerance
            .filter(|_| text.contains('%') == percent)
            .ok_or_else(|| format!("expected {expected}"))?;
        Ok(())
    }

    fn function(
        &mut self,
        program: String,
        function: String,
        rest: &mut Rest<'_>,
    ) -> Result<(), Wrong> {
        let key = Key { program, function };
        if self.baseline.entries.contains_key(&key) {
            return Err("the function is there twice".to_owned());
        }
        let entry = rest.figures()?;
        self.baseline.entries.insert(key, entry);
        Ok(())
    }
}

/// What is left of a line.
struct Rest<'line>(&'line str);

impl Rest<'_> {
    fn skip_space(&mut self) {
        self.0 = self.0.trim_start();
    }

    /// Whether nothing but a comment follows.
    fn is_over(&mut self) -> bool {
        self.skip_space();
        self.0.is_empty() || self.0.starts_with('#')
    }

    fn end(&mut self) -> Result<(), Wrong> {
        if self.is_over() {
            return Ok(());
        }
        Err("expected the end of the line".to_owned())
    }

    fn take(&mut self, mark: char) -> bool {
        self.skip_space();
        match self.0.strip_prefix(mark) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, mark: char) -> Result<(), Wrong> {
        if self.take(mark) {
            return Ok(());
        }
        Err(format!("expected `{mark}`"))
    }

    fn word(&mut self) -> &str {
        self.skip_space();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let end = self.0.find(|c| !is_part(c)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    /// A word or a string.
    fn name(&mut self) -> Result<String, Wrong> {
        self.skip_space();
        if self.0.starts_with('"') {
            return self.string();
        }
        let word = self.word();
        if word.is_empty() {
            return Err(
                "expected a setting, a `[program]`, or a function and its figures".to_owned(),
            );
        }
        Ok(word.to_owned())
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let expected = || "expected a text in quotation marks".to_owned();
        if !self.take('"') {
            return Err(expected());
        }
        let mut text = String::new();
        let mut chars = self.0.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Ok(text);
                }
                '\\' => text.push(escaped(&mut chars).ok_or_else(expected)?),
                _ => text.push(c),
            }
        }
        Err(expected())
    }

    fn strings(&mut self) -> Result<Vec<String>, Wrong> {
        self.expect('[')?;
        let mut strings = Vec::new();
        while !self.take(']') {
            strings.push(self.string()?);
            if !self.take(',') {
                self.expect(']')?;
                break;
            }
        }
        Ok(strings)
    }

    fn number(&mut self) -> Result<u64, Wrong> {
        let digits: String = self.word().chars().filter(|&c| c != '_').collect();
        digits
            .parse()
            .map_err(|_| "expected a whole number that is not negative".to_owned())
    }

    fn figures(&mut self) -> Result<Entry, Wrong> {
        let mut entry = Entry::default();
        self.expect('{')?;
        while !self.take('}') {
            let name = self.word().to_owned();
            let figure = Figure::ALL.into_iter().find(|figure| figure.key() == name);
            let figure = figure.ok_or_else(|| {
                let keys = Figure::ALL.map(Figure::key).join(", ");
                format!("expected figures of a function in braces: {keys}")
            })?;
            self.expect('=')?;
            let value = self.number()?;
            entry.set(figure, Some(value));
            if !self.take(',') {
                self.expect('}')?;
                break;
            }
        }
        Ok(entry)
    }
}

/// The character that stands behind a backslash.
fn escaped(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    match chars.next()?.1 {
        c @ ('"' | '\\') => Some(c),
        'n' => Some('\n'),
        't' => Some('\t'),
        'u' => {
            let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
            let code = (digits.len() == 4).then(|| u32::from_str_radix(&digits, 16).ok())?;
            char::from_u32(code?)
        }
        _ => None,
    }
}
