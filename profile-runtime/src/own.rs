//! What a thread knows of itself without asking anybody: its lane, and the call that it is in.

use std::cell::Cell;

use crate::heap;
use crate::lane::Lane;
use crate::recorder::Recorder;
use crate::site::{Registered, Site};
use crate::tally::Cells;

/// The innermost call of a thread, for probes that are not told which call is theirs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Innermost {
    pub site: &'static Registered,
    pub cells: &'static Cells,
}

#[derive(Debug)]
struct Own {
    lane: Cell<Option<&'static Lane>>,
    innermost: Cell<Option<Innermost>>,
    /// See `Frame::leaving`, for the probes of futures.
    leaving: Cell<u32>,
}

impl Drop for Own {
    fn drop(&mut self) {
        if let (Some(lane), Some(recorder)) = (self.lane.get(), Recorder::running()) {
            recorder.give_back(lane);
        }
    }
}

thread_local! {
    static OWN: Own = const {
        Own {
            lane: Cell::new(None),
            innermost: Cell::new(None),
            leaving: Cell::new(0),
        }
    };
}

/// The calling thread's lane, taken from `recorder` if it has none; `None` while the thread is being
/// taken down.
#[inline]
pub(crate) fn lane(recorder: &'static Recorder) -> Option<&'static Lane> {
    OWN.try_with(|own| match own.lane.get() {
        Some(lane) => lane,
        None => {
            let lane = heap::outside_the_figures(|| recorder.take_lane());
            own.lane.set(Some(lane));
            lane
        }
    })
    .ok()
}

/// The innermost call of the thread whose lane this is.
pub(crate) fn set_innermost(innermost: Option<Innermost>) {
    // While the thread is being taken down there are no probes left to ask.
    let _ = OWN.try_with(|own| own.innermost.set(innermost));
}

/// The calling thread's lane and the cells of its innermost call, if that is one of `site`.
#[inline]
pub(crate) fn innermost_of(site: &'static Site) -> Option<Probe> {
    OWN.try_with(|own| {
        let innermost = own.innermost.get()?;
        std::ptr::eq(innermost.site.spec, &raw const site.spec).then_some(Probe {
            lane: own.lane.get()?,
            cells: innermost.cells,
        })
    })
    .ok()
    .flatten()
}

/// How many loops the innermost call is leaving.
#[inline]
pub(crate) fn leaving() -> u32 {
    OWN.try_with(|own| own.leaving.get()).unwrap_or(0)
}

#[inline]
pub(crate) fn set_leaving(loops: u32) {
    let _ = OWN.try_with(|own| own.leaving.set(loops));
}

/// What a probe writes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    pub lane: &'static Lane,
    pub cells: &'static Cells,
}

impl Probe {
    /// `line` begins: one hit.
    #[inline]
    pub(crate) fn line(&self, line: u32) {
        self.cells.hit(line);
        self.lane.switch_line(self.cells, line, true);
    }

    /// Goes back to `line` without a hit.
    #[inline]
    pub(crate) fn resume(&self, line: u32) {
        self.lane.switch_line(self.cells, line, false);
    }
}
