//! The scope guards that generated code holds. They are the same for frames and for futures.

/// Marks a branch as rare (nothing is recorded, or a loop is being left), so that the compiler lays out the code
/// for the other one.
#[cold]
#[inline(always)]
pub(super) fn cold() {}

/// Probes of lines: of a frame, or of a future.
///
/// A type parameter of the guards, so that the code for each kind is compiled separately.
pub trait Probes: Copy {
    /// The line `line` begins: one hit.
    fn line(self, line: u32);
    /// [`Probes::line`] in a loop.
    fn hot_line(self, line: u32);
    /// Goes back to `line` without a hit.
    fn resume(self, line: u32);
    /// How many loops the current statement is leaving.
    fn loops_left(self) -> u32;
    /// See [`Probes::loops_left`].
    fn set_loops_left(self, loops: u32);
}

/// Dropped at the end of a scope, before its other locals: the line of the closing brace begins.
#[derive(Debug)]
pub struct ScopeEnd<P: Probes> {
    pub(crate) probes: P,
    pub(crate) line: u32,
}

impl<P: Probes> Drop for ScopeEnd<P> {
    #[inline]
    fn drop(&mut self) {
        // A statement that leaves loops does not pass the brace: what is freed on the way is freed by that
        // statement's line.
        if self.probes.loops_left() == 0 {
            self.probes.line(self.line);
        } else {
            cold();
        }
    }
}

/// Dropped at the end of a loop's body: the loop's header runs again.
#[derive(Debug)]
pub struct LoopNext<P: Probes> {
    pub(crate) probes: P,
    pub(crate) line: u32,
}

impl<P: Probes> Drop for LoopNext<P> {
    #[inline(always)]
    fn drop(&mut self) {
        match self.probes.loops_left() {
            0 => self.probes.hot_line(self.line),
            loops => {
                cold();
                self.probes.set_loops_left(loops - 1);
            }
        }
    }
}

/// [`LoopNext`] for a body that no jump leaves.
#[derive(Debug)]
pub struct LoopNextNoJump<P: Probes> {
    pub(crate) probes: P,
    pub(crate) line: u32,
}

impl<P: Probes> Drop for LoopNextNoJump<P> {
    #[inline(always)]
    fn drop(&mut self) {
        self.probes.hot_line(self.line);
    }
}

/// Dropped at the end of a block inside a larger expression: the line of the statement goes on.
#[derive(Debug)]
pub struct ResumeLine<P: Probes> {
    pub(crate) probes: P,
    pub(crate) line: u32,
}

impl<P: Probes> Drop for ResumeLine<P> {
    #[inline]
    fn drop(&mut self) {
        if self.probes.loops_left() == 0 {
            self.probes.resume(self.line);
        }
    }
}

/// The methods by which generated code makes the guards, for the type `$of` whose probes are `$probes`.
macro_rules! guards {
    ($of:ty, [$($lifetime:lifetime)?] $probes:ty, $self:ident => $get:expr) => {
        impl$(<$lifetime>)? $of {
            /// See `ScopeEnd`.
            #[inline]
            #[must_use]
            pub fn end(&$self, line: u32) -> $crate::probe::scope_guards::ScopeEnd<$probes> {
                $crate::probe::scope_guards::ScopeEnd { probes: $get, line }
            }

            /// See `LoopNext`.
            #[inline]
            #[must_use]
            pub fn again(&$self, line: u32) -> $crate::probe::scope_guards::LoopNext<$probes> {
                $crate::probe::scope_guards::LoopNext { probes: $get, line }
            }

            /// See `LoopNextNoJump`.
            #[inline]
            #[must_use]
            pub fn each(&$self, line: u32) -> $crate::probe::scope_guards::LoopNextNoJump<$probes> {
                $crate::probe::scope_guards::LoopNextNoJump { probes: $get, line }
            }

            /// See `ResumeLine`.
            #[inline]
            #[must_use]
            pub fn back(&$self, line: u32) -> $crate::probe::scope_guards::ResumeLine<$probes> {
                $crate::probe::scope_guards::ResumeLine { probes: $get, line }
            }

            /// The statement that follows leaves this many loops.
            #[inline]
            pub fn leaving(&$self, loops: u32) {
                $crate::probe::scope_guards::Probes::set_loops_left($get, loops);
            }
        }
    };
}
pub(crate) use guards;

#[cfg(test)]
mod tests;
