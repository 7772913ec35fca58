//! What calls with a size have returned, and their caller has freed, goes back to the system: nothing that
//! memprof writes down about a call lies above it on the heap. Prints by how many KiB the process has grown
//! after calls of ever larger sizes; with `overlapping`, what one returned is there until the next has.

use memprof::profile_memory;

/// With as many lines as make a record that is larger than what an allocator keeps at hand.
#[profile_memory(by = mebibytes)]
fn made(mebibytes: usize) -> Vec<u8> {
    let mut made = vec![1; mebibytes << 20];
    made[0] = 2;
    made[1] = 2;
    made[2] = 2;
    made[3] = 2;
    made[4] = 2;
    made[5] = 2;
    made[6] = 2;
    made[7] = 2;
    made[8] = 2;
    made[9] = 2;
    made[10] = 2;
    made[11] = 2;
    made[12] = 2;
    made[13] = 2;
    made[14] = 2;
    made[15] = 2;
    made
}

fn main() {
    // Every block is on the heap that grows at its end, and shrinks as soon as its end is free.
    #[cfg(target_env = "gnu")]
    for (option, value) in [
        (libc::M_MMAP_THRESHOLD, 32 << 20),
        (libc::M_TRIM_THRESHOLD, 64 << 10),
        (libc::M_TOP_PAD, 0),
    ] {
        // SAFETY: it sets a number in the allocator, before other threads are there.
        let set = unsafe { libc::mallopt(option, value) };
        assert_eq!(set, 1);
    }
    drop(made(1));
    fill_the_holes();
    let before = rss();
    let overlapping = std::env::args().any(|argument| argument == "overlapping");
    let mut last = Vec::new();
    for mebibytes in 2..12 {
        let made = made(mebibytes);
        last = if overlapping { made } else { Vec::new() };
    }
    drop(last);
    println!("{}", rss().saturating_sub(before) >> 10);
}

/// Whatever is free in between is taken: what is allocated after this lies at the end.
fn fill_the_holes() {
    for size in [4096, 2048, 1024, 512, 256, 128] {
        for _ in 0..200 {
            std::mem::forget(vec![1_u8; size]);
        }
    }
}

fn rss() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).expect("a second field");
    // SAFETY: it asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.parse::<u64>().expect("a number") * page as u64
}
