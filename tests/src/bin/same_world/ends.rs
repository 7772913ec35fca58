//! The ways in which a process ends.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::work::{work, work_until_there_is_a_journal};

pub(crate) const MODES: [crate::Mode; 7] = [
    ("handlers-of-exit", handlers_of_exit),
    ("ends-at-once", ends_at_once),
    ("ends-quickly", ends_quickly),
    ("terminated", terminated),
    ("aborts-in-its-handler", aborts_in_its_handler),
    ("becomes-a-shell", becomes_a_shell),
    ("becomes-itself", becomes_itself),
];

unsafe extern "C" {
    fn at_quick_exit(handler: extern "C" fn()) -> libc::c_int;
    fn quick_exit(code: libc::c_int) -> !;
}

extern "C" fn first() {
    work();
    println!("first handler");
}

extern "C" fn second() {
    work();
    println!("second handler");
    std::fs::write("at-exit", "written by a handler of exit\n").expect("written");
}

/// They are called in their order, last first.
fn handlers_of_exit() {
    call!(libc::atexit(first));
    work();
    call!(libc::atexit(second));
}

fn ends_at_once() {
    call!(libc::atexit(first));
    work_until_there_is_a_journal();
    call!(libc::_exit(9));
}

fn ends_quickly() {
    call!(libc::atexit(first));
    call!(at_quick_exit(second));
    work_until_there_is_a_journal();
    call!(quick_exit(9));
}

/// By a signal that nobody handles.
fn terminated() {
    work_until_there_is_a_journal();
    call!(libc::raise(libc::SIGTERM));
}

extern "C" fn on_abort(_: libc::c_int) {
    const TEXT: &[u8] = b"aborting\n";
    call!(libc::write(1, TEXT.as_ptr().cast(), TEXT.len()));
}

fn aborts_in_its_handler() {
    let handler: extern "C" fn(libc::c_int) = on_abort;
    call!(libc::signal(libc::SIGABRT, handler as libc::sighandler_t));
    work_until_there_is_a_journal();
    std::process::abort();
}

/// Which says what its children have got of this process. It blocks signals itself while it starts them.
fn becomes_a_shell() {
    work_until_there_is_a_journal();
    let script = "ls /proc/self/fd; umask; ulimit -a; grep -E '^(SigB|Cap|Uid|Seccomp:|NoNew)' /proc/self/status; \
                  echo by the shell >shell; exit 5";
    panic!("{}", Command::new("/bin/sh").args(["-c", script]).exec());
}

/// With another mode, and what is blocked and ignored stays so.
fn becomes_itself() {
    let mut set = crate::signals::set_of(&[libc::SIGUSR2]);
    call!(libc::pthread_sigmask(
        libc::SIG_BLOCK,
        &raw mut set,
        std::ptr::null_mut()
    ));
    call!(libc::signal(libc::SIGUSR1, libc::SIG_IGN));
    call!(libc::raise(libc::SIGUSR2));
    work();
    panic!(
        "{}",
        Command::new("/proc/self/exe")
            .arg("handlers-of-exit")
            .exec()
    );
}
