//! Figures on pages, and the data that their scripts draw.

use serde_json::Value;

use super::*;
use crate::facts::ranking::ranked;

/// The large numbers at the top of a function's page.
pub(super) fn the_figures(name: &str, function: &Value, page: &str) {
    let figures = between(page, "<ul class=\"figures\">", "</ul>")[0];
    for figure in between(figures, "<li", "</li>") {
        let title = between(figure, "<span>", "</span>")[0];
        let shown = plain(between(figure, "<b", "</b>")[0].split_once('>').unwrap().1);
        let of = |path: &str| number(function, path).unwrap_or(f64::NAN);
        let own = |figure: &str| own_heap(function, figure).unwrap_or(f64::NAN);
        let agrees = match title {
            "calls" => rounds(&shown, of("calls")),
            "suspended" => rounds(&shown, of("suspended")),
            "time" => is_duration(&shown, of("time_ns")),
            "peak" | "peak RSS" => rounds(shown.trim_end_matches(" MiB"), of("peak_rss") / MIB),
            "net" | "net RSS" => rounds(shown.trim_end_matches(" MiB"), of("net_rss") / MIB),
            "self net" => rounds(shown.trim_end_matches(" MiB"), of("self_net_rss") / MIB),
            "alive at the end" => {
                let lines = function["lines"].as_array().unwrap();
                let alive = lines
                    .iter()
                    .filter_map(|line| number(line, "origins.alive_bytes"));
                rounds(shown.trim_end_matches(" MiB"), alive.sum::<f64>() / MIB)
            }
            "not freed" => rounds(shown.trim_end_matches(" MiB"), own("net") / MIB),
            "self peak" => rounds(shown.trim_end_matches(" MiB"), of("self_heap.peak") / MIB),
            "allocated" => rounds(shown.trim_end_matches(" MiB"), own("allocated") / MIB),
            "largest RSS" => rounds(shown.trim_end_matches(" MiB"), of("max_rss") / MIB),
            "heap peak" => rounds(shown.trim_end_matches(" MiB"), of("heap.peak") / MIB),
            "heap elsewhere" => rounds(
                shown.trim_end_matches(" MiB"),
                of("heap_elsewhere.net") / MIB,
            ),
            _ => panic!("an unknown figure {title:?}"),
        };
        assert!(agrees, "{name} {title}: {shown}");
    }
}

/// A figure of the function itself; a run of before has the inclusive one.
pub(super) fn own_heap(function: &Value, figure: &str) -> Option<f64> {
    number(function, &format!("self_heap.{figure}"))
        .or_else(|| number(function, &format!("heap.{figure}")))
}

/// The figure of a function that a column of this key shows.
pub(super) fn figure(function: &Value, key: &str) -> Option<f64> {
    if let Some(figure) = key.strip_prefix("self_heap_") {
        return own_heap(function, figure);
    }
    match key {
        "alive_bytes" => {
            let lines = function["lines"].as_array()?.iter();
            Some(
                lines
                    .filter_map(|line| number(line, "origins.alive_bytes"))
                    .sum(),
            )
        }
        "heap_peak" => number(function, "heap.peak"),
        key => number(function, key),
    }
}

#[test]
fn the_run_page_and_what_the_scripts_draw() {
    for (name, written) in all() {
        let page = written.file("index.html");
        let functions = written.json["functions"].as_array().unwrap();
        let mut rows: Vec<_> = between(&page, "<tr data-f=", "</tr>");
        assert_eq!(rows.len(), functions.len(), "{name}");
        let headings = between(&page, "<th data-key=\"", "</th>");
        let keys: Vec<_> = headings
            .iter()
            .map(|th| th.split('"').next().unwrap())
            .collect();
        let order = ranked(&written.run).into_iter();
        for (function, row) in order.map(|f| &functions[f.index]).zip(rows.drain(..)) {
            let cells = between(row, "<td class=\"n\"", "</td>");
            assert_eq!(cells.len(), keys.len(), "{name}");
            for (cell, key) in cells.iter().zip(&keys) {
                let exact = figure(function, key).unwrap();
                let shown = plain(cell.split_once('>').unwrap().1);
                let value: f64 = between(cell, "data-v=\"", "\"")[0].parse().unwrap();
                assert_eq!(value, exact, "{name}: {cell}");
                let agrees = match *key {
                    "time_ns" => is_duration(&shown, exact),
                    "calls" | "self_heap_allocations" => rounds(&shown, exact),
                    _ => rounds(&shown, exact / MIB),
                };
                assert!(agrees, "{name}: {cell}");
            }
        }
        let data = between(&page, "id=\"data\">", "</script>")[0];
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["peak"], written.json["process"]["peak_rss"], "{name}");
        let drawn = data["series"]["v"].as_array().unwrap();
        let recorded: Vec<_> = written.json["series"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| &s["rss"])
            .collect();
        assert!(drawn.iter().all(|v| recorded.contains(&v)), "{name}");
        let highest =
            |values: &mut dyn Iterator<Item = &Value>| values.filter_map(Value::as_u64).max();
        assert_eq!(
            highest(&mut drawn.iter()),
            highest(&mut recorded.into_iter()),
            "{name}"
        );
    }
}
