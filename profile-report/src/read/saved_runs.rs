//! Which runs are kept in a folder, and what the beginning of their `run.json` says.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use memprof_model::run::SCHEMA;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::error::ReportError;
use crate::format::json;

/// A folder under the root that holds, or should hold, a run.
#[derive(Debug)]
pub struct SavedRun {
    /// The folder's name.
    pub folder: String,
    /// What its `run.json` says, or why that could not be read.
    pub header: Result<RunHeader, String>,
}

/// The fields of `run.json` that stand before its long lists.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct RunHeader {
    /// The program.
    pub program: String,
    /// Its command line.
    pub command: Vec<String>,
    /// RFC 3339.
    pub started: String,
    /// Length of the run.
    pub duration_ns: u64,
    /// The highest RSS, bytes.
    pub peak_rss: u64,
    /// RSS before the first call, bytes.
    pub baseline_rss: u64,
    /// The heap over time; `None` where it was not counted.
    pub heap: Option<LiveHeap>,
}

/// Live heap bytes in the samples of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LiveHeap {
    /// The highest sample.
    pub highest: u64,
    /// The last one.
    pub at_end: u64,
}

impl RunHeader {
    /// When the run started, to order runs by; the epoch if that is unreadable.
    pub(crate) fn time(&self) -> Timestamp {
        self.started.parse().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Whether `other` is a run of the same program with the same arguments.
    pub(crate) fn is_same_command(&self, other: &RunHeader) -> bool {
        other.program == self.program && other.command.get(1..) == self.command.get(1..)
    }
}

/// All runs under `root`, newest first, the unreadable ones last.
///
/// Of each `run.json` only the beginning is parsed, so that many runs are listed quickly.
///
/// # Errors
/// When `root` cannot be read.
pub fn saved_runs(root: &Path) -> Result<Vec<SavedRun>, ReportError> {
    entries(root).map_err(|e| ReportError::read(root, e))
}

fn entries(root: &Path) -> io::Result<Vec<SavedRun>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        // A link such as `latest` is not a run of its own.
        if entry.file_type()?.is_dir() {
            entries.extend(read_entry(&entry.path()));
        }
    }
    let time = |entry: &SavedRun| entry.header.as_ref().map(RunHeader::time).ok();
    entries.sort_by(|a, b| (time(b), &b.folder).cmp(&(time(a), &a.folder)));
    Ok(entries)
}

/// The run in `folder`; nothing if it is a folder of something else.
fn read_entry(folder: &Path) -> Option<SavedRun> {
    let name = folder.file_name()?.to_str()?.to_owned();
    let path = folder.join("run.json");
    let header = match fs::read(&path) {
        Ok(text) => read_header(&text),
        // Another process has made its folder and is about to write into it.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
        Err(e) => Err(e.to_string()),
    };
    Some(SavedRun {
        folder: name,
        header,
    })
}

/// Reads the first fields of a `run.json` and stops before its long lists, which would make the
/// index of many runs slow. The samples of the process, which are few, are read where the heap was counted.
pub(crate) fn read_header(text: &[u8]) -> Result<RunHeader, String> {
    let mut fields = Fields::default();
    let outcome = json::read_with(text, |mut json| {
        json.deserialize_map(HeaderVisitor(&mut fields))
    });
    match fields {
        Fields {
            schema: Some(schema),
            ..
        } if schema != SCHEMA => Err(format!("its schema is {schema:?}")),
        Fields {
            complete: true,
            header,
            ..
        } => Ok(header),
        _ => Err(outcome
            .err()
            .map_or_else(|| "it is not complete".to_owned(), |e| e.to_string())),
    }
}

#[derive(Default)]
struct Fields {
    schema: Option<String>,
    header: RunHeader,
    complete: bool,
    counts_heap: bool,
}

/// Fills [`Fields`] until the process's figures have come, the last ones that are needed, and its samples if they
/// have the heap.
struct HeaderVisitor<'a>(&'a mut Fields);

impl<'de> Visitor<'de> for HeaderVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a saved run")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let header = &mut self.0.header;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "schema" => self.0.schema = Some(map.next_value()?),
                "program" => header.program = map.next_value()?,
                "command" => header.command = map.next_value()?,
                "started" => header.started = map.next_value()?,
                "duration_ns" => header.duration_ns = map.next_value()?,
                "process" => {
                    let process: ProcessFields = map.next_value()?;
                    (header.peak_rss, header.baseline_rss) =
                        (process.peak_rss, process.baseline_rss);
                    self.0.complete = true;
                    if !self.0.counts_heap {
                        return Ok(());
                    }
                }
                "heap" => self.0.counts_heap = map.next_value()?,
                "series" => {
                    let samples: Vec<HeapSample> = map.next_value()?;
                    header.heap = live_heap(&samples);
                    return Ok(());
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

fn live_heap(samples: &[HeapSample]) -> Option<LiveHeap> {
    let all = || samples.iter().filter_map(|sample| sample.heap);
    Some(LiveHeap {
        highest: all().max()?,
        at_end: all().next_back()?,
    })
}

#[derive(Deserialize)]
struct HeapSample {
    heap: Option<u64>,
}

#[derive(Deserialize)]
struct ProcessFields {
    peak_rss: u64,
    baseline_rss: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::format::json::to_json;

    #[test]
    fn the_heap_is_that_of_the_samples() {
        let header = |run| read_header(to_json(&run).unwrap().as_bytes()).unwrap();
        let heap = header(fixture::leaking()).heap.unwrap();
        assert_eq!((heap.at_end, heap.highest), (28_941_304, 37_281_792));
        assert_eq!(header(fixture::inverse()).heap, None);
        // What is cut off behind the process's figures is still a run.
        let mut text = to_json(&fixture::leaking()).unwrap();
        text.truncate(text.find("\"series\"").unwrap() + 100);
        assert_eq!(read_header(text.as_bytes()).unwrap().heap, None);
    }

    #[test]
    fn the_header_is_read_without_the_rest() {
        let run = fixture::inverse();
        let mut text = to_json(&run).unwrap();
        text.truncate(text.find("\"series\"").unwrap());
        let header = read_header(text.as_bytes()).unwrap();
        assert_eq!(
            (header.program, header.started, header.duration_ns),
            (run.program, run.started, run.duration_ns)
        );
        assert_eq!(
            (header.peak_rss, header.baseline_rss),
            (run.process.peak_rss, run.process.baseline_rss)
        );
    }
}
