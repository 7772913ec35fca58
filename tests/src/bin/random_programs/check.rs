//! What a run says, held against the truth.

use std::fmt;

use memprof::run::{FunctionProfile, HeapFigures, Run};

use crate::truth::{FunctionTruth, Heap, Truth};

/// RSS of a line or group may be wrong by this: first touches of stacks, code and arenas, and the kernel's lag.
const STRAY: i64 = 256 << 10;

/// What the allocator takes for a block beside the bytes asked for, at most: a header and its alignment for a small
/// one, up to a page for one that is mapped by itself.
const BESIDE: (u64, u64) = (31, 4096 + 16);

/// What was found in one run, or in many.
#[derive(Debug, Default)]
pub(crate) struct Found {
    programs: u64,
    /// Figures that are exact, and how many of RSS.
    exact: u64,
    rss: u64,
    /// How many of RSS were beyond their bound, and by how much at most.
    beyond: u64,
    farthest: i64,
    pub(crate) wrong: Vec<String>,
}

/// Holds `run` against the truth.
pub(crate) fn check(run: &Run, truth: &Truth) -> Found {
    let mut found = Found {
        programs: 1,
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
    found.process(run, truth);
    found
}

impl Found {
    fn function(&mut self, profile: &FunctionProfile, is: &FunctionTruth) {
        let name = &profile.label;
        self.exactly(name, "calls", profile.calls, is.calls);
        self.exactly(name, "heap", heap(profile.heap), is.all);
        self.exactly(name, "own heap", heap(profile.self_heap), is.own);
        let mut together = vec![0; profile.groups.len()];
        for line in &profile.lines {
            let name = format!("{name} line {}", line.line);
            let is = is.lines.get(&line.line).copied().unwrap_or_default();
            self.exactly(&name, "heap", heap(line.heap), is.all);
            self.exactly(&name, "own heap", heap(line.self_heap), is.own);
            self.possible(&name, line.net_rss, is.all);
            if let Some(group) = line.group {
                together[group] += is.all.allocated as i64;
            }
        }
        for (group, allocated) in profile.groups.iter().zip(together) {
            let is = Heap {
                allocated: allocated as u64,
                ..is.all
            };
            self.possible(&format!("{name} together"), group.net_rss, is);
        }
        let lines = profile.lines.iter().map(|line| line.net_rss);
        let groups = profile.groups.iter().map(|group| group.net_rss);
        self.exactly(
            name,
            "sum of nets",
            lines.chain(groups).sum(),
            profile.net_rss,
        );
    }

    /// Own growth over all functions is not more than the process's.
    fn process(&mut self, run: &Run, truth: &Truth) {
        let own: i64 = run
            .functions
            .iter()
            .map(|profile| profile.self_net_rss)
            .sum();
        let grown = run.process.peak_rss as i64 - run.process.baseline_rss as i64;
        self.exactly(
            "process",
            "own growth beyond it",
            own > grown + STRAY,
            false,
        );
        let seen = run.series.iter().filter_map(|sample| sample.heap).max();
        self.exactly(
            "process",
            "heap beyond its peak",
            seen > Some(truth.peak * truth.threads + (64 << 20)),
            false,
        );
    }

    /// RSS cannot have grown by more than was allocated, nor have fallen by more than was freed.
    fn possible(&mut self, name: &str, net: i64, is: Heap) {
        self.rss += 1;
        let large = is.allocated / 131_072;
        let beside = (is.allocations.saturating_sub(large) * BESIDE.0 + large * BESIDE.1) as i64;
        let most = is.allocated as i64 + beside;
        let least = -(is.freed as i64) - beside;
        let beyond = (net - most).max(least - net);
        if beyond > STRAY {
            self.beyond += 1;
            self.farthest = self.farthest.max(beyond);
            println!("  {name}: net {net} of at most {most}, at least {least}");
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
        self.exact += other.exact;
        self.rss += other.rss;
        self.beyond += other.beyond;
        self.farthest = self.farthest.max(other.farthest);
        self.wrong.extend(other.wrong);
    }

    /// Everything that is exact is right, and 99% of RSS is within its bound.
    pub(crate) fn is_right(&self) -> bool {
        self.wrong.is_empty() && self.beyond * 100 <= self.rss
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} programs: {} exact figures, {} of them wrong; {} figures of RSS, {} beyond their bound (by {} bytes at most)",
            self.programs,
            self.exact,
            self.wrong.len(),
            self.rss,
            self.beyond,
            self.farthest,
        )
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
