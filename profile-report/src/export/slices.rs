//! Which calls can be drawn as slices that lie within each other.

use std::cmp::Reverse;
use std::collections::HashMap;

use memprof_model::run::{Call, FunctionProfile, Run};

/// A call, and the function that was called.
#[derive(Clone, Copy)]
pub(super) struct Slice<'a> {
    pub(super) function: &'a FunctionProfile,
    pub(super) call: &'a Call,
    /// Whether it lies within the calls around it on its thread. A future does not: it was suspended
    /// while others ran.
    pub(super) nested: bool,
}

/// All calls that were read, thread by thread, each after those around it.
pub(super) fn slices(run: &Run) -> Vec<Slice<'_>> {
    let calls = run.functions.iter().flat_map(|function| {
        function.read_calls().map(move |call| Slice {
            function,
            call,
            nested: true,
        })
    });
    let mut slices: Vec<_> = calls.collect();
    slices.sort_by_key(|slice| {
        let call = slice.call;
        (call.thread, call.start_ns, Reverse(call.end_ns), call.depth)
    });
    let mut open: HashMap<u64, Vec<u64>> = HashMap::new();
    for slice in &mut slices {
        let call = slice.call;
        let ends = open.entry(call.thread).or_default();
        while ends.last().is_some_and(|&end| end <= call.start_ns) {
            ends.pop();
        }
        let within = ends.last().is_none_or(|&end| call.end_ns <= end);
        slice.nested = within && call.suspended_ns == 0;
        if slice.nested {
            ends.push(call.end_ns);
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn calls_within_calls() {
        let run = fixture::nested();
        let slices = slices(&run);
        let labels: Vec<_> = slices
            .iter()
            .map(|slice| &slice.function.label[..])
            .collect();
        assert_eq!(labels, ["load_all", "load", "load", "load"]);
        assert!(slices.iter().all(|slice| slice.nested));
    }

    #[test]
    fn a_call_that_was_suspended_or_leaves_its_frame_lies_beside() {
        let mut run = fixture::nested();
        let calls = &mut run.functions[1].call_records;
        calls[0].suspended_ns = 1;
        calls[2].end_ns += 1 << 40;
        let nested: Vec<_> = slices(&run).iter().map(|slice| slice.nested).collect();
        assert_eq!(nested, [true, false, true, false]);
    }
}
