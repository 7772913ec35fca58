//! Hands broken limits from the call that ends to the guard around it, on the same thread.

use std::cell::Cell;

use super::verdict::BrokenLimits;
use crate::site::spec::Site;

thread_local! {
    /// The limits that the thread's last call broke, until the call's guard takes them.
    static PENDING: Cell<Option<Box<BrokenLimits>>> = const { Cell::new(None) };
}

/// Leaves broken limits for the guard of their call, which is dropped next.
pub(crate) fn leave(broken_limits: BrokenLimits) {
    let broken_limits = Some(Box::new(broken_limits));
    // While the thread is being taken down there is no guard to find it.
    let _ = PENDING.try_with(|pending| pending.set(broken_limits));
}

/// Takes the limits that the last call of `site` on this thread broke.
pub(crate) fn take(site: &'static Site) -> Option<Box<BrokenLimits>> {
    let broken_limits = PENDING.try_with(Cell::take).ok()??;
    // They can be another site's: a leaked frame ends later than its guard.
    std::ptr::eq(broken_limits.site.spec, &raw const site.spec).then_some(broken_limits)
}
