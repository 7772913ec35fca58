//! Many functions that take no memory: what memprof needs for each of them is in no figure of the program's.
//!
//! Prints the process's highest RSS as the kernel knows it, where nothing is recorded. With `load`: how large memprof's
//! own heap is after two seconds of load, and after six.

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// Functions in modules of modules, and functions that call them all.
macro_rules! modules {
    ($($name:ident)*; $inside:tt) => {
        $(mod $name { modules! $inside })*
        pub(super) fn all(n: u64) -> u64 {
            0 $(+ $name::all(n))*
        }
    };
    ($($name:ident)*) => {
        $(
            #[memprof::profile_memory]
            fn $name(n: u64) -> u64 {
                let mut sum = n;
                for step in 0..3 {
                    let next = sum ^ step;
                    sum = next.rotate_left(3);
                }
                sum & 1
            }
        )*
        pub(super) fn all(n: u64) -> u64 {
            0 $(+ $name(n))*
        }
    };
}

mod functions {
    modules! { a b c d e; { f g h i j k l m n o; { p q r s t u v w x y } } }
}

/// Every function for the first time.
#[profile_memory]
fn once() -> u64 {
    functions::all(1)
}

/// Every function again, and on a new thread once more for the first time.
#[profile_memory]
fn again() -> u64 {
    let mut sum = 0;
    for n in 0..5 {
        sum += functions::all(n);
    }
    sum
}

/// Makes the program's file resident: its first use would cost pages that are not memprof's.
fn load_everything() {
    let program = std::env::current_exe().expect("a path");
    let program = program.to_str().expect("text");
    let maps = fs::read_to_string("/proc/self/maps").expect("the maps");
    for map in maps.lines().filter(|map| map.ends_with(program)) {
        let (begin, rest) = map.split_once('-').expect("an address");
        let (end, _) = rest.split_once(' ').expect("an address");
        let [begin, end] = [begin, end].map(|text| usize::from_str_radix(text, 16).expect("hex"));
        for page in (begin..end).step_by(4096) {
            let page = std::ptr::with_exposed_provenance::<u8>(page);
            // SAFETY: the program's file is mapped there, and readable.
            black_box(unsafe { page.read_volatile() });
        }
    }
}

fn highest() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.expect("there").trim().trim_end_matches(" kB");
    digits.parse::<u64>().expect("a number") << 10
}

/// Calls of all functions on four threads, some of them in progress at each moment.
fn load() {
    let begin = Instant::now();
    let elapsed = || begin.elapsed().as_secs();
    thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                let mut n = thread;
                while elapsed() < 6 {
                    n = functions::all(n) + n + 1;
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
        for seconds in [2, 6] {
            thread::sleep(Duration::from_secs(seconds).saturating_sub(begin.elapsed()));
            let run = memprof::snapshot().expect("it is recorded");
            println!("{}", run.overhead.heap_rss.expect("a heap of its own"));
        }
    });
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("load") {
        return load();
    }
    load_everything();
    black_box(once());
    black_box(again());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| black_box(again()));
        }
    });
    println!("{}", highest());
}
