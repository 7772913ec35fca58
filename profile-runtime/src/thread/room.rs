//! How much room a thread's recorder has. The first recorders have all that is of use. Where more threads are at once,
//! the rest have less: two thousand threads would hold 80 MiB.

use memprof_model::run::Series;

use crate::reading::one_reading::LinePoint;

/// So many recorders have all the room.
const WHOLE: usize = 64;

/// Points of a series in a crowd.
const POINTS: usize = 32;

/// The room of a recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Room {
    /// A series of the usual size, and room for many counted calls.
    #[default]
    Whole,
    /// A series of few points, and room for few counted calls: deeper ones are measured.
    InACrowd,
}

impl Room {
    /// The room of the next recorder, if there are so many.
    pub(super) fn after(recorders: usize) -> Room {
        match recorders {
            0..WHOLE => Room::Whole,
            _ => Room::InACrowd,
        }
    }

    /// How many counted calls can be in progress at once.
    pub(super) fn counted_calls(self) -> usize {
        match self {
            Room::Whole => 31,
            Room::InACrowd => 7,
        }
    }

    /// A series for a call.
    pub(super) fn series(self) -> Series<LinePoint> {
        match self {
            Room::Whole => Series::new(LinePoint::default()),
            Room::InACrowd => Series::of_at_most(POINTS, LinePoint::default()),
        }
    }

    /// Whether a series is such a one.
    pub(super) fn fits(self, series: &Series<LinePoint>) -> bool {
        series.is_whole() == (self == Room::Whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_the_first_recorders_have_all_and_the_rest_little() {
        let rooms = [0, 63, 64, 2_000].map(Room::after);
        let expected = [Room::Whole, Room::Whole, Room::InACrowd, Room::InACrowd];
        assert_eq!(rooms, expected);
        for room in rooms {
            let mut series = room.series();
            assert!(room.fits(&series));
            for t_ns in 0..100 {
                series.push(LinePoint {
                    t_ns,
                    ..LinePoint::default()
                });
            }
            let few = series.points().len() <= POINTS;
            assert_eq!(few, room == Room::InACrowd);
        }
    }
}
