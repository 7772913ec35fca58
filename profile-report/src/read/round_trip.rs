//! A run → its JSON → the same run, whatever its figures and texts.

use memprof_model::data;
use memprof_model::run::{
    Call, CallMaxima, FunctionProfile, HeapFigures, Line, Origins, Outcome, Run, RunOutcome,
    Workers,
};
use proptest::prelude::*;

use super::numbers::MOST;
use super::parse_run;
use crate::fixture;
use crate::format::json::to_json;

prop_compose! {
    fn heap()(figures in any::<[u64; 4]>(), net in any::<i64>()) -> HeapFigures {
        let [allocated, freed, peak, allocations] = figures.map(|figure| figure % MOST);
        data!(HeapFigures { allocated, freed, net: net % MOST as i64, peak, allocations })
    }
}

prop_compose! {
    fn line()(
        source in ".*",
        line in any::<u32>(),
        figures in any::<[u64; 7]>(),
        net in any::<i64>(),
        heap in prop::option::of(heap()),
        heap_elsewhere in prop::option::of(heap()),
        measured in any::<bool>(),
    ) -> Line {
        let [hits, readings, time_ns, max_rss, peak_rss, samples, shared] = figures.map(|figure| figure % MOST);
        let workers = heap_elsewhere.map(|heap| data!(Workers { hits, time_ns, heap: Some(heap) }));
        let max_rss = measured.then_some(max_rss);
        let net_rss = net % MOST as i64;
        let origins = measured.then(|| data!(Origins { alive_bytes: hits, passing_blocks: shared, resized: samples, ..Origins::default() }));
        data!(Line { line, source, hits, readings, time_ns, max_rss, net_rss, peak_rss, samples, shared, heap, heap_elsewhere, workers, origins })
    }
}

prop_compose! {
    fn call()(
        times in any::<[u32; 3]>(),
        by in prop::option::of(any::<f64>()),
        sizes in any::<[u64; 3]>(),
        changes in any::<[i64; 2]>(),
        only_counted in any::<bool>(),
        heap in prop::option::of(heap()),
        outcome in prop::sample::select(vec![Outcome::Returned, Outcome::Panicked, Outcome::Cancelled, Outcome::Running]),
    ) -> Call {
        let [start_ns, length, suspended_ns] = times.map(u64::from);
        let [entry_rss, exit_rss, peak_rss] = sizes.map(|size| size % MOST);
        let [net_rss, suspended_rss] = changes.map(|change| change % MOST as i64);
        let (end_ns, thread, depth) = (start_ns + length, length, 3);
        data!(Call { start_ns, end_ns, suspended_ns, thread, depth, by, outcome, entry_rss, exit_rss, peak_rss, net_rss, suspended_rss, heap, only_counted })
    }
}

prop_compose! {
    fn function()(
        texts in any::<[String; 4]>(),
        lines in prop::collection::vec(line(), 0..4),
        call_records in prop::collection::vec(call(), 0..4),
        shown in any::<prop::sample::Index>(),
        source_line in 0_u32..1 << 30,
        watched in prop::option::of(any::<[u64; 3]>()),
        grows in any::<bool>(),
    ) -> FunctionProfile {
        let [name, label, file, source] = texts;
        let series_call = (!call_records.is_empty()).then(|| shown.index(call_records.len()));
        let call_maxima = watched.map(|figures| {
            let [calls, shared, peak_rss] = figures.map(|figure| figure % MOST);
            data!(CallMaxima { calls, shared, peak_rss, heap: None, lines: Vec::new() })
        });
        let FunctionProfile { by, sizes, growth, .. } = if grows { fixture::growing().functions.swap_remove(0) } else { fixture::profile("f") };
        let spread = grows.then(|| fixture::one_high_call().functions.swap_remove(0).spread).flatten();
        data!(FunctionProfile { name, label, file, source, source_line, lines, call_records, series_call, by, sizes, growth, call_maxima, spread, ..fixture::profile("f") })
    }
}

prop_compose! {
    fn run()(
        program in ".*",
        command in prop::collection::vec(".*", 0..3),
        functions in prop::collection::vec(function(), 0..3),
        running in any::<bool>(),
    ) -> Run {
        let outcome = if running { RunOutcome::Running } else { RunOutcome::Exited };
        data!(Run { program, command, functions, outcome, ..fixture::nested() })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_run_is_the_same_after_its_json(mut run in run()) {
        let back = parse_run(to_json(&run).unwrap().as_bytes()).unwrap();
        // What is no number cannot be saved.
        for call in run.functions.iter_mut().flat_map(|f| &mut f.call_records) {
            call.by = call.by.filter(|by| by.is_finite());
        }
        prop_assert_eq!(back, run);
    }
}
