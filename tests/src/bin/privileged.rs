//! Calls a function; with an argument, keeps its runs in the folder of this name.

use memprof::profile_memory;

#[profile_memory]
fn work() -> Vec<u8> {
    vec![1; 1 << 20]
}

fn main() {
    if let Some(folder) = std::env::args_os().nth(1) {
        let settings = memprof::Settings::new().dir(folder);
        settings.apply().expect("nothing was called before");
    }
    drop(work());
    println!("done");
}
