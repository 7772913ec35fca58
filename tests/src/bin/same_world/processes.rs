//! Processes: forked, started, waited for, in groups, sessions and behind a terminal.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;
use std::time::Duration;

use crate::look;
use crate::say::{done, ended, said};
use crate::signals::{count, counted};
use crate::work::{within, work, work_until_there_is_a_journal};

pub(crate) const MODES: [crate::Mode; 9] = [
    ("daemon", daemon),
    ("pre-fork-server", pre_fork_server),
    ("forks-beside-threads", forks_beside_threads),
    ("many-programs", many_programs),
    ("children-announced", children_announced),
    ("group-and-session", group_and_session),
    ("reaper", reaper),
    ("terminal", terminal),
    ("background-of-a-terminal", background),
];

/// A child that does `what`, and then ends with `code` without handlers of exit.
fn child(code: i32, what: impl FnOnce()) -> libc::pid_t {
    let child = within(|| call!(libc::fork()));
    if child == 0 {
        what();
        call!(libc::_exit(code));
    }
    child
}

/// As in every book: the files that it writes are what it says.
fn daemon() {
    work_until_there_is_a_journal();
    let here = std::env::current_dir().expect("a folder");
    if call!(libc::fork()) != 0 {
        call!(libc::_exit(3));
    }
    call!(libc::setsid());
    if call!(libc::fork()) != 0 {
        call!(libc::_exit(0));
    }
    call!(libc::umask(0o022));
    std::env::set_current_dir("/").expect("changed");
    for number in 0..3 {
        call!(libc::close(number));
    }
    call!(libc::open(c"/dev/null".as_ptr(), libc::O_RDWR));
    let log = fs::File::create(here.join("log")).expect("created");
    std::mem::forget(log);
    call!(libc::dup(1));
    work();
    look::around("in the daemon");
}

/// Four workers answer on a socket until they are told to end.
fn pre_fork_server() {
    let listener = UnixListener::bind("socket").expect("bound");
    let serve = || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            let mut asked = [0; 4];
            within(|| stream.read_exact(&mut asked)).expect("asked");
            within(|| stream.write_all(&asked)).expect("answered");
        }
    };
    let workers: Vec<_> = (0..4).map(|_| child(1, serve)).collect();
    for number in 0..40 {
        let asked = format!("{number:04}");
        let mut answer = String::new();
        let mut stream = UnixStream::connect("socket").expect("connected");
        within(|| stream.write_all(asked.as_bytes())).expect("asked");
        within(|| stream.read_to_string(&mut answer)).expect("answered");
        assert_eq!(asked, answer);
    }
    for worker in workers {
        said("kill", call!(libc::kill(worker, libc::SIGTERM)));
        ended("worker", worker);
    }
    fs::remove_file("socket").expect("removed");
}

/// Whatever the threads are at, the child goes on.
fn forks_beside_threads() {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..10).for_each(|_| work()));
        }
        for number in 0..20 {
            let forked = child(number, || {
                work();
                fs::write(format!("by-{number}"), "a child\n").expect("written");
            });
            ended(number, forked);
        }
    });
}

/// One after the other, with pipes.
fn many_programs() {
    for number in 0..20 {
        let run = || {
            Command::new("/bin/sh")
                .args(["-c", &format!("cat; exit {number}")])
                .output()
        };
        let output = within(run).expect("started");
        println!("{:?} {:?}", output.status, output.stdout);
    }
}

/// SIGCHLD comes for the children of the program, and for nobody else.
fn children_announced() {
    count(libc::SIGCHLD);
    work_until_there_is_a_journal();
    println!("before {}", counted());
    for number in 1..=10 {
        let before = counted();
        let forked = child(number, work);
        let mut status = 0;
        let found = loop {
            let found = call!(libc::waitpid(-1, &raw mut status, 0));
            if found >= 0 {
                break found;
            }
        };
        while counted() == before {
            std::thread::sleep(Duration::from_millis(1));
        }
        println!("{} {status:#x} {}", found == forked, counted());
    }
}

/// A signal for the whole group.
fn group_and_session() {
    count(libc::SIGUSR1);
    let forked = child(0, || {
        said("setsid", i64::from(call!(libc::setsid()) > 0));
        look::around("in a session of its own");
    });
    ended("child", forked);
    let members: Vec<_> = (0..3)
        .map(|_| child(0, || std::thread::sleep(Duration::from_secs(60))))
        .collect();
    for &member in &members {
        done("setpgid", call!(libc::setpgid(member, members[0])));
    }
    work();
    said("killpg", call!(libc::killpg(members[0], libc::SIGKILL)));
    members
        .into_iter()
        .for_each(|member| ended("member", member));
    println!("own {}", counted());
}

/// Gets the children of its children.
fn reaper() {
    said(
        "subreaper",
        call!(libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1)),
    );
    let forked = child(0, || {
        child(6, work);
    });
    ended("child", forked);
    let mut status = 0;
    let found = within(|| call!(libc::waitpid(-1, &raw mut status, 0)));
    println!("{} {status:#x}", found > 0 && found != forked);
}

/// A child behind a terminal of its own, which goes away.
fn terminal() {
    let mut master = 0;
    let no = ptr::null_mut();
    let forked = within(|| call!(libc::forkpty(&raw mut master, no, ptr::null(), ptr::null())));
    if forked == 0 {
        work();
        println!("leads: {}", call!(libc::getsid(0)) == call!(libc::getpid()));
        println!(
            "terminal: {} {}",
            call!(libc::isatty(0)),
            call!(libc::isatty(2))
        );
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).expect("a line");
        within(|| print!("heard {line}"));
        std::io::stdout().flush().expect("written");
        loop {
            work();
        }
    }
    call!(libc::write(master, c"hello\n".as_ptr().cast(), 6));
    let mut heard = String::new();
    while !heard.contains("heard hello\r\n") {
        let mut bytes = [0_u8; 256];
        let length = within(|| call!(libc::read(master, bytes.as_mut_ptr().cast(), 256)));
        heard.push_str(&String::from_utf8_lossy(
            &bytes[..usize::try_from(length).expect("read")],
        ));
    }
    println!("{heard:?}");
    said("close", call!(libc::close(master)));
    ended("child", forked);
}

/// A terminal that stops who writes to it from the background. The program there writes to files only, but for its
/// stderr, to which it has nothing to say.
fn background() {
    let mut master = 0;
    let no = ptr::null_mut();
    let forked = call!(libc::forkpty(&raw mut master, no, ptr::null(), ptr::null()));
    if forked == 0 {
        let mut settings: libc::termios = call!(std::mem::zeroed());
        call!(libc::tcgetattr(0, &raw mut settings));
        settings.c_lflag |= libc::TOSTOP;
        let set = call!(libc::tcsetattr(0, libc::TCSANOW, &raw const settings));
        let mut inside = Command::new("/proc/self/exe")
            .arg("one-thread")
            .stdout(fs::File::create("said-in-the-background").expect("created"))
            .process_group(0)
            .spawn()
            .expect("started");
        let mut status = 0;
        let number = i32::try_from(inside.id()).expect("a number");
        call!(libc::waitpid(number, &raw mut status, libc::WUNTRACED));
        let text = format!("terminal set: {set}, ended or stopped: {status:#x}\n");
        fs::write("background", text).expect("written");
        if libc::WIFSTOPPED(status) {
            inside.kill().expect("ended");
        }
        // It has been waited for if it was not stopped.
        let _ = inside.wait();
        call!(libc::_exit(0));
    }
    let mut bytes = [0_u8; 256];
    while call!(libc::read(master, bytes.as_mut_ptr().cast(), 256)) > 0 {}
    ended("leader", forked);
}
