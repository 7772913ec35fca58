//! Two runs → what changed, in order of importance.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, PeakMethod, Run};
use serde::Serialize;

use super::change::{Change, Changes, signed};
use super::{functions, lines};
use crate::facts::names::told_apart;
use crate::facts::rows::{Row, rows};

/// Memory that moves by less is noise where RSS is concerned: allocators and kernels move pages on
/// their own, and the first use of code brings pages of the program.
pub(super) const NOISE: u64 = 64 << 10;

/// What changed from one run to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The first run.
    pub before: RunFacts,
    /// The second run.
    pub after: RunFacts,
    /// Length of the run, nanoseconds.
    pub duration_ns: Change,
    /// The highest RSS of the process, bytes.
    pub peak_rss: Change,
    /// All functions of both runs. First those whose memory changed most, of whatever kind; of equal
    /// ones the innermost, since what a function needs, those around it need too.
    pub functions: Vec<FunctionDiff>,
}

/// What identifies a run, and how it was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunFacts {
    /// The program's file name.
    pub program: String,
    /// The command line.
    pub command: Vec<String>,
    /// RFC 3339.
    pub started: String,
    /// How peaks were obtained; where the runs differ, so may their peaks.
    pub peak_method: PeakMethod,
    /// Whether heap bytes were counted.
    pub heap: bool,
}

/// A function in both runs, or in one of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionDiff {
    /// What reports call it (in the second run, if it is there).
    pub label: String,
    /// Where it was; `None` if it was not called.
    pub before: Option<Place>,
    /// Where it is; `None` if it was not called.
    pub after: Option<Place>,
    /// Its figures; `count` is that of its calls.
    pub changes: Changes,
    /// Its lines in the order of the source, hit or not.
    pub lines: Vec<LineDiff>,
}

/// Where a function stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Full path, `demo::inverse`.
    pub name: String,
    /// Source file.
    pub file: String,
    /// The line of its signature.
    pub line: u32,
}

/// A line in both versions of a function, or in one of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineDiff {
    /// Its number in the first run.
    pub before: Option<u32>,
    /// Its number in the second run.
    pub after: Option<u32>,
    /// Its text, in the second run if it is there.
    pub source: String,
    /// Its text in the first run, if that was another.
    pub source_before: Option<String>,
    /// Its figures; `count` is that of its hits.
    pub changes: Changes,
}

/// What changed from `before` to `after`.
///
/// ```
/// use memprof::report::diff;
///
/// # let dir = std::env::temp_dir().join("memprof-doc");
/// # memprof::Settings::new().dir(dir).quiet(true).apply().unwrap();
/// #[memprof::profile_memory]
/// fn work() -> Vec<u8> {
///     vec![1; 1 << 20]
/// }
///
/// work();
/// let before = memprof::snapshot().expect("a call was made");
/// work();
/// let after = memprof::snapshot().expect("a call was made");
/// let diff = diff::compare(&before, &after);
/// assert_eq!(diff.functions[0].changes.count.change, 1);
/// ```
#[must_use]
pub fn compare(before: &Run, after: &Run) -> Diff {
    let pairs = functions::pairs(&before.functions, &after.functions);
    let names = told_apart(pairs.iter().filter_map(|(old, new)| new.or(*old)));
    let mut ranked: Vec<_> = pairs
        .into_iter()
        .zip(names)
        .map(|((old, new), name)| (depth(old).max(depth(new)), function(old, new, name)))
        .collect();
    ranked.sort_by_key(|(depth, f)| {
        let time = f.changes.time_ns.change.unsigned_abs();
        (Reverse(f.weight()), Reverse(*depth), Reverse(time))
    });
    Diff {
        before: facts(before),
        after: facts(after),
        duration_ns: both(before.duration_ns, after.duration_ns),
        peak_rss: both(before.process.peak_rss, after.process.peak_rss),
        functions: ranked.into_iter().map(|(_, function)| function).collect(),
    }
}

impl Diff {
    /// The function and line whose memory grew most, if any grew by more than noise (64 KiB).
    #[must_use]
    pub fn worst(&self) -> Option<(&FunctionDiff, Option<&LineDiff>)> {
        let function = self.functions.iter().find(|f| f.growth() > signed(NOISE))?;
        let lines = function
            .lines
            .iter()
            .map(|line| (line.changes.growth(), line));
        let grown = lines.filter(|(growth, _)| *growth > signed(NOISE));
        Some((
            function,
            grown
                .max_by_key(|(growth, _)| *growth)
                .map(|(_, line)| line),
        ))
    }
}

impl FunctionDiff {
    /// By how much the memory of the function or one of its lines has grown ([`Changes::growth`]): a
    /// line may need more without the function doing so, whose peak is elsewhere.
    #[must_use]
    pub fn growth(&self) -> i64 {
        let lines = self.lines.iter().map(|line| &line.changes);
        let all = lines.chain([&self.changes]).map(Changes::growth);
        let (most, least) = all.fold((0, 0), |(most, least), g| (g.max(most), g.min(least)));
        if most > 0 { most } else { least }
    }

    /// What counts for the order: by how much memory changed, in steps of what is noise.
    pub(super) fn weight(&self) -> u64 {
        self.growth().unsigned_abs() / NOISE
    }
}

/// How deep the function was called within others.
fn depth(function: Option<&FunctionProfile>) -> Option<u32> {
    function?.call_records.iter().map(|call| call.depth).max()
}

fn facts(run: &Run) -> RunFacts {
    RunFacts {
        program: run.program.clone(),
        command: run.command.clone(),
        started: run.started.clone(),
        peak_method: run.peak_method,
        heap: run.heap,
    }
}

fn both(before: u64, after: u64) -> Change {
    Change::new(Some(signed(before)), Some(signed(after)))
}

fn function(
    old: Option<&FunctionProfile>,
    new: Option<&FunctionProfile>,
    label: String,
) -> FunctionDiff {
    let place = |function: &FunctionProfile| Place {
        name: function.name.clone(),
        file: function.file.clone(),
        line: function.line,
    };
    FunctionDiff {
        label,
        before: old.map(place),
        after: new.map(place),
        changes: Changes::new(old.map(Into::into), new.map(Into::into)),
        lines: lines_of(old, new),
    }
}

/// The lines that can be executed, matched by means of the whole text.
fn lines_of<'a>(
    old: Option<&'a FunctionProfile>,
    new: Option<&'a FunctionProfile>,
) -> Vec<LineDiff> {
    let all = |function: Option<&'a FunctionProfile>| function.map(rows).unwrap_or_default();
    let (old, new) = (all(old), all(new));
    let text = |rows: &[Row<'a>]| rows.iter().map(|row| row.source).collect::<Vec<_>>();
    lines::pairs(&text(&old), &text(&new))
        .into_iter()
        .filter_map(|(i, j)| line(i.and_then(|i| old.get(i)), j.and_then(|j| new.get(j))))
        .collect()
}

/// The difference of a line that can be executed in one of the versions at least.
fn line(old: Option<&Row<'_>>, new: Option<&Row<'_>>) -> Option<LineDiff> {
    let figures = |row: Option<&Row<'_>>| row.and_then(|row| row.line).map(Into::into);
    let (before, after) = (figures(old), figures(new));
    if before.is_none() && after.is_none() {
        return None;
    }
    let source = new.or(old)?.source;
    let edited = old.filter(|old| old.source.trim() != source.trim());
    Some(LineDiff {
        before: old.map(|row| row.number),
        after: new.map(|row| row.number),
        source: source.to_owned(),
        source_before: edited.map(|old| old.source.to_owned()),
        changes: Changes::new(before, after),
    })
}
