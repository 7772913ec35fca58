//! A baseline as data: what it says of each function.

use std::collections::BTreeMap;

use memprof_model::run::Run;

use super::entry::Entry;
use super::key::{Key, program};
use super::tolerance::Tolerance;

/// What functions took at most in a single call, to compare others with.
///
/// `MEMPROF_BASELINE=save cargo test` keeps one in the file `memprof-baseline.json` beside the package's
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
    pub(super) entries: BTreeMap<Key, Entry>,
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

    /// Whether functions of this path are in.
    pub(super) fn has_in(&self, key: &Key) -> bool {
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
