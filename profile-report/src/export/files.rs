//! The exports as files.

use std::path::{Path, PathBuf};

use memprof_model::run::Run;

use super::csv::{lines_csv, samples_csv};
use super::format::Format;
use super::pprof::pprof;
use super::trace::trace;
use crate::atomic_file;
use crate::error::ReportError;
use crate::plain::summary_markdown;

/// Writes `run` in each of `formats` into `folder`, which must exist, and gives back the files:
/// `samples.csv` and `lines.csv`, `trace.json`, `profile.pb.gz`, `summary.md`. Each appears whole or not
/// at all, and replaces an earlier one.
///
/// # Errors
/// When a file cannot be written. What was written before stays.
pub fn write(run: &Run, folder: &Path, formats: &[Format]) -> Result<Vec<PathBuf>, ReportError> {
    let mut written = Vec::new();
    let mut put = |name: &str, contents: &[u8]| {
        let path = folder.join(name);
        atomic_file::write(&path, contents)?;
        written.push(path);
        Ok::<(), ReportError>(())
    };
    for format in formats {
        match format {
            Format::Csv => {
                put("samples.csv", samples_csv(run)?.as_bytes())?;
                put("lines.csv", lines_csv(run)?.as_bytes())?;
            }
            Format::Trace => put("trace.json", trace(run)?.as_bytes())?,
            Format::Pprof => put("profile.pb.gz", &pprof(run)?)?,
            Format::Markdown => put("summary.md", summary_markdown(run).as_bytes())?,
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_run_can_be_written_in_every_format() {
        for (name, run) in fixture::all() {
            let folder = tempfile::tempdir().unwrap();
            let written = write(&run, folder.path(), &Format::ALL).unwrap();
            assert_eq!(written.len(), 5, "{name}");
            let sizes = written
                .iter()
                .map(|path| std::fs::metadata(path).unwrap().len());
            assert!(sizes.min() > Some(0), "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = write(
            &fixture::nothing(),
            Path::new("/nowhere/at/all"),
            &[Format::Trace],
        );
        assert!(error.unwrap_err().to_string().contains("/nowhere/at/all"));
    }
}
