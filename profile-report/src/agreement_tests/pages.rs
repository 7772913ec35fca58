//! Figures on pages, and the data that their scripts draw.

use serde_json::Value;

use super::*;

/// The large numbers at the top of a function's page.
pub(super) fn the_figures(name: &str, function: &Value, page: &str) {
    let figures = between(page, "<ul class=\"figures\">", "</ul>")[0];
    for figure in between(figures, "<li", "</li>") {
        let title = between(figure, "<span>", "</span>")[0];
        let shown = plain(between(figure, "<b", "</b>")[0].split_once('>').unwrap().1);
        let of = |path: &str| number(function, path).unwrap_or(f64::NAN);
        let agrees = match title {
            "calls" => rounds(&shown, of("calls")),
            "suspended" => rounds(&shown, of("suspended")),
            "time" => is_duration(&shown, of("time_ns")),
            "peak" => rounds(shown.trim_end_matches(" MiB"), of("peak_rss") / MIB),
            "net" => rounds(shown.trim_end_matches(" MiB"), of("net_rss") / MIB),
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

#[test]
fn the_run_page_and_what_the_scripts_draw() {
    for (name, written) in all() {
        let page = written.file("index.html");
        let functions = written.json["functions"].as_array().unwrap();
        let mut rows: Vec<_> = between(&page, "<tr data-f=", "</tr>");
        assert_eq!(rows.len(), functions.len(), "{name}");
        let mut by_peak: Vec<_> = functions.iter().collect();
        by_peak.sort_by_key(|f| std::cmp::Reverse((f["peak_rss"].as_u64(), f["time_ns"].as_u64())));
        for (function, row) in by_peak.into_iter().zip(rows.drain(..)) {
            let cells = between(row, "<td class=\"n\"", "</td>");
            for (cell, (path, unit)) in cells.iter().zip([
                ("calls", 1.0),
                ("time_ns", 0.0),
                ("net_rss", MIB),
                ("peak_rss", MIB),
            ]) {
                let exact = number(function, path).unwrap();
                let shown = plain(cell.split_once('>').unwrap().1);
                assert_eq!(
                    between(cell, "data-v=\"", "\""),
                    [function[path].to_string()],
                    "{name}: {cell}"
                );
                let agrees = if unit == 0.0 {
                    is_duration(&shown, exact)
                } else {
                    rounds(&shown, exact / unit)
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
