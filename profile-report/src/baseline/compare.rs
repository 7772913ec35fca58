//! Two baselines → what takes more, what takes less, and what is in one of them only.

use super::entries::Baseline;
use super::entry::Entry;
use super::figure::Figure;
use super::key::Key;
use super::tolerance::Tolerance;

/// How functions compare with a baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub(super) tolerance: Tolerance,
    pub(super) figures: Vec<Compared>,
    pub(super) new: Vec<Key>,
    pub(super) gone: Vec<Key>,
    /// Functions in both.
    pub(super) functions: usize,
}

/// A figure of a function in both.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compared {
    pub key: Key,
    pub figure: Figure,
    pub was: u64,
    /// `None` where it is not known now.
    pub is: Option<u64>,
    pub allowed: u64,
    pub verdict: Verdict,
    pub entry: Entry,
}

/// What became of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Higher than the tolerance allows.
    Worse,
    /// Within the tolerance.
    Kept,
    /// Lower by more than the tolerance.
    Better,
    /// Not known now: nobody counts the heap, or others worked on the process's memory meanwhile.
    Unknown,
}

/// A figure that is higher than allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worse {
    /// Whose.
    pub key: Key,
    /// Which.
    pub figure: Figure,
    /// What the baseline says.
    pub was: u64,
    /// What it is now.
    pub is: u64,
    /// What the tolerance allows.
    pub allowed: u64,
}

impl Baseline {
    /// How `now` compares with this.
    #[must_use]
    pub fn compare(&self, now: &Baseline) -> Comparison {
        compare(self, now)
    }
}

fn compare(before: &Baseline, now: &Baseline) -> Comparison {
    let mut comparison = Comparison {
        tolerance: before.tolerance,
        figures: Vec::new(),
        new: Vec::new(),
        gone: Vec::new(),
        functions: 0,
    };
    for (key, entry) in now.entries.iter().filter(|(key, _)| before.has_in(key)) {
        match before.entries.get(key) {
            None => comparison.new.push(key.clone()),
            Some(was) => {
                comparison.functions += 1;
                let figures = Figure::ALL.into_iter();
                let figures = figures
                    .filter_map(|figure| compared(before.tolerance, figure, key, was, entry));
                comparison.figures.extend(figures);
            }
        }
    }
    let gone = before.entries.keys();
    comparison.gone = gone
        .filter(|key| !now.entries.contains_key(key))
        .cloned()
        .collect();
    comparison
}

fn compared(
    tolerance: Tolerance,
    figure: Figure,
    key: &Key,
    known: &Entry,
    entry: &Entry,
) -> Option<Compared> {
    let was = known.get(figure)?;
    let is = entry.get(figure);
    let allowed = tolerance.allowed(figure, was, known.allocations);
    let verdict = match is {
        None => Verdict::Unknown,
        Some(is) if is > allowed => Verdict::Worse,
        Some(is) if was > tolerance.allowed(figure, is, entry.allocations) => Verdict::Better,
        Some(_) => Verdict::Kept,
    };
    Some(Compared {
        key: key.clone(),
        figure,
        was,
        is,
        allowed,
        verdict,
        entry: entry.clone(),
    })
}

impl Comparison {
    /// What takes more than allowed; empty if the baseline was kept.
    #[must_use]
    pub fn worse(&self) -> Vec<Worse> {
        let worse = self.with(Verdict::Worse).filter_map(|compared| {
            Some(Worse {
                key: compared.key.clone(),
                figure: compared.figure,
                was: compared.was,
                is: compared.is?,
                allowed: compared.allowed,
            })
        });
        worse.collect()
    }

    /// Functions of which the baseline says nothing.
    #[must_use]
    pub fn new_functions(&self) -> &[Key] {
        &self.new
    }

    /// Functions that are only in the baseline: they were not called now.
    #[must_use]
    pub fn gone(&self) -> &[Key] {
        &self.gone
    }

    pub(super) fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Compared> {
        let with = move |compared: &&Compared| compared.verdict == verdict;
        self.figures.iter().filter(with)
    }
}
