//! Hundreds of annotated futures interleaved, under the runtime that the argument names.

use std::hint::black_box;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use memprof::{CountingAllocator, profile_memory};
use memprof_tests::yield_now;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

const TASKS: usize = 300;
const STEPS: usize = 20;

fn main() {
    let expected = TASKS * STEPS;
    let sum = match std::env::args().nth(1).as_deref() {
        Some("tokio") => tokio(tokio::runtime::Builder::new_multi_thread()),
        Some("tokio-current") => tokio(tokio::runtime::Builder::new_current_thread()),
        Some("smol") => smol::block_on(on_smol()),
        Some("join") => futures::executor::block_on(joined()),
        Some("unordered") => futures::executor::block_on(unordered()),
        Some("select") => futures::executor::block_on(selected()),
        other => panic!("unknown: {other:?}"),
    };
    assert_eq!(sum, expected);
}

/// Holds memory over every suspension, gives it back at its end.
#[profile_memory]
async fn task(number: usize) -> usize {
    let mut steps = 0;
    let held = black_box(vec![1_u8; 1_000]); //= hits 300 allocated 300000 freed 0 allocations 300
    for _ in 0..STEPS {
        step(number).await; //= hits 6000 allocated 660000 freed 660000 allocations 12000 peak_heap 110
        steps += usize::from(held[0]); //= hits 6000 allocated 0 freed 0 allocations 0
    }
    drop(held); //= hits 300 allocated 0 freed 300000 allocations 0
    steps
}

/// Its peak is reached after it has been suspended.
async fn step(number: usize) {
    let held = black_box(vec![0_u8; 100]);
    if number.is_multiple_of(3) {
        yield_now().await;
    }
    yield_now().await;
    drop(black_box(vec![0_u8; 10]));
    drop(held);
}

fn tokio(mut builder: tokio::runtime::Builder) -> usize {
    let runtime = builder.enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|n| tokio::spawn(task(n))).collect();
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut sum = 0;
        for task in tasks {
            sum += task.await.expect("ended");
        }
        sum
    })
}

async fn on_smol() -> usize {
    let tasks: Vec<_> = (0..TASKS).map(|n| smol::spawn(task(n))).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await;
    }
    sum
}

async fn joined() -> usize {
    futures::future::join_all((0..TASKS).map(task))
        .await
        .into_iter()
        .sum()
}

async fn unordered() -> usize {
    let tasks: FuturesUnordered<_> = (0..TASKS).map(task).collect();
    tasks.fold(0, async |sum, steps| sum + steps).await
}

/// Each time the first that is ready; the others go on where they were.
async fn selected() -> usize {
    let mut tasks: Vec<_> = (0..TASKS).map(|n| Box::pin(task(n))).collect();
    let mut sum = 0;
    while !tasks.is_empty() {
        let (steps, _, others) = futures::future::select_all(tasks).await;
        sum += steps;
        tasks = others;
    }
    sum
}
