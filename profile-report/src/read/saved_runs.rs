//! Which runs are kept in a folder, and what the beginning of their `run.json` says.

use std::cmp::Reverse;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use memprof_model::run::SCHEMA;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::allowance::Allowance;
use crate::bounded_file::{self, Links};
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

/// So much of a `run.json` is looked at for its header: the samples of a long run with its heap take a quarter.
const HEAD: u64 = 1 << 20;

/// All runs under `root`, newest first, the unreadable ones last.
///
/// Of each `run.json` only the beginning is read, so that many runs are listed quickly. Links are not followed.
///
/// # Errors
/// When `root` cannot be read.
pub fn saved_runs(root: &Path) -> Result<Vec<SavedRun>, ReportError> {
    Ok(saved_runs_within(root, Allowance::UNLIMITED)?.runs)
}

/// The runs under a root, as many as could be read in time.
#[derive(Debug)]
pub(crate) struct Listing {
    /// Newest first, the unreadable ones last.
    pub(crate) runs: Vec<SavedRun>,
    /// Whether these are all.
    pub(crate) whole: bool,
}

/// As [`saved_runs`], until the allowance is spent. The newest are read first, as far as the folders' names tell.
pub(crate) fn saved_runs_within(root: &Path, allowance: Allowance) -> Result<Listing, ReportError> {
    let (mut names, mut whole) =
        folder_names(root, allowance).map_err(|e| ReportError::read(root, e))?;
    names.sort_by_cached_key(|name| {
        let stamp = stamp(name).map(|(date, time)| format!("{date}{time}"));
        Reverse((stamp, name.clone()))
    });
    let mut runs = Vec::new();
    for name in names {
        let entry = read_entry(root, name, allowance);
        // A header that time was too short for is no damaged one.
        if allowance.is_spent() {
            whole = false;
            break;
        }
        runs.extend(entry);
    }
    let time = |entry: &SavedRun| entry.header.as_ref().map(RunHeader::time).ok();
    runs.sort_by(|a, b| (time(b), &b.folder).cmp(&(time(a), &a.folder)));
    Ok(Listing { runs, whole })
}

/// The names of all folders in `root`, and whether there was time for all.
fn folder_names(root: &Path, allowance: Allowance) -> io::Result<(Vec<String>, bool)> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        if allowance.is_spent() {
            return Ok((names, false));
        }
        let entry = entry?;
        // A link such as `latest` is not a run of its own.
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok((names, true))
}

/// Date and time in the name of a run's folder, `<program>-<YYYYMMDD>-<HHMMSS>-<pid>`.
fn stamp(name: &str) -> Option<(&str, &str)> {
    let is = |part: &str, digits| part.len() == digits && part.bytes().all(|c| c.is_ascii_digit());
    let parts = || name.rsplit('-');
    let mut pairs = parts().skip(1).zip(parts());
    pairs.find(|(date, time)| is(date, 8) && is(time, 6))
}

/// The run in the folder of this name; nothing if it is a folder of something else.
fn read_entry(root: &Path, name: String, allowance: Allowance) -> Option<SavedRun> {
    let path = root.join(&name).join("run.json");
    let header = match bounded_file::open(&path, Links::Refuse) {
        Ok((file, _)) => read_header(&mut allowance.reader(file.take(HEAD))),
        // Another process has made its folder and is about to write into it.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
        Err(e) => Err(e.to_string()),
    };
    let folder = name;
    Some(SavedRun { folder, header })
}

/// Reads the first fields of a `run.json` and stops before its long lists, which would make the
/// index of many runs slow. The samples of the process, which are few, are read where the heap was counted.
pub(crate) fn read_header(text: &mut dyn Read) -> Result<RunHeader, String> {
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
    #[cfg(unix)]
    use crate::bounded_file::make_pipe;
    use crate::fixture;
    use crate::format::json::to_json;

    #[test]
    fn the_heap_is_that_of_the_samples() {
        let header = |run| read_header(&mut to_json(&run).unwrap().as_bytes()).unwrap();
        let heap = header(fixture::leaking()).heap.unwrap();
        assert_eq!((heap.at_end, heap.highest), (28_941_304, 37_281_792));
        assert_eq!(header(fixture::inverse()).heap, None);
        // What is cut off behind the process's figures is still a run.
        let mut text = to_json(&fixture::leaking()).unwrap();
        text.truncate(text.find("\"series\"").unwrap() + 100);
        assert_eq!(read_header(&mut text.as_bytes()).unwrap().heap, None);
    }

    #[test]
    fn the_newest_are_read_first_and_what_is_left_is_known() {
        assert_eq!(
            stamp("a-b-20260301-140509-4242-2"),
            Some(("20260301", "140509"))
        );
        assert_eq!(stamp("20260301"), None);
        let root = tempfile::tempdir().unwrap();
        for folder in ["z-20260301-140509-1", "a-20260302-140509-1"] {
            fs::create_dir(root.path().join(folder)).unwrap();
            let text = to_json(&fixture::inverse()).unwrap();
            fs::write(root.path().join(folder).join("run.json"), text).unwrap();
        }
        let listing = |allowance| saved_runs_within(root.path(), allowance).unwrap();
        let all = listing(Allowance::UNLIMITED);
        assert_eq!((all.runs.len(), all.whole), (2, true));
        let none = listing(Allowance::SPENT);
        assert_eq!((none.runs.len(), none.whole), (0, false));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_of_ours_is_told_and_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["link", "pipe"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        std::os::unix::fs::symlink("/dev/zero", root.path().join("link/run.json")).unwrap();
        let pipe = root.path().join("pipe/run.json");
        make_pipe(&pipe);
        let runs = saved_runs(root.path()).unwrap();
        let told = |at: usize| runs[at].header.as_ref().unwrap_err();
        assert_eq!((runs[0].folder.as_str(), runs.len()), ("pipe", 2));
        assert!(told(0).contains("no regular file") && told(1).contains("it is a link"));
    }

    #[test]
    fn the_header_is_read_without_the_rest() {
        let run = fixture::inverse();
        let mut text = to_json(&run).unwrap();
        text.truncate(text.find("\"series\"").unwrap());
        let header = read_header(&mut text.as_bytes()).unwrap();
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
