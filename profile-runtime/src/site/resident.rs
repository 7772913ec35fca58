//! Memory whose pages are resident before a program's lines are measured.

use std::hint::black_box;
use std::mem::MaybeUninit;

/// An empty vector with room for so many, all of it resident.
pub(crate) fn resident<T>(capacity: usize) -> Vec<T> {
    // Without `black_box` the compiler would merge the allocation and the zeroes into a call of `alloc_zeroed`,
    // and the allocator does not touch what it knows to be zero.
    let mut room = black_box(Vec::with_capacity(capacity));
    (room.spare_capacity_mut()).fill_with(MaybeUninit::zeroed);
    room
}
