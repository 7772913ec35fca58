//! One annotated function as generated code holds it, and the way to its entry in the run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::limits::Limits;
use super::registered::RegisteredSite;
use super::spec::{PerCall, SiteSpec};

/// One annotated function. Generated code holds it in a `static`.
#[derive(Debug)]
pub struct Site {
    pub(crate) spec: SiteSpec,
    per_call: Option<PerCall>,
    registered: OnceLock<&'static RegisteredSite>,
    /// Calls in a signal handler that interrupted memprof: nothing else could be recorded of them.
    counted_only: AtomicU64,
}

impl Site {
    /// Called in the initialiser of a `static` that the attribute writes.
    #[must_use]
    pub const fn new(spec: SiteSpec) -> Site {
        Site {
            spec,
            per_call: None,
            registered: OnceLock::new(),
            counted_only: AtomicU64::new(0),
        }
    }

    /// This site with limits on its calls, or with the expression that gives their size.
    #[must_use]
    pub const fn per_call(mut self, limits: Limits, by: Option<&'static str>) -> Site {
        self.per_call = Some(PerCall { limits, by });
        self
    }

    /// Whether its calls have limits.
    #[inline]
    pub(crate) const fn has_limits(&self) -> bool {
        match &self.per_call {
            Some(per_call) => per_call.limits.any(),
            None => false,
        }
    }

    /// The site's entry in the run, if it was called before.
    #[inline]
    pub(crate) fn registered_already(&self) -> Option<&'static RegisteredSite> {
        self.registered.get().copied()
    }

    /// The site's entry in the run, made by `register` at its first call.
    #[inline]
    pub(crate) fn registered(
        &'static self,
        register: impl FnOnce(&'static Site) -> &'static RegisteredSite,
    ) -> &'static RegisteredSite {
        self.registered.get_or_init(|| register(self))
    }

    /// What is wanted of each call by itself, if anything.
    pub(crate) fn wants(&self) -> Option<PerCall> {
        self.per_call
    }

    /// Counts a call of which nothing else can be recorded.
    #[cold]
    pub(crate) fn count_only(&self) {
        self.counted_only.fetch_add(1, Relaxed);
    }

    /// The calls so far of which nothing else was recorded.
    pub(crate) fn counted_only(&self) -> &AtomicU64 {
        &self.counted_only
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const SPEC: SiteSpec = SiteSpec {
        name: || "demo::f::__MEMPROF_SITE",
        label: None,
        block: None,
        file: "src/f.rs",
        line: 8,
        interval_ns: 1,
        source: "fn f() {\n\n    g();\n}\n",
        source_line: 7,
        lines: &[9],
    };

    #[test]
    fn annotated_site_has_limits_if_it_was_given_one() {
        assert!(!Site::new(SPEC).has_limits());
        let site = |limits| Site::new(SPEC).per_call(limits, Some("n"));
        assert!(!site(Limits::NONE).has_limits());
        assert!(!site(Limits::NONE.warn()).has_limits());
        assert!(site(Limits::NONE.peak(0)).has_limits());
        assert!(site(Limits::NONE.allocations(0)).has_limits());
    }

    #[test]
    fn annotated_site_is_registered_once_with_what_it_was_given() {
        static SITE: Site = Site::new(SPEC).per_call(Limits::NONE.net(5), Some("n"));
        let times = Cell::new(0);
        let register = |site: &'static Site| {
            times.set(times.get() + 1);
            let site = RegisteredSite::new(3, &site.spec, 1, site.wants(), false);
            &*Box::leak(Box::new(site))
        };
        assert!(SITE.registered_already().is_none());
        let first = SITE.registered(register);
        let second = SITE.registered(register);
        assert!(std::ptr::eq(first, second));
        assert!(
            SITE.registered_already()
                .is_some_and(|site| std::ptr::eq(site, first))
        );
        assert_eq!(times.get(), 1);
        assert!(std::ptr::eq(first.spec, &raw const SITE.spec));
        let per_call = first.per_call.expect("it was given limits");
        assert_eq!((per_call.limits.net, per_call.by), (Some(5), Some("n")));
    }
}
