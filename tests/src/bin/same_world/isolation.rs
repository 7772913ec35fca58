//! Namespaces, other roots and filters of system calls.

use std::fs;
use std::ptr;

use crate::look;
use crate::say::{did, ended, said};
use crate::work::{within, work, work_until_there_is_a_journal};

pub(crate) const MODES: [crate::Mode; 8] = [
    ("namespaces", namespaces),
    ("back-to-a-namespace", back_to_a_namespace),
    ("child-is-first-in-its-namespace", first_in_its_namespace),
    (
        "child-is-first-in-its-namespace-first",
        first_in_its_namespace,
    ),
    ("users-of-a-child", users_of_a_child),
    ("root-changed", root_changed),
    ("filter-refuses", filter_refuses),
    ("filter-kills", filter_kills),
];

/// A name, a network and mounts of its own.
fn namespaces() {
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET | libc::CLONE_NEWNS;
    said("unshare", within(|| call!(libc::unshare(flags))));
    said(
        "hostname",
        call!(libc::sethostname(c"elsewhere".as_ptr(), 9)),
    );
    println!("{:?}", fs::read_to_string("/proc/sys/kernel/hostname"));
    let (nothing, all) = (c"none".as_ptr(), libc::MS_REC | libc::MS_PRIVATE);
    said(
        "private",
        call!(libc::mount(
            nothing,
            c"/".as_ptr(),
            ptr::null(),
            all,
            ptr::null()
        )),
    );
    fs::create_dir("mounted").expect("made");
    let (target, kind) = (c"mounted".as_ptr(), c"tmpfs".as_ptr());
    said(
        "mount",
        within(|| call!(libc::mount(nothing, target, kind, 0, ptr::null()))),
    );
    work();
    fs::write("mounted/file", "is seen here only\n").expect("written");
    println!("{:?}", fs::read_to_string("mounted/file"));
    work();
}

/// The kernel allows this to a thread that shares its root with no other.
fn back_to_a_namespace() {
    let own = fs::File::open("/proc/self/ns/mnt").expect("there");
    said("unshare", call!(libc::unshare(libc::CLONE_NEWNS)));
    work();
    let number = std::os::fd::AsRawFd::as_raw_fd(&own);
    said(
        "setns",
        within(|| call!(libc::setns(number, libc::CLONE_NEWNS))),
    );
}

/// From the call on, the process gets no more threads.
fn first_in_its_namespace() {
    said("unshare", call!(libc::unshare(libc::CLONE_NEWPID)));
    work();
    let child = within(|| call!(libc::fork()));
    if child == 0 {
        println!("number {}", call!(libc::getpid()));
        work();
        call!(libc::_exit(8));
    }
    ended("child", child);
}

/// It has one thread only, so that it may.
fn users_of_a_child() {
    let child = within(|| call!(libc::fork()));
    if child == 0 {
        said("unshare", call!(libc::unshare(libc::CLONE_NEWUSER)));
        work();
        did("map", fs::write("/proc/self/uid_map", "0 65534 1"));
        look::around("in a namespace of users");
        call!(libc::_exit(8));
    }
    ended("child", child);
}

fn root_changed() {
    fs::create_dir("jail").expect("made");
    did("chroot", within(|| std::os::unix::fs::chroot("jail")));
    did("chdir", std::env::set_current_dir("/"));
    work();
    did("write", within(|| fs::write("/inside", "in the jail\n")));
}

/// What is refused, what becomes of it, and whether all threads are concerned.
fn filter(calls: &[i64], action: u32, all_threads: bool) {
    let statement = |code: u32, k: u32| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    };
    let mut program = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0)];
    for &call in calls {
        let jump = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        program.push(libc::sock_filter {
            code: jump as u16,
            jt: 0,
            jf: 1,
            k: call as u32,
        });
        program.push(statement(libc::BPF_RET | libc::BPF_K, action));
    }
    program.push(statement(
        libc::BPF_RET | libc::BPF_K,
        libc::SECCOMP_RET_ALLOW,
    ));
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    call!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    let flags = if all_threads {
        libc::SECCOMP_FILTER_FLAG_TSYNC
    } else {
        0
    };
    let answer = call!(libc::syscall(
        libc::SYS_seccomp,
        libc::SECCOMP_SET_MODE_FILTER,
        flags,
        &raw const program
    ));
    said("seccomp", answer);
}

/// Files can no longer be opened, made, moved, read at a place or mapped, by no thread.
fn filter_refuses() {
    work_until_there_is_a_journal();
    let calls = [
        libc::SYS_openat,
        libc::SYS_mkdirat,
        libc::SYS_pread64,
        libc::SYS_pwrite64,
        libc::SYS_clone3,
        libc::SYS_getrusage,
        libc::SYS_fcntl,
    ];
    filter(&calls, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32, true);
    work_until_there_is_a_journal();
    did("open", within(|| fs::File::open("/dev/null")));
}

/// A call of the program's ends it.
fn filter_kills() {
    work_until_there_is_a_journal();
    filter(
        &[libc::SYS_sethostname],
        libc::SECCOMP_RET_KILL_PROCESS,
        true,
    );
    work();
    said("hostname", call!(libc::sethostname(c"none".as_ptr(), 4)));
}
