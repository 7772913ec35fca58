//! Privileges: dropped, put off for a while, refused for ever.

use std::fs;
use std::ptr;

use crate::look;
use crate::say::{did, said};
use crate::work::{within, work, work_until_there_is_a_journal};

pub(crate) const MODES: [crate::Mode; 6] = [
    ("drops-root", drops_root_later),
    ("drops-root-first", drops_root),
    ("other-user-for-a-while", other_user_for_a_while),
    ("capabilities", capabilities),
    ("no-new-privileges", no_new_privileges),
    ("not-dumpable", not_dumpable),
];

/// Nobody.
const OTHER: libc::uid_t = 65_534;

/// As servers do when they have bound their socket. By then there is a journal.
fn drops_root_later() {
    work_until_there_is_a_journal();
    drops_root();
}

fn drops_root() {
    fs::create_dir("own").expect("made");
    did(
        "chown",
        std::os::unix::fs::chown("own", Some(OTHER), Some(OTHER)),
    );
    said("setgroups", call!(libc::setgroups(0, ptr::null())));
    said("setgid", call!(libc::setgid(OTHER)));
    said("setuid", within(|| call!(libc::setuid(OTHER))));
    work();
    did("inside", within(|| fs::write("own/file", "by nobody\n")));
    did("outside", fs::write("not-allowed", "by nobody\n"));
    said("back", call!(libc::setuid(0)));
}

/// The files are the other one's.
fn other_user_for_a_while() {
    fs::create_dir("own").expect("made");
    did(
        "chown",
        std::os::unix::fs::chown("own", Some(OTHER), Some(OTHER)),
    );
    said("seteuid", call!(libc::seteuid(OTHER)));
    work();
    did("inside", within(|| fs::write("own/file", "by nobody\n")));
    said("seteuid", call!(libc::seteuid(0)));
    work();
    did("outside", fs::write("by-root", "by root\n"));
}

/// All of them given up, those of the future too.
fn capabilities() {
    for capability in 0..41 {
        call!(libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0));
    }
    // Version 3; no capability in any set.
    let header = [0x2008_0522_u32, 0];
    let none = [0_u32; 6];
    said(
        "capset",
        call!(libc::syscall(
            libc::SYS_capset,
            header.as_ptr(),
            none.as_ptr()
        )),
    );
    work();
    said("hostname", call!(libc::sethostname(c"none".as_ptr(), 4)));
}

fn no_new_privileges() {
    said(
        "prctl",
        call!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)),
    );
    work();
    let child = call!(libc::fork());
    if child == 0 {
        work();
        look::around("in a child");
        call!(libc::_exit(0));
    }
    crate::say::ended("child", child);
}

fn not_dumpable() {
    said("prctl", call!(libc::prctl(libc::PR_SET_DUMPABLE, 0)));
    work();
}
