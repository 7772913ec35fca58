//! Does to itself what its argument names, in the middle of its work, and ends with code 7 as if nothing
//! had happened.

use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;
use std::time::Duration;

use memprof::profile_memory;
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (fault, argument) = (&arguments[0], arguments.get(1).map(String::as_str));
    work();
    match fault.as_str() {
        "none" => {}
        "close" => close_everything(argument.expect("a file")),
        "chdir" => std::env::set_current_dir("/").expect("changed"),
        "chroot" => std::os::unix::fs::chroot(argument.expect("a folder")).expect("as root"),
        "remove" => std::fs::remove_dir_all(argument.expect("a folder")).expect("removed"),
        "fork" => fork_and_work(),
        "daemon" => daemon(),
        "exec" => exec(),
        "abort" => std::process::abort(),
        "overflow" => println!("{}", overflow(0)),
        other => panic!("unknown fault {other:?}"),
    }
    work();
    println!("done");
    std::process::exit(7);
}

/// Long enough for a journal to be begun and added to.
#[profile_memory]
fn work() {
    let _mapping = Mapping::new(2 * MIB);
    std::thread::sleep(Duration::from_millis(800));
}

/// Closes every descriptor but the standard ones, and opens a file of its own often enough to get the
/// numbers that others had.
fn close_everything(path: &str) {
    for descriptor in 3..200 {
        // SAFETY: closing a number that is not open does no harm; that others lose theirs is the point.
        unsafe { libc::close(descriptor) };
    }
    let files: Vec<File> = (0..20)
        .map(|_| File::create(path).expect("created"))
        .collect();
    (&files[0]).write_all(b"mine").expect("written");
    std::mem::forget(files);
}

fn fork_and_work() {
    // SAFETY: the child works on its one thread and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        work();
        std::process::exit(0);
    }
    let mut status = 0;
    // SAFETY: `status` is valid for a write.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(status, 0);
}

/// Forks twice; the first two processes end at once, the last one says so and goes on.
fn daemon() {
    for _ in 0..2 {
        // SAFETY: the parent ends without running anything, the child goes on with its one thread.
        if unsafe { libc::fork() } != 0 {
            // SAFETY: ends the process.
            unsafe { libc::_exit(7) };
        }
    }
    // SAFETY: descriptor 1 is stdout, and is not used otherwise.
    let mut stdout = unsafe { File::from_raw_fd(1) };
    let _ = stdout.write_all(b"daemon\n");
    std::mem::forget(stdout);
}

fn exec() {
    use std::os::unix::process::CommandExt;
    let error = std::process::Command::new("/bin/sh")
        .args(["-c", "exit 7"])
        .exec();
    panic!("{error}");
}

#[profile_memory]
fn overflow(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let large = [depth; 4096];
    overflow(depth + 1) + std::hint::black_box(&large)[(depth % 4096) as usize]
}
