//! What single things cost: `cargo bench -p memprof-benches`. Each is run a thousand times for one
//! figure of divan's; it shows times a piece.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::ItemsCount;
use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// How often a thing is done in one iteration.
const MANY: u64 = 1_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    memprof::Settings::new()
        .dir(folder.path())
        .quiet(true)
        .apply()
        .expect("nothing is recorded yet");
    divan::main();
}

/// A thousand hits of two lines and of the loop's header: three thousand probes.
#[divan::bench]
fn probes(bencher: Bencher<'_, '_>) {
    #[profile_memory]
    fn hot(rounds: u64) -> u64 {
        let mut sum = 0;
        for round in 0..rounds {
            sum += black_box(round);
            sum ^= 1;
        }
        sum
    }
    per_item(bencher, 3 * MANY).bench_local(|| hot(black_box(MANY)));
}

/// The same loop without probes, to be taken off.
#[divan::bench]
fn probes_plain(bencher: Bencher<'_, '_>) {
    fn plain(rounds: u64) -> u64 {
        let mut sum = 0;
        for round in 0..rounds {
            sum += black_box(round);
            sum ^= 1;
        }
        sum
    }
    per_item(bencher, 3 * MANY).bench_local(|| plain(black_box(MANY)));
}

/// Calls of an empty function, in which nearly none is read.
#[divan::bench]
fn calls(bencher: Bencher<'_, '_>) {
    #[profile_memory]
    fn empty() {}
    per_item(bencher, MANY).bench_local(|| (0..MANY).for_each(|_| empty()));
}

/// An allocation and its free, counted.
#[divan::bench]
fn allocations(bencher: Bencher<'_, '_>) {
    let one = || drop(black_box(Box::new([0_u64; 8])));
    per_item(bencher, MANY).bench_local(|| (0..MANY).for_each(|_| one()));
}

/// Two readings a call: with a limit every call is read at entry and exit, whatever the budget.
#[divan::bench]
fn readings(bencher: Bencher<'_, '_>) {
    #[profile_memory(lines = false, max_peak = "1 GiB")]
    fn limited() {}
    per_item(bencher, 2 * MANY).bench_local(|| (0..MANY).for_each(|_| limited()));
}

fn per_item<'a, 'b>(bencher: Bencher<'a, 'b>, items: u64) -> Bencher<'a, 'b> {
    bencher.counter(ItemsCount::new(items))
}
