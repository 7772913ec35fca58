//! The scope guards that generated code holds, the same for every kind of probe.

/// Nothing is recorded, or a loop is being left: the compiler is to lay out the code for the other case.
#[cold]
#[inline(always)]
pub(super) fn cold() {}

/// What probes write to: a call of this thread, a run of a closure, or the call that a future is of.
///
/// A type parameter of the guards, so that each kind is compiled for itself.
pub trait Probes: Copy {
    /// The line `line` begins: one hit.
    fn line(self, line: u32);
    /// The same in a loop.
    fn hot_line(self, line: u32);
    /// Goes back to `line` without a hit.
    fn resume(self, line: u32);
    /// Loops that are being left.
    fn loops_left(self) -> u32;
    /// See [`Probes::loops_left`].
    fn set_loops_left(self, loops: u32);
}

/// At the end of a scope, before its locals drop: the line of the closing brace begins.
#[derive(Debug)]
pub struct ScopeEnd<P: Probes> {
    pub(crate) probes: P,
    pub(crate) line: u32,
}

impl<P: Probes> Drop for ScopeEnd<P> {
    #[inline]
    fn drop(&mut self) {
        // Who leaves by `break` or `return` does not come by the brace: what is freed on the way is
        // freed by the line that leaves.
        if self.probes.loops_left() == 0 {
            self.probes.line(self.line);
        } else {
            cold();
        }
    }
}

/// At the end of a loop's body: the loop's header runs again.
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

/// At the end of a loop's body that no jump leaves: the loop's header runs again.
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

/// At the end of a block inside a larger expression: the statement's line goes on.
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
            /// See [`ScopeEnd`](crate::probe::scope_guards::ScopeEnd).
            #[inline]
            #[must_use]
            pub fn end(&$self, line: u32) -> $crate::probe::scope_guards::ScopeEnd<$probes> {
                $crate::probe::scope_guards::ScopeEnd { probes: $get, line }
            }

            /// See [`LoopNext`](crate::probe::scope_guards::LoopNext).
            #[inline]
            #[must_use]
            pub fn again(&$self, line: u32) -> $crate::probe::scope_guards::LoopNext<$probes> {
                $crate::probe::scope_guards::LoopNext { probes: $get, line }
            }

            /// See [`LoopNextNoJump`](crate::probe::scope_guards::LoopNextNoJump).
            #[inline]
            #[must_use]
            pub fn each(&$self, line: u32) -> $crate::probe::scope_guards::LoopNextNoJump<$probes> {
                $crate::probe::scope_guards::LoopNextNoJump { probes: $get, line }
            }

            /// See [`ResumeLine`](crate::probe::scope_guards::ResumeLine).
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
