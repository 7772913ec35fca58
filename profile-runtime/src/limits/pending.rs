//! The way of a verdict from the call that ends to the guard around it, on the same thread.

use std::cell::Cell;

use super::verdict::BrokenLimits;
use crate::site::spec::Site;

thread_local! {
    /// What the last call of this thread that had limits broke of them.
    static PENDING: Cell<Option<Box<BrokenLimits>>> = const { Cell::new(None) };
}

/// Leaves a verdict for the guard of its call, which comes next.
pub(crate) fn leave(broken_limits: BrokenLimits) {
    let broken_limits = Some(Box::new(broken_limits));
    // While the thread is being taken down there is no guard to find it.
    let _ = PENDING.try_with(|pending| pending.set(broken_limits));
}

/// What the last call of `site` that ended here broke of its limits.
pub(crate) fn take(site: &'static Site) -> Option<Box<BrokenLimits>> {
    let broken_limits = PENDING.try_with(Cell::take).ok()??;
    // A frame that was leaked ends later than its guard.
    std::ptr::eq(broken_limits.site.spec, &raw const site.spec).then_some(broken_limits)
}
