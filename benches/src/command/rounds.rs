//! Rounds in which the variants of a workload alternate, so that what else the machine does meets all
//! alike, and medians over them.

use memprof_benches::measured::Measured;

use crate::recorded;
use crate::run::Ground;
use crate::variants::{self, Variant};
use crate::workloads::{OFTEN, Workload};

/// Of other profilers; they differ by more than what a few rounds leave open.
pub(crate) const ROUNDS_OF_PEERS: usize = 3;
/// Peaks differ little from run to run.
const ROUNDS_FOR_PEAKS: usize = 3;

/// A workload in all its variants, the plain one first.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) workload: Workload,
    pub(crate) cells: Vec<Cell>,
}

/// The medians of one variant.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    pub(crate) wall_ns: f64,
    pub(crate) cpu_ns: f64,
    pub(crate) main_ns: f64,
    pub(crate) peak_kib: f64,
    pub(crate) units: f64,
    /// What memprof held for itself in the last run; 0 where nothing was recorded.
    pub(crate) profiler_bytes: u64,
    /// Of `line`: the part of the net that is on the line that allocates; of `exact`: the part of the
    /// hits that were read. In percent.
    pub(crate) share: Option<f64>,
}

impl Row {
    pub(crate) fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.name == name)
    }
}

/// Other profilers come after our own variants: the program that ran right behind heaptrack was found to take
/// 1.4 times its time, and that was the plain one.
pub(crate) fn interleaved(workload: &Workload, ground: &Ground, rounds: usize) -> Row {
    let often = if workload.is_short { OFTEN } else { 1 };
    let own = alternating(&variants::OWN, workload, ground, rounds * often);
    let peers = variants::peers(workload, &ground.programs);
    let peers = alternating(&peers, workload, ground, rounds.min(ROUNDS_OF_PEERS));
    Row {
        workload: *workload,
        cells: own.into_iter().chain(peers).collect(),
    }
}

/// Each round begins with another variant, since the first may find the machine otherwise than the rest do.
fn alternating(
    variants: &[Variant],
    workload: &Workload,
    ground: &Ground,
    rounds: usize,
) -> Vec<Cell> {
    let mut collected: Vec<Runs<'_>> = variants.iter().map(Runs::new).collect();
    for round in 1..=rounds {
        eprintln!("{}: round {round} of {rounds}", workload.name);
        for turn in 0..variants.len() {
            let runs = &mut collected[(turn + round) % variants.len()];
            runs.run_once(workload, ground, round <= ROUNDS_FOR_PEAKS);
        }
    }
    collected.iter().map(Runs::medians).collect()
}

/// The runs of one variant.
struct Runs<'a> {
    variant: &'a Variant,
    timed: Vec<Measured>,
    peaks_kib: Vec<f64>,
    profiler_bytes: u64,
    share: Option<f64>,
}

impl<'a> Runs<'a> {
    fn new(variant: &'a Variant) -> Runs<'a> {
        Runs {
            variant,
            timed: Vec::new(),
            peaks_kib: Vec::new(),
            profiler_bytes: 0,
            share: None,
        }
    }

    fn run_once(&mut self, workload: &Workload, ground: &Ground, with_peak: bool) {
        let measured = ground.run(self.variant, workload.name, &[]);
        self.timed.push(measured);
        if !self.variant.resets_the_mark() || self.variant.variable.is_some() {
            self.peaks_kib.push(measured.peak_kib as f64);
            return;
        }
        if ground.reports().exists() {
            self.note_the_run(workload, ground);
        }
        if with_peak {
            let other = ground.run(self.variant, workload.name, &[("MEMPROF_PEAK", "sampled")]);
            self.peaks_kib.push(other.peak_kib as f64);
        }
    }

    fn note_the_run(&mut self, workload: &Workload, ground: &Ground) {
        let run = recorded::last(ground);
        self.profiler_bytes = self.profiler_bytes.max(recorded::profiler_bytes(&run));
        if self.variant.name == variants::TOTALS {
            return;
        }
        self.share = match workload.name {
            "line" => Some(recorded::share_of_net(&run, "kept.push")),
            "exact" => Some(recorded::share_of_readings(&run, "parts::spin")),
            _ => None,
        };
    }

    fn medians(&self) -> Cell {
        let of = |value: fn(&Measured) -> u64| {
            median(self.timed.iter().map(|run| value(run) as f64).collect())
        };
        Cell {
            name: self.variant.name,
            wall_ns: of(|run| run.wall_ns),
            cpu_ns: of(|run| run.cpu_ns),
            main_ns: of(|run| run.main_ns),
            units: of(|run| run.units),
            peak_kib: median(self.peaks_kib.clone()),
            profiler_bytes: self.profiler_bytes,
            share: self.share,
        }
    }
}

/// The middle one; of an even number the upper of the two.
///
/// # Panics
/// Of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
