//! Work on a stack of our own: the start and the end of recording need more than a small thread has left.

#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    target_pointer_width = "64",
    not(memprof_tsan)
))]
pub(crate) use switched::on_own_stack;

/// Runs `work` where it is: there is no way to another stack on this system, or none that ThreadSanitizer follows.
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    target_pointer_width = "64",
    not(memprof_tsan)
)))]
pub(crate) fn on_own_stack<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// With makecontext(3). A thread of its own would cost more: a stack, a heap of its own with glibc, and a switch to the
/// caller's thread-locals.
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    target_pointer_width = "64",
    not(memprof_tsan)
))]
mod switched {
    use std::ffi::{c_int, c_void};
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::{ptr, thread};

    use crate::os::procfs::{make_usable, map_as, unmap};

    /// As much as threads have that are started in Rust. Only what is used becomes resident: half a mebibyte by reports
    /// in the making, without optimisation.
    const BYTES: usize = 2 << 20;

    /// Nobody may touch the pages below: what runs over ends the program, and changes nothing of others.
    const GUARD: usize = 64 << 10;

    /// A mapping whose upper part is the stack.
    struct Stack(*mut c_void);

    /// What is to be done on the stack, and what came of it.
    struct Job<W, T> {
        work: Option<W>,
        result: Option<thread::Result<T>>,
    }

    /// Runs `work` on a new stack of the calling thread, or where it is if the system gives none.
    pub(crate) fn on_own_stack<T>(work: impl FnOnce() -> T) -> T {
        let mut job = Job {
            work: Some(work),
            result: None,
        };
        if let Some(stack) = Stack::new() {
            stack.run(&mut job);
        }
        match (job.result, job.work) {
            (Some(Ok(value)), _) => value,
            (Some(Err(panic)), _) => resume_unwind(panic),
            (None, Some(work)) => work(),
            (None, None) => unreachable!("work that was taken has a result"),
        }
    }

    impl Stack {
        fn new() -> Option<Stack> {
            let stack = Stack(map_as(GUARD + BYTES, libc::PROT_NONE, libc::MAP_NORESERVE)?);
            // SAFETY: the upper part of the mapping just made.
            let is_usable = unsafe { make_usable(stack.bottom().cast(), BYTES) };
            is_usable.then_some(stack)
        }

        fn bottom(&self) -> *mut c_void {
            self.0.wrapping_byte_add(GUARD)
        }

        /// Does the job there. It stays undone if the C library refuses.
        fn run<W: FnOnce() -> T, T>(&self, job: &mut Job<W, T>) {
            // Where the thread is, here and there. Not on the caller's stack, which may be short.
            let mut caller = Box::<libc::ucontext_t>::new_uninit();
            let mut work = Box::<libc::ucontext_t>::new_uninit();
            let (caller, work) = (caller.as_mut_ptr(), work.as_mut_ptr());
            // SAFETY: valid for a write.
            if unsafe { libc::getcontext(work) } != 0 {
                return;
            }
            // SAFETY: getcontext has filled it.
            let there = unsafe { &mut *work };
            there.uc_stack.ss_sp = self.bottom();
            there.uc_stack.ss_size = BYTES;
            there.uc_link = caller;
            let begin: extern "C" fn(c_int, c_int) = begin::<W, T>;
            // SAFETY: makecontext wants this type, and calls it with the arguments that are given here.
            let begin = unsafe {
                std::mem::transmute::<extern "C" fn(c_int, c_int), extern "C" fn()>(begin)
            };
            let address = ptr::from_mut(job).expose_provenance();
            let (upper, lower) = ((address >> 32) as c_int, address as c_int);
            // SAFETY: `work` has a stack that nobody else uses, and a context to go on with.
            unsafe { libc::makecontext(work, begin, 2, upper, lower) };
            // SAFETY: both are valid. `begin` returns, and then this call does.
            unsafe { libc::swapcontext(caller, work) };
        }
    }

    impl Drop for Stack {
        fn drop(&mut self) {
            // Nobody is on it any more.
            unmap(self.0, GUARD + BYTES);
        }
    }

    /// Does the [`Job`] whose address is in two halves, as makecontext(3) has it.
    extern "C" fn begin<W: FnOnce() -> T, T>(upper: c_int, lower: c_int) {
        let address = ((upper as u32 as usize) << 32) | lower as u32 as usize;
        // SAFETY: `Stack::run` has exposed the address of a job that is its alone, and waits.
        let job = unsafe { &mut *ptr::with_exposed_provenance_mut::<Job<W, T>>(address) };
        if let Some(work) = job.work.take() {
            // There is no frame below that could be unwound.
            job.result = Some(catch_unwind(AssertUnwindSafe(work)));
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn own_stack_work_is_done_elsewhere_on_the_same_thread() {
            let here = 1_u8;
            let (there, thread) = on_own_stack(|| {
                let there = 1_u8;
                (ptr::from_ref(&there).addr(), thread::current().id())
            });
            assert!(there.abs_diff(ptr::from_ref(&here).addr()) > BYTES / 2);
            assert_eq!(thread, thread::current().id());
        }

        #[test]
        fn own_stack_has_room_and_panics_come_through() {
            let sum = on_own_stack(|| {
                let large = std::hint::black_box([1_u8; BYTES / 8]);
                large.iter().map(|&one| u32::from(one)).sum::<u32>()
            });
            assert_eq!(sum, BYTES as u32 / 8);
            let panic = catch_unwind(|| on_own_stack(|| panic!("on purpose")));
            assert!(panic.is_err());
        }
    }
}
