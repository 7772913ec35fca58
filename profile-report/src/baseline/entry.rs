//! What one function took: the figures, and for messages where in its source they come from.

use memprof_model::data;
use memprof_model::run::{CallMaxima, FunctionProfile, LineAtSize};
use serde::{Deserialize, Serialize};

use super::figure::Figure;
use super::key::Key;
use super::tolerance::Tolerance;

/// Lines that are remembered for each figure.
const LINES: usize = 3;

/// What a function took at most in a single call; `None` where it is not known.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Entry {
    /// The highest rise of RSS. Not known where others worked on the process's memory meanwhile.
    pub peak_rss: Option<u64>,
    /// The highest rise of live heap bytes.
    pub heap_peak: Option<u64>,
    /// Heap bytes allocated.
    pub allocated: Option<u64>,
    /// Number of allocations.
    pub allocations: Option<u64>,
    /// Where the figures come from, if they were not read from a file.
    pub(super) origin: Option<Origin>,
}

/// Where a function is, and which of its lines took most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub file: String,
    pub line: u32,
    /// By figure, in the order of [`Figure::ALL`].
    lines: [Vec<LineShare>; 4],
}

/// A line, and what it took of a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LineShare {
    pub line: u32,
    pub source: String,
    pub amount: u64,
}

/// An entry of a list in JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    program: String,
    function: String,
    entry: Entry,
}

impl Record {
    /// Of one entry.
    pub fn new((key, entry): (&Key, &Entry)) -> Record {
        Record {
            program: key.program.clone(),
            function: key.function.clone(),
            entry: entry.clone(),
        }
    }

    /// The entry back, with its key.
    pub fn into_pair(self) -> (Key, Entry) {
        let key = Key {
            program: self.program,
            function: self.function,
        };
        (key, self.entry)
    }
}

/// By its figures: those from a file are no others than those of a run.
impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        Figure::ALL
            .iter()
            .all(|&figure| self.get(figure) == other.get(figure))
    }
}

impl Entry {
    /// What the calls of `function` took; `None` if none has returned.
    pub(super) fn of(function: &FunctionProfile) -> Option<Entry> {
        match &function.call_maxima {
            Some(maxima) => Some(Entry::of_maxima(function, maxima)),
            None => (function.calls > 0).then(|| Entry::of_sums(function)),
        }
    }

    fn of_maxima(function: &FunctionProfile, maxima: &CallMaxima) -> Entry {
        Entry {
            peak_rss: (maxima.shared == 0).then_some(maxima.peak_rss),
            heap_peak: maxima.heap.map(|heap| heap.peak),
            allocated: maxima.heap.map(|heap| heap.allocated),
            allocations: maxima.heap.map(|heap| heap.allocations),
            origin: Some(Origin::new(function, &maxima.lines)),
        }
    }

    /// As far as single calls can be told from the sums over all.
    fn of_sums(function: &FunctionProfile) -> Entry {
        let shared = function.lines.iter().any(|line| line.shared > 0);
        let heap = function.heap;
        let of_one = heap.filter(|_| function.calls == 1);
        let lines = function.lines.iter().map(|line| {
            data!(LineAtSize {
                line: line.line,
                peak_rss: line.peak_rss,
                net_rss: line.net_rss,
                time_ns: line.time_ns,
                heap: line.heap,
            })
        });
        let lines: Vec<LineAtSize> = lines.collect();
        Entry {
            peak_rss: (!shared).then_some(function.peak_rss),
            heap_peak: heap.map(|heap| heap.peak),
            allocated: of_one.map(|heap| heap.allocated),
            allocations: of_one.map(|heap| heap.allocations),
            origin: Some(Origin::new(function, &lines)),
        }
    }

    pub(super) fn get(&self, figure: Figure) -> Option<u64> {
        match figure {
            Figure::PeakRss => self.peak_rss,
            Figure::HeapPeak => self.heap_peak,
            Figure::Allocated => self.allocated,
            Figure::Allocations => self.allocations,
        }
    }

    pub(super) fn set(&mut self, figure: Figure, value: Option<u64>) {
        let place = match figure {
            Figure::PeakRss => &mut self.peak_rss,
            Figure::HeapPeak => &mut self.heap_peak,
            Figure::Allocated => &mut self.allocated,
            Figure::Allocations => &mut self.allocations,
        };
        *place = value;
    }

    /// Takes over whatever `other` has more of. RSS that is not known of one is not known of both.
    pub(super) fn merge(&mut self, other: Entry) {
        for (at, figure) in Figure::ALL.into_iter().enumerate() {
            let (own, others) = (self.get(figure), other.get(figure));
            if figure == Figure::PeakRss && (own.is_none() || others.is_none()) {
                self.peak_rss = None;
                continue;
            }
            if others > own {
                self.set(figure, others);
                if let (Some(own), Some(other)) = (&mut self.origin, &other.origin) {
                    own.lines[at].clone_from(&other.lines[at]);
                }
            }
        }
        if self.origin.is_none() {
            self.origin = other.origin;
        }
    }

    /// The same with a peak of RSS that does not differ from the `known` one by chance alone, so that the
    /// file does not change at every turn.
    pub(super) fn settled(mut self, known: &Entry, tolerance: Tolerance) -> Entry {
        let is_chance = |now: u64, was: u64| {
            let (low, high) = (now.min(was), now.max(was));
            high <= tolerance.allowed(Figure::PeakRss, low, None)
        };
        self.peak_rss = match (self.peak_rss, known.peak_rss) {
            (Some(now), Some(was)) if !is_chance(now, was) => Some(now),
            (now, was) => was.or(now),
        };
        self
    }
}

impl Origin {
    fn new(function: &FunctionProfile, lines: &[LineAtSize]) -> Origin {
        Origin {
            file: function.file.clone(),
            line: function.line,
            lines: Figure::ALL.map(|figure| most(function, lines, figure)),
        }
    }

    /// The lines that took most of `figure`, the most expensive first.
    pub(super) fn lines(&self, figure: Figure) -> &[LineShare] {
        let at = Figure::ALL.iter().position(|&each| each == figure);
        at.map_or(&[], |at| self.lines[at].as_slice())
    }
}

fn most(function: &FunctionProfile, lines: &[LineAtSize], figure: Figure) -> Vec<LineShare> {
    let mut lines: Vec<(u64, u32)> = lines
        .iter()
        .map(|line| (figure.of_line(line), line.line))
        .filter(|&(amount, _)| amount > 0)
        .collect();
    lines.sort_by_key(|&(amount, line)| (std::cmp::Reverse(amount), line));
    lines.truncate(LINES);
    // What takes next to nothing beside the first is not what somebody looks for.
    let first = lines.first().map_or(0, |&(amount, _)| amount);
    lines.retain(|&(amount, _)| amount >= first / 20);
    let share = |(amount, number): (u64, u32)| {
        let line = function.lines.iter().find(|line| line.line == number);
        LineShare {
            line: number,
            source: line.map_or_else(String::new, |line| line.source.trim().to_owned()),
            amount,
        }
    };
    lines.into_iter().map(share).collect()
}
