//! The variables of the environment, unless they come from somebody with fewer privileges than the program.
//!
//! A program that is setuid, setgid or has capabilities of its file does what its caller may not do. A caller must
//! not choose where it writes, nor what it reads. The kernel tells such a program by `AT_SECURE` (getauxval(3)), as
//! it tells the dynamic loader.

use std::ffi::OsString;

/// The value of a variable; `None` also where the environment is not to be trusted.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    if is_trusted() {
        std::env::var_os(name)
    } else {
        None
    }
}

/// Whether the environment comes from somebody who may do what the program may do.
#[cfg(target_os = "linux")]
pub(crate) fn is_trusted() -> bool {
    // SAFETY: it reads a number that the kernel has given to the process at its start.
    unsafe { libc::getauxval(libc::AT_SECURE) == 0 }
}

/// Elsewhere the system says it of users alone.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn is_trusted() -> bool {
    // SAFETY: it only reads a number of the process.
    let user = unsafe { libc::getuid() };
    // SAFETY: as above.
    let acts_as_user = unsafe { libc::geteuid() };
    // SAFETY: as above.
    let group = unsafe { libc::getgid() };
    // SAFETY: as above.
    let acts_as_group = unsafe { libc::getegid() };
    user == acts_as_user && group == acts_as_group
}

#[cfg(not(unix))]
pub(crate) fn is_trusted() -> bool {
    true
}

#[cfg(test)]
mod tests {
    #[test]
    fn environment_of_a_test_is_trusted() {
        assert!(super::is_trusted());
        assert!(super::variable("PATH").is_some());
        assert!(super::variable("memprof's tests set no such variable").is_none());
    }
}
