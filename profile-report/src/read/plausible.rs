//! Whether a run that was read from a file can be one: its figures are within bounds, and what refers
//! to something refers to what is there. Renderers count on it.

use memprof_model::run::{
    Call, FigureGrowth, FunctionProfile, HeapFigures, Line, LineAtSize, Origins, Run, SCHEMA,
    SizeFigures,
};

/// No figure is larger: 256 PiB, nine years in nanoseconds. A difference or a sum of several then
/// stays within its type.
pub(super) const MOST: u64 = 1 << 58;

/// Whether nothing is wrong with `run`.
pub(crate) fn is_plausible(run: &Run) -> bool {
    check(run).is_ok()
}

/// What is wrong with `run`, if anything.
pub(super) fn check(run: &Run) -> Result<(), String> {
    if run.schema != SCHEMA {
        return Err(format!("its schema is {:?}", run.schema));
    }
    within(&[
        run.duration_ns,
        run.process.peak_rss,
        run.process.baseline_rss,
        run.sampler.ticks_due,
        run.sampler.ticks_taken,
        run.sampler.longest_gap_ns,
        run.overhead.readings,
        run.overhead.reading_ns,
        run.overhead.sampler_cpu_ns,
        run.overhead.profiler_bytes,
    ])?;
    for sample in &run.series {
        within(&[sample.t_ns, sample.rss, sample.heap.unwrap_or(0)])?;
    }
    if let Some(watched) = &run.watched {
        within(&[watched.interval_ns])?;
        for child in &watched.children {
            within(&[child.peak_rss])?;
            for sample in &child.series {
                within(&[sample.t_ns, sample.rss])?;
            }
        }
    }
    run.functions.iter().try_for_each(|function| {
        check_function(function).map_err(|found| format!("function {:?}: {found}", function.name))
    })
}

fn check_function(function: &FunctionProfile) -> Result<(), String> {
    within(&[
        function.interval_ns,
        function.calls,
        function.panics,
        function.threads,
        function.time_ns,
        function.entry_rss,
        function.exit_rss,
        function.max_rss,
        function.net_rss.unsigned_abs(),
        function.peak_rss,
        function.calls_omitted,
    ])?;
    heap(function.heap)?;
    heap(function.heap_elsewhere)?;
    if let Some(at) = function.peak_at {
        within(&[at.from_ns, at.to_ns, at.rss])?;
        ordered(at.from_ns, at.to_ns, "its peak")?;
    }
    let lines = u32::try_from(function.source.lines().count()).ok();
    if lines
        .and_then(|lines| function.source_line.checked_add(lines))
        .is_none()
    {
        return Err("its line numbers are too large".to_owned());
    }
    function.lines.iter().try_for_each(check_line)?;
    function.call_records.iter().try_for_each(check_call)?;
    function.sizes.iter().try_for_each(check_size)?;
    function.growth.iter().try_for_each(check_growth)?;
    if let Some(maxima) = &function.call_maxima {
        within(&[maxima.calls, maxima.shared, maxima.peak_rss])?;
        heap(maxima.heap)?;
        check_lines_of_calls(&maxima.lines)?;
    }
    for sample in &function.series {
        within(&[sample.t_ns, sample.rss, sample.heap.unwrap_or(0)])?;
    }
    match function.series_call {
        Some(call) if call >= function.call_records.len() => {
            Err(format!("its series is of call {call}, which is not there"))
        }
        _ => Ok(()),
    }
}

fn check_line(line: &Line) -> Result<(), String> {
    within(&[
        line.hits,
        line.readings,
        line.time_ns,
        line.max_rss.unwrap_or(0),
        line.net_rss.unsigned_abs(),
        line.peak_rss,
        line.samples,
        line.shared,
    ])?;
    heap(line.heap)?;
    heap(line.heap_elsewhere)?;
    line.origins.map_or(Ok(()), origins)?;
    line.workers.map_or(Ok(()), |workers| {
        within(&[workers.hits, workers.time_ns])?;
        heap(workers.heap)
    })
}

fn check_size(size: &SizeFigures) -> Result<(), String> {
    finite(size.n)?;
    within(&[
        size.calls,
        size.peak_rss,
        size.net_rss.unsigned_abs(),
        size.time_ns,
    ])?;
    heap(size.heap)?;
    check_lines_of_calls(&size.lines)
}

fn check_lines_of_calls(lines: &[LineAtSize]) -> Result<(), String> {
    lines.iter().try_for_each(|line| {
        within(&[line.peak_rss, line.net_rss.unsigned_abs(), line.time_ns])?;
        heap(line.heap)
    })
}

fn check_call(call: &Call) -> Result<(), String> {
    within(&[
        call.end_ns,
        call.suspended_ns,
        call.thread,
        call.entry_rss,
        call.exit_rss,
        call.peak_rss,
        call.net_rss.unsigned_abs(),
        call.suspended_rss.unsigned_abs(),
    ])?;
    call.by.map_or(Ok(()), finite)?;
    ordered(call.start_ns, call.end_ns, "a call")
}

fn check_growth(found: &FigureGrowth) -> Result<(), String> {
    let growth = &found.growth;
    let curve = growth.curve.iter();
    let curve = curve.flat_map(|curve| [curve.factor, curve.constant]);
    let exponent = growth.exponent.iter();
    let exponent = exponent.flat_map(|exponent| [exponent.value, exponent.low, exponent.high]);
    let predictions = growth.predictions.iter();
    let predictions = predictions.flat_map(|at| [at.n, at.value, at.low, at.high]);
    let range = [growth.from, growth.to];
    let all = curve.chain(exponent).chain(predictions).chain(range);
    all.into_iter().try_for_each(finite)
}

/// JSON can tell of numbers that are larger than any that can be calculated with.
fn finite(size: f64) -> Result<(), String> {
    if !size.is_finite() {
        return Err(format!("{size} is no size"));
    }
    Ok(())
}

fn origins(origins: Origins) -> Result<(), String> {
    within(&[
        origins.alive_bytes,
        origins.alive_blocks,
        origins.alive_after_call_bytes,
        origins.alive_after_call_blocks,
        origins.passing_bytes,
        origins.passing_blocks,
        origins.resized,
    ])
}

fn heap(figures: Option<HeapFigures>) -> Result<(), String> {
    let Some(heap) = figures else { return Ok(()) };
    within(&[
        heap.allocated,
        heap.freed,
        heap.net.unsigned_abs(),
        heap.peak,
        heap.allocations,
    ])
}

fn within(figures: &[u64]) -> Result<(), String> {
    match figures.iter().find(|&&figure| figure > MOST) {
        Some(figure) => Err(format!("{figure} is no figure of a run")),
        None => Ok(()),
    }
}

fn ordered(start: u64, end: u64, what: &str) -> Result<(), String> {
    if start > end {
        return Err(format!(
            "{what} ends at {end} ns, before its start at {start} ns"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use memprof_model::data;

    #[test]
    fn recorded_runs_are() {
        for (name, run) in fixture::all() {
            assert_eq!(check(&run), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        let found = |change: &dyn Fn(&mut FunctionProfile)| {
            let mut run = fixture::heap();
            change(&mut run.functions[1]);
            check(&run).unwrap_err()
        };
        let call = |change: &dyn Fn(&mut Call)| found(&|f| change(&mut f.call_records[0]));
        let line = |change: &dyn Fn(&mut Line)| found(&|f| change(&mut f.lines[0]));
        for (said, expected) in [
            (
                found(&|f| f.series_call = Some(3)),
                "its series is of call 3",
            ),
            (found(&|f| f.source_line = u32::MAX), "line numbers"),
            (found(&|f| f.net_rss = i64::MIN), "9223372036854775808"),
            (
                call(&|c| (c.start_ns, c.end_ns) = (2, 1)),
                "ends at 1 ns, before",
            ),
            (call(&|c| c.peak_rss = u64::MAX), "18446744073709551615"),
            (call(&|c| c.by = Some(f64::INFINITY)), "no size"),
            (line(&|l| l.hits = MOST + 1), "no figure of a run"),
            (
                line(&|l| {
                    l.origins = Some(data!(Origins {
                        alive_bytes: u64::MAX,
                        ..Origins::default()
                    }))
                }),
                "no figure of a run",
            ),
            (
                found(&|f| {
                    f.growth = fixture::growing().functions[0].growth.clone();
                    f.growth[0].growth.to = f64::INFINITY;
                }),
                "no size",
            ),
        ] {
            assert!(said.contains("load") && said.contains(expected), "{said}");
        }
    }
}
