//! Tables of ratios, as Markdown.

use crate::python::PythonRow;
use crate::rounds::{Cell, Row};

/// A section for a workload.
pub(crate) fn workload(row: &Row) -> String {
    let plain = &row.cells[0];
    let mut text = format!(
        "\n## {}\n\n{}.\n\n| {} | time | CPU | a {} more | peak RSS |\n|---|---|---|---|---|\n",
        row.workload.name, row.workload.what, "variant", row.workload.unit
    );
    for cell in &row.cells {
        text += &match std::ptr::eq(cell, plain) {
            true => format!(
                "| {} | {} | {} | | {:.1} MiB |\n",
                cell.name,
                time(cell.wall_ns),
                time(cell.cpu_ns),
                cell.peak_kib / 1024.0
            ),
            false => format!(
                "| {} | {} | {} | {} | {}, {:+.1} MiB |\n",
                cell.name,
                ratio(cell.wall_ns, plain.wall_ns),
                ratio(cell.cpu_ns, plain.cpu_ns),
                time(more(cell, plain)),
                ratio(cell.peak_kib, plain.peak_kib),
                (cell.peak_kib - plain.peak_kib) / 1024.0
            ),
        };
    }
    text
}

/// What Python's profilers cost.
pub(crate) fn python(rows: &[PythonRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n## Python's profilers\n\nTwins of the workloads in Python, a part of each, and ratios to plain \
         Python.\n\n| workload, part | plain Python | memory_profiler | memray |\n|---|---|---|---|\n",
    );
    for row in rows {
        let of = |run: &memprof_benches::measured::Measured| {
            let more = (run.main_ns as f64 - row.plain.main_ns as f64) / run.units as f64;
            format!(
                "{}, {} a unit more",
                ratio(run.wall_ns as f64, row.plain.wall_ns as f64),
                time(more)
            )
        };
        text += &format!(
            "| {}, 1/{} | {} | {} | {} |\n",
            row.workload.name,
            row.workload.python_share,
            time(row.plain.wall_ns as f64),
            of(&row.memory_profiler),
            of(&row.memray)
        );
    }
    text
}

/// The main thread's processor time for a unit above the plain program's, in nanoseconds.
pub(crate) fn more(cell: &Cell, plain: &Cell) -> f64 {
    (cell.main_ns - plain.main_ns) / cell.units
}

pub(crate) fn ratio(value: f64, plain: f64) -> String {
    let ratio = value / plain;
    match ratio {
        100.0.. => format!("{ratio:.0}×"),
        10.0.. => format!("{ratio:.1}×"),
        _ => format!("{ratio:.3}×"),
    }
}

/// A duration in the unit that suits it.
pub(crate) fn time(ns: f64) -> String {
    match ns.abs() {
        1e9.. => format!("{:.2} s", ns / 1e9),
        1e6.. => format!("{:.1} ms", ns / 1e6),
        1e3.. => format!("{:.2} µs", ns / 1e3),
        _ => format!("{ns:.2} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_they_need() {
        assert_eq!(time(2.345), "2.35 ns");
        assert_eq!(time(-12_345.0), "-12.35 µs");
        assert_eq!(time(3e6), "3.0 ms");
        assert_eq!(time(1.5e9), "1.50 s");
        assert_eq!(ratio(3.0, 2.0), "1.500×");
        assert_eq!(ratio(62.0, 1.0), "62.0×");
        assert_eq!(ratio(2_000.0, 1.0), "2000×");
    }
}
