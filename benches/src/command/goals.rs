//! The goals, each with what was measured and whether it is reached.

use crate::busy::Busy;
use crate::compile::{self, Compile};
use crate::exit::{self, Exit};
use crate::python::PythonRow;
use crate::rounds::{Cell, Row};
use crate::table::more;
use crate::variants::{ANNOTATED, COMPILED_OUT, COUNTING, DISABLED, ORIGINS, PLAIN, TOTALS};

/// Everything that was measured; what was not asked for is missing.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) rows: Vec<Row>,
    pub(crate) python: Vec<PythonRow>,
    pub(crate) busy: Vec<Busy>,
    pub(crate) exits: Vec<Exit>,
    pub(crate) compile: Option<Compile>,
}

impl Results {
    fn row(&self, workload: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.workload.name == workload)
    }

    /// A figure from a variant of a workload and its plain program.
    fn of(&self, workload: &str, variant: &str, figure: fn(&Cell, &Cell) -> f64) -> Option<f64> {
        let row = self.row(workload)?;
        Some(figure(row.cell(variant)?, row.cell(PLAIN)?))
    }

    /// The same from a variant and the faster one of two programs that are the same: the plain one, and
    /// the one from which memprof is compiled out. So noise in the plain one's figures flatters nobody.
    fn beside(
        &self,
        workload: &str,
        variant: &str,
        figure: fn(&Cell, &Cell) -> f64,
    ) -> Option<f64> {
        let row = self.row(workload)?;
        let variant = row.cell(variant)?;
        let bases = [PLAIN, COMPILED_OUT].into_iter();
        let bases = bases.filter_map(|base| row.cell(base));
        bases.map(|base| figure(variant, base)).reduce(f64::max)
    }

    fn share(&self, workload: &str, variant: &str) -> Option<f64> {
        self.row(workload)?.cell(variant)?.share
    }

    fn taken(&self, interval_ms: &str) -> Option<f64> {
        let busy = self.busy.iter().find(|it| it.interval_ms == interval_ms)?;
        Some(busy.taken)
    }

    fn exit(&self, what: &str) -> Option<f64> {
        let exit = self.exits.iter().find(|exit| exit.what == what)?;
        Some(exit.exit_ns / 1e9)
    }

    /// The most that memprof held for itself in any run, in MiB; the table of `with_origins` has a room of
    /// its own.
    fn profiler_mib(&self) -> Option<f64> {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        let cells = cells.filter(|cell| cell.name != ORIGINS);
        let bytes = cells.map(|cell| cell.profiler_bytes).max()?;
        (bytes > 0).then(|| bytes as f64 / f64::from(1 << 20))
    }

    /// memprof's part of the compile time above the plain crate's, of tracing's: (dev, release).
    fn compile(&self) -> Option<(f64, f64)> {
        let cells = &self.compile.as_ref()?.cells;
        let cell = |name: &str| cells.iter().find(|cell| cell.name == name);
        let (memprof, tracing) = (cell(compile::MEMPROF)?, cell(compile::TRACING)?);
        Some((
            memprof.dev_ns / tracing.dev_ns,
            memprof.release_ns / tracing.release_ns,
        ))
    }
}

fn cpu(cell: &Cell, plain: &Cell) -> f64 {
    cell.cpu_ns / plain.cpu_ns
}

fn peak(cell: &Cell, plain: &Cell) -> f64 {
    cell.peak_kib / plain.peak_kib
}

fn more_mib(cell: &Cell, plain: &Cell) -> f64 {
    (cell.peak_kib - plain.peak_kib) / 1024.0
}

/// A row: what it is about, the measured value, the goal.
struct Goal {
    what: &'static str,
    value: Option<f64>,
    unit: &'static str,
    limit: Limit,
}

#[derive(Clone, Copy)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

const fn at_most(what: &'static str, value: Option<f64>, limit: f64, unit: &'static str) -> Goal {
    Goal {
        what,
        value,
        unit,
        limit: Limit::AtMost(limit),
    }
}

const fn at_least(what: &'static str, value: Option<f64>, limit: f64, unit: &'static str) -> Goal {
    Goal {
        what,
        value,
        unit,
        limit: Limit::AtLeast(limit),
    }
}

fn goals(results: &Results) -> Vec<Goal> {
    let of = |workload, variant, figure| results.of(workload, variant, figure);
    let beside = |workload, variant, figure| results.beside(workload, variant, figure);
    let compile = results.compile();
    vec![
        at_most(
            "(a) annotated, CPU",
            beside("inverse", ANNOTATED, cpu),
            1.02,
            "×",
        ),
        at_most(
            "(b) lines and heap, CPU",
            beside("allocations", COUNTING, cpu),
            1.25,
            "×",
        ),
        at_most(
            "(b) with the index, which hits more lines, lines and heap, CPU",
            beside("index", COUNTING, cpu),
            1.25,
            "×",
        ),
        at_most(
            "(b) `lines = false`, CPU",
            beside("allocations", TOTALS, cpu),
            1.05,
            "×",
        ),
        at_most(
            "(b) with the index, `lines = false`, CPU",
            beside("index", TOTALS, cpu),
            1.05,
            "×",
        ),
        at_most(
            "(b) with the index, peak RSS",
            of("index", COUNTING, peak),
            1.05,
            "×",
        ),
        at_most(
            "(c) a hot call",
            beside("call", ANNOTATED, more),
            30.0,
            " ns",
        ),
        at_most(
            "(c) a hot call, counting allocator",
            beside("call", COUNTING, more),
            30.0,
            " ns",
        ),
        at_most(
            "(c) growth of memory in ten million calls, all that memprof adds to a process included",
            of("call", ANNOTATED, more_mib),
            4.0,
            " MiB",
        ),
        at_most(
            "(d) a hit of a hot line",
            beside("line", ANNOTATED, more),
            3.0,
            " ns",
        ),
        at_most(
            "(d) the same, counting allocator",
            beside("line", COUNTING, more),
            3.0,
            " ns",
        ),
        at_least(
            "(d) net on the line that allocates",
            results.share("line", ANNOTATED),
            95.0,
            "%",
        ),
        at_least(
            "(d) the same, counting allocator",
            results.share("line", COUNTING),
            95.0,
            "%",
        ),
        at_most(
            "(e) an exact line",
            beside("exact", ANNOTATED, more),
            4_000.0,
            " ns",
        ),
        at_least(
            "(e) lines that are read one by one",
            results.share("exact", ANNOTATED),
            100.0,
            "%",
        ),
        at_most(
            "a call, disabled by variable",
            beside("call", DISABLED, more),
            2.0,
            " ns",
        ),
        at_most(
            "compiled out by feature, a call",
            of("call", COMPILED_OUT, more),
            0.1,
            " ns",
        ),
        at_least(
            "(f) samples on busy processors at 10 ms",
            results.taken("10"),
            99.0,
            "%",
        ),
        at_least(
            "(f) samples on busy processors at 1 ms",
            results.taken("1"),
            95.0,
            "%",
        ),
        at_most(
            "the profiler's own memory, the most in any run",
            results.profiler_mib(),
            4.0,
            " MiB",
        ),
        at_most(
            "reports at exit, the demo's inverse",
            results.exit(exit::INVERSE),
            0.3,
            " s",
        ),
        at_most(
            "reports at exit, 500 functions and 100,000 calls",
            results.exit(exit::FUNCTIONS),
            2.0,
            " s",
        ),
        at_most(
            "compile time of `#[tracing::instrument]`, dev",
            compile.map(|it| it.0),
            1.0,
            "×",
        ),
        at_most(
            "compile time of `#[tracing::instrument]`, release",
            compile.map(|it| it.1),
            1.0,
            "×",
        ),
    ]
}

/// The table, without what was not measured.
pub(crate) fn table(results: &Results) -> String {
    let mut text = String::from("| | goal | here | |\n|---|---|---|---|\n");
    for goal in goals(results) {
        let Some(value) = goal.value else { continue };
        let (goal_text, reached) = match goal.limit {
            Limit::AtMost(limit) => (format!("at most {limit}{}", goal.unit), value <= limit),
            Limit::AtLeast(limit) => (format!("at least {limit}{}", goal.unit), value >= limit),
        };
        let verdict = if reached { "reached" } else { "**missed**" };
        let value = format!("{value:.digits$}{}", goal.unit, digits = digits(value));
        text += &format!("| {} | {goal_text} | {value} | {verdict} |\n", goal.what);
    }
    text
}

fn digits(value: f64) -> usize {
    match value.abs() {
        0.0..10.0 => 3,
        10.0..1_000.0 => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workloads;

    fn cell(name: &'static str, main_ns: f64) -> Cell {
        Cell {
            name,
            cpu_ns: main_ns,
            main_ns,
            peak_kib: 2_048.0,
            units: 10.0,
            ..Cell::default()
        }
    }

    fn calls(annotated_ns: f64) -> Results {
        let call = workloads::ALL.iter().find(|it| it.name == "call");
        Results {
            rows: vec![Row {
                workload: *call.expect("there is one"),
                cells: vec![cell(PLAIN, 100.0), cell(ANNOTATED, annotated_ns)],
            }],
            ..Results::default()
        }
    }

    #[test]
    fn a_goal_is_reached_or_missed() {
        let reached = table(&calls(300.0));
        assert!(
            reached.contains("| (c) a hot call | at most 30 ns | 20.0 ns | reached |"),
            "{reached}"
        );
        let missed = table(&calls(500.0));
        assert!(missed.contains("| 40.0 ns | **missed** |"), "{missed}");
    }

    #[test]
    fn a_slow_plain_program_flatters_nobody() {
        let mut results = calls(400.0);
        results.rows[0].cells.push(cell(COMPILED_OUT, 50.0));
        let text = table(&results);
        assert!(
            text.contains("| (c) a hot call | at most 30 ns | 35.0 ns | **missed** |"),
            "{text}"
        );
    }

    #[test]
    fn what_was_not_measured_has_no_row() {
        assert!(!table(&calls(300.0)).contains("compile"));
        assert_eq!(table(&Results::default()).lines().count(), 2);
    }
}
