//! The workloads, written once and compiled for each variant.

/// Processor time of the calling thread, which is the main one, in nanoseconds.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn busy_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let first = text.split(' ').next().and_then(|text| text.parse().ok());
    first.expect("a number")
}

/// The highest RSS so far in KiB; only where nobody resets it.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn peak_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|text| text.split_whitespace().next()?.parse().ok());
    number.expect("a number")
}

/// Defines `run(name)`, which runs a workload and gives how often its unit ran; every function gets
/// the attribute that the variant passes, or none.
#[macro_export]
macro_rules! workloads {
    ($(#[$attribute:meta])?) => {
        use std::hint::black_box;

        /// Pairs of an allocation and a free of 64 bytes.
        fn pairs(number: u64) -> u64 {
            for _ in 0..number {
                drop(black_box(Box::new([0_u64; 8])));
            }
            number
        }

        $(#[$attribute])?
        fn many_calls(calls: u64) -> u64 {
            let mut sum = 0;
            for call in 0..calls {
                sum += fifty_boxes(call);
            }
            sum
        }

        $(#[$attribute])?
        fn fifty_boxes(call: u64) -> u64 {
            let mut sum = 0;
            for number in 0..50 {
                sum += *black_box(Box::new(call ^ number));
            }
            sum
        }

        $(#[$attribute])?
        fn empty() {}

        $(#[$attribute])?
        fn three_lines(rounds: u64) -> u64 {
            let mut kept = Vec::new();
            let mut sum = 0_u64;
            for round in 0..rounds {
                sum = sum.wrapping_add(black_box(round));
                if round.is_multiple_of(10_000) {
                    kept.push(round);
                }
            }
            sum + kept.len() as u64
        }

        fn run(workload: &str) -> u64 {
            match workload {
                "pair" => pairs(30_000_000),
                "pair on two threads" => {
                    std::thread::scope(|scope| {
                        scope.spawn(|| pairs(15_000_000));
                        pairs(15_000_000)
                    });
                    15_000_000
                }
                "allocations" => {
                    black_box(many_calls(100_000));
                    5_000_000
                }
                "call" => {
                    for _ in 0..10_000_000 {
                        black_box(empty());
                    }
                    10_000_000
                }
                "line" => {
                    black_box(three_lines(10_000_000));
                    30_000_000
                }
                other => panic!("no workload {other}"),
            }
        }

        fn main() {
            let workload = std::env::args().nth(1).expect("a workload");
            let (begin, busy) = (std::time::Instant::now(), $crate::busy_ns());
            let units = run(&workload);
            let (wall, busy) = (begin.elapsed().as_nanos(), $crate::busy_ns() - busy);
            println!("{wall} {busy} {} {units}", $crate::peak_kib());
        }
    };
}
