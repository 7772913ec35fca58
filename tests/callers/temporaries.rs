//! A crate whose functions end with what is made for a moment. Before edition 2024 that is dropped after a function's
//! locals.

use std::cell::RefCell;
use std::hint::black_box;

use memprof::profile_memory;

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();

/// The last of so many bytes.
#[profile_memory]
pub fn last_byte(bytes: usize) -> u8 {
    black_box(vec![1_u8; bytes])[bytes - 1]
}

/// Tells when it is dropped.
pub struct Loud<'a>(&'static str, &'a RefCell<Vec<&'static str>>);

impl Loud<'_> {
    fn length(&self) -> usize {
        self.0.len()
    }
}

impl Drop for Loud<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

/// Has a parameter, a local and a temporary to drop.
#[profile_memory]
pub fn annotated(parameter: Loud<'_>) -> usize {
    let local = Loud("local", parameter.1);
    Loud("temporary", local.1).length()
}

/// The same.
pub fn plain(parameter: Loud<'_>) -> usize {
    let local = Loud("local", parameter.1);
    Loud("temporary", local.1).length()
}

#[test]
fn what_a_function_drops_last_it_has_freed() {
    let bytes: usize = (0..10).map(|_| usize::from(last_byte(1 << 20))).sum();
    assert_eq!(bytes, 10);
    let run = memprof::snapshot().expect("a call was made");
    let mut functions = run.functions.iter();
    let last_byte = functions.find(|function| function.label == "last_byte");
    let heap = last_byte.and_then(|function| function.heap).expect("counted");
    assert_eq!((heap.allocated, heap.freed, heap.net), (10 << 20, 10 << 20, 0));
}

#[test]
fn all_is_dropped_in_its_order() {
    let dropped = |function: fn(Loud<'_>) -> usize| {
        let order = RefCell::new(Vec::new());
        assert_eq!(function(Loud("parameter", &order)), "temporary".len());
        order.into_inner()
    };
    assert_eq!(dropped(annotated), dropped(plain));
}
