//! Files, working directory and umask.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::look;
use crate::say::{did, said};
use crate::work::{within, work};

pub(crate) const MODES: [crate::Mode; 6] = [
    ("umask-and-kinds", umask_and_kinds),
    ("working-directory", working_directory),
    ("locks", locks),
    ("mapped", mapped),
    ("size-limit", size_limit),
    ("stderr-is-full-first", stderr_is_full),
];

/// Files of every kind, made under several masks.
fn umask_and_kinds() {
    for mask in [0o777, 0o077, 0o027, 0] {
        println!("{:#o}", call!(libc::umask(mask)));
        within(|| fs::write(format!("file-{mask:o}"), "text")).expect("written");
        within(|| fs::create_dir(format!("folder-{mask:o}"))).expect("made");
        let pipe = CString::new(format!("pipe-{mask:o}")).expect("a name");
        said(
            "mkfifo",
            within(|| call!(libc::mkfifo(pipe.as_ptr(), 0o666))),
        );
        work();
    }
    symlink("file-0", "link").expect("made");
    fs::hard_link("file-0", "file-0-again").expect("made");
    fs::set_permissions("file-0", fs::Permissions::from_mode(0o4711)).expect("set");
    let file = File::create("with-a-hole").expect("created");
    within(|| file.set_len(1 << 20)).expect("set");
    call!(libc::umask(0o137));
}

/// Changed, and then removed.
fn working_directory() {
    fs::create_dir_all("one/two").expect("made");
    for folder in ["one", "two"] {
        did("chdir", within(|| std::env::set_current_dir(folder)));
        work();
        fs::write("here", folder).expect("written");
    }
    fs::create_dir("gone").expect("made");
    did("chdir", std::env::set_current_dir("gone"));
    did("rmdir", within(|| fs::remove_dir("../gone")));
    work();
}

/// Those of a process are lost when it closes any descriptor of the file.
fn locks() {
    let (of_process, of_file) = (
        File::create("of-process").expect("created"),
        File::create("of-file").expect("created"),
    );
    let mut lock: libc::flock = call!(std::mem::zeroed());
    lock.l_type = libc::F_WRLCK as i16;
    said(
        "fcntl",
        call!(libc::fcntl(
            of_process.as_raw_fd(),
            libc::F_SETLK,
            &raw const lock
        )),
    );
    said(
        "flock",
        call!(libc::flock(of_file.as_raw_fd(), libc::LOCK_EX)),
    );
    work();
    let child = call!(libc::fork());
    if child == 0 {
        let mut found = lock;
        call!(libc::fcntl(
            of_process.as_raw_fd(),
            libc::F_GETLK,
            &raw mut found
        ));
        let again = File::open("of-file").expect("there");
        let taken = call!(libc::flock(
            again.as_raw_fd(),
            libc::LOCK_EX | libc::LOCK_NB
        ));
        let ours = found.l_pid == call!(libc::getppid());
        said("flock in the child", taken);
        println!("held by the parent: {ours}");
        call!(libc::_exit(3));
    }
    crate::say::ended("child", child);
}

/// What is written into memory is in the file.
fn mapped() {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open("mapped")
        .expect("created");
    file.set_len(3 << 12).expect("set");
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let start = call!(libc::mmap(
        std::ptr::null_mut(),
        3 << 12,
        protection,
        libc::MAP_SHARED,
        file.as_raw_fd(),
        0
    ));
    for page in 0..3_usize {
        within(|| call!(start.cast::<u8>().add(page << 12).write(b'0' + page as u8)));
    }
    said(
        "msync",
        within(|| call!(libc::msync(start, 3 << 12, libc::MS_SYNC))),
    );
    said("munmap", call!(libc::munmap(start, 3 << 12)));
    // Memory that is locked stays so, and what comes is locked as well.
    said(
        "mlockall",
        call!(libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE)),
    );
    work();
    said("munlockall", call!(libc::munlockall()));
}

/// A write beyond raises SIGXFSZ, and only a write of the program's.
fn size_limit() {
    crate::signals::count(libc::SIGXFSZ);
    limit_files(1_000);
    let mut file = File::create("limited").expect("created");
    for _ in 0..4 {
        did("write", within(|| file.write_all(&[b'x'; 400])));
        work();
    }
    crate::work::work_until_there_is_a_journal();
    println!("signals {}", crate::signals::counted());
    look::descriptors();
}

/// One byte more raises SIGXFSZ, which ends the program.
fn stderr_is_full() {
    let file = File::create("stderr").expect("created");
    said("dup2", call!(libc::dup2(file.as_raw_fd(), 2)));
    limit_files(100);
    eprint!("{:100}", "full");
}

fn limit_files(bytes: libc::rlim_t) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    };
    said(
        "setrlimit",
        call!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit)),
    );
}
