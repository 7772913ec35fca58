//! Baselines: what functions took, kept in a file, and compared with what they take now.
//!
//! Everything here is a function of runs and text. When a file is read and written, and what becomes of
//! the process, is the recorder's matter.

mod compare;
mod entry;
mod figure;
mod markdown;
mod message;
mod parse;
mod text;
mod tolerance;

use std::collections::BTreeMap;
use std::path::Path;

pub use compare::{Comparison, Verdict, Worse};
pub use entry::{Entry, Record};
pub use figure::Figure;
pub use parse::BaselineError;
pub use tolerance::EXPECTED as EXPECTED_TOLERANCE;
pub use tolerance::Tolerance;

use memprof_model::run::Run;

use crate::atomic_file;
use crate::error::ReportError;
use crate::read::bounded;

/// Far more than the entries of thousands of functions take.
const LARGEST: u64 = 16 << 20;

/// What functions took at most in a single call, to compare others with.
///
/// `MEMPROF_BASELINE=save cargo test` keeps one in the file `memprof-baseline.toml` beside the package's
/// `Cargo.toml`, and `MEMPROF_BASELINE=check cargo test` fails where a function takes more. This is the
/// same as data, for those who compare by themselves:
///
/// ```
/// use memprof::Baseline;
///
/// #[memprof::profile_memory]
/// fn lengths(text: &str) -> Vec<usize> {
///     text.split(' ').map(str::len).collect()
/// }
///
/// # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
/// lengths("two words");
/// let before = Baseline::of(&memprof::snapshot().expect("a call was made"));
/// lengths("three more words");
/// let now = Baseline::of(&memprof::snapshot().expect("a call was made"));
///
/// let comparison = before.compare(&now);
/// assert!(comparison.worse().is_empty(), "{}", comparison.message());
/// // It can be kept as text.
/// assert_eq!(Baseline::parse(&before.to_string())?, before);
/// # Ok::<(), memprof::report::BaselineError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Baseline {
    /// How much more is allowed.
    pub tolerance: Tolerance,
    /// Where there are any, functions whose path contains none of these are left out.
    pub only: Vec<String>,
    entries: BTreeMap<Key, Entry>,
}

/// What an entry is about: a function in one of the package's test programs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The test program, without the hash that cargo puts behind its name. A program that has none, which
    /// is no test program but perhaps called like one, is followed by `(program)`.
    pub program: String,
    /// The function's path.
    pub function: String,
}

impl Baseline {
    /// What the functions of `run` took.
    ///
    /// Bytes allocated and allocations are those of single calls, which are known where a baseline is
    /// saved or checked; in other runs of functions that were called once.
    #[must_use]
    pub fn of(run: &Run) -> Baseline {
        let program = program(&run.program);
        let mut baseline = Baseline::default();
        for function in &run.functions {
            let key = Key {
                program: program.clone(),
                function: function.name.clone(),
            };
            if let Some(entry) = Entry::of(function) {
                baseline.add(key, entry);
            }
        }
        baseline
    }

    /// What the text of a file says.
    ///
    /// # Errors
    /// When it is not the text of a baseline: the error names the line and says what was expected.
    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        parse::parse(text)
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, is larger than 16 MiB, or is no baseline.
    pub fn read(path: impl AsRef<Path>) -> Result<Baseline, ReportError> {
        let path = path.as_ref();
        let error = |reason: String| ReportError::read_baseline(path, reason);
        let bytes = bounded(path, LARGEST).map_err(|reason| error(reason.to_string()))?;
        let text = str::from_utf8(&bytes).map_err(|reason| error(reason.to_string()))?;
        Baseline::parse(text).map_err(|reason| error(reason.to_string()))
    }

    /// Writes the file at `path`, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        let path = path.as_ref();
        atomic_file::try_write(path, self.to_string().as_bytes())
            .map_err(|reason| ReportError::write_baseline(path, reason))
    }

    /// Its entries, in order of program and function.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.entries.iter()
    }

    /// What it says of a function.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Adds an entry; to one that is there, whatever it has more of.
    pub fn add(&mut self, key: Key, entry: Entry) {
        match self.entries.get_mut(&key) {
            Some(known) => known.merge(entry),
            None => drop(self.entries.insert(key, entry)),
        }
    }

    /// How `now` compares with this.
    #[must_use]
    pub fn compare(&self, now: &Baseline) -> Comparison {
        compare::compare(self, now)
    }

    /// Whether functions of this path are in.
    fn has_in(&self, key: &Key) -> bool {
        let contains = |part: &String| key.function.contains(part.as_str());
        self.only.is_empty() || self.only.iter().any(contains)
    }

    /// Puts what functions took `now` in place of what this says of them. Of the programs in `whole`
    /// all functions are in `now`: others of theirs are gone.
    #[doc(hidden)]
    pub fn accept(&mut self, now: &Baseline, whole: Option<&str>) {
        let tolerance = self.tolerance;
        for (key, entry) in &now.entries {
            let entry = match self.entries.get(key) {
                Some(known) => entry.clone().settled(known, tolerance),
                None => entry.clone(),
            };
            self.entries.insert(key.clone(), entry);
        }
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|key, _| {
            let is_gone = whole == Some(key.program.as_str()) && !now.entries.contains_key(key);
            self.has_in(key) && !is_gone
        });
        self.entries = entries;
    }
}

/// What a [`Key`] calls the program whose file has this name.
fn program(name: &str) -> String {
    match test_program(name) {
        Some(name) => name.to_owned(),
        None => format!("{} (program)", without_ending(name)),
    }
}

/// `name` without the `-0123456789abcdef` that cargo puts behind the names of test programs; `None` if it
/// has none.
pub fn test_program(name: &str) -> Option<&str> {
    let (name, hash) = without_ending(name).rsplit_once('-')?;
    (hash.len() == 16 && hash.bytes().all(|c| c.is_ascii_hexdigit())).then_some(name)
}

fn without_ending(name: &str) -> &str {
    name.strip_suffix(".exe").unwrap_or(name)
}

#[cfg(test)]
mod tests;
