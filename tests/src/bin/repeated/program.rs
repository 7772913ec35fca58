//! Work in one of four ways, which the argument names: `single`, `threads`, `async` or `rayon`. It is the same work
//! each time, as far as hash seeds and the scheduler allow. With `PLANTED` set one line of thirty takes a MiB more.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use memprof::profile_memory;
use memprof_tests::{MIB, yield_now};
use rayon::prelude::*;

const KIB: usize = 1 << 10;
/// Pieces of work.
const PIECES: usize = 48;

/// Does the work in the way that the argument names.
pub(crate) fn run() {
    let way = std::env::args().nth(1);
    let done = match way.as_deref() {
        Some("single") => single(),
        Some("threads") => threads(),
        Some("async") => asynchronous(),
        Some("rayon") => in_parallel(),
        other => panic!("unknown: {other:?}"),
    };
    assert_eq!(done, PIECES);
}

#[profile_memory]
fn single() -> usize {
    let mut sizes = HashMap::new();
    for number in 0..PIECES {
        let size = piece(number);
        sizes.insert(number, size);
    }
    sizes.len()
}

/// Threads that take the next piece when they are done with one.
#[profile_memory]
fn threads() -> usize {
    let next = AtomicUsize::new(0);
    let sizes = Mutex::new(HashMap::new());
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (next, sizes, sender) = (&next, &sizes, sender.clone());
            scope.spawn(move || worker(next, sizes, &sender));
        }
        drop(sender);
        let names: Vec<String> = receiver.iter().collect();
        assert_eq!(names.len(), PIECES);
    });
    sizes.into_inner().expect("no thread panics").len()
}

#[profile_memory]
fn worker(
    next: &AtomicUsize,
    sizes: &Mutex<HashMap<usize, usize>>,
    names: &mpsc::Sender<String>,
) -> usize {
    // Room for all: how often a vector grows depends on how the pieces fall to the threads.
    let mut own = Vec::with_capacity(PIECES);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= PIECES {
            return own.len();
        }
        let size = piece(number);
        own.push(vec![number; 1_000]);
        sizes.lock().expect("no thread panics").insert(number, size);
        names.send(format!("piece {number}")).expect("it is read");
    }
}

/// Tasks that wait for each other.
fn asynchronous() -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..PIECES).map(|n| tokio::spawn(task(n))).collect();
        let mut done = 0;
        for task in tasks {
            done += usize::from(task.await.expect("it ends") > 0);
        }
        done
    })
}

#[profile_memory]
async fn task(number: usize) -> usize {
    let mut held = Vec::new();
    for step in 0..20 {
        held.push(vec![1_u8; 4 * KIB]);
        yield_now().await;
        if step % 5 == number % 5 {
            held.pop();
        }
    }
    let size = piece(number);
    yield_now().await;
    size + held.len()
}

#[profile_memory]
fn in_parallel() -> usize {
    let sizes: Vec<usize> = (0..PIECES).into_par_iter().map(piece).collect();
    let odd: Vec<usize> = (0..100_000_usize)
        .into_par_iter()
        .filter(|n| n % 3 == 1)
        .collect();
    let texts: Vec<usize> = (0..PIECES)
        .into_par_iter()
        .map(|n| {
            let text = "word ".repeat(40 * n);
            let words: Vec<&str> = text.split(' ').collect();
            nested(words.len()) + words.len()
        })
        .collect();
    assert!(odd.len() + texts.len() > PIECES);
    sizes.len()
}

/// Waits on a thread of the pool, which does other pieces meanwhile.
#[profile_memory]
fn nested(size: usize) -> usize {
    let mut numbers: Vec<usize> = (0..5 * size).map(|n| n * 7_919 % 10_007).collect();
    numbers.par_sort();
    let few: Vec<usize> = numbers.par_iter().copied().filter(|n| n % 2 == 0).collect();
    few.len() + numbers.len()
}

/// Thirty lines, one of which takes a MiB more if it is planted.
#[profile_memory]
fn piece(number: usize) -> usize {
    let header = filled(16 * KIB);
    let names = filled(32 * KIB);
    let sizes = filled(48 * KIB);
    let kinds = filled(16 * KIB);
    let flags = filled(32 * KIB);
    let roots = filled(48 * KIB);
    let leaves = filled(16 * KIB);
    let edges = filled(32 * KIB);
    let marks = filled(48 * KIB);
    let words = filled(16 * KIB);
    let lines = filled(32 * KIB);
    let pages = filled(48 * KIB);
    let links = filled(16 * KIB + planted());
    let notes = filled(32 * KIB);
    let index = filled(48 * KIB);
    let order = filled(16 * KIB);
    let depth = filled(32 * KIB);
    let counts = recent(number);
    let texts = texts(number);
    let mut size = 0;
    size += [&header, &names, &sizes, &kinds, &flags].len();
    size += [&roots, &leaves, &edges, &marks, &words].len();
    drop(texts);
    size += [&lines, &pages, &links, &notes, &index].len();
    size += [&order, &depth].len();
    size += counts.values().sum::<usize>();
    drop(counts);
    black_box(&size);
    size
}

fn filled(bytes: usize) -> Vec<u8> {
    black_box(vec![1; bytes])
}

fn planted() -> usize {
    match std::env::var_os("PLANTED") {
        Some(_) => MIB,
        None => 0,
    }
}

/// What was seen last. How often the map is rehashed depends on the seed of its hashes.
fn recent(number: usize) -> HashMap<usize, usize> {
    let mut recent = HashMap::new();
    for n in 0..4_000 {
        *recent.entry(n * 31 % 701 + number).or_insert(0) += 1;
        if recent.len() > 400 {
            recent.remove(&((n + 97) * 31 % 701 + number));
        }
    }
    recent
}

/// Texts whose lengths differ from run to run, as those of times do.
fn texts(number: usize) -> Vec<String> {
    let began = std::time::Instant::now();
    let text = |n| format!("{number}:{n} took {:?}", began.elapsed());
    (0..200).map(text).collect()
}
