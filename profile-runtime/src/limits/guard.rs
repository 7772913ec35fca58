//! What generated code holds around a call with limits, so that it can end with a panic.

use std::cell::Cell;

use super::verdict::{Broken, Verdict};
use crate::run::Outcome;
use crate::site::Site;

thread_local! {
    /// What the last call of this thread that had limits broke of them.
    static PENDING: Cell<Option<Box<Verdict>>> = const { Cell::new(None) };
}

/// Leaves a verdict for the guard of its call, which comes next.
pub(super) fn leave(verdict: Verdict) {
    let verdict = Some(Box::new(verdict));
    // While the thread is being taken down there is no guard to find it.
    let _ = PENDING.try_with(|pending| pending.set(verdict));
}

fn take(site: &'static Site) -> Option<Box<Verdict>> {
    let verdict = PENDING.try_with(Cell::take).ok()??;
    // A frame that was leaked ends later than its guard.
    std::ptr::eq(verdict.site.spec, &raw const site.spec).then_some(verdict)
}

/// Adds to what one call broke how the calls of all sizes grow.
fn with_growth(site: &'static Site, verdict: Option<Box<Verdict>>) -> Option<Box<Verdict>> {
    let site = site.registered_already()?;
    let Some((limit, exponent)) = site.grows_too_fast() else {
        return verdict;
    };
    let mut verdict = verdict.unwrap_or_else(|| Box::new(Verdict::new(site)));
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
        let only_report = verdict.site.watched.is_some_and(|site| site.limits.warn);
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
fn say(verdict: &Verdict) {
    if verdict.site.say_once() {
        let how = match verdict.outcome {
            Outcome::Panicked => "it was ended by a panic, which goes on; ",
            Outcome::Cancelled => "it was cancelled; ",
            Outcome::Returned | Outcome::Running => "",
        };
        let message = verdict.message();
        crate::message(&format!("{message}\n  ({how}later calls are not reported)"));
    }
}
