use super::super::figures::CallFigures;
use super::super::limits::Limits;
use super::*;
use memprof_model::data;
use memprof_model::run::HeapFigures;

/// A site whose item inside has this path.
fn named(
    name: fn() -> &'static str,
    label: Option<&'static str>,
    block: Option<&'static str>,
) -> RegisteredSite {
    let spec = SiteSpec {
        name,
        label,
        block,
        file: "src/lib.rs",
        line: 1,
        interval_ns: 1,
        source: "",
        source_line: 1,
        lines: &[11, 15],
    };
    RegisteredSite::new(0, Box::leak(Box::new(spec)), 1, None, false)
}

#[test]
fn registered_site_the_name_is_the_path_of_the_function_without_what_we_put_inside() {
    for (inside, expected) in [
        (
            (|| "demo::f::__MEMPROF_SITE") as fn() -> &'static str,
            "demo::f",
        ),
        (|| "demo::f::__MEMPROF_SITE::x", "demo::f"),
        (|| "demo::f::__memprof_here", "demo::f"),
        (|| "demo::f::{{closure}}::__memprof_here", "demo::f"),
        (
            || "demo::f::{{closure}}::{{closure}}::__MEMPROF_SITE",
            "demo::f",
        ),
        (|| "something else", "something else"),
    ] {
        assert_eq!(named(inside, None, None).name, expected);
    }
}

#[test]
fn registered_site_the_label_is_what_the_user_said_or_the_block_or_the_last_part_of_the_path() {
    let name = || "demo::f::__MEMPROF_SITE";
    let plain = named(name, None, None);
    assert_eq!((&*plain.name, &*plain.label), ("demo::f", "f"));
    let block = named(name, None, Some("b"));
    assert_eq!((&*block.name, &*block.label), ("demo::f::b", "b"));
    let labelled = named(name, Some("l"), Some("b"));
    assert_eq!((&*labelled.name, &*labelled.label), ("demo::f::b", "l"));
}

#[test]
fn registered_site_a_line_is_known_by_its_place() {
    let site = named(|| "f", None, None);
    assert_eq!(
        [0, 1, 2, u32::MAX].map(|at| site.line_number(at)),
        [Some(11), Some(15), None, None]
    );
}

#[test]
fn registered_site_a_broken_limit_is_said_once() {
    let site = named(|| "f", None, None);
    assert_eq!(
        [site.say_once(), site.say_once(), site.say_once()],
        [true, false, false]
    );
}

#[test]
fn registered_site_memory_usage_is_told_from_functions() {
    let usage = RegisteredSite::new(0, &MEMORY_USAGE, 1, None, false);
    assert!(usage.is_usage());
    assert!(!named(|| "memprof::memory_usage", None, None).is_usage());
}

#[test]
fn registered_site_maxima_are_kept_where_they_are_asked_for() {
    let site = |maxima| RegisteredSite::new(0, &MEMORY_USAGE, 1, None, maxima);
    assert!(site(true).maxima().is_some());
    assert!(site(false).maxima().is_none());
}

/// Sizes from 1,000 on, each twice the one before, with `peak` bytes each.
fn with_sizes(limits: Limits, peak: impl Fn(f64) -> f64) -> RegisteredSite {
    static SPEC: SiteSpec = SiteSpec::own("grows", &[1]);
    let per_call = PerCall {
        limits,
        by: Some("n"),
    };
    let site = RegisteredSite::new(0, &SPEC, 1, Some(per_call), false);
    for step in 0..10 {
        let n = 1_000.0 * f64::from(1 << step);
        let call = CallFigures {
            unsure: 0,
            peak: peak(n) as u64,
            net: 0,
            time_ns: 1,
            // Where somebody counts, the heap has the say.
            heap: data!(HeapFigures {
                peak: peak(n) as u64,
                ..HeapFigures::default()
            }),
        };
        site.sizes().add(n, &call, &mut vec![]);
    }
    site
}

#[test]
fn registered_site_growth_is_too_fast_only_with_a_limit_that_is_surely_broken() {
    let limits = Limits::NONE.growth(1.5);
    let square = |n| 16.0 * n * n;
    let (limit, exponent) = (with_sizes(limits, square).grows_too_fast()).expect("n^2");
    assert!(limit == 1.5 && exponent.low > 1.5, "{exponent:?}");
    assert!(
        with_sizes(limits, |n| 4_096.0 * n)
            .grows_too_fast()
            .is_none()
    );
    assert!(with_sizes(Limits::NONE, square).grows_too_fast().is_none());
}

#[test]
fn registered_site_the_label_is_the_last_part_of_the_path() {
    assert_eq!(last_segment("demo::inverse"), "inverse");
    assert_eq!(last_segment("main"), "main");
    assert_eq!(last_segment("<a::B as c::D>::go"), "go");
    assert_eq!(last_segment("a::B<fn(u8) -> c::D>::go"), "go");
    assert_eq!(last_segment("a::outer::{{closure}}"), "{{closure}}");
}
