//! One annotated function, known at compile time: what the attribute writes down about it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock};

use slab::Slab;

use crate::calls::CallBook;
use crate::growth::Exponent;
use crate::heap;
use crate::limits::Limits;
use crate::log::OpenCall;
use crate::run::Call;
use crate::sizes::{CallBounds, SizeBook};

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
    watched: Option<Watched>,
    registered: OnceLock<&'static Registered>,
}

/// What is to be known of each call of a site by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched {
    pub limits: Limits,
    /// The expression in `by = …`.
    pub by: Option<&'static str>,
}

impl Watched {
    /// Without limits and size: for what is to be known of every function's calls.
    pub(crate) const PLAINLY: Watched = Watched {
        limits: Limits::NONE,
        by: None,
    };
}

/// A site that was called in this run.
#[derive(Debug)]
pub(crate) struct Registered {
    /// Position in the recorder's list, and in every lane's tallies.
    pub id: usize,
    pub spec: &'static SiteSpec,
    pub name: String,
    pub label: String,
    pub interval_ns: u64,
    pub watched: Option<Watched>,
    calls: Mutex<CallBook>,
    sizes: Mutex<SizeBook>,
    /// What its calls took at most, where that is asked for.
    maxima: Option<Mutex<CallBounds>>,
    /// Whether a broken limit was reported.
    said: AtomicBool,
    /// Calls whose futures are suspended.
    suspended: Mutex<Slab<OpenCall>>,
}

impl SiteSpec {
    /// For one of memprof's own purposes: not a function of the report.
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

    /// Whether it was made by [`SiteSpec::own`]: the attribute never leaves out the file.
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
            watched: None,
            registered: OnceLock::new(),
        }
    }

    /// The same, with limits on its calls, or with the expression that tells their size.
    #[must_use]
    pub const fn watched(mut self, limits: Limits, by: Option<&'static str>) -> Site {
        self.watched = Some(Watched { limits, by });
        self
    }

    /// Whether its calls have limits.
    #[inline]
    pub(crate) const fn has_limits(&self) -> bool {
        match &self.watched {
            Some(watched) => watched.limits.any(),
            None => false,
        }
    }

    /// The site's entry in the run, if it was called before.
    #[inline]
    pub(crate) fn registered_already(&self) -> Option<&'static Registered> {
        self.registered.get().copied()
    }

    /// The site's entry in the run, made by `register` at its first call.
    #[inline]
    pub(crate) fn registered(
        &'static self,
        register: impl FnOnce(&'static SiteSpec, Option<Watched>) -> &'static Registered,
    ) -> &'static Registered {
        self.registered
            .get_or_init(|| register(&self.spec, self.watched))
    }
}

impl Registered {
    pub(crate) fn new(
        id: usize,
        spec: &'static SiteSpec,
        interval_ns: u64,
        watched: Option<Watched>,
        maxima: bool,
    ) -> Registered {
        let name = full_name(spec);
        let label = match (spec.label, spec.block) {
            (Some(label), _) | (None, Some(label)) => label.to_owned(),
            (None, None) => last_segment(&name).to_owned(),
        };
        let (calls, sizes) = match watched.and_then(|watched| watched.by) {
            Some(_) => (
                CallBook::with_room(),
                SizeBook::with_room_for(spec.lines.len()),
            ),
            None => Default::default(),
        };
        Registered {
            id,
            spec,
            name,
            label,
            interval_ns,
            watched,
            calls: Mutex::new(calls),
            sizes: Mutex::new(sizes),
            maxima: maxima.then(|| Mutex::new(CallBounds::with_room_for(spec.lines.len()))),
            said: AtomicBool::new(false),
            suspended: Mutex::default(),
        }
    }

    /// The source line that `line`, an index into the site's lines, stands for.
    pub(crate) fn line_number(&self, line: u32) -> Option<u32> {
        self.spec.lines.get(line as usize).copied()
    }

    /// Whether this stands for `memory_usage` and not for a function of the user's.
    pub(crate) fn is_usage(&self) -> bool {
        std::ptr::eq(self.spec, &raw const crate::usage::SPEC)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, CallBook> {
        crate::lock(&self.calls)
    }

    pub(crate) fn sizes(&self) -> MutexGuard<'_, SizeBook> {
        crate::lock(&self.sizes)
    }

    pub(crate) fn maxima(&self) -> Option<MutexGuard<'_, CallBounds>> {
        self.maxima.as_ref().map(crate::lock)
    }

    /// The exponent of its growth, if there is a limit on it that is surely broken.
    pub(crate) fn grows_too_fast(&self) -> Option<(f64, Exponent)> {
        let limit = self.watched?.limits.growth?;
        let exponent = heap::outside_the_figures(|| self.sizes().grows_faster_than(limit))?;
        Some((limit, exponent))
    }

    /// Whether this is the first time that it is asked.
    pub(crate) fn say_once(&self) -> bool {
        !self.said.swap(true, Relaxed)
    }

    /// Keeps a suspended call; gives the key to have it back.
    pub(crate) fn put_suspended(&self, call: OpenCall) -> usize {
        heap::outside_the_figures(|| crate::lock(&self.suspended).insert(call))
    }

    pub(crate) fn take_suspended(&self, key: usize) -> Option<OpenCall> {
        crate::lock(&self.suspended).try_remove(key)
    }

    /// The calls that are suspended now, as if the process ended, and the memory that they take.
    pub(crate) fn suspended(&self) -> (Vec<Call>, u64) {
        let suspended = crate::lock(&self.suspended);
        let calls = suspended.iter().map(|(_, call)| call.record_suspended());
        let bytes = suspended.capacity() * size_of::<OpenCall>();
        (calls.collect(), bytes as u64)
    }
}

/// The function's path: what `type_name` says of an item inside it, less that item.
///
/// `type_name` is documented as best effort; where its form is not the expected one, the whole of
/// it is still a usable name.
fn full_name(spec: &SiteSpec) -> String {
    let inside = (spec.name)();
    let path = inside.split("::__MEMPROF_SITE").next().unwrap_or(inside);
    let path = path.strip_suffix("::__memprof_here").unwrap_or(path);
    // The body of an `async fn` is a closure to the compiler, not to its author.
    let path = path.trim_end_matches("::{{closure}}");
    match spec.block {
        Some(block) => format!("{path}::{block}"),
        None => path.to_owned(),
    }
}

/// What follows the last `::` that is not inside `<…>`.
fn last_segment(path: &str) -> &str {
    let mut depth = 0_i32;
    let mut start = 0;
    let bytes = path.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' => depth += 1,
            // The arrow of a function type is not a closing bracket.
            b'>' if at > 0 && bytes[at - 1] != b'-' => depth -= 1,
            b':' if depth == 0 && at > 0 && bytes[at - 1] == b':' => start = at + 1,
            _ => {}
        }
    }
    &path[start..]
}

#[cfg(test)]
mod tests {
    use super::last_segment;

    #[test]
    fn the_label_is_the_last_part_of_the_path() {
        assert_eq!(last_segment("demo::inverse"), "inverse");
        assert_eq!(last_segment("main"), "main");
        assert_eq!(last_segment("<a::B as c::D>::go"), "go");
        assert_eq!(last_segment("a::B<fn(u8) -> c::D>::go"), "go");
        assert_eq!(last_segment("a::outer::{{closure}}"), "{{closure}}");
    }
}
