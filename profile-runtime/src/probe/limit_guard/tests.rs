use memprof_model::data;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::limits::pending::leave;
use crate::limits::verdict::Figure;
use crate::site::figures::CallFigures;
use crate::site::limits::Limits;
use crate::site::registered::RegisteredSite;
use crate::site::spec::SiteSpec;
use memprof_model::run::HeapFigures;

/// A site that was called, with these limits.
fn called(limits: Limits) -> &'static Site {
    let spec = SiteSpec::own("crunch", &[]);
    let site: &'static Site = Box::leak(Box::new(Site::new(spec).per_call(limits, Some("n"))));
    site.registered(|site| {
        Box::leak(Box::new(RegisteredSite::new(
            0,
            &site.spec,
            1,
            site.wants(),
            false,
        )))
    });
    site
}

/// A call of `site` has ended and broken a limit.
fn breaks(site: &'static Site, outcome: Outcome) {
    let registered = site.registered_already().expect("it was called");
    let mut verdict = BrokenLimits::new(registered);
    verdict.outcome = outcome;
    verdict.broken.push(Broken::Figure {
        figure: Figure::Net,
        limit: 1,
        value: 2,
    });
    leave(verdict);
}

/// Whether it was said on stderr: what comes later is not.
fn was_said(site: &'static Site) -> bool {
    !site.registered_already().expect("it was called").say_once()
}

fn text(panic: Box<dyn Any + Send>) -> String {
    *panic.downcast().expect("a message")
}

#[test]
fn limit_guard_a_value_is_passed_on_where_nothing_was_broken() {
    let site = called(Limits::NONE.net(1));
    let guard = LimitGuard::new(site);
    assert_eq!(within(&guard, 7), 7);
    drop(guard);
    assert!(!was_said(site));
}

#[test]
fn limit_guard_a_call_that_returned_and_broke_a_limit_panics_with_the_message_once() {
    let site = called(Limits::NONE.net(1));
    let result = catch_unwind(|| {
        let guard = LimitGuard::new(site);
        breaks(site, Outcome::Returned);
        within(&guard, 7)
    });
    let message = text(result.expect_err("it broke its limit"));
    assert!(
        message.starts_with("`crunch` (:0) broke its memory limit\n  max_net = "),
        "{message}"
    );
    assert!(!was_said(site), "the panic says it");
}

#[test]
fn limit_guard_a_guard_that_no_value_passed_checks_when_it_is_dropped() {
    let site = called(Limits::NONE.net(1));
    let result = catch_unwind(|| {
        let _guard = LimitGuard::new(site);
        breaks(site, Outcome::Returned);
    });
    assert!(result.is_err());
    let guard = LimitGuard::new(site);
    within(&guard, ());
    breaks(site, Outcome::Returned);
    drop(guard);
    assert!(
        take(site).is_some(),
        "it had checked, and leaves what comes later alone"
    );
}

#[test]
fn limit_guard_the_value_of_a_call_that_broke_a_limit_is_dropped() {
    let site = called(Limits::NONE.net(1));
    let value = std::rc::Rc::new(());
    let held = value.clone();
    let result = catch_unwind(AssertUnwindSafe(|| {
        breaks(site, Outcome::Returned);
        within(&LimitGuard::new(site), held)
    }));
    assert!(result.is_err() && std::rc::Rc::strong_count(&value) == 1);
}

#[test]
fn limit_guard_where_a_warning_is_enough_it_is_said_and_the_value_passed_on() {
    let site = called(Limits::NONE.net(1).warn());
    breaks(site, Outcome::Returned);
    assert_eq!(within(&LimitGuard::new(site), 7), 7);
    assert!(was_said(site));
}

#[test]
fn limit_guard_a_call_that_was_ended_by_a_panic_keeps_its_own() {
    let site = called(Limits::NONE.net(1));
    let result = catch_unwind(|| {
        let _guard = LimitGuard::new(site);
        breaks(site, Outcome::Panicked);
        panic!("its own: {}", std::hint::black_box(1));
    });
    assert_eq!(text(result.expect_err("it panicked")), "its own: 1");
    assert!(was_said(site));
}

#[test]
fn limit_guard_of_a_cancelled_call_it_is_said() {
    let site = called(Limits::NONE.net(1));
    report(site);
    breaks(site, Outcome::Cancelled);
    report(site);
    assert!(was_said(site));
}

#[test]
fn limit_guard_a_verdict_is_taken_by_its_own_site_s_guard_only() {
    let [site, other] = [(); 2].map(|()| called(Limits::NONE.net(1)));
    breaks(site, Outcome::Returned);
    assert_eq!(within(&LimitGuard::new(other), 7), 7);
    assert!(!was_said(site) && !was_said(other));
}

#[test]
fn limit_guard_growth_is_judged_after_every_call_also_of_one_that_broke_nothing_else() {
    let site = called(Limits::NONE.growth(1.5));
    let registered = site.registered_already().expect("it was called");
    for step in 0..10_u32 {
        let n = 1_000.0 * f64::from(1 << step);
        let peak = (16.0 * n * n) as u64;
        let call = CallFigures {
            unsure: 0,
            peak,
            net: 0,
            time_ns: 1,
            heap: data!(HeapFigures {
                peak,
                ..HeapFigures::default()
            }),
        };
        registered.sizes().add(n, &call, &mut Vec::new());
    }
    let result = catch_unwind(|| within(&LimitGuard::new(site), ()));
    let message = text(result.expect_err("it grows too fast"));
    assert!(
        message.contains("max_growth = n^1.5, was n^2.00"),
        "{message}"
    );
}

#[test]
fn limit_guard_a_site_that_was_never_called_has_broken_nothing() {
    static SITE: Site = Site::new(SiteSpec::own("never", &[]));
    assert_eq!(within(&LimitGuard::new(&SITE), 7), 7);
}
