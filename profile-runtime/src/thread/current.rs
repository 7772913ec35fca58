//! What a thread knows of itself without asking anybody: its lane, and what its probes write to.

use std::cell::Cell;

use super::registry::ThreadRegistry;
use super::thread_recorder::{Lane, Probe};
use crate::counters::line::NO_LANE;
use crate::heap;
use crate::heap::origins::BlockOwner;
use crate::recording;
use crate::site::spec::Site;

/// Without a destructor, so that it is reached without asking whether it is still there.
struct Own {
    lane: Cell<Option<&'static Lane>>,
    /// Where the lane comes from.
    registry: Cell<Option<&'static ThreadRegistry>>,
    /// See `Frame::leaving`, for the probes of futures.
    leaving: Cell<u32>,
}

/// Gives the lane back when the thread ends.
struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        let registry = OWN.with(|own| own.registry.take());
        if let (Some(lane), Some(registry)) = (forget_lane(), registry)
            && !recording::has_given_up()
        {
            registry.give_back(lane);
        }
    }
}

thread_local! {
    static OWN: Own = const {
        Own {
            lane: Cell::new(None),
            registry: Cell::new(None),
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

/// The calling thread's lane, taken from `registry` if it has none; `None` while the thread is being
/// taken down.
pub(crate) fn lane(registry: &'static ThreadRegistry) -> Option<&'static Lane> {
    if let Some(lane) = lane_if_any() {
        return Some(lane);
    }
    GIVE_BACK.try_with(|_| ()).ok()?;
    let lane = heap::outside_the_figures(|| registry.take());
    OWN.with(|own| {
        own.lane.set(Some(lane));
        own.registry.set(Some(registry));
    });
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
pub(crate) fn origin() -> Option<BlockOwner> {
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
