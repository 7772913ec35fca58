//! What generated code holds around a call with limits, so that it can end with a panic.

use std::cell::Cell;

use crate::limits::pending::take;
use crate::limits::verdict::{Broken, BrokenLimits};
use crate::message::message;
use crate::site::spec::Site;
use memprof_model::run::Outcome;

/// Adds to what one call broke how the calls of all sizes grow.
fn with_growth(
    site: &'static Site,
    verdict: Option<Box<BrokenLimits>>,
) -> Option<Box<BrokenLimits>> {
    let site = site.registered_already()?;
    let Some((limit, exponent)) = site.grows_too_fast() else {
        return verdict;
    };
    let mut verdict = verdict.unwrap_or_else(|| Box::new(BrokenLimits::new(site)));
    verdict.broken.push(Broken::Growth { limit, exponent });
    Some(verdict)
}

/// Declared before a call with limits begins: when the call is over, panics if it broke one.
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
        let Some(verdict) = with_growth(self.site, take(self.site)) else {
            return;
        };
        let only_report = verdict.site.per_call.is_some_and(|site| site.limits.warn);
        if only_report || verdict.outcome != Outcome::Returned || std::thread::panicking() {
            say(&verdict);
        } else {
            panic!("{}", verdict.message());
        }
    }
}

/// Passes a call's `value` on if it kept to its limits; drops it and panics otherwise.
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

/// Says on stderr what a call of `site` broke that cannot panic, because it was cancelled.
pub(crate) fn report(site: &'static Site) {
    if let Some(verdict) = take(site) {
        say(&verdict);
    }
}

/// Once for each function: what is called a million times is not to fill the terminal.
fn say(verdict: &BrokenLimits) {
    if verdict.site.say_once() {
        let how = match verdict.outcome {
            Outcome::Panicked => "it was ended by a panic, which goes on; ",
            Outcome::Cancelled => "it was cancelled; ",
            Outcome::Returned | Outcome::Running => "",
        };
        let broken = verdict.message();
        message(&format!("{broken}\n  ({how}later calls are not reported)"));
    }
}

#[cfg(test)]
mod tests;
