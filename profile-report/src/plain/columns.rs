//! The columns of the line table as text: titles, and cells with their decimal points aligned.

use memprof_model::run::{FunctionProfile, HeapFigures, Line};

use crate::facts::groups::{Brackets, Stroke};
use crate::facts::rows::{Row, marks};
use crate::facts::rss_and_heap::others_show;
use crate::text::table::{Align, table};
use crate::text::units::{TimeUnit, align_points, mib, signed_mib};

/// The heading of the brackets.
pub(crate) const TOGETHER: &str = "together";

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
    ];
    if rows
        .iter()
        .filter_map(Row::executed)
        .any(|line| !marks(line).is_empty())
    {
        columns.push(cell("", &|line| Some(marks(line).to_owned())));
    }
    columns.push(cell(&format!("time {}", time.symbol()), &|line| {
        (line.time_ns > 0).then(|| time.number(line.time_ns))
    }));
    let has_heap = profile.lines.iter().any(|line| line.heap.is_some());
    if has_heap {
        columns.extend(heap(profile, &cell));
    }
    let [own, net, peak] = if has_heap {
        ["self RSS", "net RSS", "peak RSS"]
    } else {
        ["self net", "net MiB", "peak MiB"]
    };
    columns.push(cell("RSS MiB", &|line| line.max_rss.map(mib)));
    if differs_from_own_rss(profile) {
        columns.push(cell(own, &|line| signed(line.self_net_rss)));
    }
    columns.push(cell(net, &|line| signed(line.net_rss)));
    columns.extend(together(profile, rows));
    columns.push(cell(peak, &|line| size(line.peak_rss)));
    if has_elsewhere(profile) {
        columns.push(cell("elsewhere MiB", &|line| {
            signed(line.heap_elsewhere?.net)
        }));
    }
    if profile.lines.iter().any(|line| line.suspended > 0) {
        columns.push(cell("suspended", &|line| nonzero(line.suspended)));
    }
    if profile.lines.iter().any(|line| line.suspended_heap != 0) {
        columns.push(cell("held MiB", &|line| signed(line.suspended_heap)));
    }
    if profile.lines.iter().any(|line| line.workers.is_some()) {
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

/// What a column shows of a line.
type Show<'a> = &'a dyn Fn(&Line) -> Option<String>;

/// The columns of the heap: what is alive, then the line itself beside what it called, if they differ.
fn heap(profile: &FunctionProfile, cell: &dyn Fn(&str, Show<'_>) -> Column) -> Vec<Column> {
    let figure = |title: &str, show: &dyn Fn(&HeapFigures) -> Option<String>| {
        cell(title, &|line| line.heap.as_ref().and_then(show))
    };
    let own = |title: &str, show: &dyn Fn(&HeapFigures) -> Option<String>| {
        cell(title, &|line| line.self_heap.as_ref().and_then(show))
    };
    let mut columns = Vec::new();
    if profile.lines.iter().any(|line| line.origins.is_some()) {
        columns.push(cell("alive MiB", &|line| size(line.origins?.alive_bytes)));
    }
    if differs_from_own_heap(profile) {
        columns.extend([
            own("self peak", &|heap| size(heap.peak)),
            own("self alloc", &|heap| size(heap.allocated)),
        ]);
    }
    columns.extend([
        figure("heap peak", &|heap| size(heap.peak)),
        figure("alloc MiB", &|heap| size(heap.allocated)),
        figure("freed MiB", &|heap| size(heap.freed)),
        figure("allocs", &|heap| nonzero(heap.allocations)),
    ]);
    columns
}

/// Whether annotated callees did something on the heap: then the lines themselves have columns of their own.
pub(crate) fn differs_from_own_heap(profile: &FunctionProfile) -> bool {
    let mut lines = profile.lines.iter();
    lines.any(|line| line.self_heap.is_some_and(|own| Some(own) != line.heap))
}

/// Whether annotated callees changed RSS.
pub(crate) fn differs_from_own_rss(profile: &FunctionProfile) -> bool {
    let tells_apart = |line: &Line| line.self_net_rss != 0;
    let has_own = profile.self_net_rss != 0 || profile.lines.iter().any(tells_apart);
    let mut lines = profile.lines.iter();
    has_own && lines.any(|line| line.self_net_rss != line.net_rss)
}

/// The brackets over lines that were read together, each with what they changed; nothing where there are none.
fn together(profile: &FunctionProfile, rows: &[Row<'_>]) -> Option<Column> {
    let brackets = Brackets::new(profile, rows);
    if brackets.all.is_empty() {
        return None;
    }
    let number = |i: usize| brackets.beginning(i).map(|b| signed_mib(b.group.net_rss));
    let mut numbers: Vec<_> = (0..rows.len())
        .map(|i| number(i).unwrap_or_default())
        .collect();
    align_points(&mut numbers);
    let widest = numbers.iter().map(String::len).max().unwrap_or(0);
    let cell = |((i, row), number): ((usize, &Row<'_>), &String)| {
        let strokes = brackets.strokes(i, row.number);
        let strokes: String = strokes.into_iter().map(glyph).collect();
        if strokes.trim().is_empty() {
            String::new()
        } else {
            format!("{strokes} {number:>widest$}")
        }
    };
    Some(Column {
        title: TOGETHER.to_owned(),
        cells: rows.iter().enumerate().zip(&numbers).map(cell).collect(),
    })
}

fn glyph(stroke: Stroke) -> char {
    match stroke {
        Stroke::None => ' ',
        Stroke::First => '╭',
        Stroke::Inner => '├',
        Stroke::Through => '│',
        Stroke::Last => '╰',
    }
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
