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
mod limit_guard;
mod limits;
mod nearest;
mod off;
mod parameters;
mod pattern;
mod place;
mod probe;
mod region;
mod scopes;
mod site;
mod size;
mod skip;
mod source;
mod statement;
mod validate;
mod value;
mod wrap;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Whether anything is put into the user's code.
const RECORDS: bool = cfg!(feature = "record");

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
/// ## `max_peak = "64 MiB"` and other limits
///
/// What a call may take. When a call returns that has taken more, it panics with a message that holds
/// the limit, the value, and the lines responsible, most expensive first. So an ordinary test fails.
///
/// | argument | limits | is of |
/// |---|---|---|
/// | `max_peak` | the highest RSS during the call less that at its entry | the process |
/// | `max_net` | RSS at its exit less that at its entry | the process |
/// | `max_heap_peak` | the highest live heap bytes less those at its entry | the calling thread |
/// | `max_leak` | heap bytes allocated and not freed; what it returns is among them | the calling thread |
/// | `max_allocated` | heap bytes allocated, freed ones among them | the calling thread |
/// | `max_allocations` | a number of allocations | the calling thread |
///
/// Sizes are in B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (of 1024), or plain numbers of
/// bytes. The heap's need the counting allocator: without it a call with such a limit panics and says
/// how to install it. Heap figures are exact to the byte. RSS moves in pages and by the habits of the
/// allocator, and is the process's: where other threads were at work the message says so.
///
/// ```
/// # use memprof::profile_memory;
/// #[profile_memory(max_peak = "16 MiB")]
/// fn sorted(mut words: Vec<u32>) -> Vec<u32> {
///     words.sort();
///     words
/// }
/// # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
/// assert_eq!(sorted(vec![3, 1, 2]), [1, 2, 3]);
/// ```
///
/// It works on `#[test]` functions (any order), methods, and whole `impl` blocks; on `async` functions
/// it is checked when the future is ready, and only reported when it is dropped before.
/// A call that is ended by a panic reports what it broke and lets the panic be the only one. Of
/// nested calls the innermost that took too much is the one that panics. The value that would have
/// been returned is dropped; an error that leaves by `?`, and what a macro returns from inside of itself,
/// is leaked by today's compilers if there is a panic at that moment.
///
/// Every call with a limit is read at its entry and exit, whatever the budget; that costs some
/// microseconds. With `MEMPROF=0` nothing is checked.
///
/// ## `on_exceed = "warn"`
///
/// Reports the first call that breaks a limit on stderr, and panics at none.
///
/// ## `by = expr`
///
/// The size of a call's input: a number, from the arguments. The report then tells by which law time
/// and memory grow with it, and what to expect of larger inputs. See [`growth`](../memprof/growth).
///
/// ```
/// # use memprof::profile_memory;
/// #[profile_memory(by = items.len(), max_growth = "n^1.2")]
/// fn doubled(items: &[u64]) -> Vec<u64> {
///     items.iter().map(|item| 2 * item).collect()
/// }
/// # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
/// for exponent in 10..16 {
///     let items = vec![1; 1 << exponent];
///     assert_eq!(doubled(&items).len(), items.len());
/// }
/// ```
///
/// ## `max_growth = "n^2.1"`
///
/// The highest power of `by` that peaks may grow with: heap peaks with the counting allocator, those of
/// RSS without it. Looked at when a call returns, from five sizes on that span a factor of eight. It
/// panics if the exponent is surely higher, with a chance of error of one in a thousand.
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
    let expanded = match RECORDS {
        true => expand::attribute(args.into(), item.into()),
        false => off::attribute(args.into(), item.into()),
    };
    expanded.into()
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
    let expanded = match RECORDS {
        true => expand::block(input.into()),
        false => off::block(input.into()),
    };
    expanded.into()
}

/// Evaluates an expression, gives its value, and panics if that took more memory than allowed.
///
/// The limits are those of [`macro@profile_memory`]. In the report it is a function of its own.
///
/// ```
/// # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
/// let squares: Vec<u64> = memprof::assert_memory!(
///     (0..1_000).map(|n| n * n).collect(),
///     max_peak = "4 MiB"
/// );
/// assert_eq!(squares.len(), 1_000);
/// ```
///
/// ```should_panic
/// # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
/// memprof::assert_memory!(vec![1_u8; 64 << 20], max_peak = "4 MiB");
/// ```
#[proc_macro]
pub fn assert_memory(input: TokenStream) -> TokenStream {
    let expanded = match RECORDS {
        true => expand::assertion(input.into()),
        false => off::assertion(input.into()),
    };
    expanded.into()
}
