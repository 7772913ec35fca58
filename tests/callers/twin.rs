//! Functions that are compiled twice, as they stand here and without a trace of memprof
//! (`tests/compiled_out.rs` takes it out of the text): where recording is compiled out the machine code
//! must be the same.

use memprof::profile_memory;

/// Loops, branches, an early return, variables that are dropped at the end.
#[profile_memory]
pub fn longest(words: &[String], stop: &str) -> Option<String> {
    let mut best = String::new();
    for word in words {
        if word == stop {
            return None;
        }
        if word.len() > best.len() {
            best = word.clone();
        }
    }
    match best.len() {
        0 => None,
        1..=9 => Some(best),
        _ => Some(best[..10].to_owned()),
    }
}

/// A closure on several lines; `?`.
#[profile_memory(lines = false, name = "Sum", interval_ms = 1)]
pub fn sum(texts: &[&str]) -> Result<u64, std::num::ParseIntError> {
    let mut sum = 0;
    texts.iter().try_for_each(|text| {
        let number: u64 = text.parse()?;
        sum += number;
        Ok(())
    })?;
    Ok(sum)
}

/// Called often.
#[profile_memory]
#[inline(never)]
pub extern "C" fn empty() {}

/// A size and limits.
#[profile_memory(by = items.len(), max_growth = "n^2", max_peak = "1 GiB")]
pub fn doubled(items: &[u64]) -> Vec<u64> {
    items.iter().map(|item| 2 * item).collect()
}

/// A future.
#[profile_memory]
pub async fn waited(number: u64) -> u64 {
    let ready = std::future::ready(number);
    let first = ready.await;
    first + 1
}

/// Polls it.
pub fn poll(number: u64) -> bool {
    let mut future = Box::pin(waited(number));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::future::Future::poll(future.as_mut(), &mut context).is_ready()
}

/// Has methods.
pub struct Histogram {
    counts: Vec<u64>,
}

#[profile_memory]
impl Histogram {
    /// Counts bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        #[memprof(skip)]
        for &byte in bytes {
            self.counts[usize::from(byte)] += 1;
        }
    }

    /// One of them.
    #[memprof(skip)]
    pub fn count(&self, byte: u8) -> u64 {
        self.counts[usize::from(byte)]
    }
}

/// A region, and an assertion.
pub fn regions(n: usize) -> usize {
    let squares = memprof::block!("squares", {
        let all: Vec<usize> = (0..n).map(|i| i * i).collect();
        all
    });
    let copy = memprof::assert_memory!(squares.clone(), max_peak = "1 GiB");
    copy.len() + squares.len()
}
