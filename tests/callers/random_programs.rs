#![allow(unused_variables, unused_imports, dead_code)]
//! What the random programs have in common.

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::hint::black_box;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;

use futures::FutureExt;
use memprof::{CountingAllocator, profile_memory};
use rayon::prelude::*;

/// Large blocks are mapped one by one, so that what each brings and takes is known to the page. Small ones are the
/// C library's. It counts in the plainest way, so that what a panic allocates is not known from memprof.
struct Plain;

/// What is called a large block.
const MAPPED_FROM: usize = 131_072;

static BYTES: AtomicU64 = AtomicU64::new(0);
static BLOCKS: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    fn mmap(at: *mut u8, bytes: usize, access: i32, kind: i32, file: i32, from: i64) -> *mut u8;
    fn munmap(at: *mut u8, bytes: usize) -> i32;
    fn mremap(at: *mut u8, bytes: usize, new: usize, how: i32, ...) -> *mut u8;
    fn madvise(at: *mut u8, bytes: usize, advice: i32) -> i32;
    fn mlock(at: *mut u8, bytes: usize) -> i32;
}

/// Blocks of these kinds are the same to the kernel, and `MAP_FAILED` is -1.
const READ_AND_WRITE: i32 = 1 | 2;
const PRIVATE_AND_ANONYMOUS: i32 = 0x02 | 0x20;
const MAY_MOVE: i32 = 1;
const POPULATE_READ: i32 = 22;

fn or_null(mapped: *mut u8) -> *mut u8 {
    if mapped.addr() == usize::MAX { std::ptr::null_mut() } else { mapped }
}

unsafe impl GlobalAlloc for Plain {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size() as u64, Relaxed);
        BLOCKS.fetch_add(1, Relaxed);
        if layout.size() < MAPPED_FROM {
            return unsafe { System.alloc(layout) };
        }
        let nowhere = std::ptr::null_mut();
        or_null(unsafe { mmap(nowhere, layout.size(), READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.size() < MAPPED_FROM {
            unsafe { System.dealloc(block, layout) }
        } else {
            unsafe { munmap(block, layout.size()) };
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let old = layout.size();
        if old < MAPPED_FROM && size < MAPPED_FROM {
            return unsafe { System.realloc(block, layout, size) };
        }
        if old >= MAPPED_FROM && size >= MAPPED_FROM {
            return or_null(unsafe { mremap(block, old, size, MAY_MOVE) });
        }
        let layout_now = Layout::from_size_align(size, layout.align()).expect("a layout");
        let new = unsafe { self.alloc(layout_now) };
        if !new.is_null() {
            unsafe { new.copy_from_nonoverlapping(block, old.min(size)) };
            unsafe { self.dealloc(block, layout) };
        }
        new
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator<Plain> = CountingAllocator::new(Plain);

type Kept = Vec<Vec<u8>>;

fn main() {
    keep_all_code();
    let before = (BYTES.load(Relaxed), BLOCKS.load(Relaxed));
    catch(|| panic());
    let (bytes, blocks) = (BYTES.load(Relaxed) - before.0, BLOCKS.load(Relaxed) - before.1);
    println!("{bytes} {blocks}");
    let seed = std::env::args().nth(1);
    sizes(seed.as_deref()).iter().for_each(|size| println!("{size}"));
    start(seed.as_deref());
}

/// Code that runs for the first time comes from its file, 16 pages at a time, and is in the RSS of the line that runs.
/// The kernel takes it back when memory is short on the machine, and then it comes again. Here neither is to come in
/// between. Where the program may not lock so much memory, it is loaded at least.
fn keep_all_code() {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the map of memory");
    for map in maps.lines().filter(|map| map.contains(" r") && map.contains('/')) {
        let range = map.split(' ').next().and_then(|range| range.split_once('-'));
        let (from, to) = range.expect("a range of addresses");
        let address = |text| usize::from_str_radix(text, 16).expect("an address");
        let (from, to) = (address(from), address(to));
        let at = std::ptr::without_provenance_mut(from);
        let loaded = unsafe { mlock(at, to - from) == 0 || madvise(at, to - from, POPULATE_READ) == 0 };
        assert!(loaded, "{map}");
    }
}

/// A panic without a message, which would be of an unknown size.
fn panic() {
    resume_unwind(Box::new(()));
}

fn catch(what: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(what));
}

async fn catch_async(what: impl Future<Output = ()>) {
    let _ = AssertUnwindSafe(what).catch_unwind().await;
}

fn size_of_future<F>(_of: impl Fn(&'static mut Kept, u64) -> F) -> usize {
    size_of::<F>()
}

fn half(bytes: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(bytes);
    block.resize(bytes / 2, 1);
    block
}

fn grow(kept: &mut Kept, bytes: usize) {
    if let Some(last) = kept.last_mut() {
        last.reserve_exact(bytes);
        last.resize(last.len() + bytes, 1);
    }
}

/// Room for the blocks that are kept, touched already.
fn room() -> Kept {
    let mut kept = vec![Vec::with_capacity(0); 1 << 16];
    kept.clear();
    kept
}

/// The same, which is not given back where a panic leaves its task.
fn room_for_good() -> ManuallyDrop<Kept> {
    ManuallyDrop::new(room())
}

fn task(f0: impl Fn(&mut Kept)) {
    let mut kept = room_for_good();
    catch(|| f0(&mut kept));
}

fn on_main(_tasks: u64, f0: impl Fn(&mut Kept)) {
    task(f0);
}

fn on_threads(tasks: u64, f0: impl Fn(&mut Kept) + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..tasks {
            scope.spawn(|| task(&f0));
        }
    });
}

fn on_rayon(tasks: u64, f0: impl Fn(&mut Kept) + Sync) {
    (0..tasks).into_par_iter().for_each(|_| task(&f0));
}

fn in_pool(_tasks: u64, f0: impl Fn(&mut Kept) + Sync) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    pool.expect("a pool").install(|| task(&f0));
}

async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Drops `what` when it has been suspended so often.
async fn drop_after(suspensions: u64, what: impl Future<Output = ()>) {
    let mut what = pin!(what);
    let mut left = suspensions;
    std::future::poll_fn(|context| {
        let polled = what.as_mut().poll(context);
        left -= u64::from(polled.is_pending());
        if left == 0 { Poll::Ready(()) } else { polled }
    })
    .await;
}

fn on_tokio<F: Future<Output = ()> + Send + 'static>(tasks: u64, f0: impl Fn() -> F) {
    run_on(tokio::runtime::Builder::new_multi_thread().worker_threads(3), tasks, f0);
}

fn on_tokio_alone<F: Future<Output = ()> + Send + 'static>(tasks: u64, f0: impl Fn() -> F) {
    run_on(&mut tokio::runtime::Builder::new_current_thread(), tasks, f0);
}

fn run_on<F: Future<Output = ()> + Send + 'static>(
    builder: &mut tokio::runtime::Builder,
    tasks: u64,
    f0: impl Fn() -> F,
) {
    builder.build().expect("a runtime").block_on(async {
        let tasks: Vec<_> = (0..tasks).map(|_| tokio::spawn(f0())).collect();
        for task in tasks {
            // The runtime has caught a panic.
            let _ = task.await;
        }
    });
}

fn on_futures<F: Future<Output = ()>>(tasks: u64, f0: impl Fn() -> F) {
    futures::executor::block_on(all_at_once(tasks, f0));
}

fn on_smol<F: Future<Output = ()>>(tasks: u64, f0: impl Fn() -> F) {
    smol::block_on(all_at_once(tasks, f0));
}

async fn all_at_once<F: Future<Output = ()>>(tasks: u64, f0: impl Fn() -> F) {
    futures::future::join_all((0..tasks).map(|_| catch_async(f0()))).await;
}
