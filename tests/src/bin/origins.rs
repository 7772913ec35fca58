//! Blocks that live on, go within the call, after it, on another thread, or at once: the truth is in
//! `tests/tests/origins.rs`. With `stay` it keeps one until it is killed.

use std::hint::black_box;
use std::thread;

use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system().with_origins();

fn main() {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("stay") {
        stay();
    }
    if let Some(many) = argument.and_then(|text| text.parse().ok()) {
        std::mem::forget(kept(many));
        return;
    }
    for number in 0..10 {
        let returned = call(number);
        drop(returned);
    }
    for _ in 0..5 {
        let handed = hand_over();
        thread::spawn(move || drop(handed))
            .join()
            .expect("no panic");
    }
    nested();
    with_closure();
    futures::executor::block_on(waits());
    std::mem::forget(kept(100));
}

#[profile_memory]
fn call(number: u64) -> Vec<u8> {
    let returned = black_box(vec![1_u8; 1_000]);
    let leaked = black_box(vec![2_u8; 200]);
    std::mem::forget(leaked);
    let first = black_box(Box::new(number));
    let passing = black_box(Box::new([number; 4]));
    drop(passing);
    let mut grown: Vec<u8> = black_box(Vec::with_capacity(10));
    grown.reserve_exact(100);
    grown.reserve_exact(1_000);
    drop(first);
    returned
}

/// Until it is killed.
#[profile_memory]
fn stay() {
    let gone = black_box(vec![1_u8; 5_000]);
    let leaked = black_box(vec![2_u8; 3_000_000]);
    drop(gone);
    thread::sleep(std::time::Duration::from_secs(600));
    drop(leaked);
}

#[profile_memory]
fn hand_over() -> Vec<u8> {
    black_box(vec![1; 300])
}

#[profile_memory]
fn nested() {
    let inner = hand_in();
    drop(inner);
}

#[profile_memory]
fn hand_in() -> Vec<u8> {
    black_box(vec![1; 700])
}

#[profile_memory]
fn with_closure() {
    let each = |number: u64| {
        let block = Box::new(number);
        black_box(block)
    };
    black_box(through(each));
}

#[profile_memory]
fn through(each: impl Fn(u64) -> Box<u64>) -> u64 {
    let number = *each(5);
    number + 1
}

#[profile_memory]
async fn waits() {
    let block = black_box(vec![1_u8; 50]);
    let mut again = true;
    futures::future::poll_fn(|context| {
        if std::mem::take(&mut again) {
            context.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    })
    .await;
    drop(block);
}

#[profile_memory]
#[allow(clippy::vec_box)] // Each is to be a block.
fn kept(many: usize) -> Vec<Box<u64>> {
    let mut all = Vec::with_capacity(many);
    for number in 0..many as u64 {
        all.push(Box::new(number));
    }
    all
}
