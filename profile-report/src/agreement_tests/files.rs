//! The chart's labels, the summary, and mprof's data.

use super::pages::figure;
use super::*;
use crate::facts::ranking::ranked;
use crate::plain::summary;
use crate::words::findings::findings;

#[test]
fn the_labels_of_the_chart() {
    let mut peaks = 0;
    for (name, written) in all() {
        for (function, file) in written.functions() {
            let svg = written.file(&format!("{file}.svg"));
            let texts = between(&svg, "<text", "</text>");
            let texts = texts
                .iter()
                .filter_map(|text| Some(text.split_once('>')?.1.trim()));
            for text in texts {
                if let Some(ends) = between(text, "entry ", ")")
                    .first()
                    .filter(|ends| ends.contains('→'))
                {
                    // entry 5.000 → exit 6.000 MiB (+1.000 MiB
                    let call = function["series_call"].as_u64().map_or(0, |i| i as usize);
                    let call = &function["call_records"][call];
                    let parts: Vec<_> = ends
                        .split([' ', '('])
                        .filter(|part| part.starts_with(|c: char| "+-<0123456789".contains(c)))
                        .collect();
                    for (shown, path) in parts.iter().zip(["entry_rss", "exit_rss", "net_rss"]) {
                        let exact = number(call, path).unwrap() / MIB;
                        assert!(rounds(shown, exact), "{name} {file}: {text}: {path}");
                    }
                }
                if let Some(peak) = text.strip_prefix("peak ") {
                    // 181.0 MiB (176.0 above entry), line 29
                    let (at, rest) = peak.split_once(" MiB (").unwrap();
                    let (above, line) = rest.split_once(" above entry)").unwrap();
                    assert!(
                        rounds(at, number(function, "peak_at.rss").unwrap() / MIB),
                        "{name}: {text}"
                    );
                    assert!(
                        rounds(above, number(function, "peak_rss").unwrap() / MIB),
                        "{name}: {text}"
                    );
                    let line: Option<f64> =
                        line.strip_prefix(", line ").map(|n| n.parse().unwrap());
                    assert_eq!(line, number(function, "peak_at.line"), "{name}: {text}");
                    peaks += 1;
                }
            }
        }
    }
    assert!(peaks > 10, "{peaks}");
}

#[test]
fn the_summary() {
    for (name, written) in all()
        .into_iter()
        .filter(|(_, written)| written.run.watched.is_none())
    {
        let text = summary(&written.run, None, 300);
        let text = anstream::adapter::strip_str(&text).to_string();
        let (heading, _) = text.split_once('\n').unwrap_or((&text, ""));
        let process = heading.rsplit(' ').nth(1).expect("the peak comes last");
        assert!(
            rounds(
                process,
                number(&written.json, "process.peak_rss").unwrap() / MIB
            ),
            "{heading}"
        );
        let mut rows = text
            .lines()
            .skip_while(|row| !row.starts_with("  function"));
        let Some(heading) = rows.next() else {
            assert_eq!(name, "nothing");
            continue;
        };
        let columns = ends(heading);
        let functions = written.json["functions"].as_array().unwrap();
        for (ranked, row) in ranked(&written.run).into_iter().zip(rows).take(10) {
            let function = &functions[ranked.index];
            let row = cells(row, &columns);
            let figures = columns.iter().zip(&row).skip(1);
            for ((title, _), shown) in
                figures.take_while(|((title, _), _)| title != "line to look at")
            {
                let exact = figure(function, key(title)).unwrap();
                // The label is as wide as it is, and may stand in for the first column's heading.
                let shown = if title == "calls" {
                    shown.rsplit(' ').next().unwrap()
                } else {
                    shown
                };
                let agrees = match &title[..] {
                    "calls" => rounds(shown, exact) || exact == 0.0,
                    "time" => is_duration(shown, exact),
                    "allocs" => rounds(shown, exact),
                    _ => rounds(shown, exact / MIB),
                };
                assert!(agrees, "{name}: {title} {row:?}");
            }
        }
        assert_eq!(
            findings(&written.run).is_empty(),
            !text.contains(", line "),
            "{name}"
        );
    }
}

/// The key of a column of the summary's table.
fn key(title: &str) -> &str {
    match title {
        "calls" => "calls",
        "time" => "time_ns",
        "alive MiB" => "alive_bytes",
        "kept MiB" => "self_heap_net",
        "self peak" => "self_heap_peak",
        "alloc MiB" => "self_heap_allocated",
        "allocs" => "self_heap_allocations",
        "heap peak" => "heap_peak",
        "self net" | "self RSS" => "self_net_rss",
        "net MiB" | "net RSS" => "net_rss",
        "peak MiB" | "peak RSS" => "peak_rss",
        _ => panic!("an unknown column {title:?}"),
    }
}

/// Whether `shown` is so many seconds; what a 64-bit float holds of a time since 1970 ends at 0.2 µs.
fn agrees(shown: &str, seconds: f64) -> bool {
    let decimals = shown.split_once('.').map_or(0, |(_, part)| part.len());
    let last = 0.1_f64.powi(decimals as i32);
    (shown.parse::<f64>().unwrap() - seconds).abs() <= last / 2.0 + 1e-6
}

#[test]
fn mprofs_data() {
    for (name, written) in all()
        .into_iter()
        .filter(|(_, written)| !written.run.functions.is_empty())
    {
        let text = written.file("mprofile.dat");
        let started: jiff::Timestamp = written.run.started.parse().unwrap();
        let epoch = started.as_nanosecond() as f64 / 1e9;
        let series = written.json["series"].as_array().unwrap();
        let functions = written.json["functions"].as_array().unwrap();
        // A call with its thousands of nanoseconds, as the file has them.
        let mut calls = functions
            .iter()
            .flat_map(|f| f["call_records"].as_array().unwrap())
            .filter(|call| call["only_counted"] == false);
        for line in text.lines().filter(|line| line.starts_with("FUNC ")) {
            let fields: Vec<_> = line.split(' ').collect();
            let call = calls.next().expect("a call for each line");
            let of = |path: &str| number(call, path).unwrap();
            assert!(
                rounds(fields[2], of("entry_rss") / MIB) && rounds(fields[4], of("exit_rss") / MIB),
                "{name}: {line}"
            );
            for (shown, path) in [(fields[3], "start_ns"), (fields[5], "end_ns")] {
                assert!(agrees(shown, epoch + of(path) / 1e9), "{name}: {line}");
            }
        }
        assert!(calls.next().is_none(), "{name}");
        let memory: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("MEM "))
            .collect();
        for sample in series {
            let rss = number(sample, "rss").unwrap() / MIB;
            let t = epoch + number(sample, "t_ns").unwrap() / 1e9;
            let found = memory.iter().any(|line| {
                let (shown, at) = line.split_once(' ').unwrap();
                rounds(shown, rss) && agrees(at, t)
            });
            assert!(found, "{name}: {sample}");
            if series.len() > 2_000 {
                break; // One is enough where each would be looked for among thousands.
            }
        }
    }
}
