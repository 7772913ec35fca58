//! Being woken on time, also where all processors are busy.

/// A share of the processor so short that the kernel lets its thread go first when it wakes up.
#[cfg(target_os = "linux")]
const SLICE_NS: u64 = 100_000;

/// Asks for a short slice of the processor for the calling thread (sched_setattr(2)). Since Linux 6.12 a
/// thread that wakes up with a shorter slice need not wait for the end of another's. Without it, and on
/// other systems, some deadlines are missed on a busy machine; they are counted.
#[cfg(target_os = "linux")]
pub(super) fn go_first() {
    let size = u32::try_from(size_of::<libc::sched_attr>()).unwrap_or(u32::MAX);
    let mut attributes = std::mem::MaybeUninit::<libc::sched_attr>::zeroed();
    // SAFETY: the pointer is valid for a write of `size` bytes; 0 is the calling thread.
    let answer =
        unsafe { libc::syscall(libc::SYS_sched_getattr, 0, attributes.as_mut_ptr(), size, 0) };
    if answer != 0 {
        return;
    }
    // SAFETY: all zeroes are a valid `sched_attr`, and the kernel has written over them.
    let mut attributes = unsafe { attributes.assume_init() };
    if attributes.sched_policy != libc::SCHED_OTHER as u32 {
        return;
    }
    attributes.sched_runtime = SLICE_NS;
    // Older kernels have no such slices: all that is lost is being on time.
    // SAFETY: the pointer is valid for a read of the size that the structure says; the rest of it is what
    // the thread has already.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
}

/// There is no such thing here.
#[cfg(not(target_os = "linux"))]
pub(super) fn go_first() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    fn priority() -> i32 {
        // SAFETY: getpriority only reads its arguments.
        unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
    }

    #[test]
    fn the_priority_stays_what_it_was() {
        std::thread::spawn(|| {
            // SAFETY: it changes the calling thread alone.
            assert_eq!(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 5) }, 0);
            super::go_first();
            assert_eq!(priority(), 5);
        })
        .join()
        .unwrap();
    }
}
