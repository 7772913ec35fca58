//! Takes all descriptors of the process for a file of its own, between two annotated calls.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;

use memprof::profile_memory;
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

/// What statm could say of a process with 40 TB.
const LOOKS_LIKE_STATM: &[u8] = b"9999999999 9999999999 100 1 0 100 0\n";

pub(crate) fn main(how: &str, path: &str) {
    work();
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .expect("created");
    file.write_all(LOOKS_LIKE_STATM).expect("written");
    let own = file.as_raw_fd();
    let not_own: Vec<i32> = open_ones().filter(|&number| number != own).collect();
    match how {
        "over" => not_own.iter().for_each(|&number| duplicate(own, number)),
        "one by one" => {
            for &number in not_own.iter().rev() {
                duplicate(own, number);
                work();
            }
        }
        "closed" => {
            not_own.iter().copied().for_each(close);
            (3..1_000)
                .filter(|&number| number != own)
                .for_each(|number| duplicate(own, number));
        }
        other => panic!("unknown way {other:?}"),
    }
    work();
    work();
}

/// The descriptors above the standard ones.
fn open_ones() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc/self/fd").expect("procfs");
    let number = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.to_str()?.parse().ok()
    };
    let numbers: Vec<i32> = entries.filter_map(number).collect();
    numbers.into_iter().filter(|&number| number > 2)
}

fn duplicate(own: i32, number: i32) {
    // SAFETY: what is open under this number is replaced, which is the point.
    unsafe { libc::dup2(own, number) };
}

fn close(number: i32) {
    // SAFETY: closing a number that is not open does no harm; that others lose theirs is the point.
    unsafe { libc::close(number) };
}

#[profile_memory]
fn work() {
    for _ in 0..20 {
        let _mapping = Mapping::new(MIB);
    }
}
