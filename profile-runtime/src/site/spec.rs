//! A site at compile time: what the attribute writes down about one annotated function.

use super::limits::Limits;

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

#[cfg(test)]
mod tests {
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
}
