//! The workloads, written once and compiled for each variant.

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
            let begin = std::time::Instant::now();
            let units = run(&workload);
            println!("{} {units}", begin.elapsed().as_nanos());
        }
    };
}
