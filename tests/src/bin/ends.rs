//! A program that ends in the way that its argument names.

use memprof::profile_memory;
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

fn main() {
    let ending = std::env::args().nth(1).unwrap_or_default();
    let kept = work();
    match ending.as_str() {
        "return" => {}
        "panic" => panics(),
        "thread-panic" => {
            let ended = std::thread::spawn(panics).join();
            assert!(ended.is_err());
        }
        "exit" => std::process::exit(7),
        "exit-inside" => exits(),
        "exit-in-thread" => {
            let _ = std::thread::spawn(exits).join();
        }
        "while-a-thread-works" => {
            std::thread::spawn(works_for_ever);
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        "write-twice" => {
            let first = memprof::write_reports().expect("written");
            let again = memprof::write_reports().expect("written");
            assert_eq!(first, again);
            drop(work());
        }
        "fork" => fork(),
        other => panic!("unknown ending {other:?}"),
    }
    println!("kept {}", kept.bytes());
}

#[profile_memory]
fn work() -> Mapping {
    Mapping::new(MIB)
}

#[profile_memory]
fn panics() {
    let _mine = Mapping::new(2 * MIB);
    panic!("on purpose");
}

#[profile_memory]
fn exits() {
    let _mine = Mapping::new(2 * MIB);
    std::process::exit(7);
}

#[profile_memory(interval_ms = 1)]
fn works_for_ever() {
    let _mine = Mapping::new(3 * MIB);
    loop {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The child calls annotated functions and ends; the parent goes on.
fn fork() {
    // SAFETY: the child only calls functions of this program and ends by itself.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "cannot fork");
    if child == 0 {
        drop(work());
        std::process::exit(0);
    }
    let mut status = 0;
    // SAFETY: `status` is valid for a write.
    let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!((ended, status), (child, 0), "the child's end");
    drop(work());
}
