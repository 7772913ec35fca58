//! The columns of the line table as text: titles, and cells with their decimal points aligned.

use memprof_model::run::{FunctionProfile, HeapFigures, Line};

use crate::facts::rows::{Row, marks};
use crate::facts::rss_and_heap::others_show;
use crate::text::table::{Align, table};
use crate::text::units::{TimeUnit, align_points, mib, signed_mib};

/// The heading and one text for each row, all of one width.
pub(crate) fn numbers(columns: &[Column]) -> Vec<String> {
    let heading = columns.iter().map(|column| &column.title);
    let rows = (0..columns.first().map_or(0, |column| column.cells.len()))
        .map(|i| columns.iter().map(|column| &column.cells[i]).collect());
    table(heading, rows, &[Align::Right])
}

/// A column of the table, a cell for each row.
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) cells: Vec<String>,
}

/// The columns that have something to show, in order.
pub(crate) fn columns(rows: &[Row<'_>], profile: &FunctionProfile) -> Vec<Column> {
    let time = TimeUnit::for_longest(
        profile
            .lines
            .iter()
            .map(|line| line.time_ns)
            .max()
            .unwrap_or(0),
    );
    let cell = |title: &str, show: &dyn Fn(&Line) -> Option<String>| {
        let mut cells: Vec<_> = rows
            .iter()
            .map(|row| row.executed().and_then(show).unwrap_or_default())
            .collect();
        align_points(&mut cells);
        Column {
            title: title.to_owned(),
            cells,
        }
    };
    let mut columns = vec![
        Column {
            title: "line".to_owned(),
            cells: rows.iter().map(|row| row.number.to_string()).collect(),
        },
        cell("hits", &|line| nonzero(line.hits)),
        cell(&format!("time {}", time.symbol()), &|line| {
            (line.time_ns > 0).then(|| time.number(line.time_ns))
        }),
        cell("RSS MiB", &|line| line.max_rss.map(mib)),
        cell("net MiB", &|line| signed(line.net_rss)),
        cell("peak MiB", &|line| size(line.peak_rss)),
    ];
    if rows
        .iter()
        .filter_map(Row::executed)
        .any(|line| !marks(line).is_empty())
    {
        columns.insert(2, cell("", &|line| Some(marks(line).to_owned())));
    }
    let lines = || profile.lines.iter();
    if lines().any(|line| line.heap.is_some()) {
        let heap = |title: &str, show: &dyn Fn(&HeapFigures) -> Option<String>| {
            cell(title, &|line| line.heap.as_ref().and_then(show))
        };
        columns.extend([
            heap("alloc MiB", &|heap| size(heap.allocated)),
            heap("freed MiB", &|heap| size(heap.freed)),
            heap("heap peak", &|heap| size(heap.peak)),
            heap("allocs", &|heap| nonzero(heap.allocations)),
        ]);
    }
    if has_elsewhere(profile) {
        columns.push(cell("elsewhere MiB", &|line| {
            signed(line.heap_elsewhere?.net)
        }));
    }
    if lines().any(|line| line.suspended > 0) {
        columns.push(cell("suspended", &|line| nonzero(line.suspended)));
    }
    if lines().any(|line| line.suspended_heap != 0) {
        columns.push(cell("held MiB", &|line| signed(line.suspended_heap)));
    }
    if lines().any(|line| line.workers.is_some()) {
        columns.extend([
            cell("worker hits", &|line| {
                line.workers.and_then(|w| nonzero(w.hits))
            }),
            cell(&format!("worker {}", time.symbol()), &|line| {
                line.workers.map(|w| time.number(w.time_ns))
            }),
        ]);
    }
    columns
}

/// Whether other threads used the heap while a line ran.
pub(crate) fn has_elsewhere(profile: &FunctionProfile) -> bool {
    let mut others = profile.lines.iter().filter_map(|line| line.heap_elsewhere);
    others.any(|heap| others_show(&heap))
}

fn nonzero(count: u64) -> Option<String> {
    (count > 0).then(|| count.to_string())
}

fn size(bytes: u64) -> Option<String> {
    (bytes > 0).then(|| mib(bytes))
}

fn signed(bytes: i64) -> Option<String> {
    (bytes != 0).then(|| signed_mib(bytes))
}
