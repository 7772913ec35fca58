//! Says how much of what RSS rose by is in no function, where that is most of it.

use memprof_model::run::Run;

use crate::facts::shown_call::all_read;
use crate::text::units::mib_unit;

/// Less than this is code, stacks, and what the start of a program needs.
const LITTLE: i64 = 4 << 20;

/// What to say where the functions hold less than half of what RSS rose by. Where the heap is counted, it tells of
/// every call, and this is not said.
pub(crate) fn remark(run: &Run) -> Option<String> {
    if run.heap || run.watched.is_some() || run.functions.is_empty() {
        return None;
    }
    // Until the last call ended: what the program gives back after that is in no function, and need not be.
    let calls = run
        .functions
        .iter()
        .flat_map(|function| function.read_calls());
    let end = calls.max_by_key(|call| call.end_ns)?.exit_rss;
    let grown = (end as i64).saturating_sub(run.process.baseline_rss as i64);
    let own = run.functions.iter().map(|function| function.self_net_rss);
    let untold = grown.saturating_sub(own.fold(0, i64::saturating_add));
    if untold < LITTLE || untold < grown / 2 {
        return None;
    }
    let unread = match run.functions.iter().all(all_read) {
        true => "",
        false => ", or in calls that were not read",
    };
    Some(format!(
        "RSS rose by {} until the last call ended. {} of that is in no function: it came outside of annotated \
         calls{unread}. The feature counting tells of every call what it did on the heap.",
        mib_unit(grown.unsigned_abs()),
        mib_unit(untold.unsigned_abs())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const MIB: u64 = 1 << 20;

    /// RSS rose by 100 MiB, of which the only function has `own`.
    fn grown(own: i64) -> Run {
        let mut run = fixture::many_short_calls();
        run.process.baseline_rss = 10 * MIB;
        run.functions.truncate(1);
        run.functions[0].self_net_rss = own;
        let calls = run.functions[0].call_records.iter_mut();
        let last = calls.max_by_key(|call| call.end_ns).expect("calls");
        last.exit_rss = 110 * MIB;
        run
    }

    #[test]
    fn most_of_it_is_in_no_function() {
        let run = grown(3 * MIB as i64);
        assert_eq!(
            remark(&run).as_deref(),
            Some(
                "RSS rose by 100.0 MiB until the last call ended. 97.00 MiB of that is in no function: it came \
                 outside of annotated calls, or in calls that were not read. The feature counting tells of every call \
                 what it did on the heap."
            )
        );
        let mut read = run;
        read.functions[0].calls = read.functions[0].read_calls().count() as u64;
        let said = remark(&read).expect("the same");
        assert!(said.contains("outside of annotated calls. The"), "{said}");
    }

    #[test]
    fn nothing_is_said_where_functions_have_it_or_the_heap_tells() {
        assert_eq!(remark(&grown(60 * MIB as i64)), None);
        let mut counted = grown(0);
        counted.heap = true;
        assert_eq!(remark(&counted), None);
    }
}
