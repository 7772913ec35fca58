//! A program that loads a plugin. Both have a copy of memprof of their own.

use std::ffi::{CString, c_char, c_int, c_void};

use memprof::profile_memory;

unsafe extern "C" {
    fn dlopen(file: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Keeps 10 MiB while the plugin works.
#[profile_memory]
fn around(work: extern "C" fn()) {
    let kept = vec![1_u8; 10 << 20];
    work();
    drop(kept);
}

/// Takes and gives back 50 MiB.
#[profile_memory]
fn after() {
    let passing = vec![1_u8; 50 << 20];
    drop(passing);
}

fn load(file: &str) -> extern "C" fn() {
    let file = CString::new(file).expect("a path");
    // SAFETY: a string with an end; loading runs nothing of the plugin's.
    let plugin = unsafe { dlopen(file.as_ptr(), 2) };
    assert!(!plugin.is_null(), "{file:?} cannot be loaded");
    // SAFETY: a handle that was just given, and a string with an end.
    let work = unsafe { dlsym(plugin, c"work".as_ptr()) };
    assert!(!work.is_null());
    // SAFETY: the plugin says what `work` is.
    unsafe { std::mem::transmute::<*mut c_void, extern "C" fn()>(work) }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let work = load(&arguments.next().expect("the plugin"));
    if arguments.next().as_deref() == Some("plugin-first") {
        work();
    }
    around(work);
    after();
}
