//! Finds the run that a new one is compared with: the last one of the same program with the same
//! arguments.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use memprof_model::run::Run;

use super::run_folder;
use crate::allowance::{Allowance, Clock};
use crate::bounded_file::{self, Links};
use crate::diff;
use crate::diff::before::Before;
use crate::read::read_header;
use crate::read::read_run_within;

/// Longer runs are not read again when a program ends: that would take seconds.
const MOST_BYTES: u64 = 4 << 20;
/// What the reading of others' runs may take, of the end of a program.
const ALLOWED: Duration = Duration::from_millis(50);
/// So many runs of the program are looked at: the others had other arguments.
const CANDIDATES: usize = 16;

/// Compares `run`, whose reports go into `own`, with the run before it under `root`. `None` where
/// there is none, and where it cannot be read: a comparison is no reason to fail.
pub(super) fn compare(root: &Path, own: &Path, run: &Run, clock: Clock) -> Option<Before> {
    let allowance = Allowance::of(ALLOWED, clock);
    let entries = fs::read_dir(root).ok()?.flatten();
    let mut names: Vec<_> = entries
        .take_while(|_| !allowance.is_spent())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| run_folder::is_of(name, run) && !own.ends_with(name))
        .collect();
    // Names hold the time of the start.
    names.sort_unstable();
    let newest = names.into_iter().rev().take(CANDIDATES);
    newest.into_iter().find_map(|folder| {
        let before = read(&root.join(&folder).join("run.json"), run, allowance)?;
        let diff = diff::compare(&before, run);
        Some(Before { folder, diff })
    })
}

/// The run in a file, if it is one of the same command as `run`, and began earlier.
fn read(path: &Path, run: &Run, allowance: Allowance) -> Option<Run> {
    let (file, size) = bounded_file::open(path, Links::Refuse).ok()?;
    if size > MOST_BYTES {
        return None;
    }
    let header = read_header(&mut allowance.reader(file.take(MOST_BYTES))).ok()?;
    let same = header.program == run.program && header.command.get(1..) == run.command.get(1..);
    let start: Timestamp = run.started.parse().ok()?;
    if !same || header.time() >= start {
        return None;
    }
    read_run_within(path, MOST_BYTES, allowance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowance::standing_clock;
    use crate::fixture;
    use crate::store::RunFolder;
    use crate::store::write;

    /// Writes the reports of `run`, started on this day of March, and says whom it was compared with.
    fn written(root: &Path, mut run: Run, day: u32) -> Option<String> {
        run.started = format!("2026-03-{day:02}T14:05:09Z");
        let folder = RunFolder::new();
        let own = write(&run, root, &folder).unwrap();
        compare(root, &own, &run, standing_clock).map(|before| before.folder)
    }

    #[test]
    fn the_last_run_with_the_same_arguments() {
        let root = tempfile::tempdir().unwrap();
        let mut other = fixture::inverse();
        other.command[1] = "--quick".into();
        assert_eq!(written(root.path(), fixture::inverse(), 2), None);
        assert_eq!(written(root.path(), other, 3), None);
        let again = written(root.path(), fixture::inverse(), 4);
        assert_eq!(again.as_deref(), Some("demo-20260302-140509-4242"));
        // A run that is written late is not compared with what came after it.
        assert_eq!(written(root.path(), fixture::inverse(), 1), None);
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        written(root.path(), fixture::inverse(), 1);
        let damaged = root.path().join("demo-20260302-140509-1");
        fs::create_dir(&damaged).unwrap();
        fs::write(damaged.join("run.json"), "{").unwrap();
        fs::create_dir(root.path().join("demo-else-20260302-140509-1")).unwrap();
        let found = written(root.path(), fixture::inverse(), 3);
        assert_eq!(found.as_deref(), Some("demo-20260301-140509-4242"));
    }
}
