//! Closes stderr after its first annotated call and opens a file, which gets its number. The first argument names the
//! file, the second says what it is: `data`, `appended` to, or a `log` for stdout, too.

use std::fs::File;
use std::os::fd::AsRawFd;

use memprof::profile_memory;

#[profile_memory]
fn work() -> Vec<u8> {
    vec![1; 1 << 20]
}

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let (path, way) = (arguments.next(), arguments.next());
    let (path, way) = (path.expect("a file"), way.expect("a way"));
    drop(work());
    // SAFETY: nothing in this program uses number 2 until it is open again.
    assert_eq!(unsafe { libc::close(2) }, 0);
    let mut options = File::options();
    options.create(true).write(true).append(way != "data");
    let file = options.open(path).expect("it can be opened");
    assert_eq!(file.as_raw_fd(), 2);
    if way == "log" {
        // SAFETY: both numbers are open, and this thread is the only one.
        assert_eq!(unsafe { libc::dup2(2, 1) }, 1);
    }
    // As long as the process: memprof writes at its end.
    std::mem::forget(file);
    drop(work());
}
