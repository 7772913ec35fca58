//! The figures of a function that tables of functions have: heap first, where it is counted.

use memprof_model::run::{FunctionProfile, Run};

use crate::facts::own::{alive, counts_heap, has_own_rss, own_heap};
use crate::text::units::{duration, mib, signed_mib};

/// What kind of number a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// So many.
    Count,
    /// Nanoseconds.
    Time,
    /// Bytes.
    Size,
    /// Bytes with a sign.
    Change,
}

/// A column of a table of functions.
#[derive(Debug, Clone, Copy)]
pub struct FunctionColumn {
    /// Its heading, without a unit.
    pub title: &'static str,
    /// Its name in CSV.
    pub key: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// The exact value; `None` where it is not known.
    pub value: fn(&FunctionProfile) -> Option<i128>,
}

impl FunctionColumn {
    /// The heading where columns are few and no unit stands beside them.
    #[must_use]
    pub fn heading(&self) -> String {
        match self.title {
            short @ ("alive" | "kept" | "alloc" | "net" | "peak") => format!("{short} MiB"),
            title => title.to_owned(),
        }
    }

    /// The value as it is shown; empty for zero.
    #[must_use]
    pub fn shown(&self, function: &FunctionProfile) -> String {
        let Some(value) = (self.value)(function).filter(|value| *value != 0) else {
            return String::new();
        };
        let amount = u64::try_from(value.unsigned_abs()).unwrap_or(u64::MAX);
        match self.kind {
            Kind::Count => amount.to_string(),
            Kind::Time => duration(amount),
            Kind::Size => mib(amount),
            Kind::Change => signed_mib(i64::try_from(value).unwrap_or(i64::MAX)),
        }
    }
}

/// The columns that `run` has figures for, in their order.
#[must_use]
pub fn function_columns(run: &Run) -> Vec<FunctionColumn> {
    let mut columns = vec![
        column("calls", "calls", Kind::Count, |f| Some(f.calls.into())),
        column("time", "time_ns", Kind::Time, |f| Some(f.time_ns.into())),
    ];
    if counts_heap(run) {
        columns.extend(heap_columns(run));
    }
    columns.extend(rss_columns(run));
    columns
}

fn heap_columns(run: &Run) -> Vec<FunctionColumn> {
    let mut columns = Vec::new();
    columns.push(if run.origins.is_some() {
        column("alive", "alive_bytes", Kind::Size, |f| {
            Some(alive(f)?.bytes.into())
        })
    } else {
        column("kept", "self_heap_net", Kind::Change, |f| {
            Some(own_heap(f)?.net.into())
        })
    });
    if run.functions.iter().any(|f| f.self_heap.is_some()) {
        columns.push(column("self peak", "self_heap_peak", Kind::Size, |f| {
            Some(f.self_heap?.peak.into())
        }));
    }
    columns.extend([
        column("alloc", "self_heap_allocated", Kind::Size, |f| {
            Some(own_heap(f)?.allocated.into())
        }),
        column("allocs", "self_heap_allocations", Kind::Count, |f| {
            Some(own_heap(f)?.allocations.into())
        }),
        column("heap peak", "heap_peak", Kind::Size, |f| {
            Some(f.heap?.peak.into())
        }),
    ]);
    columns
}

fn rss_columns(run: &Run) -> Vec<FunctionColumn> {
    let [own, net, peak] = if counts_heap(run) {
        ["self RSS", "net RSS", "peak RSS"]
    } else {
        ["self net", "net", "peak"]
    };
    let mut columns = Vec::new();
    let differs = run.functions.iter().any(|f| f.self_net_rss != f.net_rss);
    if has_own_rss(run) && differs {
        columns.push(column(own, "self_net_rss", Kind::Change, |f| {
            Some(f.self_net_rss.into())
        }));
    }
    columns.extend([
        column(net, "net_rss", Kind::Change, |f| Some(f.net_rss.into())),
        column(peak, "peak_rss", Kind::Size, |f| Some(f.peak_rss.into())),
    ]);
    columns
}

fn column(
    title: &'static str,
    key: &'static str,
    kind: Kind,
    value: fn(&FunctionProfile) -> Option<i128>,
) -> FunctionColumn {
    FunctionColumn {
        title,
        key,
        kind,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn titles(run: &Run) -> Vec<&'static str> {
        let columns = function_columns(run).into_iter();
        columns.map(|column| column.title).collect()
    }

    #[test]
    fn heap_comes_first_where_it_is_counted() {
        assert_eq!(
            titles(&fixture::leaking())[2..],
            [
                "alive",
                "self peak",
                "alloc",
                "allocs",
                "heap peak",
                "self RSS",
                "net RSS",
                "peak RSS"
            ]
        );
        // Blocks are not followed, and no callee is told apart.
        assert_eq!(
            titles(&fixture::apart())[2..],
            [
                "kept",
                "alloc",
                "allocs",
                "heap peak",
                "net RSS",
                "peak RSS"
            ]
        );
        assert_eq!(titles(&fixture::inverse())[2..], ["net", "peak"]);
        assert_eq!(titles(&fixture::nested())[2..], ["self net", "net", "peak"]);
    }
}
