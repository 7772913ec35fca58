//! How the calls of a function are spread, and which one was the highest.

use memprof_model::internal::short;
use memprof_model::run::{FunctionProfile, Quantiles};

use crate::facts::shown_call::highest_unread;
use crate::text::table::text_table;
use crate::text::units::{duration, mib_unit};

/// Of fewer calls quantiles say nothing.
const FEW: u64 = 20;
/// Rises below this are noise.
const NOISE: u64 = 64 << 10;

/// A figure over the calls.
pub(crate) struct SpreadRow {
    pub(crate) name: &'static str,
    /// In the order of [`SpreadRow::COLUMNS`].
    pub(crate) cells: [String; 5],
}

impl SpreadRow {
    /// What the rows are about.
    pub(crate) const HEADING: &str = "How the calls are spread";
    /// The columns beside the figure's name.
    pub(crate) const COLUMNS: [&str; 5] = [
        "half at most",
        "95% at most",
        "99% at most",
        "highest",
        "of calls",
    ];
}

/// The figures that have something to show.
pub(crate) fn rows(profile: &FunctionProfile) -> Vec<SpreadRow> {
    let Some(spread) = profile.spread else {
        return Vec::new();
    };
    let row = |name, figure: Option<Quantiles>, shown: fn(u64) -> String, suffix| {
        let figure = figure.filter(|figure| figure.calls >= FEW && figure.max > 0)?;
        let of = format!("{}{suffix}", figure.calls);
        let cells = [figure.p50, figure.p95, figure.p99, figure.max].map(shown);
        let [half, most, nearly_all, highest] = cells;
        let cells = [half, most, nearly_all, highest, of];
        Some(SpreadRow { name, cells })
    };
    let rows = [
        row("heap peak", spread.heap_peak, short, ""),
        row("allocated", spread.allocated, short, ""),
        row("peak of RSS", spread.peak_rss, short, " that were read"),
        row("time", spread.time_ns, duration, " that were read"),
    ];
    rows.into_iter().flatten().collect()
}

/// The rows as text; empty without any.
pub(crate) fn spread_table(profile: &FunctionProfile) -> String {
    let rows = rows(profile);
    if rows.is_empty() {
        return String::new();
    }
    let heading = std::iter::once("").chain(SpreadRow::COLUMNS);
    let rows = rows.into_iter().map(|row| {
        let name = std::iter::once(row.name.to_owned());
        name.chain(row.cells).collect()
    });
    let lines = text_table(heading.map(str::to_owned).collect(), rows);
    let lines = lines.iter().map(|line| line.trim_end().to_owned() + "\n");
    format!("{}:\n{}\n", SpreadRow::HEADING, lines.collect::<String>())
}

/// The highest call, if it was not read when it began.
pub(crate) fn highest_unread_call(profile: &FunctionProfile) -> Option<String> {
    let call = highest_unread(profile)?;
    let heap = call.heap.map(|heap| {
        let (peak, allocated) = (mib_unit(heap.peak), mib_unit(heap.allocated));
        format!("heap peak {peak}, {allocated} allocated, ")
    });
    let (from, to) = (duration(call.start_ns), duration(call.end_ns));
    let rest = match call.only_counted {
        true => format!(
            "in a call on thread {} between {from} and {to}; it was only counted, so its RSS is not known",
            call.thread
        ),
        false => format!(
            "RSS {} above that at its first reading, at {from}, in a call on thread {} that ended at {to}",
            mib_unit(call.peak_rss),
            call.thread
        ),
    };
    Some(heap.unwrap_or_default() + &rest)
}

/// By how much RSS rose while calls ran that were not read, if no call that was read rose as much and the heap does
/// not tell.
pub(crate) fn unread_rise(profile: &FunctionProfile) -> Option<String> {
    let unread = profile.unread_rise?;
    let told = profile.heap.is_none() && unread.rise > profile.peak_rss.max(NOISE);
    told.then(|| {
        let calls = match unread.calls {
            1 => "1 call was".to_owned(),
            calls => format!("{calls} calls were"),
        };
        format!(
            "RSS rose by up to {} between {} and {}, while {calls} not read; other code ran, too",
            mib_unit(unread.rise),
            duration(unread.from_ns),
            duration(unread.to_ns)
        )
    })
}

#[cfg(test)]
mod tests {
    use memprof_model::data;
    use memprof_model::run::UnreadRise;

    use super::*;
    use crate::fixture;

    #[test]
    fn the_table_of_many_short_calls() {
        let run = fixture::one_high_call();
        insta::assert_snapshot!(spread_table(&run.functions[0]));
    }

    #[test]
    fn the_highest_call_is_told_where_it_was_only_counted() {
        let mut run = fixture::one_high_call();
        let profile = &mut run.functions[0];
        let told = highest_unread_call(profile);
        assert_eq!(
            told.as_deref(),
            Some(
                "heap peak 40.00 MiB, 40.00 MiB allocated, in a call on thread 1 between 2.000 ms and 7.000 ms; \
                 it was only counted, so its RSS is not known"
            )
        );
        let call = profile.call_records.iter_mut();
        let call = call.max_by_key(|call| call.rank()).expect("calls");
        (call.only_counted, call.peak_rss) = (false, 8 << 20);
        let told = highest_unread_call(profile);
        assert_eq!(
            told.as_deref(),
            Some(
                "heap peak 40.00 MiB, 40.00 MiB allocated, RSS 8.000 MiB above that at its first reading, at \
                 2.000 ms, in a call on thread 1 that ended at 7.000 ms"
            )
        );
        let shown = profile.series_call.expect("a call that was read");
        profile.call_records = vec![profile.call_records[shown].clone()];
        profile.series_call = Some(0);
        assert_eq!(highest_unread_call(profile), None);
    }

    #[test]
    fn a_rise_between_two_readings_is_told_of_the_calls_between_them_and_of_no_single_one() {
        let mut run = fixture::many_short_calls();
        let profile = &mut run.functions[0];
        let rise = |rise, calls| {
            Some(data!(UnreadRise {
                from_ns: 2_000_000,
                to_ns: 7_000_000,
                rise,
                calls,
            }))
        };
        profile.unread_rise = rise(40 << 20, 23_001);
        assert_eq!(
            unread_rise(profile).as_deref(),
            Some(
                "RSS rose by up to 40.00 MiB between 2.000 ms and 7.000 ms, while 23001 calls were not read; \
                 other code ran, too"
            )
        );
        profile.unread_rise = rise(profile.peak_rss, 1);
        assert_eq!(unread_rise(profile), None);
        profile.unread_rise = rise(40 << 20, 1);
        profile.heap = Some(Default::default());
        assert_eq!(unread_rise(profile), None, "the heap tells");
    }

    #[test]
    fn of_a_few_calls_there_is_no_table() {
        let mut run = fixture::one_high_call();
        let profile = &mut run.functions[0];
        let spread = profile.spread.as_mut().expect("it has one");
        let few = spread.time_ns.as_mut().expect("it has one");
        few.calls = FEW - 1;
        assert!(!spread_table(profile).contains("time"));
        profile.spread = None;
        assert_eq!(spread_table(profile), "");
    }
}
