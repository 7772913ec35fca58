//! `run.json` → [`Run`].

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use memprof_model::run::{Run, SCHEMA};
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use struson::reader::{JsonReader, JsonSyntaxError, ReaderError, SyntaxErrorKind};
use struson::serde::DeserializerError;

use super::{numbers, plausible};
use crate::allowance::Allowance;
use crate::bounded_file::{self, Links};
use crate::error::ReportError;
use crate::format::json;
use crate::text::visible::{truncate, visible};

/// Far more than the recorder writes for thousands of functions.
const LARGEST: u64 = 512 << 20;
/// The most columns that are shown of a parser's message, which may quote the file.
const LONGEST_REASON: usize = 300;

/// Reads a `run.json` that this or an earlier version wrote with the same schema; `path` is the file
/// or the run's folder.
///
/// Fields that this version does not know are ignored. What comes back can be rendered: its figures
/// are within bounds and refer to what is there.
///
/// ```no_run
/// let run = memprof::report::read_run("target/memprof/latest")?;
/// println!("{}", memprof::report::summary(&run, None, 100));
/// # Ok::<(), memprof::report::ReportError>(())
/// ```
///
/// # Errors
/// When the file cannot be read, is no regular file, is larger than 512 MiB, is cut off or damaged, or
/// carries another schema. The message says which.
pub fn read_run(path: impl AsRef<Path>) -> Result<Run, ReportError> {
    let path = path.as_ref();
    let path = if path.is_dir() {
        Cow::Owned(path.join("run.json"))
    } else {
        Cow::Borrowed(path)
    };
    let bytes = bounded_file::read(&path, Links::Follow, LARGEST);
    let bytes = bytes.map_err(|e| ReportError::read(&path, e))?;
    from_json(&bytes, Allowance::UNLIMITED).map_err(|reason| ReportError::read(&path, reason))
}

/// The run in a `run.json` that was come across, of `most` bytes. `None` if it cannot be read, or not in time.
pub(crate) fn read_run_within(path: &Path, most: u64, allowance: Allowance) -> Option<Run> {
    let bytes = bounded_file::read(path, Links::Refuse, most).ok()?;
    from_json(&bytes, allowance).ok()
}

/// The run that the text of a `run.json` holds.
///
/// # Errors
/// As those of [`read_run`].
pub fn parse_run(json: &[u8]) -> Result<Run, ReportError> {
    from_json(json, Allowance::UNLIMITED).map_err(ReportError::read_text)
}

/// The run, or the reason alone why it cannot be had.
fn from_json(text: &[u8], allowance: Allowance) -> Result<Run, String> {
    // The schema first: a later schema's other fields would give a confusing message.
    match schema(text) {
        Ok(Some(schema)) if schema == SCHEMA => {}
        Ok(Some(schema)) => {
            return Err(format!(
                "its schema is {:?}, this version reads {SCHEMA:?}",
                truncate(&visible(&schema), 40)
            ));
        }
        Ok(None) => return Err("it is not a saved run: it names no schema".to_owned()),
        Err(error) => return Err(format!("it is not a saved run ({})", reason(&error, text))),
    }
    let run =
        whole(text, allowance).map_err(|e| format!("it is damaged ({})", reason(&e, text)))?;
    numbers::check(text, allowance).map_err(|found| format!("it is damaged ({found})"))?;
    plausible::check(&run).map_err(|found| format!("it is damaged ({found})"))?;
    Ok(run)
}

fn whole(text: &[u8], allowance: Allowance) -> Result<Run, DeserializerError> {
    let mut reader = json::reader(text, allowance);
    let run = reader.deserialize_next()?;
    reader.consume_trailing_whitespace()?;
    Ok(run)
}

/// The schema that `text` names. Nothing behind it is looked at.
fn schema(text: &[u8]) -> Result<Option<String>, DeserializerError> {
    let mut found = None;
    let outcome = json::read_with(&mut &*text, |mut json| {
        json.deserialize_map(SchemaVisitor(&mut found))
    });
    // Whatever ended the search: once found, the rest does not matter here.
    if found.is_some() {
        return Ok(found);
    }
    outcome.map(|()| None)
}

struct SchemaVisitor<'a>(&'a mut Option<String>);

impl<'de> Visitor<'de> for SchemaVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a saved run")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "schema" {
                *self.0 = Some(map.next_value()?);
                return Ok(());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// What is wrong, short and harmless to print.
fn reason(error: &DeserializerError, text: &[u8]) -> String {
    if text.is_empty() {
        return "it is empty".to_owned();
    }
    if let DeserializerError::ReaderError(ReaderError::SyntaxError(JsonSyntaxError {
        kind: SyntaxErrorKind::IncompleteDocument,
        ..
    })) = error
    {
        return format!("it is cut off after {} bytes", text.len());
    }
    truncate(&visible(&error.to_string()), LONGEST_REASON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::format::json::to_json;
    use proptest::prelude::*;

    fn saved() -> String {
        to_json(&fixture::heap()).unwrap()
    }

    fn error(text: impl AsRef<[u8]>) -> String {
        from_json(text.as_ref(), Allowance::UNLIMITED).unwrap_err()
    }

    #[test]
    fn every_run_comes_back_as_it_was() {
        for (name, run) in fixture::all() {
            let text = to_json(&run).unwrap();
            assert_eq!(
                from_json(text.as_bytes(), Allowance::UNLIMITED).unwrap(),
                run,
                "{name}"
            );
        }
    }

    #[test]
    fn a_run_is_read_from_its_folder_or_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.json");
        std::fs::write(&file, saved()).unwrap();
        assert_eq!(read_run(folder.path()).unwrap(), fixture::heap());
        assert_eq!(read_run(&file).unwrap(), fixture::heap());
    }

    #[test]
    fn another_schema_is_refused_with_its_name() {
        let said = error(saved().replace(SCHEMA, "memprof/9"));
        assert!(
            said.contains("\"memprof/9\"") && said.contains("\"memprof/1\""),
            "{said}"
        );
        // Also when it is laid out in another way altogether.
        assert!(error("{\"schema\":\"memprof/9\",\"functions\":7").contains("memprof/9"));
    }

    #[test]
    fn fields_of_the_future_are_ignored() {
        let text = saved().replacen('{', "{\"new\":[1],", 1);
        assert_eq!(
            from_json(text.as_bytes(), Allowance::UNLIMITED).unwrap(),
            fixture::heap()
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let number = saved().replacen("\"pid\":4242", "\"pid\":1e99", 1);
        let unknown = saved().replacen(
            "\"exited\"",
            &format!("\"{}\"", "\\u001b[31m".repeat(9_000)),
            1,
        );
        for (text, expected) in [
            ("", "not a saved run (it is empty)"),
            ("{", "cut off after 1 bytes"),
            ("[]", "not a saved run"),
            ("{}", "names no schema"),
            ("{\"schema\":1}", "not a saved run"),
            ("{\"schema\":\"memprof/1\"}", "missing field"),
            (
                &saved()[..1_000],
                "damaged (it is cut off after 1000 bytes)",
            ),
            (&format!("{} x", saved()), "damaged"),
            (&deep, "nesting"),
            (&number, "damaged"),
            (&unknown, "unknown variant"),
        ] {
            let said = error(text);
            assert!(said.contains(expected), "{expected}: {said}");
            assert!(
                said.chars().count() < 400 && !said.contains('\u{1b}'),
                "{said}"
            );
        }
        assert!(error(b"{\"schema\":\"\xff\xfe\"}").contains("not a saved run"));
    }

    #[test]
    fn the_error_names_file_and_remedy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = read_run(file.path()).unwrap_err().to_string();
        assert!(
            said.contains(&file.path().display().to_string()) && said.contains("run.json"),
            "{said}"
        );
        assert!(
            parse_run(b"")
                .unwrap_err()
                .to_string()
                .starts_with("memprof: cannot read a run")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever happened to a file: it is read or refused, and what was read can be rendered.
        #[test]
        fn damage_does_no_harm(
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<Option<prop::sample::Index>>(),
        ) {
            let mut text = saved().into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            if let Some(cut) = cut {
                let cut = cut.index(text.len());
                text.truncate(cut);
            }
            if let Ok(run) = parse_run(&text) {
                let _ = crate::plain::summary(&run, None, 100);
                to_json(&run).unwrap();
            }
        }
    }
}
