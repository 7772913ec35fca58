//! A crate as strict as they come: generated code must not be what it complains about.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused,
    unused_qualifications,
    single_use_lifetimes,
    trivial_casts,
    variant_size_differences,
    rust_2018_idioms,
    let_underscore_drop,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::cargo,
    clippy::unwrap_used,
    clippy::panic,
    clippy::used_underscore_binding,
    clippy::items_after_statements,
    clippy::shadow_unrelated,
    clippy::missing_inline_in_public_items
)]
#![allow(clippy::multiple_crate_versions, clippy::cargo_common_metadata)]
// Where recording is compiled out some could be; what is profiled cannot.
#![allow(clippy::missing_const_for_fn)]
#![forbid(unsafe_code)]

use memprof::profile_memory;
use std::collections::BTreeMap;

/// Has state.
#[derive(Debug, Clone, Default)]
pub struct Counter<T> {
    counts: BTreeMap<T, u64>,
}

impl<T: Ord + Clone> Counter<T> {
    /// Borrows, loops, branches and gives back.
    #[inline]
    #[must_use]
    #[profile_memory]
    pub fn most_common(&self, limit: usize) -> Vec<(&T, u64)> {
        let mut all: Vec<(&T, u64)> = Vec::new();
        for (key, &count) in &self.counts {
            if count == 0 {
                continue;
            }
            all.push((key, count));
        }
        all.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        all.truncate(limit);
        all
    }

    /// Takes a closure and a generic iterator.
    ///
    /// # Errors
    /// When `accept` gives one.
    #[inline]
    #[profile_memory(interval_ms = 2.5, name = "Adding")]
    pub fn add_all<E, F>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        accept: F,
    ) -> Result<usize, E>
    where
        F: Fn(&T) -> Result<bool, E>,
    {
        let mut added = 0;
        let mut items: Vec<T> = items.into_iter().collect();
        while let Some(item) = items.pop() {
            if !accept(&item)? {
                break;
            }
            let entry = self.counts.entry(item).or_insert(0);
            *entry += 1;
            added += match *entry {
                1 => 1,
                2..=9 => {
                    let several = 2;
                    several / 2
                }
                _ => 0,
            };
        }
        Ok(added)
    }
}

/// A trait with a default body.
pub trait Area {
    /// One side.
    fn side(&self) -> f64;

    /// The square of it.
    #[inline]
    #[profile_memory]
    fn area(&self) -> f64 {
        let side = self.side();
        side * side
    }
}

impl Area for f64 {
    #[inline]
    #[profile_memory(lines = false)]
    fn side(&self) -> f64 {
        *self
    }
}

/// Does nothing, at length.
#[inline]
#[profile_memory]
pub fn empty() {}

/// A block in the middle of a function.
///
/// # Errors
/// When `text` is no number.
#[inline]
pub fn block(text: &str) -> Result<u32, std::num::ParseIntError> {
    let doubled = memprof::block!("parsing", {
        let number: u32 = text.trim().parse()?;
        number * 2
    });
    Ok(doubled + 1)
}

/// Labels, early returns, nested blocks and a tail that is a macro.
#[inline]
#[must_use]
#[profile_memory]
pub fn shapes(rows: &[Vec<i32>]) -> String {
    let mut seen = 0;
    'rows: for row in rows {
        for cell in row {
            if *cell < 0 {
                break 'rows;
            } else if *cell == 0 {
                continue 'rows;
            }
            seen += cell;
        }
    }
    let sign = {
        let big = seen > 100;
        if big {
            return String::from("big");
        }
        if seen % 2 == 0 { '+' } else { '-' }
    };
    loop {
        seen -= 7;
        if seen < 0 {
            break;
        }
    }
    format!("{sign}{seen}")
}

/// Limits, a size, returns from within, and a value that has to become what is returned.
///
/// # Errors
/// When there are none.
#[inline]
#[profile_memory(by = items.len() * 2, max_peak = "1 GiB", max_growth = "n^3")]
pub fn boxed(items: &[u8]) -> Result<Box<dyn Fn(u8) -> u8>, String> {
    let first = *items.first().ok_or_else(|| "none".to_owned())?;
    if first == 0 {
        return Ok(Box::new(|item| item));
    }
    for &item in items {
        if item > first {
            return Ok(Box::new(move |other| other.wrapping_add(item)));
        }
    }
    Ok(Box::new(move |item| item.wrapping_mul(first)))
}

/// Ends in nothing but a panic.
///
/// # Panics
/// Always.
#[inline]
#[must_use]
#[profile_memory(max_peak = "1 GiB", on_exceed = "warn")]
pub fn never(reason: &str) -> u64 {
    assert!(reason.is_empty(), "{}", reason);
    unreachable!()
}

/// Waits, under a limit.
#[inline]
#[profile_memory(by = n, max_net = 4096)]
pub async fn waits<T: Send + Sync>(n: u64, item: &T) -> u64 {
    if n == 0 {
        return 1;
    }
    std::future::ready(n)
        .await
        .saturating_add(u64::from(std::ptr::eq(item, item)))
}

/// A region and an expression with limits.
#[inline]
#[must_use]
pub fn regions(n: usize) -> usize {
    let all: Vec<usize> = memprof::assert_memory!((0..n).collect(), max_peak = "1 GiB");
    memprof::block!("sum", by = n, max_net = "1 MB", { all.iter().sum() })
}

/// Ends with a statement that does not come back, which the attribute cannot know.
#[inline]
#[profile_memory]
pub fn stops(reason: &str) -> ! {
    let length = reason.len();
    stop(length);
}

fn stop(length: usize) -> ! {
    std::process::exit(i32::from(length > 0));
}
