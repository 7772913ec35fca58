//! run.json: the run as data, schema `memprof/1`.
//!
//! Not with `serde_json`: it implements `PartialEq<Value>` for numbers and strings, which reaches
//! every crate of a program that links it, and an `assert_eq!(&*numbers, &[])` somewhere in there
//! would no longer compile.

use std::fmt::Display;
use std::io::Read;

use memprof_model::run::Run;
use serde::Serialize;
use serde::de::DeserializeOwned;
use struson::reader::{JsonReader, JsonStreamReader, ReaderSettings};
use struson::serde::JsonReaderDeserializer;
use struson::writer::{JsonStreamWriter, JsonWriter};

use crate::allowance::{Allowance, LimitedReader};
use crate::error::ReportError;

/// The text of `run.json` for `run`.
pub fn to_json(run: &Run) -> Result<String, ReportError> {
    text_of(run).map_err(|reason| ReportError::render("render run.json", reason))
}

/// Any value as JSON.
pub fn text_of(value: &impl Serialize) -> Result<String, String> {
    let mut text = Vec::new();
    let mut writer = JsonStreamWriter::new(&mut text);
    writer.serialize_value(value).map_err(reason)?;
    writer.finish_document().map_err(reason)?;
    String::from_utf8(text).map_err(reason)
}

/// Reads a text.
pub(crate) type TextReader<'text> = JsonStreamReader<LimitedReader<&'text [u8]>>;

/// Reads `text`, whose numbers may be as long as they like: the value of a `by` near 0 has hundreds of digits
/// behind the point. The text ends where the allowance does.
pub(crate) fn reader(text: &[u8], allowance: Allowance) -> TextReader<'_> {
    let settings = ReaderSettings {
        restrict_number_values: false,
        ..ReaderSettings::default()
    };
    JsonStreamReader::new_custom(allowance.reader(text), settings)
}

/// The whole of `text` as a value.
pub fn value_of<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    let mut reader = reader(text, Allowance::UNLIMITED);
    let value = reader.deserialize_next()?;
    reader.consume_trailing_whitespace()?;
    Ok(value)
}

/// Reads the value that `text` begins with as `read` wants it; `read` may stop half-way. No more of `text` is read
/// than that takes, and a KiB.
pub(crate) fn read_with<T>(
    text: &mut dyn Read,
    read: impl FnOnce(JsonReaderDeserializer<'_, JsonStreamReader<&mut dyn Read>>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut reader = JsonStreamReader::new(text);
    read(JsonReaderDeserializer::new(&mut reader))
}

/// What is wrong with a JSON text.
pub type Error = struson::serde::DeserializerError;

fn reason(error: impl Display) -> String {
    error.to_string()
}
