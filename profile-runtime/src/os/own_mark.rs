//! The kernel's high-water mark without memprof's own memory, which comes and goes itself.
//!
//! ```text
//!   RSS │        ╭╮     own memory that is given back soon
//!       │   ╭╮   ││
//!       │   ││   ││     the program's peak
//!       │───╯╰───╯╰──
//! ```
//!
//! At the end the mark tells how high the second one was, and nothing is left of what was own then. So the mark is
//! looked at whenever own memory is about to change. What it has risen to since the look before was with as much own
//! memory as there is now.
//!
//! If the program rises after own memory was given back, but not as high as both together had been, the mark does not
//! move. Then its peak is known from readings and page faults alone.

/// What the looks since the mark was reset have shown.
#[derive(Debug, Default)]
pub(super) struct OwnMark {
    /// The mark at the last look; `None` before the first one since it was reset.
    mark: Option<u64>,
    /// The most own memory at a look.
    own: u64,
    /// The highest mark without own memory.
    program: u64,
}

impl OwnMark {
    pub(super) const fn new() -> OwnMark {
        OwnMark {
            mark: None,
            own: 0,
            program: 0,
        }
    }

    /// The mark has been reset to the present RSS, or what is own has been found out.
    pub(super) fn begin_anew(&mut self) {
        *self = OwnMark::new();
    }

    /// A look at `mark`, as `getrusage` tells it, with `own` bytes of own memory since the look before. Gives the
    /// program's part.
    pub(super) fn look(&mut self, mark: u64, own: u64) -> u64 {
        if self.mark.is_none_or(|before| mark > before) {
            self.program = self.program.max(mark.saturating_sub(own));
            self.mark = Some(mark);
        }
        self.own = self.own.max(own);
        self.program
    }

    /// The program's part of `mark` as `/proc/self/status` tells it. That is asked where the other mark hides behind a
    /// figure from before `exec`, and looks have shown nothing.
    pub(super) fn program_part(&self, mark: u64, own: u64) -> u64 {
        mark.saturating_sub(self.own.max(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_mark_what_came_and_went_of_our_own_is_no_peak() {
        let mut mark = OwnMark::new();
        assert_eq!(mark.look(103, 3), 100);
        // 5 more of our own, and gone again.
        assert_eq!(mark.look(103, 3), 100);
        assert_eq!(mark.look(108, 8), 100);
        assert_eq!(mark.look(108, 3), 100);
        assert_eq!(mark.program_part(108, 3), 100);
    }

    #[test]
    fn own_mark_a_peak_is_the_programs_before_and_after_memory_of_our_own() {
        let mut before = OwnMark::new();
        before.look(103, 3);
        assert_eq!(before.look(133, 3), 130);
        assert_eq!(before.look(133, 8), 130);
        assert_eq!(before.look(133, 3), 130);
        let mut after = OwnMark::new();
        after.look(103, 3);
        after.look(108, 8);
        assert_eq!(after.look(133, 3), 130);
    }

    #[test]
    fn own_mark_begins_anew_with_the_mark() {
        let mut mark = OwnMark::new();
        mark.look(133, 3);
        mark.begin_anew();
        assert_eq!(mark.look(104, 4), 100);
    }

    /// The figure from before `exec` stands still.
    #[test]
    fn own_mark_behind_a_figure_from_before_exec_the_most_own_memory_is_taken_off() {
        let mut mark = OwnMark::new();
        for own in [3, 8, 3] {
            mark.look(500, own);
        }
        assert_eq!(mark.program_part(108, 3), 100);
    }
}
