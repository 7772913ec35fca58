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

#[cfg(test)]
mod tests {
    use super::resident;

    #[test]
    fn resident_there_is_room_for_so_many_and_nothing_in_it() {
        let room: Vec<u32> = resident(1_000);
        assert!(room.is_empty() && room.capacity() >= 1_000);
        assert_eq!(resident::<u64>(0).capacity(), 0);
    }

    /// So large that the allocator asks the system for it: pages that nobody has touched.
    #[cfg(target_os = "linux")]
    #[test]
    fn resident_every_page_of_the_room_is_resident() {
        const PAGE: usize = 4096;
        let room: Vec<u8> = resident(4 << 20);
        let begin = room.as_ptr().addr().next_multiple_of(PAGE);
        let end = (room.as_ptr().addr() + room.capacity()) / PAGE * PAGE;
        let mut pages = vec![0_u8; (end - begin) / PAGE];
        let begin = room.as_ptr().with_addr(begin).cast_mut().cast();
        // SAFETY: the range is inside of `room`, and there is a byte for each of its pages.
        let answer = unsafe { libc::mincore(begin, pages.len() * PAGE, pages.as_mut_ptr()) };
        assert_eq!(answer, 0);
        let missing = pages.iter().filter(|&&page| page & 1 == 0).count();
        assert_eq!((missing, pages.len() > 1_000), (0, true));
    }
}
