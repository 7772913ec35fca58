//! The steps that a random sequence is made of.

use super::truth::{LINES, SITES};

/// Something that a program does on one of its threads, or that happens to it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A function is called.
    Enter(usize),
    /// A future of a function is polled for the first time.
    Poll(usize),
    /// A closure of a function runs, inside of others' calls or on a thread where nobody called it.
    Closure(usize),
    /// The innermost call has its memory usage measured while it runs something.
    Usage,
    /// The innermost call comes to a line.
    Line(u32),
    /// The innermost call goes on at a line, without a hit.
    Resume(u32),
    /// The innermost call ends.
    Exit,
    /// The call around the innermost one ends; the frame of the innermost was leaked.
    ExitBelow,
    /// A panic unwinds so many of the innermost calls.
    Panic(usize),
    /// The innermost call, of a future, is suspended.
    Suspend,
    /// One of the suspended calls goes on here.
    GoOn(usize),
    /// One of the suspended futures is dropped.
    Cancel(usize),
    /// Pages come, or go.
    Pages(i64),
    /// Pages come and go.
    Spike(i64),
    Allocate(usize),
    Free(usize),
    /// Time passes.
    Pass(u64),
    /// The sampler takes a sample.
    Sample,
    /// Until somebody asks again no reading is due on the thread.
    NothingDue,
    /// Somebody takes a snapshot.
    Snapshot,
    /// The thread ends if nothing is in progress on it, and another one begins in its place.
    NextThread,
}

/// A small generator of pseudo-random numbers (SplitMix64, Steele, Lea and Flood 2014): its seed says it all.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// So many pages come, or go.
    fn pages(&mut self) -> i64 {
        match self.below(400) as i64 - 180 {
            // So few that they are no work: see `STRAY_FAULTS` in `reading/meter.rs`.
            pages @ 200.. => pages - 199,
            pages @ 0.. => pages + 1,
            pages => pages,
        }
    }

    pub(super) fn step(&mut self) -> Step {
        let site = self.below(SITES as u64) as usize;
        let line = self.below(LINES as u64) as u32;
        match self.below(100) {
            0..12 => Step::Enter(site),
            12..16 => Step::Poll(site),
            16..20 => Step::Closure(site),
            20..21 => Step::Usage,
            21..44 => Step::Line(line),
            44..47 => Step::Resume(line),
            47..57 => Step::Exit,
            57..58 => Step::ExitBelow,
            58..60 => Step::Panic(1 + self.below(3) as usize),
            60..64 => Step::Suspend,
            64..68 => Step::GoOn(self.below(8) as usize),
            68..69 => Step::Cancel(self.below(8) as usize),
            69..77 => Step::Pages(self.pages()),
            77..80 => Step::Spike(1 + self.below(1_000) as i64),
            80..86 => Step::Allocate(self.below(100) as usize),
            86..90 => Step::Free(self.below(100) as usize),
            90..94 => Step::Pass(self.below(2_000_000)),
            94..96 => Step::Sample,
            96..98 => Step::NothingDue,
            98..99 => Step::Snapshot,
            _ => Step::NextThread,
        }
    }
}
