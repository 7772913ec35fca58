//! System calls, and how their answers are said.

use std::fmt::Display;
use std::io;

/// One call of the C library. The whole program is made of such calls.
macro_rules! call {
    ($call:expr) => {
        // SAFETY: pointers that are passed are to values that live until the call returns, and what is closed or
        // replaced is nobody's of this program.
        unsafe { $call }
    };
}

/// The answer of a call, or its error's number.
pub(crate) fn said(what: impl Display, answer: impl Into<i64>) {
    let error = io::Error::last_os_error().raw_os_error();
    match answer.into() {
        answer if answer < 0 => println!("{what}: error {}", error.unwrap_or(0)),
        answer => println!("{what}: {answer}"),
    }
}

/// That a call went well, or its error's number, where its answer differs from process to process.
pub(crate) fn done(what: impl Display, answer: impl Into<i64>) {
    let error = io::Error::last_os_error().raw_os_error();
    match answer.into() {
        answer if answer < 0 => println!("{what}: error {}", error.unwrap_or(0)),
        _ => println!("{what}: done"),
    }
}

/// The same for a result of the standard library's.
pub(crate) fn did<T>(what: impl Display, result: io::Result<T>) -> Option<T> {
    match result {
        Ok(value) => {
            println!("{what}: done");
            Some(value)
        }
        Err(error) => {
            println!("{what}: error {}", error.raw_os_error().unwrap_or(0));
            None
        }
    }
}

/// How a child ended that was waited for.
pub(crate) fn ended(who: impl Display, child: libc::pid_t) {
    let mut status = 0;
    let answer = call!(libc::waitpid(child, &raw mut status, 0));
    println!("{who}: {} {status:#x}", answer == child);
}
