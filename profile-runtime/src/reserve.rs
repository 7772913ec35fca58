//! What is set aside for the reports of a program that runs out of memory, and whether they can be
//! written.
//!
//! A program without a limit on its memory pays nothing. With a limit on a control group the reserve's
//! pages are there from before the program's first line, so that they are in nobody's figures; with one
//! on the address space it takes none. It is given back right before the reports are written.

use std::sync::Mutex;

use crate::os::limits::Limits;
use crate::os::reserve::{self, Reserve};

/// What reports of a few functions take, with all that is held at once: measured, and doubled. See the
/// test `the_reports_fit_into_the_reserve`.
const REPORTS: usize = 4 << 20;
/// For each function of the run: its figures, its samples, its calls, in all forms that they take.
const FUNCTION: usize = 128 << 10;
/// The part of a limit that is set aside, at most.
const PART: u64 = 32;

/// The process's reserve.
#[derive(Debug, Default)]
pub(crate) struct Reserves {
    held: Mutex<Option<Reserve>>,
}

impl Reserves {
    /// Sets memory aside if a limit asks for it.
    pub(crate) fn set_aside(&self, limits: &Limits) {
        let Some(limit) = limits.lowest() else { return };
        let bytes = (REPORTS as u64).min(limit / PART) as usize;
        *crate::lock(&self.held) = Reserve::new(bytes, limits.counts_pages());
    }

    /// After [`release`](Reserves::release): sets aside again what costs no pages.
    pub(crate) fn set_aside_again(&self, limits: &Limits) {
        if limits.lowest().is_some() && !limits.counts_pages() {
            self.set_aside(limits);
        }
    }

    /// Gives it back, for what is allocated next.
    pub(crate) fn release(&self) {
        drop(crate::lock(&self.held).take());
    }

    /// Bytes that it adds to the process's RSS.
    pub(crate) fn bytes(&self) -> u64 {
        let held = crate::lock(&self.held);
        held.as_ref().map_or(0, Reserve::resident_bytes)
    }
}

/// What the reports of a run with so many functions take, about.
pub(crate) fn needed(functions: usize) -> usize {
    REPORTS / 2 + functions.saturating_mul(FUNCTION)
}

/// Whether reports of so many functions can be written: if the system does not give what they take, the
/// program would abort.
pub(crate) fn is_enough_for(functions: usize) -> bool {
    reserve::can_be_had(needed(functions))
}
