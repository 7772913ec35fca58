//! Many at once: deep recursion, a thousand threads, ten thousand functions, a million short futures.

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};

use memprof::__private::{Frame, Site, SiteSpec};
use memprof::profile_memory;
use memprof_tests::yield_now;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| -> usize {
        let text = arguments.get(at).expect("an argument");
        text.parse().expect("a number")
    };
    match arguments.first().map(String::as_str) {
        Some("plain-depth") => on_a_small_stack(|| println!("{}", plain(number(1)))),
        Some("profiled-depth") => on_a_small_stack(|| println!("{}", profiled(number(1)))),
        Some("threads") => threads(number(1)),
        Some("functions") => functions(number(1)),
        Some("futures") => futures(number(1)),
        Some("suspended") => suspended(number(1)),
        other => panic!("unknown: {other:?}"),
    }
}

/// One MiB, so that a few thousand calls fill it.
fn on_a_small_stack(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn_scoped(scope, work)
            .expect("a thread");
    });
}

/// A function of the usual kind: a few locals, a loop, a call of itself.
fn plain(depth: usize) -> usize {
    let row = black_box([depth; 16]);
    let mut sum = 0;
    for cell in &row {
        sum += cell % 2;
    }
    if depth == 0 {
        return sum;
    }
    plain(depth - 1) + usize::from(sum > 20)
}

/// The same, annotated.
#[profile_memory]
fn profiled(depth: usize) -> usize {
    let row = black_box([depth; 16]);
    let mut sum = 0;
    for cell in &row {
        sum += cell % 2;
    }
    if depth == 0 {
        return sum;
    }
    profiled(depth - 1) + usize::from(sum > 20)
}

fn threads(number: usize) {
    let all_inside = Barrier::new(number);
    std::thread::scope(|scope| {
        for _ in 0..number {
            std::thread::Builder::new()
                .stack_size(128 << 10)
                .spawn_scoped(scope, || meets(&all_inside))
                .expect("a thread");
        }
    });
}

#[profile_memory]
fn meets(all_inside: &Barrier) {
    let mine = black_box(vec![1_u8; 100]);
    all_inside.wait();
    drop(mine);
    all_inside.wait();
}

/// As many annotated functions, each called twice: what the attribute writes for each, at run time, since
/// nobody wants to wait for a compiler that has ten thousand to go through. Prints how many were recorded,
/// with how many calls, and what memprof holds for itself; ends without reports, which are three files
/// for each.
fn functions(number: usize) {
    for _ in 0..number {
        let site = Box::leak(Box::new(Site::new(SiteSpec {
            name: || "crowd::functions::__memprof_here",
            label: None,
            block: None,
            file: file!(),
            line: 1,
            interval_ns: 10_000_000,
            source: "fn one() {\n    let text = vec![1_u8; 100];\n    drop(text);\n}",
            source_line: 1,
            lines: &[2, 3, 4],
        })));
        for _ in 0..2 {
            let frame = Frame::enter(site);
            let probe = frame.probe();
            probe.line(0);
            let text = black_box(vec![1_u8; 100]);
            probe.line(1);
            drop(text);
            probe.line(2);
        }
    }
    let run = memprof::snapshot().expect("calls were made");
    let calls: u64 = run.functions.iter().map(|function| function.calls).sum();
    println!(
        "{} {calls} {}",
        run.functions.len(),
        run.overhead.profiler_bytes
    );
    // SAFETY: ends the process at once; all that was to be said has been printed.
    unsafe { libc::_exit(0) };
}

/// Polls a future to its end on this thread, without a runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

fn futures(number: usize) {
    // What memprof takes once, its threads and its code, is not what grows.
    block_on(short(0));
    let before = rss();
    let mut sum = 0;
    for round in 1..number {
        sum += block_on(short(round));
    }
    println!("{sum} {}", rss().saturating_sub(before));
}

#[profile_memory]
async fn short(round: usize) -> usize {
    let half = round / 2;
    yield_now().await;
    half % 3
}

/// All of them suspended at once, then polled to their ends.
fn suspended(number: usize) {
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting: Vec<Pin<Box<_>>> = (0..number).map(|round| Box::pin(short(round))).collect();
    for future in &mut waiting {
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    // Every other one comes to its end, the rest is dropped half-way.
    let mut cancelled = Vec::with_capacity(number / 2);
    for (round, mut future) in waiting.into_iter().enumerate() {
        if round % 2 == 0 {
            assert!(future.as_mut().poll(&mut context).is_ready());
        } else {
            cancelled.push(future);
        }
    }
    drop(cancelled);
}

/// Bytes resident now.
fn rss() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).and_then(|field| field.parse().ok());
    pages.map_or(0, |pages: usize| pages * 4096)
}
