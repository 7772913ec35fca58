//! What a run says, held against the truth.

use std::fmt;

use memprof::run::{FunctionProfile, HeapFigures, Line, Outcome, Run};

use crate::program::Program;
use crate::truth::{Ending, FunctionTruth, Heap, LineTruth, Truth};

/// RSS of a line or group may be off by this: pages of stacks, and of what the C library keeps by itself.
const STRAY: i64 = 64 << 10;

/// So much may be split between threads by an estimate at each reading, unsaid (`STRAY_BYTES` of the recorder).
const SPLIT_UNSAID: i64 = 32 << 10;

/// In one of a hundred, RSS may be off by this for each thread: the kernel's mark and its counters lag by up to 31 pages
/// for each processor and kind of page ([`Process::lag_rss`](memprof::run::Process::lag_rss)).
const LAG: i64 = 2 * 31 * 4096;

/// The largest block that is mapped, and that a thread may be freeing while another one reads RSS. Whose it is shows in
/// the next reading, if nobody else frees.
const IN_FLIGHT: i64 = 600_000;

/// What was found in one run, or in many.
#[derive(Debug, Default)]
pub(crate) struct Found {
    programs: u64,
    /// How many threads the program's tasks run on at once, at most.
    threads: i64,
    lines: u64,
    /// Calls that are kept one by one, and how many of them ended early.
    calls: u64,
    panicked: u64,
    cancelled: u64,
    /// Figures that are exact, and how many of RSS.
    exact: u64,
    rss: u64,
    /// Those of RSS that were beyond their bound, and by how much at most.
    beyond: Vec<String>,
    farthest: i64,
    wrong: Vec<String>,
}

/// Holds `run` against the truth.
pub(crate) fn check(run: &Run, program: &Program, truth: &Truth) -> Found {
    let mut found = Found {
        programs: 1,
        threads: program.threads() as i64,
        ..Found::default()
    };
    for (number, is) in truth.functions.iter().enumerate() {
        let name = format!("f{number}");
        let profile = run.functions.iter().find(|profile| profile.label == name);
        match profile {
            Some(profile) => found.function(profile, is),
            None => found.exactly(&name, "calls", 0, is.calls),
        }
    }
    found.process(run, program, truth);
    found
}

impl Found {
    fn function(&mut self, profile: &FunctionProfile, is: &FunctionTruth) {
        let name = &profile.label;
        self.exactly(name, "calls", profile.calls, is.calls);
        self.exactly(name, "panics", profile.panics, is.panics);
        self.heap(name, profile.heap, is.all, is.parallel);
        self.heap(name, profile.self_heap, is.own, is.own_parallel);
        if is.parallel == Heap::default() {
            self.exactly(name, "peak", peak(profile.heap), is.peak);
            self.exactly(name, "own peak", peak(profile.self_heap), is.own_peak);
            self.calls(profile, is);
        }
        for line in &profile.lines {
            let is = is.lines.get(&line.line).copied().unwrap_or_default();
            self.line(profile, line, is);
        }
        self.groups(profile, is);
    }

    /// Each call: of those that are kept, what they did and how they ended; of the others, how many they are.
    fn calls(&mut self, profile: &FunctionProfile, is: &FunctionTruth) {
        let name = &profile.label;
        let mut left = is.each.clone();
        for call in &profile.call_records {
            self.calls += 1;
            self.panicked += u64::from(call.outcome == Outcome::Panicked);
            self.cancelled += u64::from(call.outcome == Outcome::Cancelled);
            let says = ending(call.outcome).map(|end| (heap(call.heap), peak(call.heap), end));
            let calls = says.and_then(|says| left.get_mut(&says));
            match calls.filter(|calls| **calls > 0) {
                Some(calls) => *calls -= 1,
                None => self.exactly(name, "a call", says, None),
            }
        }
        let omitted = left.values().sum();
        self.exactly(name, "calls omitted", profile.calls_omitted, omitted);
        let highest = profile
            .call_records
            .iter()
            .map(|call| peak(call.heap))
            .max();
        self.exactly(name, "the highest call", highest, Some(is.peak));
    }

    fn line(&mut self, profile: &FunctionProfile, line: &Line, is: LineTruth) {
        self.lines += 1;
        let name = format!("{} line {}", profile.label, line.line);
        let workers = line.workers.unwrap_or_default();
        if let Some(hits) = is.hits {
            self.exactly(&name, "hits", line.hits + workers.hits, hits);
        }
        if workers.hits > 0 {
            let sum = heap(line.heap).plus(heap(workers.heap));
            self.exactly(&name, "heap with workers", sum, is.all);
        } else {
            self.heap(&name, line.heap, is.all, is.parallel);
            self.exactly(&name, "own heap", heap(line.self_heap), is.own);
        }
        if is.parallel == Heap::default() {
            self.exactly(&name, "peak", peak(line.heap), is.peak);
            self.exactly(&name, "own peak", peak(line.self_heap), is.own_peak);
        }
        let (least, most) = is.moved.possible();
        let (least_inner, most_inner) = is.inner.possible();
        let (least, most) = (least + least_inner, most + most_inner);
        self.within(&name, line.net_rss, least, most);
        let is_alone = line.readings == line.hits && line.shared == 0 && workers.hits == 0;
        // Without callees, and without calls of the same function.
        let is_leaf = is.hits.is_some() && is.all == is.own && is.inner.heap == Heap::default();
        if is_leaf && is_alone {
            let touched = is.moved.touched;
            let unsaid = if self.threads > 1 {
                SPLIT_UNSAID * line.readings as i64
            } else {
                0
            };
            let most = touched.mapped + touched.small as i64;
            self.within(&name, line.net_rss, touched.mapped - unsaid, most + unsaid);
            if self.threads == 1 {
                let (least, most) = (is.rise as i64, (is.rise + is.small_rise) as i64);
                self.within(&format!("{name} peak"), line.peak_rss as i64, least, most);
            }
        }
    }

    fn groups(&mut self, profile: &FunctionProfile, is: &FunctionTruth) {
        for (place, group) in profile.groups.iter().enumerate() {
            let lines = profile.lines.iter();
            let lines = lines.filter(|line| line.group == Some(place));
            let lines = lines.filter_map(|line| is.lines.get(&line.line));
            let (mut least, mut most) = (0, 0);
            for line in lines {
                let (of_least, of_most) = line.moved.possible();
                (least, most) = (least + of_least, most + of_most);
            }
            let name = format!("{} together", profile.label);
            self.within(&name, group.net_rss, least, most);
        }
        let lines = profile.lines.iter().map(|line| line.net_rss);
        let groups = profile.groups.iter().map(|group| group.net_rss);
        let sum: i64 = lines.chain(groups).sum();
        self.exactly(&profile.label, "sum of nets", sum, profile.net_rss);
    }

    /// Own growth over all functions is not more than the process's.
    fn process(&mut self, run: &Run, program: &Program, truth: &Truth) {
        let own = run.functions.iter().map(|profile| profile.self_net_rss);
        let own: i64 = own.sum();
        let grown = run.process.peak_rss as i64 - run.process.baseline_rss as i64;
        let unknown = match self.threads {
            1 => 0,
            threads => truth.untouched as i64 + threads * IN_FLIGHT,
        };
        self.within("all functions", own, i64::MIN / 2, grown + unknown);
        let first = run.functions.iter().find(|profile| profile.label == "f0");
        let is = truth.functions.first();
        if let Some((first, is)) = first.zip(is).filter(|_| is_one_task(program)) {
            let least = is.touched.mapped;
            let most = least + is.touched.small as i64;
            self.within("f0", first.net_rss, least, most);
            self.exactly("f0", "own growth of all", own, first.net_rss);
        }
    }

    fn within(&mut self, name: &str, net: i64, least: i64, most: i64) {
        self.rss += 1;
        let beyond = (net - most).max(least - net);
        if beyond > STRAY {
            self.farthest = self.farthest.max(beyond);
            let said = format!("{name}: RSS {net} is not from {least} to {most}, by {beyond}");
            match beyond > LAG * self.threads {
                true => self.wrong.push(said),
                false => self.beyond.push(said),
            }
        }
    }

    /// Some of it may have been done by parallel closures on other threads.
    fn heap(&mut self, name: &str, says: Option<HeapFigures>, is: Heap, parallel: Heap) {
        let says = heap(says);
        let least = is.allocated - parallel.allocated;
        if parallel == Heap::default() || !(least..=is.allocated).contains(&says.allocated) {
            self.exactly(name, "heap", says, is);
        }
    }

    fn exactly<T: PartialEq + fmt::Debug>(&mut self, name: &str, what: &str, says: T, is: T) {
        self.exact += 1;
        if says != is {
            self.wrong
                .push(format!("{name}: {what} is {says:?}, and should be {is:?}"));
        }
    }

    /// Adds what was found in another run.
    pub(crate) fn add(&mut self, other: Found) {
        self.programs += other.programs;
        self.lines += other.lines;
        self.calls += other.calls;
        self.panicked += other.panicked;
        self.cancelled += other.cancelled;
        self.exact += other.exact;
        self.rss += other.rss;
        self.farthest = self.farthest.max(other.farthest);
        self.beyond.extend(other.beyond);
        self.wrong.extend(other.wrong);
    }

    /// Everything that is exact is right, and 99% of RSS is within its bound, the rest within the kernel's lag.
    pub(crate) fn is_right(&self) -> bool {
        let few = self.beyond.len() as u64 * 100 <= self.rss;
        self.wrong.is_empty() && few
    }

    /// Everything that is not as it should be.
    pub(crate) fn differences(&self) -> impl Iterator<Item = &String> {
        self.wrong.iter().chain(&self.beyond)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} programs, {} lines, {} calls ({} panicked, {} cancelled): {} exact figures and {} of RSS; {} wrong, and \
             {} of RSS beyond their bound (by {} bytes at most)",
            self.programs,
            self.lines,
            self.calls,
            self.panicked,
            self.cancelled,
            self.exact,
            self.rss,
            self.wrong.len(),
            self.beyond.len(),
            self.farthest,
        )
    }
}

/// Whether the first function is called once, and everything runs on one thread.
fn is_one_task(program: &Program) -> bool {
    program.tasks == 1 && program.threads() == 1
}

fn peak(figures: Option<HeapFigures>) -> u64 {
    figures.map_or(0, |figures| figures.peak)
}

/// `None` of a call that has not ended: every one has.
fn ending(outcome: Outcome) -> Option<Ending> {
    match outcome {
        Outcome::Returned => Some(Ending::Returned),
        Outcome::Panicked => Some(Ending::Panicked),
        Outcome::Cancelled => Some(Ending::Cancelled),
        _ => None,
    }
}

fn heap(figures: Option<HeapFigures>) -> Heap {
    let figures = figures.unwrap_or_default();
    Heap {
        allocated: figures.allocated,
        freed: figures.freed,
        allocations: figures.allocations,
    }
}
