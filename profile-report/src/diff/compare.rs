//! Two runs → what changed, in order of importance.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, PeakMethod, Run};
use serde::Serialize;

use super::change::{Change, Changes, Weight};
use super::figures::{Context, Moved, Sides};
use super::noise::{self, Resident, shared_out, signed};
use super::side::{InEach, LineInEach, Side};
use super::{functions, lines};
use crate::facts::names::told_apart;

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
    /// By how much RSS differs though the program does the same.
    pub rss_noise: RssNoise,
    /// All functions of both runs. First those whose memory changed most, beyond noise: on the heap, where both
    /// runs count it. Of equal ones the innermost, since what a function needs, those around it need too.
    pub functions: Vec<FunctionDiff>,
}

/// By how many bytes RSS differs between two runs though the program does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RssNoise {
    /// Of functions and lines that ran while no other thread was at work.
    pub alone: u64,
    /// Of those that ran while others were; `None` if there were no others.
    pub shared: Option<u64>,
}

/// What identifies a run, and how it was measured. Of several runs those of the one whose source is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunFacts {
    /// How many runs of the side were given.
    pub runs: usize,
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
    let side = |run| Side::of_one(run);
    between(&side(before), &side(after))
}

/// The same with one or more runs of each side, in which the program did the same: what differs within a side is
/// noise. `None` if a side has no run.
#[must_use]
pub fn compare_repeated(before: &[&Run], after: &[&Run]) -> Option<Diff> {
    Some(between(&Side::new(before)?, &Side::new(after)?))
}

fn between(before: &Side<'_>, after: &Side<'_>) -> Diff {
    let runs = || before.runs.iter().chain(&after.runs).copied();
    let context = Context {
        resident: Resident::of(runs()),
        heap: runs().all(|run| run.heap),
    };
    let pairs = functions::pairs(&before.shown.functions, &after.shown.functions);
    let names = told_apart(pairs.iter().filter_map(|(old, new)| new.or(*old)));
    let mut ranked: Vec<_> = pairs
        .into_iter()
        .zip(names)
        .map(|((old, new), name)| {
            let depth = depth(old).max(depth(new));
            (
                depth,
                function(&before.of(old), &after.of(new), name, context),
            )
        })
        .collect();
    ranked.sort_by_key(|(depth, f)| {
        let time = f.changes.time_ns.change.unsigned_abs();
        (Reverse(f.weight().size()), Reverse(*depth), Reverse(time))
    });
    let resident = context.resident;
    let of_runs = |get: fn(&Run) -> u64, bound| {
        let values = |side: &Side<'_>| side.runs.iter().map(|run| signed(get(run))).collect();
        let (before, after): (Vec<_>, Vec<_>) = (values(before), values(after));
        Change::new(&before, &after, bound)
    };
    let shared_out = |bound| shared_out(bound, runs().count());
    Diff {
        before: facts(before),
        after: facts(after),
        duration_ns: of_runs(|run| run.duration_ns, noise::time_ns(shortest(runs()))),
        peak_rss: of_runs(|run| run.process.peak_rss, resident.process),
        rss_noise: RssNoise {
            alone: shared_out(resident.alone),
            shared: resident.has_others.then(|| shared_out(resident.shared)),
        },
        functions: ranked.into_iter().map(|(_, function)| function).collect(),
    }
}

impl Diff {
    /// Whether anything changed by more than noise.
    #[must_use]
    pub fn is_beyond_noise(&self) -> bool {
        let changed = |f: &FunctionDiff| f.weight().is_some();
        self.peak_rss.counts || self.functions.iter().any(changed)
    }

    /// The function and line whose memory grew most, if any grew by more than noise.
    #[must_use]
    pub fn worst(&self) -> Option<(&FunctionDiff, Option<&LineDiff>)> {
        let function = self.functions.iter().find(|f| f.weight().grew())?;
        let lines = function.lines.iter();
        let grown = lines.filter(|line| line.changes.weight().grew());
        // Of equal ones the first: it is the one that a reader meets.
        let line = grown.rev().max_by_key(|line| line.changes.weight());
        Some((function, line))
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

    /// What counts for the order.
    pub(super) fn weight(&self) -> Weight {
        let lines = self.lines.iter().map(|line| line.changes.weight());
        lines.fold(self.changes.weight(), Weight::or)
    }
}

/// How deep the function was called within others.
fn depth(function: Option<&FunctionProfile>) -> Option<u32> {
    function?.call_records.iter().map(|call| call.depth).max()
}

fn shortest<'a>(runs: impl Iterator<Item = &'a Run>) -> u64 {
    runs.map(|run| run.duration_ns).min().unwrap_or_default()
}

fn facts(side: &Side<'_>) -> RunFacts {
    let run = side.shown;
    RunFacts {
        runs: side.runs.len(),
        program: run.program.clone(),
        command: run.command.clone(),
        started: run.started.clone(),
        peak_method: run.peak_method,
        heap: side.runs.iter().all(|run| run.heap),
    }
}

fn function(old: &InEach<'_>, new: &InEach<'_>, label: String, context: Context) -> FunctionDiff {
    let place = |function: &FunctionProfile| Place {
        name: function.name.clone(),
        file: function.file.clone(),
        line: function.line,
    };
    let sides = Sides {
        before: old.figures(),
        after: new.figures(),
    };
    let lines = pairs_of_lines(old.lines(), new.lines());
    // What may have moved in a function may have moved in its lines.
    let moved = match lines.is_empty() {
        true => sides.moved(),
        false => lines
            .iter()
            .map(|line| line.sides.moved())
            .fold(0, u64::saturating_add),
    };
    let moved = Moved {
        here: moved,
        in_function: moved,
    };
    FunctionDiff {
        label,
        before: old.shown.map(place),
        after: new.shown.map(place),
        changes: sides.changes(context, moved),
        lines: lines
            .iter()
            .map(|line| line.diff(context, moved.in_function))
            .collect(),
    }
}

/// A line that can be executed in one of the versions at least.
struct LinePair<'a> {
    old: Option<LineInEach<'a>>,
    new: Option<LineInEach<'a>>,
    sides: Sides,
}

/// The lines that can be executed, matched by means of the whole text.
fn pairs_of_lines<'a>(old: Vec<LineInEach<'a>>, new: Vec<LineInEach<'a>>) -> Vec<LinePair<'a>> {
    let text = |lines: &[LineInEach<'a>]| lines.iter().map(|line| line.source).collect::<Vec<_>>();
    let places = lines::pairs(&text(&old), &text(&new));
    let mut old: Vec<_> = old.into_iter().map(Some).collect();
    let mut new: Vec<_> = new.into_iter().map(Some).collect();
    let take =
        |lines: &mut Vec<Option<LineInEach<'a>>>, i: Option<usize>| lines.get_mut(i?)?.take();
    let pairs = places
        .into_iter()
        .map(|(i, j)| LinePair::new(take(&mut old, i), take(&mut new, j)));
    pairs.filter(LinePair::is_executable).collect()
}

impl<'a> LinePair<'a> {
    fn new(mut old: Option<LineInEach<'a>>, mut new: Option<LineInEach<'a>>) -> Self {
        let figures = |line: &mut Option<LineInEach<'a>>| {
            let line = line.as_mut();
            line.map_or_else(Vec::new, |line| std::mem::take(&mut line.figures))
        };
        let sides = Sides {
            before: figures(&mut old),
            after: figures(&mut new),
        };
        Self { old, new, sides }
    }

    fn is_executable(&self) -> bool {
        !self.sides.before.is_empty() || !self.sides.after.is_empty()
    }

    fn diff(&self, context: Context, in_function: u64) -> LineDiff {
        let source = self
            .new
            .as_ref()
            .or(self.old.as_ref())
            .map_or("", |line| line.source);
        let moved = Moved {
            here: self.sides.moved(),
            in_function,
        };
        let old = self.old.as_ref();
        let edited = old.filter(|old| old.source.trim() != source.trim());
        LineDiff {
            before: old.map(|line| line.number),
            after: self.new.as_ref().map(|line| line.number),
            source: source.to_owned(),
            source_before: edited.map(|old| old.source.to_owned()),
            changes: self.sides.changes(context, moved),
        }
    }
}
