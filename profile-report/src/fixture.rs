//! Runs for the tests, made by a small simulation so that their figures agree with each other.

use memprof_model::data;
use memprof_model::run::*;

const MS: u64 = 1_000_000;
const MIB: u64 = 1 << 20;
const KIB: i64 = 1 << 10;

/// Every fixture, with its name.
pub fn all() -> Vec<(&'static str, Run)> {
    vec![
        ("inverse", inverse()),
        ("nested", nested()),
        ("recursion", recursion()),
        ("many_short_calls", many_short_calls()),
        ("early_calls", early_calls()),
        ("hostile", hostile()),
        ("no_samples", no_samples()),
        ("no_sampler", no_sampler()),
        ("nothing", nothing()),
        ("in_part", in_part()),
        ("heap", heap()),
        ("suspended", suspended()),
        ("apart", apart()),
        ("server", server()),
        ("killed", killed()),
        ("grouped", grouped()),
        ("constant", constant()),
        ("shrinking", shrinking()),
        ("crowd", crowd(40, 500)),
        ("watched", watched()),
        ("growing", growing()),
        ("one_high_call", one_high_call()),
        ("leaking", leaking()),
    ]
}

/// A server with counted heap whose blocks are followed: `render` takes 40 MiB for a moment, `parse` allocates
/// and frees 119 MiB in small blocks, `intern` leaks 27.6 MiB in 98,177 blocks. Those that call them, three of
/// them named `run`, do nothing themselves.
pub fn leaking() -> Run {
    let mut sim = Sim::new("app", &["./app", "--port", "80"], 6 * MIB);
    let call = |what: &str| format!("fn run(state: &State) {{\n    {what}\n}}");
    let main = sim.function(
        "app::main",
        "fn main() {\n    server::run(&state);\n    db::run(&state);\n    tick::run(&state);\n}",
        3,
    );
    let [server, db, tick] = [
        ("server", "serve(state);"),
        ("db", "intern(&state.names);"),
        ("tick", "small(state);"),
    ]
    .map(|(module, what)| sim.function(&format!("app::{module}::run"), &call(what), 20));
    let render = sim.function(
        "app::server::render",
        "fn render(rows: usize) -> usize {\n    let page = vec![0; rows * 4096];\n    page.len()\n}",
        41,
    );
    let parse = sim.function(
        "app::server::parse",
        "fn parse(text: &str) -> usize {\n    for word in text.split(' ') {\n        let lower = word.to_lowercase();\n        count(&lower);\n    }\n}",
        60,
    );
    let intern = sim.function(
        "app::db::intern",
        "fn intern(all: &[&str]) {\n    let mut names = NAMES.lock();\n    for name in all {\n        names.push(name.to_owned());\n    }\n}",
        88,
    );
    let smaller: Vec<_> = (0..9)
        .map(|i| {
            let source = format!("fn small_{i}() {{\n    let few = vec![0; {i} << 16];\n}}");
            sim.function(&format!("app::tick::small_{i}"), &source, 200 + 10 * i)
        })
        .collect();
    sim.enter(main);
    sim.within(1, server, |sim| {
        sim.within(1, render, |sim| {
            sim.step(step(1, 90_000, 40 * MIB as i64, 0))
        });
        sim.within(1, parse, |sim| sim.step(step(2, 300_000, 64 * KIB, 0)));
    });
    sim.within(2, db, |sim| {
        sim.within(1, intern, |sim| {
            sim.step(step(3, 200_000, 0, 28 * MIB as i64))
        });
    });
    sim.within(3, tick, |sim| {
        for &small in &smaller {
            sim.within(1, small, |sim| sim.step(step(1, 12_000, 0, 0)));
        }
    });
    sim.leave(Outcome::Returned);
    sim.idle(20 * MS);
    let mut run = sim.finish();
    let own = |allocated, freed, peak, allocations| {
        data!(HeapFigures {
            allocated,
            freed,
            net: allocated as i64 - freed as i64,
            peak,
            allocations,
        })
    };
    const LEAKED: u64 = 28_940_304;
    let lines = [
        (render, 0, own(40 * MIB, 40 * MIB, 40 * MIB, 1)),
        (parse, 1, own(119 * MIB, 119 * MIB, 65_536, 1_000_000)),
        (intern, 2, own(LEAKED, 0, LEAKED, 98_177)),
    ];
    let few = smaller.iter().enumerate().map(|(i, &f)| {
        let size = (i as u64) << 16;
        (f, 0, own(size, size, size, u64::from(i > 0)))
    });
    run.heap = true;
    run.origins = Some(data!(Followed {
        one_in: 1,
        all_from: 65_536,
        lost: 0,
    }));
    for function in &mut run.functions {
        (function.heap, function.self_heap) = (Some(own(0, 0, 0, 0)), Some(own(0, 0, 0, 0)));
        for line in &mut function.lines {
            (line.heap, line.self_heap) = (function.heap, function.self_heap);
            line.origins = Some(Origins::default());
        }
    }
    for (f, line, figures) in lines.into_iter().chain(few) {
        let function = &mut run.functions[f];
        (function.heap, function.self_heap) = (Some(figures), Some(figures));
        let line = &mut function.lines[line];
        (line.heap, line.self_heap) = (Some(figures), Some(figures));
    }
    let leak = &mut run.functions[intern].lines[2];
    (leak.hits, leak.readings) = (98_177, 98_177);
    leak.origins = Some(data!(Origins {
        alive_bytes: LEAKED,
        alive_blocks: 98_177,
        alive_after_call_bytes: LEAKED,
        alive_after_call_blocks: 98_177,
        ..Origins::default()
    }));
    // What callers have is what their callees did, on the line that made the call.
    for (caller, line, callees) in [
        (server, 0, vec![render, parse]),
        (db, 0, vec![intern]),
        (tick, 0, smaller),
        (main, 0, vec![server]),
        (main, 1, vec![db]),
        (main, 2, vec![tick]),
    ] {
        for callee in callees {
            let more = run.functions[callee].heap;
            let function = &mut run.functions[caller];
            add_heap(&mut function.heap, more);
            add_heap(&mut function.lines[line].heap, more);
        }
    }
    for sample in &mut run.series {
        sample.heap = Some(sample.rss.saturating_sub(6 * MIB));
    }
    if let Some(last) = run.series.last_mut() {
        last.heap = Some(LEAKED + 1_000);
    }
    run
}

/// Adds what a call did; its peak lies above what was kept before it.
fn add_heap(heap: &mut Option<HeapFigures>, more: Option<HeapFigures>) {
    let (Some(heap), Some(more)) = (heap, more) else {
        return;
    };
    heap.peak = heap.peak.max(heap.net.max(0) as u64 + more.peak);
    heap.allocated += more.allocated;
    heap.freed += more.freed;
    heap.net += more.net;
    heap.allocations += more.allocations;
}

/// A hot loop whose lines were read together only: 29 MiB are theirs, and 1 MiB is the line's before.
pub fn grouped() -> Run {
    let mut sim = Sim::new("items", &["./items"], 4 * MIB);
    let f = sim.function("items::collect", "fn collect(input: &str) -> Vec<Item> {\n    let mut kept = Vec::with_capacity(1 << 17);\n    let mut i = input.chars();\n    while let Some(n) = next(&mut i) {\n        kept.push(work(n));\n    }\n    report(&kept);\n    kept\n}", 30);
    sim.call(
        f,
        &[
            step(1, 400, 0, MIB as i64),
            step(2, 10, 0, 0),
            step(3, 100_000, 0, 0),
            step(4, 200_000, 0, 29 * MIB as i64),
            step(5, 30_000, 0, 0),
            step(6, 2_000, 0, 0),
            step(7, 10, 0, 0),
        ],
    );
    let mut run = sim.finish();
    let function = &mut run.functions[0];
    function.groups = vec![data!(LineGroup {
        net_rss: 29 * MIB as i64,
        self_net_rss: 29 * MIB as i64,
        peak_rss: 786_432,
        readings: 41,
    })];
    for line in &mut function.lines[2..5] {
        line.group = Some(0);
        (line.hits, line.readings) = (100_000, 0);
        (line.net_rss, line.self_net_rss, line.peak_rss) = (0, 0, 0);
    }
    run
}

/// The demo with a size for each call: it takes 24 n² bytes, most of them on one line, and time of which
/// nobody can tell how it grows.
pub fn growing() -> Run {
    let mut run = inverse();
    let profile = &mut run.functions[0];
    profile.by = Some("n".to_owned());
    let sizes = (3..11).map(|exponent| f64::from(1 << exponent));
    profile.sizes = sizes
        .map(|n| {
            let peak_rss = (24.0 * n * n / 4096.0).ceil() as u64 * 4096;
            let line = data!(LineAtSize {
                line: 29,
                peak_rss,
                net_rss: 0,
                time_ns: 0,
                heap: None,
            });
            data!(SizeFigures {
                n,
                calls: 1,
                peak_rss,
                net_rss: 0,
                time_ns: 1_000_000 * (1 + n as u64 % 7),
                heap: None,
                lines: vec![line],
            })
        })
        .collect();
    profile.growth = memprof_model::internal::grown(&profile.sizes);
    run
}

/// A process that was watched from outside, with seven children.
pub fn watched() -> Run {
    let mut run = Sim::new("make", &["make", "-j8"], 2 * MIB).run;
    let wave = |from: u64, ms: u64| (ms * 37 + from * 11) % 400 * 64 * 1024;
    let series = |from: u64| -> Vec<Sample> {
        (from..from + 200)
            .map(|n| {
                data!(Sample {
                    t_ns: n * 10 * MS,
                    rss: 2 * MIB + wave(from, n),
                    heap: None,
                })
            })
            .collect()
    };
    run.series = series(0);
    run.duration_ns = 2_010 * MS;
    run.process.peak_rss = 30 * MIB;
    run.peak_method = PeakMethod::Sampled;
    (run.sampler.ticks_due, run.sampler.ticks_taken) = (201, 200);
    run.watched = Some(data!(Watched {
        measure: Measure::Pss,
        interval_ns: 10 * MS,
        summed: true,
        ended: "signal 9".into(),
        children: (0..7)
            .map(|n| data!(WatchedChild {
                pid: 5_000 + n,
                program: "cc1".into(),
                peak_rss: 27 * MIB - u64::from(n),
                series: series(u64::from(n) * 5),
            }))
            .collect(),
    }));
    run
}

/// The demo: a matrix inverted for n = 1, 2, 4 … 2048; the last call dwarfs the others.
pub fn inverse() -> Run {
    let mut sim = Sim::new("demo", &["target/release/demo", "--seed", "7"], 5 * MIB);
    let f = sim.function("demo::inverse", INVERSE, 24);
    sim.run.functions[f].label = "Matriz Inversa".into();
    for exponent in 0..12u32 {
        let matrix = (8u64 << (2 * exponent)) as i64 & !4095;
        // Work grows with n³; the last call takes about 2.3 s.
        let us = |of_last: u64| 4 + (of_last << (3 * exponent)) / (1 << 33);
        sim.call(
            f,
            &[
                step(2, us(200_000), 0, matrix),
                step(4, us(600_000), 2 * matrix, matrix),
                step(5, us(1_200_000), 3 * matrix + matrix / 2, matrix),
                step(6, 300, 0, 0),
                step(9, us(300_000), matrix, 0),
                step(
                    10,
                    us(20_000),
                    0,
                    -3 * matrix + matrix / 32 * i64::from(exponent == 11),
                ),
            ],
        );
        sim.idle(2 * MS);
    }
    sim.idle(60 * MS);
    sim.finish()
}

const INVERSE: &str = r#"#[profile_memory(interval_ms = 10, name = "Matriz Inversa")]
fn inverse(n: usize, rng: &mut StdRng) -> f64 {
    let a = random_matrix(n, rng);
    // LU with partial pivoting; faer keeps its own workspace.
    let lu = a.partial_piv_lu();
    let inv = lu.inverse();
    if n <= 2 {
        println!("{inv:?}");
    }
    residual(&a, &inv)
}"#;

/// One function that calls another three times.
pub fn nested() -> Run {
    let mut sim = Sim::new("loader", &["./loader"], 12 * MIB);
    let outer = sim.function("loader::load_all", "fn load_all(paths: &[Path]) -> Vec<Table> {\n    let mut tables = Vec::new();\n    for path in paths {\n        tables.push(load(path));\n    }\n    tables\n}", 10);
    let inner = sim.function("loader::load", "fn load(path: &Path) -> Table {\n    let text = fs::read_to_string(path)?;\n    parse(&text)\n}", 30);
    sim.enter(outer);
    for _ in 0..3 {
        sim.step(step(3, 0, 0, 0));
        sim.enter(inner);
        sim.step(step(1, 30_000, 0, 40 * MIB as i64));
        sim.step(step(2, 80_000, 50 * MIB as i64, 10 * MIB as i64));
        sim.step(step(3, 2_000, 0, -40 * MIB as i64));
        sim.leave(Outcome::Returned);
    }
    sim.step(step(6, 10, 0, 0));
    sim.leave(Outcome::Returned);
    sim.idle(40 * MS);
    sim.finish()
}

/// A function that calls itself, and panics in its deepest call.
pub fn recursion() -> Run {
    let mut sim = Sim::new("walk", &["./walk"], 8 * MIB);
    let f = sim.function("walk::Tree<K, V>::descend", "fn descend(&self, depth: usize) {\n    let page = vec![1u8; 4 << 20];\n    self.descend(depth - 1);\n}", 5);
    for _ in 0..8 {
        sim.enter(f);
        sim.step(step(1, 12_000, 0, 4 * MIB as i64));
    }
    for level in 0..8 {
        sim.step(step(3, 5_000, 0, -4 * MIB as i64));
        sim.leave(if level == 0 {
            Outcome::Panicked
        } else {
            Outcome::Returned
        });
    }
    sim.finish()
}

/// A thousand calls of about a millisecond; the list of calls is capped.
pub fn many_short_calls() -> Run {
    let mut sim = Sim::new("tick", &["./tick"], 6 * MIB);
    let f = sim.function("tick::handle", "fn handle(&mut self, event: Event) {\n    let copy = event.clone();\n    self.queue.push(copy);\n}", 88);
    for i in 0..1_000i64 {
        let copy = (i % 37) * 16 * KIB;
        sim.call(
            f,
            &[
                step(1, 600, 0, copy),
                step(2, 300, 8 * KIB, 4 * KIB * i64::from(i % 3 == 0)),
                step(3, 50, 0, -copy),
            ],
        );
        sim.idle(MS / 3);
    }
    let mut run = sim.finish();
    let function = &mut run.functions[0];
    function.calls_omitted = 600;
    let shown = function.series_call.unwrap();
    let mut kept = (0..1_000).map(|i| i == shown || !(200..=800).contains(&i));
    function.call_records.retain(|_| kept.next().unwrap());
    function.series_call = Some(shown.min(200));
    run
}

/// Very short calls in the first 1.86 s of a run of 8.4 s: most of them take less than a pixel of a chart.
pub fn early_calls() -> Run {
    let mut sim = Sim::new("early", &["./early"], 6 * MIB);
    let f = sim.function(
        "early::get",
        "fn get(&self) -> u8 {\n    self.bytes[0]\n}",
        7,
    );
    for _ in 0..250 {
        sim.call(f, &[step(1, 20, 0, 0)]);
        sim.idle(7_420_000);
    }
    sim.idle(8_400 * MS - sim.now);
    sim.finish()
}

/// With counted heap, of 100,001 short calls one is high: it was only counted.
pub fn one_high_call() -> Run {
    let mut sim = Sim::new("shop", &["./shop"], 6 * MIB);
    let f = sim.function(
        "shop::order",
        "fn order(items: usize) {\n    let list = vec![0; items];\n}",
        4,
    );
    for _ in 0..3 {
        sim.call(f, &[step(1, 2_000, 4 * KIB, 0)]);
        sim.idle(MS);
    }
    let mut run = sim.finish();
    run.heap = true;
    let small = data!(HeapFigures {
        allocated: 100,
        freed: 100,
        peak: 100,
        allocations: 1,
        ..HeapFigures::default()
    });
    let high = data!(HeapFigures {
        allocated: 40 * MIB,
        freed: 40 * MIB,
        peak: 40 * MIB,
        ..small
    });
    let all = data!(HeapFigures {
        allocated: 100_000 * 100 + high.allocated,
        freed: 100_000 * 100 + high.freed,
        allocations: 100_001,
        ..high
    });
    let function = &mut run.functions[0];
    for call in &mut function.call_records {
        call.heap = Some(small);
    }
    let counted = data!(Call {
        start_ns: 2 * MS,
        end_ns: 7 * MS,
        thread: 1,
        outcome: Outcome::Returned,
        heap: Some(high),
        only_counted: true,
        ..Call::default()
    });
    function.call_records.push(counted);
    function.call_records.sort_by_key(|call| call.start_ns);
    function.series_call = function
        .call_records
        .iter()
        .position(|call| !call.only_counted);
    function.calls = 100_001;
    function.calls_omitted = function.calls - function.call_records.len() as u64;
    function.heap = Some(all);
    let quantiles = |calls, half, most, nearly_all, max| {
        Some(data!(Quantiles {
            calls,
            p50: half,
            p95: most,
            p99: nearly_all,
            max,
        }))
    };
    function.spread = Some(data!(CallSpread {
        allocated: quantiles(100_001, 107, 107, 107, 40 * MIB),
        heap_peak: quantiles(100_001, 107, 107, 107, 40 * MIB),
        peak_rss: quantiles(57, 4096, 4096, 8191, 8192),
        time_ns: quantiles(57, 2_097_151, 2_400_000, 2_400_000, 2_400_000),
    }));
    for line in &mut function.lines {
        let ran = line.hits > 0;
        (line.hits, line.heap) = if ran {
            (100_001, Some(all))
        } else {
            (0, Some(HeapFigures::default()))
        };
    }
    run
}

/// Names and source that try to break out of every format.
pub fn hostile() -> Run {
    let mut sim = Sim::new(
        "<b>prog</b> \"x\" & 'y'",
        &["./a b", "--q=\"1\"", "$x$ $\\frac{", "line\nbreak", "größe"],
        9 * MIB,
    );
    let long = format!("    let x = \"{}\";", "0123456789".repeat(1_000));
    let source = format!(
        "fn evil() {{\n\tlet a = \"<script>alert(1)</script>\";\n    let b = \"]]></script><img src=x onerror=alert(2)>\";\n    let c = \"\u{202e}desrever\u{202c} שלום עולם\";\n{long}\n    let d = '\u{1b}'; let e = \"\u{2028}{{{{ 7*7 }}}}\";\n}}"
    );
    for name in [
        "<script>alert(1)</script>",
        "evil::\"quoted' & <T as Fn(&'a str) -> u8>::call::{closure#0}",
        "evil::\u{202e}rtl::שלום",
        "nul",
    ] {
        let f = sim.function(name, &source, 7);
        sim.call(
            f,
            &[
                step(1, 30_000, 20 * MIB as i64, 3 * MIB as i64),
                step(2, 20_000, 0, 2 * MIB as i64),
                step(3, 20_000, 0, MIB as i64),
                step(4, 20_000, 0, MIB as i64),
                step(5, 20_000, 0, -7 * MIB as i64),
            ],
        );
    }
    let last = sim.function(
        &format!("long::{}", "very_long_generic<Parameter, ".repeat(20)),
        &source,
        7,
    );
    sim.call(last, &[step(1, 30_000, 20 * MIB as i64, 3 * MIB as i64)]);
    sim.finish()
}

/// A call so short that the sampler saw nothing.
pub fn no_samples() -> Run {
    let mut sim = Sim::new("quick", &["./quick"], 3 * MIB);
    let f = sim.function(
        "quick::blink",
        "fn blink() {\n    let v = vec![1u8; 3 << 20];\n}",
        4,
    );
    sim.call(
        f,
        &[
            step(1, 300, 0, 3 * MIB as i64),
            step(2, 40, 0, -3 * MIB as i64),
        ],
    );
    let mut run = sim.finish();
    run.series.clear();
    run.functions[0].series.clear();
    run.sampler = data!(SamplerReport {
        ticks_due: 0,
        ticks_taken: 0,
        longest_gap_ns: 0,
        missing: false,
    });
    run
}

/// A program without threads of memprof's.
pub fn no_sampler() -> Run {
    let mut run = nested();
    run.sampler = data!(SamplerReport {
        missing: true,
        ..SamplerReport::default()
    });
    run.overhead.sampler_cpu_ns = 0;
    run
}

/// A run in which no annotated function was called.
pub fn nothing() -> Run {
    Sim::new("idle", &[], 3 * MIB).finish()
}

/// A hot loop whose lines were measured in part, and peaks from samples.
pub fn in_part() -> Run {
    let mut sim = Sim::new("hot", &["./hot"], 4 * MIB);
    let f = sim.function("hot::fill", "fn fill(n: usize) -> Vec<u64> {\n    let mut v = Vec::new();\n    for i in 0..n {\n        v.push(i as u64);\n    }\n    v\n}", 12);
    sim.call(
        f,
        &[
            step(1, 10, 0, 0),
            step(2, 400_000, 0, 0),
            step(3, 900_000, 24 * MIB as i64, 48 * MIB as i64),
            step(5, 10, 0, 0),
        ],
    );
    let mut run = sim.finish();
    run.peak_method = PeakMethod::Sampled;
    run.backend = "sysinfo".into();
    run.sampler.ticks_taken = run.sampler.ticks_due * 3 / 4;
    for line in &mut run.functions[0].lines {
        if matches!(line.line, 14 | 15) {
            line.hits = 5_000_000;
            line.readings = 412;
        }
    }
    run
}

/// A run with counted heap, and a closure that worked on other threads.
pub fn heap() -> Run {
    let mut run = nested();
    run.heap = true;
    for sample in &mut run.series {
        sample.heap = Some(sample.rss.saturating_sub(9 * MIB));
    }
    for function in &mut run.functions {
        for sample in &mut function.series {
            sample.heap = Some(sample.rss.saturating_sub(9 * MIB));
        }
        (function.heap, function.self_heap) = (Some(figures(0, 0, 0)), Some(figures(0, 0, 0)));
        for line in &mut function.lines {
            let counted = Some(data!(HeapFigures {
                allocated: (line.peak_rss as i64).max(line.net_rss).max(24) as u64,
                freed: ((line.peak_rss as i64).max(line.net_rss).max(24) - line.net_rss) as u64,
                net: line.net_rss,
                peak: line.peak_rss,
                allocations: line.hits * 17,
            }));
            line.heap = counted;
            line.self_heap = counted.filter(|_| line.net_rss == line.self_net_rss);
            line.self_heap = line.self_heap.or(Some(figures(0, 0, 0)));
            add_heap(&mut function.heap, line.heap);
            add_heap(&mut function.self_heap, line.self_heap);
        }
        for heap in [&mut function.heap, &mut function.self_heap]
            .into_iter()
            .flatten()
        {
            heap.peak = heap.peak.min(function.peak_rss);
        }
    }
    let parse = &mut run.functions[1].lines[1];
    parse.shared = 2;
    parse.heap_elsewhere = Some(data!(HeapFigures {
        allocated: 5 * MIB,
        freed: 2 * MIB,
        net: 3 * MIB as i64,
        peak: 0,
        allocations: 9,
    }));
    let records = &mut run.functions[1].call_records;
    (records[0].suspended_ns, records[0].suspended_rss) = (40 * MS, 4096);
    records[2].outcome = Outcome::Cancelled;
    run.functions[1].lines[1].workers = Some(data!(Workers {
        hits: 64,
        time_ns: 120 * MS,
        heap: Some(data!(HeapFigures {
            allocated: 3 * MIB,
            ..Default::default()
        })),
    }));
    run
}

/// Heap and RSS that move apart: zeros that nobody touches, words that are freed and stay resident.
/// A server's functions, with calls that are suspended when the run is taken.
pub fn suspended() -> Run {
    let mut run = heap();
    run.outcome = RunOutcome::Running;
    let function = &mut run.functions[1];
    (function.suspended, function.suspended_heap) = (50, 17 * MIB as i64);
    for (at, calls, heap) in [(0, 2, -(MIB as i64)), (1, 48, 18 * MIB as i64)] {
        let line = &mut function.lines[at];
        (line.suspended, line.suspended_heap) = (calls, heap);
    }
    run
}

/// Heap and RSS that move apart: zeros that nobody touches, words that are freed and stay resident.
pub fn apart() -> Run {
    let mut sim = Sim::new("index", &["./index"], 6 * MIB);
    let f = sim.function("index::build", "fn build(files: &[File]) -> Index {\n    let blank = vec![0; 40 << 20];\n    let words = read(files);\n    drop(words);\n    let index = sort(files);\n    index\n}", 3);
    let mib = MIB as i64;
    sim.call(
        f,
        &[
            step(1, 20_000, 0, 0),
            step(2, 300_000, 30 * mib, 26 * mib),
            step(3, 40_000, 0, -2 * mib),
            step(4, 200_000, 33 * mib, 32 * mib),
            step(6, 900, 0, 0),
        ],
    );
    let mut run = sim.finish();
    run.heap = true;
    let own = [
        (40, 0, 1),
        (28, 8, 900_000),
        (0, 20, 0),
        (32, 0, 12),
        (0, 40, 0),
    ];
    let function = &mut run.functions[0];
    let lines = function.lines.iter_mut().filter(|line| line.hits > 0);
    for (line, (allocated, freed, allocations)) in lines.zip(own) {
        line.heap = Some(figures(allocated, freed, allocations));
    }
    function.heap = Some(data!(HeapFigures {
        peak: 72 * MIB,
        ..figures(100, 68, 900_013)
    }));
    for sample in &mut function.series {
        sample.heap = Some(sample.rss.saturating_sub(sample.t_ns / 15));
    }
    for sample in &mut run.series {
        sample.heap = Some(sample.rss.saturating_sub(sample.t_ns / 15));
    }
    run
}

/// A server on several threads: what one function allocates, threads free that have never heard of it. Its live heap
/// never passes 0.34 MiB; RSS grows by 9 MiB.
pub fn server() -> Run {
    let mut sim = Sim::new("server", &["./server"], 5 * MIB);
    let main = sim.function(
        "server::main",
        "fn main() {\n    let listener = bind();\n    serve(listener);\n}",
        1,
    );
    let handle = sim.function("server::handle", "fn handle(request: Request) -> Response {\n    let body = read(request);\n    Response::new(body)\n}", 20);
    let mib = MIB as i64;
    sim.enter(main);
    sim.step(step(1, 900, 0, mib));
    sim.step(step(2, 0, 0, 0));
    for request in 0..200 {
        let grows = if request < 8 { mib } else { 0 };
        sim.call(handle, &[step(1, 40_000, 0, grows), step(2, 30, 0, 0)]);
    }
    sim.leave(Outcome::Returned);
    let mut run = sim.finish();
    run.heap = true;
    for function in &mut run.functions {
        function.threads = 4;
        function.heap_elsewhere = Some(figures(28_310, 28_310, 60_000_000));
        for sample in &mut function.series {
            sample.heap = Some(340 * KIB as u64);
        }
    }
    for sample in &mut run.series {
        sample.heap = Some(340 * KIB as u64);
    }
    let function = &mut run.functions[0];
    function.heap = Some(figures(0, 0, 0));
    for line in function.lines.iter_mut().filter(|line| line.hits > 0) {
        line.heap = Some(figures(0, 0, 0));
        line.shared = 1;
    }
    let function = &mut run.functions[1];
    function.calls = 3_000_000;
    function.calls_omitted = 2_999_800;
    let heap = Some(data!(HeapFigures {
        peak: 5_120,
        ..figures(14_906, 0, 3_000_000)
    }));
    function.heap = heap;
    function.lines[0].heap = heap;
    (function.lines[0].hits, function.lines[1].hits) = (3_000_000, 3_000_000);
    function.lines[1].heap = Some(figures(0, 0, 0));
    run
}

/// A run of a program that was killed in its second call.
pub fn killed() -> Run {
    let mut run = nested();
    run.outcome = RunOutcome::Recovered;
    run.functions.truncate(1);
    run.functions[0].call_records[0].outcome = Outcome::Running;
    let call = &run.functions[0].call_records[0];
    let line = run.functions[0].lines[2].line;
    run.stopped = vec![Stopped::of(0, Some(line), call)];
    run
}

/// What was allocated and freed in MiB, in so many allocations.
fn figures(allocated: u64, freed: u64, allocations: u64) -> HeapFigures {
    data!(HeapFigures {
        allocated: allocated * MIB,
        freed: freed * MIB,
        net: (allocated * MIB) as i64 - (freed * MIB) as i64,
        peak: allocated * MIB,
        allocations,
    })
}

/// Memory that does not move at all.
pub fn constant() -> Run {
    let mut sim = Sim::new("still", &["./still"], 40 * MIB);
    let f = sim.function("still::spin", "fn spin() {\n    wait();\n}", 1);
    sim.call(f, &[step(1, 400_000, 0, 0)]);
    sim.finish()
}

/// A function that gives memory back.
pub fn shrinking() -> Run {
    let mut sim = Sim::new("drop", &["./drop"], 300 * MIB);
    let f = sim.function(
        "drop::<Cache as Drop>::drop",
        "fn drop(&mut self) {\n    self.map.clear();\n    self.map.shrink_to_fit();\n}",
        1,
    );
    sim.call(
        f,
        &[
            step(1, 200_000, 0, -120 * MIB as i64),
            step(2, 90_000, 4 * MIB as i64, -100 * MIB as i64),
        ],
    );
    sim.finish()
}

/// Many functions with many calls each.
pub fn crowd(functions: usize, calls: usize) -> Run {
    let mut sim = Sim::new("crowd", &["./crowd"], 50 * MIB);
    let ids: Vec<_> = (0..functions)
        .map(|i| {
            sim.function(
                &format!("crowd::module_{}::function_{i}", i % 7),
                "fn f() {\n    work();\n    more();\n}",
                1 + i as u32 * 10,
            )
        })
        .collect();
    for round in 0..calls {
        let f = ids[(round * 7) % functions];
        let size = ((round * 2_654_435_761) % 97) as i64 * 64 * KIB;
        sim.call(
            f,
            &[
                step(1, 1_500, size / 2, size),
                step(2, 700, 0, -size + 4 * KIB),
            ],
        );
    }
    sim.finish()
}

/// As large as runs get: 500 functions with 200 calls each, the samples of the run thinned out as the
/// recorder does it.
pub fn large() -> Run {
    const SAMPLES: usize = 1_024;
    let mut run = crowd(500, 100_000);
    let every = run.series.len().div_ceil(SAMPLES);
    run.series = run.series.into_iter().step_by(every).collect();
    run
}

/// A function of 300 lines, each of which ran 20 times: thousands of samples, heap and all.
pub fn long() -> Run {
    let mut sim = Sim::new("long", &["./long"], 30 * MIB);
    let lines =
        (0..298).map(|i| format!("    let field_{i} = parse_field(&mut input, \"field {i}\")?;\n"));
    let source = format!("fn parse(input: &str) {{\n{}}}", lines.collect::<String>());
    let f = sim.function("long::parse", &source, 100);
    sim.enter(f);
    for i in 0..20 * 298_usize {
        let size = ((i * 2_654_435_761) % 97) as i64 * 8 * KIB;
        sim.step(step(1 + i % 298, 9_000, size, size / 3 - 20 * KIB));
    }
    sim.leave(Outcome::Returned);
    let mut run = sim.finish();
    run.heap = true;
    for line in &mut run.functions[0].lines {
        line.heap = Some(figures(line.hits, line.hits / 2, 3 * line.hits));
    }
    run
}

/// A profile with this name and nothing recorded.
pub fn profile(name: &str) -> FunctionProfile {
    let mut sim = Sim::new("p", &["p"], MIB);
    sim.function(name, "fn f() {}", 1);
    sim.run.functions.remove(0)
}

/// One execution of a line: its index in the source, µs, rise above its start, and net change.
#[derive(Clone, Copy)]
struct Step {
    line: usize,
    us: u64,
    peak: i64,
    net: i64,
}

fn step(line: usize, us: u64, peak: i64, net: i64) -> Step {
    Step {
        line,
        us,
        peak: peak.max(net).max(0),
        net,
    }
}

/// A call in progress.
struct Open {
    function: usize,
    start_ns: u64,
    entry: i64,
    max: i64,
    peak_at: Option<PeakAt>,
    series: Vec<LineSample>,
    /// The line that is running.
    line: Option<u32>,
}

/// Plays steps and keeps the books as the runtime does.
struct Sim {
    run: Run,
    now: u64,
    rss: i64,
    stack: Vec<Open>,
}

impl Sim {
    fn new(program: &str, command: &[&str], baseline: u64) -> Self {
        let run = data!(Run {
            schema: SCHEMA.into(),
            program: program.into(),
            command: command.iter().map(|&s| s.into()).collect(),
            pid: 4242,
            started: "2026-03-01T14:05:09.250+01:00".into(),
            duration_ns: 0,
            backend: "statm".into(),
            peak_method: PeakMethod::Kernel,
            heap: false,
            outcome: RunOutcome::Exited,
            process: data!(Process {
                peak_rss: baseline,
                baseline_rss: baseline,
            }),
            sampler: data!(SamplerReport {
                ticks_due: 0,
                ticks_taken: 0,
                longest_gap_ns: 11 * MS,
                missing: false,
            }),
            overhead: data!(Overhead {
                readings: 0,
                reading_ns: 0,
                sampler_cpu_ns: 3 * MS,
                profiler_bytes: 1_300_000,
                start_rss: 0,
                heap_rss: None,
            }),
            series: vec![],
            functions: vec![],
            stopped: Vec::new(),
            low_memory_ns: None,
            watched: None,
            origins: None,
        });
        Self {
            run,
            now: 0,
            rss: baseline as i64,
            stack: vec![],
        }
    }

    fn function(&mut self, name: &str, source: &str, source_line: u32) -> usize {
        let executable = |text: &str| {
            !["", "//", "fn "].iter().any(|s| {
                if s.is_empty() {
                    text.trim().is_empty()
                } else {
                    text.trim().starts_with(s)
                }
            })
        };
        let lines = source
            .lines()
            .enumerate()
            .skip(1)
            .filter(|(_, text)| executable(text));
        let lines = lines.map(|(i, text)| {
            data!(Line {
                line: source_line + i as u32,
                source: text.into(),
                hits: 0,
                readings: 0,
                time_ns: 0,
                max_rss: None,
                net_rss: 0,
                peak_rss: 0,
                samples: 0,
                shared: 0,
                heap: None,
                heap_elsewhere: None,
                workers: None,
                origins: None,
            })
        });
        self.run.functions.push(data!(FunctionProfile {
            name: name.into(),
            label: name.rsplit("::").next().unwrap_or(name).into(),
            file: "src/main.rs".into(),
            line: source_line + u32::from(source.starts_with('#')),
            interval_ns: 10 * MS,
            calls: 0,
            panics: 0,
            threads: 1,
            time_ns: 0,
            entry_rss: 0,
            exit_rss: 0,
            max_rss: 0,
            net_rss: 0,
            peak_rss: 0,
            peak_at: None,
            heap: None,
            heap_elsewhere: None,
            source: source.into(),
            source_line,
            lines: lines.collect(),
            calls_omitted: 0,
            call_records: vec![],
            series_call: None,
            by: None,
            sizes: Vec::new(),
            growth: Vec::new(),
            call_maxima: None,
            series: vec![],
        }));
        self.run.functions.len() - 1
    }

    fn call(&mut self, function: usize, steps: &[Step]) {
        self.enter(function);
        for &s in steps {
            self.step(s);
        }
        self.leave(Outcome::Returned);
    }

    fn enter(&mut self, function: usize) {
        self.stack.push(Open {
            function,
            start_ns: self.now,
            entry: self.rss,
            max: self.rss,
            peak_at: None,
            series: vec![],
            line: None,
        });
        self.sample(self.now, self.rss, None);
    }

    /// The running call is at this line of its source, which calls `function`.
    fn within(&mut self, line: usize, function: usize, body: impl FnOnce(&mut Self)) {
        self.step(step(line, 0, 0, 0));
        self.enter(function);
        body(self);
        self.leave(Outcome::Returned);
    }

    /// One line runs: it rises to its peak in the middle and ends at its net. Ticks of 10 ms see it.
    fn step(&mut self, s: Step) {
        let (start, from) = (self.now, self.rss);
        let end = start + s.us * 1_000;
        let at = |t: u64| {
            let part = (t - start) as f64 / (end - start).max(1) as f64;
            let (a, b, part) = if part < 0.5 {
                (0, s.peak, part * 2.0)
            } else {
                (s.peak, s.net, part * 2.0 - 1.0)
            };
            (from + a + ((b - a) as f64 * part) as i64) & !4095
        };
        let function = self.stack.last().unwrap().function;
        let line = self.run.functions[function].source_line + s.line as u32;
        self.stack.last_mut().unwrap().line = Some(line);
        let mut tick = (start / (10 * MS) + 1) * 10 * MS;
        while tick < end {
            self.sample(tick, at(tick), Some(line));
            self.run.sampler.ticks_due += 1;
            self.run.sampler.ticks_taken += 1;
            tick += 10 * MS;
        }
        self.now = end;
        self.rss = from + s.net;
        self.record_line(function, line, s, from);
        for open in &mut self.stack {
            if from + s.peak > open.max {
                open.max = from + s.peak;
                open.peak_at = Some(data!(PeakAt {
                    from_ns: start,
                    to_ns: end,
                    rss: open.max as u64,
                    line: open.line,
                }));
            }
        }
        self.run.process.peak_rss = self.run.process.peak_rss.max((from + s.peak) as u64);
        self.run.overhead.readings += 1;
        self.run.overhead.reading_ns += 9_000;
    }

    fn record_line(&mut self, function: usize, line: u32, s: Step, from: i64) {
        let lines = &mut self.run.functions[function].lines;
        let Some(line) = lines.iter_mut().find(|l| l.line == line) else {
            return;
        };
        line.hits += 1;
        line.readings += 1;
        line.time_ns += s.us * 1_000;
        line.max_rss = line.max_rss.max(Some((from + s.net) as u64));
        line.net_rss += s.net;
        line.self_net_rss += s.net;
        line.peak_rss = line.peak_rss.max(s.peak as u64);
        line.samples += s.us / 10_000;
        self.run.functions[function].self_net_rss += s.net;
    }

    /// What `callee`, which has ended, did is in the line that called it, too. Of a call of the same function
    /// it is in its own lines only.
    fn record_callee(&mut self, callee: &Open) {
        let Some(caller) = self.stack.last() else {
            return;
        };
        let (function, number) = (caller.function, caller.line);
        let mut lines = self.run.functions[function].lines.iter_mut();
        let line = lines.find(|line| Some(line.line) == number);
        let Some(line) = line.filter(|_| function != callee.function) else {
            return;
        };
        line.time_ns += self.now - callee.start_ns;
        line.max_rss = line.max_rss.max(Some(self.rss as u64));
        line.net_rss += self.rss - callee.entry;
        let rise = (callee.max - callee.entry) as u64;
        line.peak_rss = line.peak_rss.max(rise);
    }

    fn leave(&mut self, outcome: Outcome) {
        self.sample(self.now, self.rss, None);
        let open = self.stack.pop().unwrap();
        self.record_callee(&open);
        let outermost = self.stack.iter().all(|o| o.function != open.function);
        let function = &mut self.run.functions[open.function];
        let peak = (open.max - open.entry) as u64;
        function.calls += 1;
        function.panics += u64::from(outcome == Outcome::Panicked);
        if outermost {
            function.time_ns += self.now - open.start_ns;
            function.net_rss += self.rss - open.entry;
        }
        function.max_rss = function.max_rss.max(open.max as u64);
        function.call_records.push(data!(Call {
            start_ns: open.start_ns,
            end_ns: self.now,
            suspended_ns: 0,
            thread: 1,
            depth: self.stack.len() as u32,
            by: None,
            outcome,
            entry_rss: open.entry as u64,
            exit_rss: self.rss as u64,
            peak_rss: peak,
            net_rss: self.rss - open.entry,
            suspended_rss: 0,
        }));
        if function.series_call.is_none() || peak > function.peak_rss {
            function.series_call = Some(function.call_records.len() - 1);
            function.series = open.series;
            function.entry_rss = open.entry as u64;
            function.exit_rss = self.rss as u64;
            function.peak_rss = peak;
            function.peak_at = open.peak_at;
        }
    }

    fn idle(&mut self, ns: u64) {
        self.now += ns;
        self.sample(self.now, self.rss, None);
    }

    fn sample(&mut self, t_ns: u64, rss: i64, line: Option<u32>) {
        let rss = rss as u64;
        self.run.series.push(data!(Sample {
            t_ns,
            rss,
            heap: None,
        }));
        for open in &mut self.stack {
            open.series.push(data!(LineSample {
                t_ns,
                rss,
                heap: None,
                line,
            }));
        }
    }

    fn finish(mut self) -> Run {
        self.run.duration_ns = self.now;
        // Calls are listed in the order of their start; they were pushed in that of their end.
        for function in &mut self.run.functions {
            let shown = function
                .series_call
                .map(|i| function.call_records[i].clone());
            function
                .call_records
                .sort_by_key(|call| (call.start_ns, call.depth));
            function.series_call =
                shown.and_then(|call| function.call_records.iter().position(|c| *c == call));
        }
        self.run
    }
}
