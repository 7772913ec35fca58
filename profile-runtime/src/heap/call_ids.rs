//! Ids of calls in progress. From the id kept with a block, any thread can tell whether the call that
//! allocated the block has ended.
//!
//! A call takes an id when it allocates its first block, and gives it back at its end. An id that was given
//! back is never valid again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::sync::lock;

/// Calls that can have an id at once. Further calls get [`UNKNOWN`].
const CALLS: usize = 1 << 14;

/// The id of a call: a place, plus 1, in the lower half and the place's generation in the upper half. 0 is
/// no id.
pub(crate) type CallId = u64;

/// The id of every call whose end cannot be told.
pub(crate) const UNKNOWN: CallId = u64::MAX;

/// By place: the generation of the id that is valid there now.
static GENERATIONS: [AtomicU32; CALLS] = [const { AtomicU32::new(0) }; CALLS];

static FREE: Mutex<Free> = Mutex::new(Free {
    unused: 0,
    given_back: [0; CALLS],
    count: 0,
});

/// The places that no call has.
struct Free {
    /// From here on no place was ever taken.
    unused: usize,
    given_back: [u16; CALLS],
    count: usize,
}

pub(super) fn take() -> CallId {
    let Some(place) = free(Free::take) else {
        return UNKNOWN;
    };
    let generation = GENERATIONS[place].load(Relaxed);
    u64::from(generation) << 32 | (place as u64 + 1)
}

pub(super) fn give_back(call_id: CallId) {
    let Some(place) = place(call_id) else { return };
    GENERATIONS[place].fetch_add(1, Relaxed);
    free(|free| free.give_back(place));
}

/// Whether the call with this id is known to have ended.
pub(super) fn has_ended(call_id: CallId) -> bool {
    place(call_id).is_some_and(|place| GENERATIONS[place].load(Relaxed) != (call_id >> 32) as u32)
}

fn place(call_id: CallId) -> Option<usize> {
    let place = (call_id as u32 as usize).checked_sub(1)?;
    (place < CALLS).then_some(place)
}

fn free<T>(work: impl FnOnce(&mut Free) -> T) -> T {
    super::this_thread::without_counting(|| work(&mut lock(&FREE)))
}

impl Free {
    fn take(&mut self) -> Option<usize> {
        if let Some(count) = self.count.checked_sub(1) {
            self.count = count;
            return Some(usize::from(self.given_back[count]));
        }
        let place = self.unused;
        (place < CALLS).then(|| {
            self.unused += 1;
            place
        })
    }

    fn give_back(&mut self, place: usize) {
        if let Some(free) = self.given_back.get_mut(self.count) {
            *free = place as u16;
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{UNKNOWN, give_back, has_ended, take};

    #[test]
    fn call_id_is_valid_until_it_is_given_back_and_never_again() {
        let first = take();
        let second = take();
        assert!(!has_ended(first) && !has_ended(second) && first != second);
        give_back(first);
        assert!(has_ended(first) && !has_ended(second));
        let third = take();
        assert!(has_ended(first) && !has_ended(third));
        give_back(second);
        give_back(third);
        assert!(has_ended(second) && has_ended(third));
    }

    #[test]
    fn call_id_of_none_or_unknown_never_ends() {
        for call_id in [0, UNKNOWN] {
            assert!(!has_ended(call_id));
            give_back(call_id);
        }
    }
}
