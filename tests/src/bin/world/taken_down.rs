//! Annotated calls while threads and the process are taken down: in destructors of thread-locals, and in `atexit`.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use memprof::profile_memory;

static CALLS: AtomicU64 = AtomicU64::new(0);

const THREADS: u64 = 100;
const CALLS_EACH: u64 = 7;

pub(crate) fn main() {
    work();
    // SAFETY: `at_exit` does not unwind.
    assert_eq!(unsafe { libc::atexit(at_exit) }, 0);
    AT_THE_END.with(|at_the_end| at_the_end.0.set(CALLS_EACH));
    for _ in 0..THREADS {
        let thread = std::thread::spawn(|| {
            // Of two destructors one runs after memprof's, whichever order the system has.
            AT_THE_END.with(|at_the_end| at_the_end.0.set(CALLS_EACH));
            work();
            AND_AGAIN.with(|and_again| and_again.0.set(CALLS_EACH));
        });
        thread.join().expect("no panic");
    }
}

#[profile_memory]
fn work() {
    CALLS.fetch_add(1, Relaxed);
    drop(black_box(vec![1_u8; 1_000]));
}

struct Works(Cell<u64>);

impl Drop for Works {
    fn drop(&mut self) {
        (0..self.0.get()).for_each(|_| work());
    }
}

thread_local! {
    static AT_THE_END: Works = const { Works(Cell::new(0)) };
    static AND_AGAIN: Works = const { Works(Cell::new(0)) };
}

/// Registered after memprof's own, so it is called before.
extern "C" fn at_exit() {
    work();
    println!("work {}", CALLS.load(Relaxed));
}
