//! Plugins with a copy of memprof of their own, and libraries, loaded and unloaded.

use std::ffi::{CString, c_void};

use crate::say::said;
use crate::work::{within, work};

pub(crate) const MODES: [crate::Mode; 2] = [
    ("library-loaded-and-unloaded", library),
    ("plugin-loaded-and-unloaded", plugin),
];

/// One without memprof.
fn library() {
    for _ in 0..10 {
        let library = within(|| load("libm.so.6"));
        let cosine = call!(libc::dlsym(library, c"cos".as_ptr()));
        println!("found: {}", !cosine.is_null());
        said("dlclose", within(|| call!(libc::dlclose(library))));
    }
}

/// Its path is in a variable. It is used on a thread that ends, which lets go of it, and once on the main thread.
fn plugin() {
    let path = std::env::var("SAME_WORLD_PLUGIN").expect("the plugin");
    for _ in 0..3 {
        let path = path.clone();
        std::thread::spawn(move || use_once(&path))
            .join()
            .expect("no panic");
        work();
    }
    use_once(&path);
    work();
}

fn use_once(path: &str) {
    let plugin = within(|| load(path));
    let found = call!(libc::dlsym(plugin, c"work".as_ptr()));
    let inside = call!(std::mem::transmute::<*mut c_void, extern "C" fn()>(found));
    within(|| inside());
    said("dlclose", call!(libc::dlclose(plugin)));
}

fn load(file: &str) -> *mut c_void {
    let file = CString::new(file).expect("a path");
    let loaded = call!(libc::dlopen(file.as_ptr(), libc::RTLD_NOW));
    assert!(!loaded.is_null(), "{file:?} cannot be loaded");
    loaded
}
