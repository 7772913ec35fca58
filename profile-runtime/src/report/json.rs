//! run.json: the run as data, schema `memprof/1`.

use std::fs;
use std::path::Path;

use super::ReportError;
use crate::run::{Run, SCHEMA};

/// The text of `run.json` for `run`.
pub fn to_json(run: &Run) -> Result<String, ReportError> {
    serde_json::to_string(run).map_err(|e| ReportError::render("render run.json", e))
}

/// Reads a `run.json` that this or an earlier version wrote with the same schema number.
///
/// # Errors
/// When the file cannot be read, is no JSON, or carries another schema.
pub fn read_json(path: &Path) -> Result<Run, ReportError> {
    let text = fs::read_to_string(path).map_err(|e| ReportError::read(path, e))?;
    from_json(&text).map_err(|reason| ReportError::read(path, reason))
}

/// Parses the text of a `run.json`; the error is the reason alone.
fn from_json(text: &str) -> Result<Run, String> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        schema: String,
    }
    // The schema first: a later schema's other fields would give a confusing message.
    let Versioned { schema } =
        serde_json::from_str(text).map_err(|e| format!("it is not a saved run ({e})"))?;
    if schema != SCHEMA {
        return Err(format!(
            "its schema is {schema:?}, this version reads {SCHEMA:?}"
        ));
    }
    serde_json::from_str(text).map_err(|e| format!("it is damaged ({e})"))
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
