//! Hands broken limits from the call that ends to the guard around it, on the same thread.

use std::cell::Cell;

use super::verdict::BrokenLimits;
use crate::site::annotated::Site;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::registered::RegisteredSite;
    use crate::site::spec::SiteSpec;

    static FIRST: Site = Site::new(SiteSpec::own("first", &[]));
    static SECOND: Site = Site::new(SiteSpec::own("second", &[]));

    /// A verdict that is told from others by its number of lines.
    fn leave_for(site: &'static Site, lines: usize) {
        let site = RegisteredSite::new(0, &site.spec, 1, None, false);
        let mut verdict = BrokenLimits::new(Box::leak(Box::new(site)));
        verdict.lines.resize_with(lines, Default::default);
        leave(verdict);
    }

    fn taken(site: &'static Site) -> Option<usize> {
        take(site).map(|verdict| verdict.lines.len())
    }

    #[test]
    fn pending_a_verdict_is_taken_once_and_by_the_guard_of_its_own_site() {
        leave_for(&FIRST, 1);
        assert_eq!(taken(&FIRST), Some(1));
        assert_eq!(taken(&FIRST), None);
    }

    #[test]
    fn pending_the_guard_of_another_site_does_not_get_it_and_it_is_gone() {
        leave_for(&FIRST, 1);
        assert_eq!(taken(&SECOND), None);
        assert_eq!(
            taken(&FIRST),
            None,
            "its frame was leaked: the guard is past"
        );
    }

    #[test]
    fn pending_the_last_call_that_ended_has_the_say() {
        leave_for(&SECOND, 1);
        leave_for(&FIRST, 2);
        assert_eq!(taken(&FIRST), Some(2));
        assert_eq!(taken(&SECOND), None);
    }

    #[test]
    fn pending_a_verdict_stays_on_its_thread() {
        leave_for(&FIRST, 1);
        let elsewhere = std::thread::spawn(|| taken(&FIRST)).join();
        assert_eq!(elsewhere.expect("no panic"), None);
        assert_eq!(taken(&FIRST), Some(1));
    }
}
