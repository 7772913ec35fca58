//! The line table, as text and on the page.

use memprof_model::run::{HeapFigures, Line};
use serde_json::Value;

use super::pages::the_figures;
use super::*;

/// Where a column of the line table comes from, and what one of its units is.
fn column(title: &str) -> (&'static str, f64) {
    match title {
        "line" => ("line", 1.0),
        "hits" => ("hits", 1.0),
        "time ms" => ("time_ns", 1e6),
        "time s" => ("time_ns", 1e9),
        "worker ms" => ("workers.time_ns", 1e6),
        "worker s" => ("workers.time_ns", 1e9),
        "RSS MiB" => ("max_rss", MIB),
        "net MiB" | "net RSS" => ("net_rss", MIB),
        "self net" | "self RSS" => ("self_net_rss", MIB),
        "peak MiB" | "peak RSS" => ("peak_rss", MIB),
        "alive MiB" => ("origins.alive_bytes", MIB),
        "self peak" => ("self_heap.peak", MIB),
        "self alloc" => ("self_heap.allocated", MIB),
        "alloc MiB" => ("heap.allocated", MIB),
        "freed MiB" => ("heap.freed", MIB),
        "heap peak" => ("heap.peak", MIB),
        "allocs" => ("heap.allocations", 1.0),
        "suspended" => ("suspended", 1.0),
        "held MiB" => ("suspended_heap", MIB),
        "elsewhere MiB" => ("heap_elsewhere.net", MIB),
        "worker hits" => ("workers.hits", 1.0),
        _ => panic!("an unknown column {title:?}"),
    }
}

/// What ran: the other rows have no figures.
fn ran(line: &Value) -> bool {
    number(line, "hits") > Some(0.0) || !line["workers"].is_null()
}

#[test]
fn the_line_table_as_text() {
    for (name, written) in all() {
        for (function, file) in written.functions() {
            let text = written.file(&format!("{file}.txt"));
            let mut rows = text
                .lines()
                .skip_while(|row| !row.trim_start().starts_with("line "));
            let heading = rows.next().expect("a table");
            let columns: Vec<_> = ends(heading)
                .into_iter()
                .filter(|(title, _)| title != "source")
                .collect();
            let rows: Vec<_> = rows.skip(1).map(|row| cells(row, &columns)).collect();
            for line in function["lines"].as_array().unwrap() {
                let row = rows
                    .iter()
                    .find(|row| row[0].parse().ok() == line["line"].as_u64())
                    .expect("a row for each line");
                for ((title, _), shown) in columns.iter().zip(row) {
                    if title == "together" {
                        of_a_group(function, line, shown);
                        continue;
                    }
                    let (path, unit) = column(title);
                    let exact = number(line, path)
                        .filter(|_| ran(line) || path == "line")
                        .unwrap_or(0.0);
                    let shown = shown.trim_start_matches(['~', '*']);
                    assert!(
                        rounds(shown, exact / unit),
                        "{name} {file} {line}\n{title}: {shown}"
                    );
                }
            }
        }
    }
}

/// What stands in the column of brackets: beside the first line of a group what its lines have together.
fn of_a_group(function: &Value, line: &Value, shown: &str) {
    let of = |line: &Value| line["group"].as_u64();
    let mut lines = function["lines"].as_array().unwrap().iter();
    let is_first = lines.find(|other| of(other).is_some() && of(other) == of(line)) == Some(line);
    let group = of(line).map(|place| &function["groups"][place as usize]);
    let shown = shown.trim_start_matches(['╭', '├', '│', '╰', ' ']);
    match group.filter(|_| is_first) {
        Some(group) => assert!(
            rounds(shown, number(group, "net_rss").unwrap() / MIB),
            "{shown}"
        ),
        None => assert_eq!(shown, ""),
    }
}

/// What lines and groups have adds up to what the function has, and what they did themselves is no more than all.
#[test]
fn lines_and_groups_add_up() {
    let (mut with_groups, mut with_own) = (0, 0);
    for (name, run) in fixture::all() {
        // Its figures are made up, not played.
        let functions = run.functions.iter().filter(|_| name != "long");
        for function in functions.filter(|f| !f.lines.is_empty()) {
            let context = || format!("{name}: {}", function.name);
            let (lines, groups) = (&function.lines, &function.groups);
            let net: i64 = lines.iter().map(|line| line.net_rss).sum();
            let together: i64 = groups.iter().map(|group| group.net_rss).sum();
            assert_eq!(net + together, function.net_rss, "{}", context());
            let net: i64 = lines.iter().map(|line| line.self_net_rss).sum();
            let together: i64 = groups.iter().map(|group| group.self_net_rss).sum();
            assert_eq!(net + together, function.self_net_rss, "{}", context());
            with_groups += groups.len();
            let Some((heap, own)) = function.heap.zip(function.self_heap) else {
                continue;
            };
            with_own += 1;
            let figures = |heap: HeapFigures| [heap.allocated, heap.freed, heap.allocations];
            for (all, part) in figures(heap).into_iter().zip(figures(own)) {
                assert!(part <= all, "{}", context());
            }
            assert!(own.peak <= heap.peak, "{}", context());
            for i in 0..3 {
                let sum = |of: fn(&Line) -> Option<HeapFigures>| -> u64 {
                    lines
                        .iter()
                        .filter_map(of)
                        .map(|heap| figures(heap)[i])
                        .sum()
                };
                assert_eq!(sum(|line| line.heap), figures(heap)[i], "{}", context());
                assert_eq!(sum(|line| line.self_heap), figures(own)[i], "{}", context());
            }
        }
    }
    assert!(with_groups > 0 && with_own > 10, "{with_groups} {with_own}");
}

/// The field of run.json that a column of the page stands for.
fn field(key: &str) -> String {
    let nested = [
        ("alive_", "origins.alive_"),
        ("self_heap_", "self_heap."),
        ("heap_elsewhere_", "heap_elsewhere."),
        ("heap_", "heap."),
        ("worker_", "workers."),
    ];
    let found = nested
        .iter()
        .find_map(|(prefix, path)| Some(format!("{path}{}", key.strip_prefix(prefix)?)));
    found.unwrap_or_else(|| key.to_owned())
}

#[test]
fn the_line_table_of_the_page() {
    for (name, written) in all() {
        for (function, file) in written.functions() {
            let page = written.file(&format!("{file}.html"));
            // That of growth stands beside it.
            let mut tables = between(&page, "<table", "</table>").into_iter();
            let table = tables.find(|table| table.contains("data-key"));
            let headings: Vec<_> = between(table.unwrap_or_default(), "<th ", "</th>")
                .iter()
                .map(|th| {
                    let attribute = |key: &str| {
                        between(th, &format!("{key}=\""), "\"")
                            .first()
                            .map(|v| (*v).to_owned())
                    };
                    let (_, text) = th.split_once('>').unwrap();
                    (attribute("data-key"), plain(text))
                })
                .collect();
            for line in function["lines"].as_array().unwrap() {
                let row = between(&page, &format!("data-line=\"{}\">", line["line"]), "</tr>")[0];
                let cells = between(row, "<td", "</td>");
                assert_eq!(cells.len(), headings.len(), "{name}");
                for ((key, heading), cell) in headings.iter().zip(cells) {
                    let Some(key) = key.as_deref().filter(|key| *key != "source") else {
                        continue;
                    };
                    let (attributes, text) = cell.split_once('>').unwrap();
                    if key == "group_net_rss" {
                        of_a_group(function, line, &plain(text));
                        continue;
                    }
                    let shown = plain(text).trim_start_matches(['~', '*']).trim().to_owned();
                    let value = between(attributes, "data-v=\"", "\"")
                        .first()
                        .map_or(shown.clone(), |v| (*v).to_owned());
                    let exact = number(line, &field(key)).filter(|_| ran(line) || key == "line");
                    let context = || format!("{name} {file} {line}\n{key}: {shown} {value}");
                    assert!(rounds(&value, exact.unwrap_or(0.0)), "{}", context());
                    let unit = match heading {
                        heading if heading.ends_with("MiB") => MIB,
                        heading if heading.ends_with(" ms") => 1e6,
                        heading if heading.ends_with(" s") => 1e9,
                        _ => 1.0,
                    };
                    assert!(rounds(&shown, exact.unwrap_or(0.0) / unit), "{}", context());
                }
            }
            the_figures(name, function, &page);
        }
    }
}
