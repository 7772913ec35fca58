//! A site in the run: made at the first call of the site, and shared by all threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use super::by_size::{Extremes, FiguresBySize};
use super::calls::{SharedRoom, SiteCalls};
use super::spec::{MEMORY_USAGE, PerCall, SiteSpec};
use crate::counters::site_directory::Place;
use crate::heap;
use crate::sync::lock;
use memprof_model::growth::Exponent;

/// A site that was called in this run, and what is kept of its calls.
#[derive(Debug)]
pub(crate) struct RegisteredSite {
    /// Its number: its place in the recorder's list, and in every thread's totals.
    pub id: usize,
    /// Where its counters are in the directory of each thread.
    pub place: Place,
    pub spec: &'static SiteSpec,
    pub name: String,
    pub label: String,
    pub interval_ns: u64,
    /// What is wanted of each call by itself, if anything.
    pub per_call: Option<PerCall>,
    calls: Mutex<SiteCalls>,
    /// Shared with all sites of the run.
    room: Arc<SharedRoom>,
    sizes: Mutex<FiguresBySize>,
    /// The most that its calls took, where a baseline asks for it.
    maxima: Option<Mutex<Extremes>>,
    /// Whether a broken limit was reported.
    said: AtomicBool,
    /// The calls of which nothing but their number is known.
    counted_only: Option<&'static AtomicU64>,
}

impl RegisteredSite {
    pub(crate) fn new(
        id: usize,
        spec: &'static SiteSpec,
        interval_ns: u64,
        per_call: Option<PerCall>,
        maxima: bool,
    ) -> RegisteredSite {
        let name = full_name(spec);
        let label = match (spec.label, spec.block) {
            (Some(label), _) | (None, Some(label)) => label.to_owned(),
            (None, None) => last_segment(&name).to_owned(),
        };
        let (calls, sizes) = match per_call.and_then(|per_call| per_call.by) {
            Some(_) => (
                SiteCalls::with_room(),
                FiguresBySize::with_room_for(spec.lines.len()),
            ),
            None => Default::default(),
        };
        RegisteredSite {
            id,
            place: Place::of(id),
            spec,
            name,
            label,
            interval_ns,
            per_call,
            calls: Mutex::new(calls),
            room: Arc::default(),
            sizes: Mutex::new(sizes),
            maxima: maxima.then(|| Mutex::new(Extremes::with_room_for(spec.lines.len()))),
            said: AtomicBool::new(false),
            counted_only: None,
        }
    }

    /// The same with calls that are counted there, and not recorded.
    pub(crate) fn with_counted_only(mut self, calls: &'static AtomicU64) -> RegisteredSite {
        self.counted_only = Some(calls);
        self
    }

    /// The calls so far of which nothing but their number is known.
    pub(crate) fn counted_only(&self) -> u64 {
        self.counted_only.map_or(0, |calls| calls.load(Relaxed))
    }

    /// The same, as one of several sites that share room for calls.
    pub(crate) fn with_room_in(mut self, room: &Arc<SharedRoom>) -> RegisteredSite {
        self.room = Arc::clone(room);
        self
    }

    /// The calls, with all that keeping another one will need.
    pub(crate) fn calls_with_room(&self) -> MutexGuard<'_, SiteCalls> {
        let mut calls = self.calls();
        calls.make_room(&self.room);
        calls
    }

    /// The number of the source line at this place in the site's list.
    pub(crate) fn line_number(&self, line: u32) -> Option<u32> {
        self.spec.lines.get(line as usize).copied()
    }

    /// Whether this site stands for `memory_usage`, and not for a function of the user's.
    pub(crate) fn is_usage(&self) -> bool {
        std::ptr::eq(self.spec, &raw const MEMORY_USAGE)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, SiteCalls> {
        lock(&self.calls)
    }

    pub(crate) fn sizes(&self) -> MutexGuard<'_, FiguresBySize> {
        lock(&self.sizes)
    }

    pub(crate) fn maxima(&self) -> Option<MutexGuard<'_, Extremes>> {
        self.maxima.as_ref().map(lock)
    }

    /// The limit on growth and the exponent, if the limit is surely broken.
    pub(crate) fn grows_too_fast(&self) -> Option<(f64, Exponent)> {
        let limit = self.per_call?.limits.growth?;
        let exponent = heap::without_counting(|| self.sizes().grows_faster_than(limit))?;
        Some((limit, exponent))
    }

    /// `true` at the first call of this method, `false` after.
    pub(crate) fn say_once(&self) -> bool {
        !self.said.swap(true, Relaxed)
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
    // The body of an `async fn` is a closure to the compiler, but not to its author.
    let path = path.trim_end_matches("::{{closure}}");
    match spec.block {
        Some(block) => format!("{path}::{block}"),
        None => path.to_owned(),
    }
}

/// The part after the last `::` that is not inside `<…>`.
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
mod tests;
