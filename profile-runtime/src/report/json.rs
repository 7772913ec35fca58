//! run.json: the run as data, schema `memprof/1`.

//!
//! Not with `serde_json`: it implements `PartialEq<Value>` for numbers and strings, which reaches
//! every crate of a program that links it, and an `assert_eq!(&*numbers, &[])` somewhere in there
//! would no longer compile.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use struson::reader::{JsonReader, JsonStreamReader};
use struson::serde::JsonReaderDeserializer;
use struson::writer::{JsonStreamWriter, JsonWriter};

use super::ReportError;
use crate::run::{Run, SCHEMA};

/// The text of `run.json` for `run`.
pub fn to_json(run: &Run) -> Result<String, ReportError> {
    text_of(run).map_err(|reason| ReportError::render("render run.json", reason))
}

/// Reads a `run.json` that this or an earlier version wrote with the same schema number.
///
/// # Errors
/// When the file cannot be read, is no JSON, or carries another schema.
pub fn read_json(path: &Path) -> Result<Run, ReportError> {
    let text = fs::read_to_string(path).map_err(|e| ReportError::read(path, e))?;
    from_json(&text).map_err(|reason| ReportError::read(path, reason))
}

/// Any value as JSON.
pub(super) fn text_of(value: &impl Serialize) -> Result<String, String> {
    let mut text = Vec::new();
    let mut writer = JsonStreamWriter::new(&mut text);
    writer.serialize_value(value).map_err(reason)?;
    writer.finish_document().map_err(reason)?;
    String::from_utf8(text).map_err(reason)
}

/// Reads the value that `text` begins with as `read` wants it; `read` may stop half-way.
pub(super) fn read_with<T>(
    text: &[u8],
    read: impl FnOnce(JsonReaderDeserializer<'_, JsonStreamReader<&[u8]>>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut reader = JsonStreamReader::new(text);
    read(JsonReaderDeserializer::new(&mut reader))
}

/// What is wrong with a JSON text.
pub(super) type Error = struson::serde::DeserializerError;

/// Parses the text of a `run.json`; the error is the reason alone.
fn from_json(text: &str) -> Result<Run, String> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        schema: String,
    }
    // The schema first: a later schema's other fields would give a confusing message.
    let Versioned { schema } =
        value_of(text).map_err(|reason| format!("it is not a saved run ({reason})"))?;
    if schema != SCHEMA {
        return Err(format!(
            "its schema is {schema:?}, this version reads {SCHEMA:?}"
        ));
    }
    value_of(text).map_err(|reason| format!("it is damaged ({reason})"))
}

/// The whole of `text` as a value.
fn value_of<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut reader = JsonStreamReader::new(text.as_bytes());
    let value = reader.deserialize_next().map_err(reason)?;
    reader.consume_trailing_whitespace().map_err(reason)?;
    Ok(value)
}

fn reason(error: impl Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn every_run_comes_back_as_it_was() {
        for (name, run) in fixture::all() {
            let text = to_json(&run).unwrap();
            assert_eq!(from_json(&text).unwrap(), run, "{name}");
        }
    }

    #[test]
    fn another_schema_is_refused_with_its_name() {
        let text = to_json(&fixture::inverse())
            .unwrap()
            .replace(SCHEMA, "memprof/9");
        assert!(from_json(&text).unwrap_err().contains("memprof/9"));
    }

    #[test]
    fn fields_of_the_future_are_ignored() {
        let text = to_json(&fixture::inverse())
            .unwrap()
            .replacen('{', "{\"new\":[1],", 1);
        assert!(from_json(&text).is_ok());
    }

    #[test]
    fn garbage_is_named_as_such() {
        assert!(from_json("{").unwrap_err().contains("not a saved run"));
    }
}
