//! Says how much memory is memprof's own, and whether it is part of the program's figures.

use memprof_model::run::Run;

use crate::text::units::mib_unit;

/// A part of the peak that is memprof's own matters from one in so many on.
const CONSIDERABLE: u64 = 20;

/// How much memory the profiler took, and where it is.
pub(crate) fn fact(run: &Run) -> String {
    let cost = &run.overhead;
    let start = mib_unit(cost.start_rss);
    match cost.heap_rss {
        Some(heap) => format!(
            "{} in no other figure of this run: {} of heap, {start} of threads and code",
            mib_unit(heap + cost.start_rss),
            mib_unit(heap)
        ),
        // What it holds is known; what its allocations leave behind in the program's allocator is not.
        None => {
            let heap = mib_unit(cost.profiler_bytes);
            match cost.start_rss {
                0 => format!("at least {heap}, which are in the figures of this run"),
                _ => format!(
                    "at least {heap} of heap, which are in the figures of this run, and {start} of threads and code, which are not"
                ),
            }
        }
    }
}

/// What to say where a considerable part of the peak is memprof's own.
pub(crate) fn remark(run: &Run) -> Option<String> {
    let cost = &run.overhead;
    if cost.heap_rss.is_some() || cost.profiler_bytes < run.process.peak_rss / CONSIDERABLE {
        return None;
    }
    // Nothing was recorded, or not by the program itself.
    if cost.profiler_bytes == 0 || run.functions.is_empty() {
        return None;
    }
    Some(format!(
        "at least {} of these figures are memprof’s own; its feature counting keeps them apart",
        mib_unit(cost.profiler_bytes)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const MIB: u64 = 1 << 20;

    fn run(heap_rss: Option<u64>, peak_rss: u64) -> Run {
        let mut run = fixture::inverse();
        run.process.peak_rss = peak_rss;
        run.overhead.profiler_bytes = 3 * MIB;
        run.overhead.start_rss = 2 * MIB;
        run.overhead.heap_rss = heap_rss;
        run
    }

    #[test]
    fn what_is_known_apart_is_in_no_figure_and_the_rest_is_said() {
        let apart = run(Some(4 * MIB), 10 * MIB);
        assert_eq!(
            fact(&apart),
            "6.000 MiB in no other figure of this run: 4.000 MiB of heap, 2.000 MiB of threads and code"
        );
        assert_eq!(remark(&apart), None);
        let among = run(None, 60 * MIB);
        assert_eq!(
            fact(&among),
            "at least 3.000 MiB of heap, which are in the figures of this run, and 2.000 MiB of threads and code, which are not"
        );
        let said = "at least 3.000 MiB of these figures are memprof’s own; its feature counting keeps them apart";
        assert_eq!(remark(&among).as_deref(), Some(said));
        assert_eq!(
            remark(&run(None, 60 * MIB + 20)),
            None,
            "less than a twentieth"
        );
    }
}
