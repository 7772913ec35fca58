//! The workloads, written once and compiled for each variant.

/// A program that runs the workload that it is told; every function gets the attribute that the variant
/// passes, or none, and `main` may have one too, or a guard that lives as long as the workload.
#[macro_export]
macro_rules! workloads {
    ($(#[$attribute:meta])? $(, main #[$main:meta])? $(, guard $guard:expr)?) => {
        use std::hint::black_box;

        /// Pairs of an allocation and a free of 64 bytes.
        fn pairs(number: u64) -> u64 {
            for _ in 0..number {
                drop(black_box(Box::new([0_u64; 8])));
            }
            number
        }

        $(#[$attribute])?
        fn inverse(n: usize, seed: u64) -> f64 {
            let matrix = $crate::parts::random_matrix(n, seed);
            let decomposition = matrix.partial_piv_lu();
            let inverse = $crate::faer::linalg::solvers::DenseSolveCore::inverse(&decomposition);
            let residual = (&matrix * &inverse - $crate::faer::Mat::<f64>::identity(n, n)).norm_max();
            residual
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
                sum = sum.rotate_left(1);
            }
            sum
        }

        /// As `many_calls`, and one in ten allocations stays alive.
        $(#[$attribute])?
        fn an_index(calls: u64) -> usize {
            let mut index: Vec<Box<[u64; 7]>> = Vec::new();
            for call in 0..calls {
                fifty_entries(call, &mut index);
            }
            index.len()
        }

        $(#[$attribute])?
        fn fifty_entries(call: u64, index: &mut Vec<Box<[u64; 7]>>) {
            for number in 0..50 {
                let entry = black_box(Box::new([call ^ number; 7]));
                if number % 10 == 0 {
                    index.push(entry);
                }
            }
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
                    kept.push(vec![1_u8; 16 << 10]);
                }
            }
            sum + kept.len() as u64
        }

        $(#[$attribute])?
        fn exact_lines(rounds: u64) {
            for first in (0..rounds * 10).step_by(10) {
                $crate::parts::spin(first);
                $crate::parts::spin_with_memory(first + 1);
                $crate::parts::spin(first + 2);
                $crate::parts::spin_with_memory(first + 3);
                $crate::parts::spin(first + 4);
                $crate::parts::spin_with_memory(first + 5);
                $crate::parts::spin(first + 6);
                $crate::parts::spin_with_memory(first + 7);
                $crate::parts::spin(first + 8);
                $crate::parts::spin_with_memory(first + 9);
            }
        }

        $(#[$attribute])?
        fn busy(milliseconds: u64) -> u64 {
            let begin = std::time::Instant::now();
            let mut rounds = 0;
            while begin.elapsed() < std::time::Duration::from_millis(milliseconds) {
                rounds += black_box(1);
            }
            rounds
        }

        $(#[$attribute])?
        async fn answer(
            $crate::axum::extract::Path(length): $crate::axum::extract::Path<usize>,
        ) -> String {
            let mut answer = String::with_capacity(length);
            for _ in 0..length {
                answer.push('x');
            }
            let scratch = black_box(vec![0_u8; 100]);
            drop(scratch);
            answer
        }

        /// Gives how often the workload's unit ran.
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
                "inverse" => {
                    for seed in 0..3 {
                        assert!(inverse(2048, seed) < 1e-3);
                    }
                    3
                }
                "allocations" => {
                    black_box(many_calls(100_000));
                    5_000_000
                }
                "index" => {
                    assert_eq!(an_index(100_000), 500_000);
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
                "exact" => {
                    exact_lines(500);
                    5_000
                }
                "busy" => {
                    let processors = std::thread::available_parallelism().map_or(1, usize::from);
                    std::thread::scope(|scope| {
                        for _ in 1..processors {
                            scope.spawn(|| busy(3_000));
                        }
                        busy(3_000)
                    });
                    3_000
                }
                "server" => {
                    let each = 10_000;
                    let routes = $crate::axum::Router::new()
                        .route("/{length}", $crate::axum::routing::get(answer));
                    $crate::server::serve(routes, each);
                    $crate::server::requests(each)
                }
                other => panic!("no workload {other}"),
            }
        }

        fn main() {
            $crate::measured::say_at_the_end();
            measured();
        }

        $(#[$main])?
        fn measured() {
            $(let _guard = $guard;)?
            let workload = std::env::args().nth(1).expect("a workload");
            $crate::measured::workload(|| run(&workload));
        }
    };
}
