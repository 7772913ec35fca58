//! The text of a baseline's file → what it says, or which line is wrong.
//!
//! People edit and merge the file, so comments and a comma behind the last entry are read too.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use struson::reader::{JsonReader, JsonStreamReader, ReaderSettings};
use struson::serde::DeserializerError;

use super::entries::Baseline;
use super::entry::Entry;
use super::error::BaselineError;
use super::key::Key;
use super::text::FORMAT;
use super::tolerance::Tolerance;

/// What git leaves at the beginning of lines where two changes meet.
const CONFLICT: [&str; 4] = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];

pub(super) fn parse(text: &str) -> Result<Baseline, BaselineError> {
    for (line, number) in text.lines().zip(1..) {
        if CONFLICT.iter().any(|mark| line.starts_with(mark)) {
            let reason = "a merge that was not resolved is left here";
            return Err(BaselineError::new(text, number, reason));
        }
    }
    let settings = ReaderSettings {
        allow_comments: true,
        allow_trailing_comma: true,
        ..ReaderSettings::default()
    };
    let mut reader = JsonStreamReader::new_custom(text.as_bytes(), settings);
    let file: Result<File, _> = reader.deserialize_next();
    let position = reader.current_position(false);
    let at_position = |error: DeserializerError| BaselineError::of_json(text, &error, &position);
    let file = file.map_err(at_position)?;
    let end = reader.consume_trailing_whitespace();
    end.map_err(|error| at_position(error.into()))?;
    if file.format.is_none() {
        let reason = format!("there is no `\"format\": {FORMAT}`, so it is no baseline");
        return Err(BaselineError::new("", 1, reason));
    }
    Ok(file.into_baseline())
}

/// The file as it is laid out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "the settings and programs in braces")]
struct File {
    /// For people.
    #[serde(default, rename = "about")]
    _about: String,
    #[serde(default, deserialize_with = "format")]
    format: Option<u64>,
    #[serde(default, deserialize_with = "percentage")]
    tolerance: Option<String>,
    #[serde(default, deserialize_with = "amount")]
    rss_floor: Option<String>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    programs: Once<Once<Figures>>,
}

/// What is known of a function.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "the figures of a function in braces")]
struct Figures {
    peak_rss: Option<u64>,
    heap_peak: Option<u64>,
    allocated: Option<u64>,
    allocations: Option<u64>,
}

impl File {
    fn into_baseline(self) -> Baseline {
        let texts = [self.tolerance, self.rss_floor];
        let tolerance = texts
            .into_iter()
            .flatten()
            .fold(Tolerance::default(), |tolerance, text| {
                tolerance.with(&text).unwrap_or(tolerance)
            });
        let mut entries = BTreeMap::new();
        for (program, functions) in self.programs.0 {
            for (function, figures) in functions.0 {
                let program = program.clone();
                entries.insert(Key { program, function }, figures.into_entry());
            }
        }
        Baseline {
            tolerance,
            only: self.only,
            entries,
        }
    }
}

impl Figures {
    fn into_entry(self) -> Entry {
        Entry {
            peak_rss: self.peak_rss,
            heap_peak: self.heap_peak,
            allocated: self.allocated,
            allocations: self.allocations,
            origin: None,
        }
    }
}

fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match u64::deserialize(deserializer)? {
        FORMAT => Ok(Some(FORMAT)),
        other => Err(D::Error::custom(format!(
            "this version of memprof reads format {FORMAT}, not {other}"
        ))),
    }
}

fn percentage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.contains('%') && Tolerance::default().with(&text).is_some() {
        true => Ok(Some(text)),
        false => Err(D::Error::custom("expected a percentage, such as \"5%\"")),
    }
}

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match !text.contains('%') && Tolerance::default().with(&text).is_some() {
        true => Ok(Some(text)),
        false => Err(D::Error::custom(
            "expected an amount of memory, such as \"1 MiB\"",
        )),
    }
}

/// An object in which no name stands twice: after a merge it would not be clear which one is meant.
struct Once<T>(BTreeMap<String, T>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Once<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnceVisitor(PhantomData))
    }
}

struct OnceVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OnceVisitor<T> {
    type Value = Once<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("names and what belongs to them in braces")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if found.contains_key(&name) {
                return Err(A::Error::custom("this name is there twice"));
            }
            found.insert(name, map.next_value()?);
        }
        Ok(Once(found))
    }
}
