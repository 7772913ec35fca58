//! Series that no call has now, kept so that a call needs no allocation.

use super::call_stack::ThreadState;
use super::open_call::Kind;
use super::room::Room;
use crate::reading::one_reading::LinePoint;
use crate::site::calls::short_series;
use memprof_model::run::Series;

impl ThreadState {
    /// Makes sure that a call that begins now finds a series.
    pub(super) fn make_room_for_series(&mut self, kind: Kind) {
        // Who asks for the series has it whole.
        let room = match kind {
            Kind::Usage => Room::Whole,
            _ => self.room,
        };
        let next = self.spare_series.last();
        if !next.is_some_and(|series| room.fits(series)) {
            self.spare_series.push(room.series());
        }
        // One for each call in progress that will be kept with a whole series.
        while room == Room::Whole && self.spare_short_series.len() <= self.timelines.len() {
            self.spare_short_series.push(short_series());
        }
    }

    /// Keeps a series for later calls. A future brings its series from another thread, so there may be more of
    /// them than this thread has ever needed.
    pub(super) fn spare(&mut self, series: Option<Series<LinePoint>>) {
        let needed = self.most_timelines + 1;
        if self.spare_series.len() + self.timelines.len() < needed {
            self.spare_series
                .extend(series.filter(|series| self.room.fits(series)));
        }
    }
}
