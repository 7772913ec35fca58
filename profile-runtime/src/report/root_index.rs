//! The root's `index.html`, which lists all runs kept there, and the link `latest`.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::pages::index_page;
use super::{ReportError, atomic_file, json};
use crate::run::SCHEMA;

/// For so long a process waits for its turn.
const LONGEST_TURN: Duration = Duration::from_secs(2);

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

/// Lists the runs under `root` in its `index.html`, and points `latest` to the newest.
///
/// Processes that end at the same time take turns, so that the last one to write has seen the runs
/// of all the others. [`super::write`] has done this already; it is for whoever removed a run.
///
/// # Errors
/// When `root` cannot be read or its `index.html` cannot be written.
pub fn refresh_index(root: &Path) -> Result<(), ReportError> {
    let _turn = take_turn(root);
    let entries = saved_runs(root)?;
    let index = index_page(&entries)?;
    atomic_file::write(&root.join("index.html"), index.as_bytes())?;
    if let Some(newest) = entries.iter().find(|entry| entry.header.is_ok()) {
        point_latest_to(root, &newest.folder);
    }
    Ok(())
}

/// Waits for other processes that refresh the same root, but not for one that is stopped in the middle
/// of it. Without a turn, as on a file system without locks, the index is whole all the same: it may only
/// miss a run that ended in the same instant.
fn take_turn(root: &Path) -> Option<File> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(root.join(".lock"))
        .ok()?;
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Some(lock),
            Err(TryLockError::WouldBlock) if began.elapsed() < LONGEST_TURN => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(_) => return None,
        }
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
/// index of many runs slow.
pub(super) fn read_header(text: &[u8]) -> Result<RunHeader, String> {
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
}

/// Fills [`Fields`] until the process's figures have come, the last ones that are needed.
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
                    return Ok(());
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct ProcessFields {
    peak_rss: u64,
    baseline_rss: u64,
}

/// Replaces the link `latest`. It is a convenience: where links are impossible, or somebody keeps
/// a folder of that name, it is left alone.
#[cfg(unix)]
fn point_latest_to(root: &Path, folder: &str) {
    let temporary: PathBuf = root.join(format!(".latest-{}.tmp", std::process::id()));
    let made = std::os::unix::fs::symlink(folder, &temporary);
    if made
        .and_then(|()| fs::rename(&temporary, root.join("latest")))
        .is_err()
    {
        let _ = fs::remove_file(&temporary);
    }
}

/// On other platforms links need privileges; there is none.
#[cfg(not(unix))]
fn point_latest_to(_root: &Path, _folder: &str) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{RunFolder, fixture, to_json, write};

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

    #[test]
    fn newest_first_and_the_unreadable_visible() {
        let root = tempfile::tempdir().unwrap();
        for (program, started) in [
            ("older", "2026-03-01T10:00:00+01:00"),
            ("newer", "2026-03-01T09:30:00Z"),
        ] {
            let mut run = fixture::no_samples();
            (run.program, run.started) = (program.into(), started.into());
            write(&run, root.path(), &RunFolder::new()).unwrap();
        }
        for (folder, text) in [
            ("damaged", "{\"schema\":\"mem"),
            ("later", "{\"schema\":\"memprof/9\"}"),
        ] {
            fs::create_dir(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("run.json"), text).unwrap();
        }
        fs::create_dir(root.path().join("unrelated")).unwrap();
        refresh_index(root.path()).unwrap();
        let folders: Vec<_> = entries(root.path())
            .unwrap()
            .into_iter()
            .map(|e| e.folder)
            .collect();
        assert!(
            folders[0].starts_with("newer") && folders[1].starts_with("older"),
            "{folders:?}"
        );
        assert_eq!(folders[2..], ["later", "damaged"]);
        let index = fs::read_to_string(root.path().join("index.html")).unwrap();
        assert!(index.contains("damaged") && index.contains("memprof/9"));
    }

    #[cfg(unix)]
    #[test]
    fn latest_leads_to_the_newest_run_and_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let mut run = fixture::no_samples();
        for year in ["2025", "2026"] {
            run.started.replace_range(..4, year);
            let folder = write(&run, root.path(), &RunFolder::new()).unwrap();
            let latest = fs::read_link(root.path().join("latest")).unwrap();
            assert_eq!(Some(latest.as_os_str()), folder.file_name());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_called_latest_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("latest")).unwrap();
        fs::write(root.path().join("latest/mine"), "").unwrap();
        write(&fixture::no_samples(), root.path(), &RunFolder::new()).unwrap();
        assert!(root.path().join("latest/mine").exists());
    }
}
