//! The guard that generated code holds around a call with limits, so that the call can end with a panic.

use std::cell::Cell;

use crate::limits::pending::take;
use crate::limits::verdict::{Broken, BrokenLimits};
use crate::message::message;
use crate::own_code;
use crate::site::annotated::Site;
use memprof_model::run::Outcome;

/// Adds the limit on growth to what one call broke, if the calls of all sizes together break it.
fn with_growth(
    site: &'static Site,
    broken_limits: Option<Box<BrokenLimits>>,
) -> Option<Box<BrokenLimits>> {
    let site = site.registered_already()?;
    let Some((limit, exponent)) = site.grows_too_fast() else {
        return broken_limits;
    };
    let mut broken_limits = broken_limits.unwrap_or_else(|| Box::new(BrokenLimits::new(site)));
    broken_limits
        .broken
        .push(Broken::Growth { limit, exponent });
    Some(broken_limits)
}

/// Declared before a call with limits begins. Checks when the call is over, and panics if the call broke one.
#[derive(Debug)]
pub struct LimitGuard {
    site: &'static Site,
    checked: Cell<bool>,
}

impl LimitGuard {
    /// For a call of `site`.
    #[inline]
    #[must_use]
    pub const fn new(site: &'static Site) -> LimitGuard {
        LimitGuard {
            site,
            checked: Cell::new(false),
        }
    }

    #[track_caller]
    fn check(&self) {
        self.checked.set(true);
        let broken_limits = own_code::enter().and_then(|_inside| {
            let broken_limits = take(self.site);
            with_growth(self.site, broken_limits)
        });
        let Some(broken_limits) = broken_limits else {
            return;
        };
        let only_report = broken_limits
            .site
            .per_call
            .is_some_and(|site| site.limits.warn);
        if only_report || broken_limits.outcome != Outcome::Returned || std::thread::panicking() {
            say(&broken_limits);
        } else {
            panic!("{}", broken_limits.message());
        }
    }
}

/// Passes on the `value` of a call that kept to its limits; drops it and panics otherwise.
#[inline]
#[track_caller]
pub fn within<T>(guard: &LimitGuard, value: T) -> T {
    guard.check();
    value
}

impl Drop for LimitGuard {
    fn drop(&mut self) {
        if !self.checked.get() {
            self.check();
        }
    }
}

/// Reports on stderr what a cancelled call of `site` broke: such a call cannot panic.
pub(crate) fn report(site: &'static Site) {
    if let Some(broken_limits) = take(site) {
        say(&broken_limits);
    }
}

/// Reports on stderr, once for each function, so that one that is called a million times does not fill the
/// terminal.
fn say(broken_limits: &BrokenLimits) {
    if broken_limits.site.say_once() {
        let how = broken_limits.outcome.words();
        let how = how.map_or_else(String::new, |how| format!("{how}; "));
        let text = broken_limits.message();
        message(&format!("{text}\n  ({how}later calls are not reported)"));
    }
}

#[cfg(test)]
mod tests;
