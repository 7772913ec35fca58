//! What a thread knows of itself without asking anybody: its lane, and what its probes write to.

use std::cell::Cell;

use crate::heap::origins::LineOrigins;
use crate::heap::{self, Token};
use crate::lane::{Lane, NO_LANE};
use crate::recorder::Recorder;
use crate::site::Site;
use crate::tally::Cells;

/// Without a destructor, so that it is reached without asking whether it is still there.
struct Own {
    lane: Cell<Option<&'static Lane>>,
    /// See `Frame::leaving`, for the probes of futures.
    leaving: Cell<u32>,
}

/// Gives the lane back when the thread ends.
struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        if let (Some(lane), Some(recorder)) = (forget_lane(), Recorder::running()) {
            recorder.give_back(lane);
        }
    }
}

thread_local! {
    static OWN: Own = const {
        Own {
            lane: Cell::new(None),
            leaving: Cell::new(0),
        }
    };
    static GIVE_BACK: GiveBack = const { GiveBack };
}

/// The calling thread's lane, if it has one.
#[inline]
pub(crate) fn lane_if_any() -> Option<&'static Lane> {
    OWN.with(|own| own.lane.get())
}

/// The calling thread's lane, taken from `recorder` if it has none; `None` while the thread is being
/// taken down.
pub(crate) fn lane(recorder: &'static Recorder) -> Option<&'static Lane> {
    if let Some(lane) = lane_if_any() {
        return Some(lane);
    }
    GIVE_BACK.try_with(|_| ()).ok()?;
    let lane = heap::outside_the_figures(|| recorder.take_lane());
    OWN.with(|own| own.lane.set(Some(lane)));
    heap::find_lines_in(lane.hot());
    Some(lane)
}

/// The calling thread has no lane any more; gives the one that it had.
pub(crate) fn forget_lane() -> Option<&'static Lane> {
    heap::find_lines_in(&NO_LANE);
    OWN.with(|own| own.lane.take())
}

/// The probe of the calling thread's innermost call, if that is one of `site`.
#[inline]
pub(crate) fn innermost_of(site: &'static Site) -> Option<Probe> {
    let lane = lane_if_any()?;
    let (innermost, cells, depth) = lane.innermost()?;
    std::ptr::eq(innermost.spec, &raw const site.spec).then(|| Probe::new(lane, cells, depth))
}

/// What the calling thread's line in progress has on its blocks, and the token of its call.
pub(crate) fn origin() -> Option<(&'static LineOrigins, Token)> {
    lane_if_any()?.origin()
}

/// How many loops the innermost call is leaving.
#[inline]
pub(crate) fn leaving() -> u32 {
    OWN.with(|own| own.leaving.get())
}

#[inline]
pub(crate) fn set_leaving(loops: u32) {
    OWN.with(|own| own.leaving.set(loops));
}

/// What the probes of a call write to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    pub lane: &'static Lane,
    pub cells: &'static Cells,
    pub depth: u32,
}

impl Probe {
    /// For a call of the calling thread, whose lane this is.
    #[inline]
    pub(crate) fn new(lane: &'static Lane, cells: &'static Cells, depth: u32) -> Probe {
        Probe { lane, cells, depth }
    }

    /// `line` begins: one hit.
    #[inline]
    pub(crate) fn line(&self, line: u32) {
        if let Some(cells) = self.cells.line(line as usize) {
            self.lane.hit_line(cells);
        }
    }

    /// Goes back to `line` without a hit.
    #[inline]
    pub(crate) fn resume(&self, line: u32) {
        self.lane.resume_line(self.cells.at(line));
    }

    /// The line at which the call is, if it is the innermost.
    pub(crate) fn current(&self) -> u32 {
        self.cells.place(self.lane.hot().line())
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// The call has the size `n`.
    pub(crate) fn set_size(&self, n: f64) {
        self.lane.set_size(self.depth, n);
    }

    /// Ends the call.
    pub(crate) fn exit(&self) {
        self.lane.exit(self.depth);
    }
}
