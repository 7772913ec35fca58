//! The attribute of memprof: `#[profile_memory]`, and its macro for a region, `block!`.
//!
//! Use them through the `memprof` crate, which re-exports them: what they expand to calls it.

mod args;
mod body;
mod container;
mod expand;
mod function;
mod future;
mod instrument;
mod leaving;
mod nearest;
mod parameters;
mod pattern;
mod place;
mod probe;
mod region;
mod scopes;
mod site;
mod skip;
mod source;
mod statement;
mod validate;
mod wrap;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Profiles a function: what its memory did over time, and line by line.
///
/// ```
/// use memprof::profile_memory;
///
/// #[profile_memory]
/// fn squares(n: usize) -> Vec<usize> {
///     let all: Vec<usize> = (0..n).map(|i| i * i).collect();
///     all.into_iter().filter(|square| square % 2 == 0).collect()
/// }
///
/// assert_eq!(squares(5), [0, 4, 16]);
/// ```
///
/// The function does what it did before: the same result, the same panics, the same order of
/// drops. It can be generic, a method, `unsafe`, `extern`, recursive, a `#[test]`; it can be `async`,
/// and is then measured while it is polled. It cannot be a `const fn`.
///
/// # Arguments
///
/// All are optional, in any order.
///
/// ## `interval_ms = 10`
///
/// How often memory is sampled while a call is in progress, in milliseconds: a whole number or a
/// decimal, at least 0.1. The default is 10. The line table does not depend on it: lines are read
/// when they begin and end.
///
/// ```
/// # use memprof::profile_memory;
/// #[profile_memory(interval_ms = 0.5)]
/// fn short() -> Vec<u8> {
///     vec![1; 1 << 20]
/// }
/// # assert_eq!(short().len(), 1 << 20);
/// ```
///
/// ## `name = "…"`
///
/// What reports call the function, instead of its path.
///
/// ```
/// # use memprof::profile_memory;
/// #[profile_memory(name = "Matrix inversion")]
/// fn inverse(n: usize) -> Vec<f64> {
///     vec![1.0; n * n]
/// }
/// # assert_eq!(inverse(3).len(), 9);
/// ```
///
/// ## `lines = false`
///
/// Records calls and their timeline, and no lines: nothing is put into the body but the
/// observation of its beginning and end. For a small function that is called millions of times.
///
/// ```
/// # use memprof::profile_memory;
/// #[profile_memory(lines = false)]
/// fn step(x: u64) -> u64 {
///     x * 3 + 1
/// }
/// # assert_eq!(step(1), 4);
/// ```
///
/// ## `crate = path`
///
/// Where to find memprof, if not as `::memprof`: it was renamed in `Cargo.toml`, or another crate
/// re-exports it.
///
/// ```
/// mod tools {
///     pub use memprof;
/// }
///
/// #[tools::memprof::profile_memory(crate = crate::tools::memprof)]
/// fn answer() -> u32 {
///     42
/// }
/// # fn main() { assert_eq!(answer(), 42); }
/// ```
///
/// # On an `impl`, a trait or an inline module
///
/// There it goes to every function inside that can be profiled, with the same arguments.
/// `#[memprof(skip)]` leaves a function alone. On a statement it leaves the inside of the statement
/// alone, which then is one line: of use for an inner loop that must stay fast.
///
/// ```
/// # use memprof::profile_memory;
/// struct Histogram {
///     counts: Vec<u64>,
/// }
///
/// #[profile_memory]
/// impl Histogram {
///     fn new() -> Histogram {
///         Histogram { counts: vec![0; 256] }
///     }
///
///     fn add(&mut self, bytes: &[u8]) {
///         #[memprof(skip)]
///         for &byte in bytes {
///             self.counts[usize::from(byte)] += 1;
///         }
///     }
///
///     #[memprof(skip)]
///     fn count(&self, byte: u8) -> u64 {
///         self.counts[usize::from(byte)]
///     }
/// }
///
/// let mut histogram = Histogram::new();
/// histogram.add(b"hello");
/// assert_eq!(histogram.count(b'l'), 2);
/// ```
///
/// # Together with other attributes
///
/// Any order works with those that leave the body as it is, such as `#[test]` or `#[inline]`. Those
/// that rewrite it, such as `#[tokio::main]` or `#[tracing::instrument]`, work in either order too;
/// with this one above them, no line is charged with what they add.
///
/// # What counts as a line
///
/// Every statement, in every nested block, has the line that it starts on; so has a `match` arm, a
/// loop's header (once for each time that it is evaluated), and the closing brace of a block, where
/// its variables are dropped. Statements that start on the same line share it, and so does what is
/// inside of a statement that lies on one line. A macro call is one line. A closure or an async
/// block that covers several lines has lines of its own; one on a single line belongs to the
/// statement around it.
///
/// Two things are outside of what a function's own lines can show. Arguments that were passed by
/// value are freed after the last line, when the call is over. And where `?` leaves a loop, the
/// loop's header has one hit more than evaluations.
#[proc_macro_attribute]
pub fn profile_memory(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(args.into(), item.into()).into()
}

/// Profiles a region of a function like a function of its own, and yields the region's value.
///
/// The region is a plain block: it borrows from its surroundings, and `?`, `return` and `break`
/// leave it as they would leave any block.
///
/// ```
/// fn parsed(texts: &[&str]) -> Result<i64, std::num::ParseIntError> {
///     let numbers = memprof::block!("parse", {
///         let mut numbers = Vec::new();
///         for text in texts {
///             numbers.push(text.parse::<i64>()?);
///         }
///         numbers
///     });
///     Ok(numbers.iter().sum())
/// }
///
/// assert_eq!(parsed(&["1", "2"]), Ok(3));
/// assert!(parsed(&["one"]).is_err());
/// ```
///
/// The arguments of [`macro@profile_memory`] come between the name and the block:
///
/// ```
/// let sum: u64 = memprof::block!("sum", interval_ms = 1, lines = false, { (1..=4).sum() });
/// assert_eq!(sum, 10);
/// ```
#[proc_macro]
pub fn block(input: TokenStream) -> TokenStream {
    expand::block(input.into()).into()
}
