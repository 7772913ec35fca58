//! A site at compile time: what the attribute writes down about one annotated function.

use std::sync::OnceLock;

use super::limits::Limits;
use super::registered::RegisteredSite;

/// Stands for every call of `memory_usage`; it is not a function of the report.
pub(crate) static MEMORY_USAGE: SiteSpec = SiteSpec::own("memprof::memory_usage", &[]);

/// What the attribute knows of a function. Built by generated code only.
#[derive(Debug)]
pub struct SiteSpec {
    /// Gives the path of an item inside the function, from which the function's own path is cut.
    pub name: fn() -> &'static str,
    /// What `name = "…"` said.
    pub label: Option<&'static str>,
    /// The name of a `block!`.
    pub block: Option<&'static str>,
    /// Source file, as the compiler names it.
    pub file: &'static str,
    /// Line of the signature.
    pub line: u32,
    /// Sampling interval in nanoseconds.
    pub interval_ns: u64,
    /// Text of the whole function, whole lines.
    pub source: &'static str,
    /// Number of the first line of `source`.
    pub source_line: u32,
    /// Executable lines, ascending.
    pub lines: &'static [u32],
}

/// One annotated function. Generated code holds it in a `static`.
#[derive(Debug)]
pub struct Site {
    pub(crate) spec: SiteSpec,
    per_call: Option<PerCall>,
    registered: OnceLock<&'static RegisteredSite>,
}

/// What is wanted of each call of a site by itself, beside the totals over all calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PerCall {
    pub limits: Limits,
    /// The expression in `by = …`.
    pub by: Option<&'static str>,
}

impl PerCall {
    /// Without limits and size: under a baseline the figures of every call are wanted.
    pub(crate) const PLAINLY: PerCall = PerCall {
        limits: Limits::NONE,
        by: None,
    };
}

impl SiteSpec {
    /// A site for one of memprof's own purposes, which is not in the report.
    pub(crate) const fn own(name: &'static str, lines: &'static [u32]) -> SiteSpec {
        SiteSpec {
            name: || "",
            label: Some(name),
            block: None,
            file: "",
            line: 0,
            interval_ns: 0,
            source: "",
            source_line: 0,
            lines,
        }
    }

    /// Text of the source line with this number; empty where the function has no such line.
    pub(crate) fn source_of(&self, number: u32) -> &'static str {
        let at = number.checked_sub(self.source_line);
        at.and_then(|at| self.source.lines().nth(at as usize))
            .unwrap_or("")
    }

    /// Whether it was made by [`SiteSpec::own`]. The attribute never leaves the file empty.
    pub(crate) fn is_own(&self) -> bool {
        self.file.is_empty()
    }
}

impl Site {
    /// Called in the initialiser of a `static` that the attribute writes.
    #[must_use]
    pub const fn new(spec: SiteSpec) -> Site {
        Site {
            spec,
            per_call: None,
            registered: OnceLock::new(),
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
        register: impl FnOnce(&'static SiteSpec, Option<PerCall>) -> &'static RegisteredSite,
    ) -> &'static RegisteredSite {
        self.registered
            .get_or_init(|| register(&self.spec, self.per_call))
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
    fn site_spec_the_source_of_a_line_is_found_by_its_number_in_the_file() {
        let lines = [6, 7, 8, 9, 10, 11].map(|number| SPEC.source_of(number));
        assert_eq!(lines, ["", "fn f() {", "", "    g();", "}", ""]);
    }

    #[test]
    fn site_spec_own_sites_are_told_from_those_of_the_user() {
        assert!(MEMORY_USAGE.is_own());
        assert!(SiteSpec::own("memprof::test", &[1]).is_own());
        assert!(!SPEC.is_own());
    }

    #[test]
    fn site_spec_a_site_has_limits_if_it_was_given_one() {
        assert!(!Site::new(SPEC).has_limits());
        let site = |limits| Site::new(SPEC).per_call(limits, Some("n"));
        assert!(!site(Limits::NONE).has_limits());
        assert!(!site(Limits::NONE.warn()).has_limits());
        assert!(site(Limits::NONE.peak(0)).has_limits());
        assert!(site(Limits::NONE.allocations(0)).has_limits());
    }

    #[test]
    fn site_spec_a_site_is_registered_once_with_what_it_was_given() {
        static SITE: Site = Site::new(SPEC).per_call(Limits::NONE.net(5), Some("n"));
        let times = Cell::new(0);
        let register = |spec: &'static SiteSpec, per_call: Option<PerCall>| {
            times.set(times.get() + 1);
            let site = RegisteredSite::new(3, spec, 1, per_call, false);
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
