//! Futures that hold memory while they wait: beside a function that does the same without `async`, and many of
//! them at once.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use memprof::run::{FunctionProfile, Run};
use memprof::{CountingAllocator, profile_memory};
use memprof_tests::{MIB, yield_now};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// How many futures wait at once.
const CROWD: usize = 50;
/// What each of them holds, in bytes.
const HELD: usize = 100_000;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("block_on") => beside_the_twin(futures::executor::block_on),
        Some("tokio") => beside_the_twin(|future| {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async { tokio::spawn(future).await.expect("no panic") })
        }),
        Some("threads") => beside_the_twin(on_many_threads),
        Some("snapshot") => {
            let _waiting = crowd();
            println!("{}", told(&memprof::snapshot().expect("calls were made")));
        }
        Some("idle_between_polls") => {
            let mut futures: Vec<_> = (0..CROWD).map(|_| Box::pin(polled_often())).collect();
            let context = &mut Context::from_waker(Waker::noop());
            let poll_all = || {
                futures.iter_mut().for_each(|future| {
                    assert!(future.as_mut().poll(context).is_pending());
                })
            };
            println!("{}", mostly_idle(poll_all));
        }
        Some("idle_between_calls") => {
            // Beside another thread, so that the sampler does not stop.
            let ended = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| always_busy(&ended));
                println!(
                    "{}",
                    mostly_idle(|| (0..CROWD).for_each(|_| called_often()))
                );
                ended.store(true, Relaxed);
            });
        }
        Some("killed") => {
            let _waiting = crowd();
            loop {
                thread::sleep(Duration::from_secs(1));
            }
        }
        other => panic!("unknown: {other:?}"),
    }
}

fn beside_the_twin(
    drive: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = usize> + Send>>) -> usize,
) {
    let plain = plain();
    assert_eq!(drive(Box::pin(awaiting())), plain);
}

#[profile_memory(interval_ms = 1)]
fn plain() -> usize {
    let held = black_box(vec![1_u8; 100 * MIB]);
    pause();
    let sum = busy(&held);
    pause();
    drop(held);
    sum
}

#[profile_memory(interval_ms = 1)]
async fn awaiting() -> usize {
    let held = black_box(vec![1_u8; 100 * MIB]);
    yield_now().await;
    let sum = busy(&held);
    yield_now().await;
    drop(held);
    sum
}

fn pause() {
    thread::sleep(Duration::from_millis(1));
}

/// Works for a fifth of a second.
fn busy(held: &[u8]) -> usize {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(200) {
        black_box(
            held.iter()
                .step_by(4096)
                .map(|&byte| usize::from(byte))
                .sum::<usize>(),
        );
    }
    held.len()
}

/// Polls `future` on a new thread each time.
fn on_many_threads<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let mut future = pin!(future);
    loop {
        let future = future.as_mut();
        let poll = || future.poll(&mut Context::from_waker(Waker::noop()));
        let polled = thread::scope(|scope| scope.spawn(poll).join().expect("no panic"));
        if let Poll::Ready(output) = polled {
            return output;
        }
        pause();
    }
}

/// Futures that have been polled once, and wait.
fn crowd() -> Vec<std::pin::Pin<Box<dyn Future<Output = usize>>>> {
    let futures = (0..CROWD).map(|_| {
        let mut future: std::pin::Pin<Box<dyn Future<Output = usize>>> = Box::pin(connection());
        let context = &mut Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(context).is_pending());
        future
    });
    futures.collect()
}

#[profile_memory]
async fn connection() -> usize {
    let held = black_box(vec![1_u8; HELD]);
    request().await;
    held.len()
}

#[profile_memory]
async fn request() {
    let scratch = black_box(vec![1_u8; 1_000]);
    drop(scratch);
    std::future::pending::<()>().await;
}

/// Does `work` for a fifth of the time, and sleeps in between. Gives how many nanoseconds the work took.
fn mostly_idle(mut work: impl FnMut()) -> u128 {
    let rounds = (0..150).map(|_| {
        thread::sleep(Duration::from_millis(8));
        let began = Instant::now();
        work();
        began.elapsed().as_nanos()
    });
    rounds.sum()
}

#[profile_memory]
async fn polled_often() {
    loop {
        spin();
        yield_now().await;
    }
}

#[profile_memory]
fn always_busy(ended: &AtomicBool) {
    while !ended.load(Relaxed) {
        spin();
    }
}

#[profile_memory]
fn called_often() {
    spin();
}

/// Takes some 20 µs.
fn spin() {
    let began = Instant::now();
    while began.elapsed() < Duration::from_micros(20) {
        std::hint::spin_loop();
    }
}

/// What a run says of the crowd.
fn told(run: &Run) -> String {
    let of = |function: &FunctionProfile| {
        let heap = function.heap.expect("counted");
        let lines = function.lines.iter().filter(|line| line.suspended > 0);
        let lines: Vec<_> = lines
            .map(|line| {
                (
                    line.source.trim().to_owned(),
                    line.suspended,
                    line.suspended_heap,
                )
            })
            .collect();
        format!(
            "{} {} {} {} {} {lines:?}",
            function.label, function.suspended, function.suspended_heap, heap.allocated, heap.freed
        )
    };
    run.functions.iter().map(of).collect::<Vec<_>>().join("\n")
}
