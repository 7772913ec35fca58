//! Descriptors: closed, replaced, passed on, used up.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::process::Command;

use crate::look;
use crate::say::{did, done, said};
use crate::work::{within, work};

pub(crate) const MODES: [crate::Mode; 8] = [
    ("close-all", close_all),
    ("standard-ones-closed", standard_ones_closed),
    ("stderr-is-data", stderr_is_data),
    ("stderr-is-gone", stderr_is_gone),
    ("stdout-redirected", stdout_redirected),
    ("few-numbers-first", few_numbers),
    ("inherited", inherited),
    ("every-kind", every_kind),
];

/// As daemons do, and the numbers that are free are used again.
fn close_all() {
    done(
        "close_range",
        call!(libc::syscall(
            libc::SYS_close_range,
            3,
            libc::c_uint::MAX,
            0
        )) as i64,
    );
    work();
    let mut files: Vec<File> = (0..20)
        .map(|number| File::create(format!("file-{number}")).expect("created"))
        .collect();
    for (number, file) in files.iter_mut().enumerate() {
        within(|| writeln!(file, "{number} is {}", file.as_raw_fd())).expect("written");
    }
    look::descriptors();
    call!(libc::syscall(
        libc::SYS_close_range,
        3,
        libc::c_uint::MAX,
        0
    ));
    files.into_iter().for_each(std::mem::forget);
}

/// The numbers 0 to 2 are files of the program's from then on.
fn standard_ones_closed() {
    for number in 0..3 {
        call!(libc::close(number));
    }
    work();
    for number in 0..3 {
        let file = File::options()
            .append(true)
            .create(true)
            .open(format!("number-{number}"));
        let own = file.expect("created").into_raw_fd();
        assert_eq!(own, number);
        work();
    }
    println!("this is data");
    eprintln!("and so is this");
}

/// What memprof says does not go into a file of the program's.
fn stderr_is_data() {
    let file = File::create("data").expect("created");
    said("dup2", call!(libc::dup2(file.as_raw_fd(), 2)));
    within(|| eprint!("data of the program's"));
}

/// A pipe that nobody reads, as behind `| head`. A write raises SIGPIPE, which ends programs that are not of Rust's.
fn stderr_is_gone() {
    call!(libc::signal(libc::SIGPIPE, libc::SIG_DFL));
    let mut ends = [0; 2];
    said("pipe", call!(libc::pipe(ends.as_mut_ptr())));
    call!(libc::dup2(ends[1], 2));
    for end in ends {
        call!(libc::close(end));
    }
}

/// For a while only.
fn stdout_redirected() {
    let file = File::create("redirected").expect("created");
    let before = call!(libc::dup(1));
    said("dup", before);
    call!(libc::dup2(file.as_raw_fd(), 1));
    within(|| println!("into the file"));
    call!(libc::dup2(before, 1));
    said("close", call!(libc::close(before)));
    within(|| println!("to stdout again"));
}

/// The limit is low, and the numbers that the program gets are those that it would get.
fn few_numbers() {
    let limit = libc::rlimit {
        rlim_cur: 256,
        rlim_max: 256,
    };
    said(
        "setrlimit",
        call!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)),
    );
    work();
    let files: Vec<File> = (0..150)
        .map_while(|_| File::open("/dev/null").ok())
        .collect();
    let numbers: Vec<i32> = files.iter().map(AsRawFd::as_raw_fd).collect();
    println!("{numbers:?}");
    work();
}

/// A program that is started gets what it would get, and no more.
fn inherited() {
    let file = File::create("for-the-child").expect("created");
    said("dup2", call!(libc::dup2(file.as_raw_fd(), 9)));
    let script = "ls /proc/self/fd; umask; ulimit -a; echo to the file >&9; kill -l $?";
    let run = || Command::new("/bin/sh").args(["-c", script]).output();
    let output = within(run).expect("started");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    println!("{:?}", output.status);
}

/// Each is used in an annotated call.
fn every_kind() {
    let (mut one, mut other) = UnixStream::pair().expect("a pair");
    let event = call!(libc::eventfd(3, 0));
    let epoll = call!(libc::epoll_create1(0));
    let inotify = call!(libc::inotify_init1(0));
    let memory = call!(libc::memfd_create(c"memory".as_ptr(), 0));
    let timer = call!(libc::timerfd_create(libc::CLOCK_MONOTONIC, 0));
    let process = call!(libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0)) as i32;
    said(
        "inotify",
        call!(libc::inotify_add_watch(
            inotify,
            c".".as_ptr(),
            libc::IN_CREATE
        )),
    );
    look::descriptors();
    let mut interest = libc::epoll_event {
        events: libc::EPOLLIN as u32,
        u64: 5,
    };
    let added = libc::EPOLL_CTL_ADD;
    said(
        "epoll_ctl",
        call!(libc::epoll_ctl(
            epoll,
            added,
            other.as_raw_fd(),
            &raw mut interest
        )),
    );
    within(|| one.write_all(b"over")).expect("written");
    let mut met = libc::epoll_event { events: 0, u64: 0 };
    said(
        "epoll_wait",
        within(|| call!(libc::epoll_wait(epoll, &raw mut met, 1, 1_000))),
    );
    let mut text = [0; 4];
    did("read", within(|| other.read_exact(&mut text)));
    work();
    File::create("seen").expect("created");
    work();
    for number in [event, epoll, memory, timer, process] {
        said("close", call!(libc::close(number)));
    }
    let mut file = call!(File::from_raw_fd(inotify));
    let mut events = [0; 4_096];
    // What memprof writes elsewhere is no event here.
    println!(
        "{:?}",
        file.read(&mut events)
            .map(|bytes| String::from_utf8_lossy(&events[16..bytes]).into_owned())
    );
}
