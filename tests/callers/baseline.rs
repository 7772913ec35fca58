//! A crate as a user has it, that keeps a baseline. Its features are changes that somebody made.

use memprof::profile_memory;

#[cfg(not(feature = "uncounted"))]
#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();

/// The lengths of the words.
#[profile_memory]
pub fn lengths(text: &str) -> Vec<usize> {
    #[cfg(feature = "regression")]
    let copies: Vec<String> = text.split(' ').map(|word| word.repeat(100)).collect();
    #[cfg(feature = "regression")]
    assert!(!copies.is_empty());
    let mut lengths = Vec::with_capacity(2_000 + if cfg!(feature = "little") { 40 } else { 0 });
    lengths.extend(text.split(' ').map(str::len));
    lengths
}

/// Some pages.
#[cfg(not(feature = "without"))]
#[profile_memory]
pub fn pages() -> usize {
    let mebibytes = if cfg!(feature = "regression") { 24 } else { 8 };
    let pages = vec![1_u8; mebibytes << 20];
    pages.len()
}

#[test]
fn few_words() {
    assert_eq!(lengths("two words"), [3, 5]);
}

#[test]
fn many_words() {
    assert_eq!(lengths(&"word ".repeat(1_000)).len(), 1_001);
}

#[cfg(not(feature = "without"))]
#[test]
fn some_pages() {
    assert!(pages() > 0);
}

#[test]
fn something_else() {
    assert!(!cfg!(feature = "failing"));
}

/// A function and a test of it, many times.
macro_rules! many {
    ($($name:ident $number:literal)*) => {
        $(
            mod $name {
                #[memprof::profile_memory]
                fn each() {
                    drop(vec![1_u8; 1_000 + $number]);
                }

                #[test]
                #[ignore = "one of many, each in a process of its own"]
                fn one_of_many() {
                    each();
                    super::lengths(&"word ".repeat($number));
                }
            }
        )*
    };
}

many! {
    n10 10 n11 11 n12 12 n13 13 n14 14 n15 15 n16 16 n17 17 n18 18 n19 19
    n20 20 n21 21 n22 22 n23 23 n24 24 n25 25 n26 26 n27 27 n28 28 n29 29
}
