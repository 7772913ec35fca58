//! The variants in which a workload is run, from the plain program to other profilers.

use crate::programs::{Program, Programs};
use crate::workloads::Workload;

/// A row of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// An environment variable to set.
    pub(crate) variable: Option<(&'static str, &'static str)>,
    pub(crate) under_heaptrack: bool,
}

impl Variant {
    const fn new(name: &'static str, program: Program) -> Variant {
        Variant {
            name,
            program,
            variable: None,
            under_heaptrack: false,
        }
    }

    /// Whether memprof resets the kernel's high-water mark in it, so that its peak has to be found in a
    /// run that does not.
    pub(crate) fn resets_the_mark(&self) -> bool {
        matches!(
            self.program,
            Program::Annotated
                | Program::AnnotatedCounting
                | Program::AnnotatedOrigins
                | Program::Totals
        )
    }
}

pub(crate) const PLAIN: &str = "plain";
pub(crate) const COMPILED_OUT: &str = "annotated, compiled out";
pub(crate) const DISABLED: &str = "annotated, `MEMPROF=0`";
pub(crate) const ANNOTATED: &str = "annotated";
pub(crate) const COUNTING: &str = "annotated, counting allocator";
pub(crate) const ORIGINS: &str = "annotated, `with_origins`";
pub(crate) const TOTALS: &str = "the same, `lines = false`";

/// The plain program, and what memprof makes of it.
pub(crate) const OWN: [Variant; 8] = [
    Variant::new(PLAIN, Program::Plain),
    Variant::new(COMPILED_OUT, Program::CompiledOut),
    Variant {
        variable: Some(("MEMPROF", "0")),
        ..Variant::new(DISABLED, Program::Annotated)
    },
    Variant::new(ANNOTATED, Program::Annotated),
    Variant::new("counting allocator alone", Program::Counting),
    Variant::new(COUNTING, Program::AnnotatedCounting),
    Variant::new(TOTALS, Program::Totals),
    Variant::new(ORIGINS, Program::AnnotatedOrigins),
];

const PEERS: [Variant; 4] = [
    Variant::new("hotpath, time", Program::HotpathTime),
    Variant::new("hotpath, allocations", Program::HotpathAlloc),
    Variant::new("dhat-rs", Program::Dhat),
    Variant {
        under_heaptrack: true,
        ..Variant::new("heaptrack", Program::Plain)
    },
];

/// The other profilers of interest for `workload` that can be run here.
pub(crate) fn peers(workload: &Workload, programs: &Programs) -> Vec<Variant> {
    let peers = PEERS.into_iter().filter(|variant| {
        programs.with_peers
            && workload.for_peers
            && (!variant.under_heaptrack || programs.heaptrack.is_some())
    });
    peers.collect()
}
