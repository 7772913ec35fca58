//! How the calls of a function are spread, and which one was the highest.

use memprof_model::internal::short;
use memprof_model::run::{FunctionProfile, Quantiles};

use crate::text::table::text_table;
use crate::text::units::{duration, mib_unit};

/// Of fewer calls quantiles say nothing.
const FEW: u64 = 20;

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

/// The highest call, if it was only counted: no chart shows it.
pub(crate) fn highest_counted_call(profile: &FunctionProfile) -> Option<String> {
    let call = profile.highest_call().filter(|call| call.only_counted)?;
    let heap = call.heap?;
    Some(format!(
        "heap peak {}, {} allocated, in a call on thread {} between {} and {}; it was only counted, so its RSS is not known",
        mib_unit(heap.peak),
        mib_unit(heap.allocated),
        call.thread,
        duration(call.start_ns),
        duration(call.end_ns),
    ))
}

#[cfg(test)]
mod tests {
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
        let told = highest_counted_call(profile);
        assert_eq!(
            told.as_deref(),
            Some(
                "heap peak 40.00 MiB, 40.00 MiB allocated, in a call on thread 1 between 2.000 ms and 7.000 ms; \
                 it was only counted, so its RSS is not known"
            )
        );
        profile.call_records.retain(|call| !call.only_counted);
        assert_eq!(highest_counted_call(profile), None);
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
