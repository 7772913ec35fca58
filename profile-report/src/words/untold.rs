//! Says how much of what RSS rose by is in no function, where that is most of it.

use memprof_model::run::{FunctionProfile, Run};

use crate::facts::names::Names;
use crate::facts::own::own_peaks_rss;
use crate::facts::shown_call::all_read;
use crate::text::units::mib_unit;
use crate::words::spread::unread_rise;

/// Less than this is code, stacks, and what the start of a program needs.
const LITTLE: u64 = 4 << 20;

/// What to say where the functions hold less than half of what RSS rose by. Where the heap is counted, it tells of
/// every call, and this is not said.
pub(crate) fn remark(run: &Run) -> Option<String> {
    if run.heap || run.watched.is_some() || run.functions.is_empty() {
        return None;
    }
    let said = at_the_peak(run).or_else(|| at_the_end(run))?;
    let unread = match run.functions.iter().all(all_read) {
        true => "",
        false => ", or in calls that were not read",
    };
    let suspect = suspect(run).map_or_else(String::new, |suspect| format!(" {suspect}."));
    Some(format!(
        "{said} of that is in no function: it came outside of annotated calls{unread}.{suspect} The feature counting \
         tells of every call what it did on the heap."
    ))
}

/// The functions together never had as much as they had at most, each for itself.
fn at_the_peak(run: &Run) -> Option<String> {
    let process = run.process;
    let rise = process.peak_rss.saturating_sub(process.baseline_rss);
    let highest = own_peaks_rss(run).into_iter().zip(&run.functions);
    let most = highest.map(|(peak, function)| {
        let kept = function.self_net_rss.max(0).unsigned_abs();
        peak.max(kept)
    });
    let untold = rise.saturating_sub(most.fold(0, u64::saturating_add));
    is_most(untold, rise).then(|| {
        let (rise, untold) = (mib_unit(rise), mib_unit(untold));
        format!("The peak is {rise} above the start. At least {untold}")
    })
}

/// Until the last call ended: what the program gives back after that is in no function, and need not be.
fn at_the_end(run: &Run) -> Option<String> {
    let calls = run
        .functions
        .iter()
        .flat_map(|function| function.read_calls());
    let end = calls.max_by_key(|call| call.end_ns)?.exit_rss;
    let grown = end.saturating_sub(run.process.baseline_rss);
    let own = run.functions.iter().map(|function| function.self_net_rss);
    let told = own.fold(0, i64::saturating_add);
    let untold = (grown as i64).saturating_sub(told).max(0).unsigned_abs();
    is_most(untold, grown).then(|| {
        let (grown, untold) = (mib_unit(grown), mib_unit(untold));
        format!("RSS rose by {grown} until the last call ended. {untold}")
    })
}

fn is_most(untold: u64, rise: u64) -> bool {
    untold >= LITTLE && untold >= rise / 2
}

/// The highest rise that met calls of a function which were not read. Of several functions that were there the one
/// that ran longest is named.
fn suspect(run: &Run) -> Option<String> {
    let rise = |function: &&FunctionProfile| {
        let rise = function.unread_rise.map_or(0, |unread| unread.rise);
        (rise, function.time_ns)
    };
    let function = run.functions.iter().max_by_key(rise)?;
    let said = unread_rise(function)?;
    let names = Names::of_run(run);
    Some(format!("In {}, {said}", names.of(function)))
}

#[cfg(test)]
mod tests {
    use memprof_model::data;
    use memprof_model::run::UnreadRise;

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
        let mut suspected = run.clone();
        suspected.functions[0].unread_rise = Some(data!(UnreadRise {
            from_ns: 1_000_000,
            to_ns: 3_000_000,
            rise: 60 * MIB,
            calls: 500,
        }));
        let said = remark(&suspected).expect("the same");
        let suspect = "not read. In handle, RSS rose by up to 60.00 MiB between 1.000 ms and 3.000 ms, while 500 calls \
                       were not read; other code ran, too. The";
        assert!(said.contains(suspect), "{said}");
        let mut read = run;
        read.functions[0].calls = read.functions[0].read_calls().count() as u64;
        let said = remark(&read).expect("the same");
        assert!(said.contains("outside of annotated calls. The"), "{said}");
    }

    /// It was given back before the last call ended.
    #[test]
    fn most_of_the_peak_is_in_no_function() {
        let mut run = grown(2 * MIB as i64);
        run.process.peak_rss = 200 * MIB;
        run.functions[0].peak_rss = 5 * MIB;
        for call in &mut run.functions[0].call_records {
            call.exit_rss = 12 * MIB;
        }
        let said = remark(&run).expect("the peak");
        let peak =
            "The peak is 190.0 MiB above the start. At least 185.0 MiB of that is in no function:";
        assert!(said.starts_with(peak), "{said}");
    }

    #[test]
    fn nothing_is_said_where_functions_have_it_or_the_heap_tells() {
        assert_eq!(remark(&grown(60 * MIB as i64)), None);
        let mut counted = grown(0);
        counted.heap = true;
        assert_eq!(remark(&counted), None);
    }
}
