//! Functions as the attribute leaves them, with probes that compare what they are told with what a test
//! has stated beforehand.

#![expect(
    unreachable_pub,
    reason = "the guards of generated code are public, and those of the mock come of the same macro"
)]

use std::cell::{Cell, RefCell};

use super::*;

/// What probes are told.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    Line(u32),
    HotLine(u32),
    Resume(u32),
    LoopsLeft(u32),
}

use Told::{HotLine, Line, LoopsLeft, Resume};

/// What probes were told, beside what a test has stated that they will be.
#[derive(Debug)]
struct Expected {
    stated: Vec<Told>,
    told: RefCell<Vec<Told>>,
    loops_left: Cell<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Mock<'expected>(&'expected Expected);

impl Expected {
    fn stated(calls: &[Told]) -> Expected {
        Expected {
            stated: calls.to_vec(),
            told: RefCell::default(),
            loops_left: Cell::new(0),
        }
    }

    /// Compared at the end: guards tell while they are dropped, where a panic would end the process.
    fn told(&self, told: Told) {
        self.told.borrow_mut().push(told);
    }

    /// What was stated was told, in this order, and nothing else; so many loops are still being left.
    #[track_caller]
    fn is_over(&self, loops_left: u32) {
        assert_eq!(
            *self.told.borrow(),
            self.stated,
            "left: told, right: stated"
        );
        assert_eq!(self.loops_left.get(), loops_left, "loops being left");
    }
}

impl Probes for Mock<'_> {
    fn line(self, line: u32) {
        self.0.told(Line(line));
    }

    fn hot_line(self, line: u32) {
        self.0.told(HotLine(line));
    }

    fn resume(self, line: u32) {
        self.0.told(Resume(line));
    }

    fn loops_left(self) -> u32 {
        self.0.loops_left.get()
    }

    fn set_loops_left(self, loops: u32) {
        self.0.told(LoopsLeft(loops));
        self.0.loops_left.set(loops);
    }
}

guards!(Mock<'expected>, ['expected] Mock<'expected>, self => *self);

/// Runs `function`, in which probes are told `calls`.
#[track_caller]
fn expect<T>(calls: &[Told], function: impl FnOnce(Mock<'_>) -> T) -> T {
    let expected = Expected::stated(calls);
    let result = function(Mock(&expected));
    expected.is_over(0);
    result
}

#[test]
fn scope_guards_the_brace_of_a_block_is_a_line_that_comes_before_its_locals_drop() {
    struct Local<'expected>(Mock<'expected>);
    impl Drop for Local<'_> {
        fn drop(&mut self) {
            self.0.line(100);
        }
    }
    expect(&[Line(1), Line(2), Line(9), Line(100)], |probes| {
        probes.line(1);
        let _local = Local(probes);
        let _end = probes.end(9);
        probes.line(2);
    });
}

#[test]
fn scope_guards_a_value_is_evaluated_before_the_brace() {
    let value = expect(&[Line(1), Line(9)], |probes| {
        let _end = probes.end(9);
        {
            probes.line(1);
            7
        }
    });
    assert_eq!(value, 7);
}

#[test]
fn scope_guards_the_header_of_a_loop_runs_again_after_each_turn_of_its_body() {
    let turns = [Line(1), Line(2), HotLine(1), Line(2), HotLine(1), Line(4)];
    expect(&turns, |probes| {
        probes.line(1);
        for _ in 0..2 {
            let _again = probes.again(1);
            probes.line(2);
        }
        probes.line(4);
    });
    expect(&turns, |probes| {
        probes.line(1);
        for _ in 0..2 {
            let _again = probes.each(1);
            probes.line(2);
        }
        probes.line(4);
    });
}

#[test]
fn scope_guards_a_continue_goes_by_the_header_and_not_by_the_brace_of_the_block_that_it_leaves() {
    let calls = [Line(1), Line(2), HotLine(1), Line(2), Line(3), HotLine(1)];
    expect(&calls, |probes| {
        probes.line(1);
        for turn in 0..2 {
            let _again = probes.again(1);
            probes.line(2);
            if turn == 0 {
                continue;
            }
            probes.line(3);
        }
    });
}

#[test]
fn scope_guards_a_break_runs_neither_the_brace_nor_the_header_again() {
    let calls = [
        Line(1),
        Line(2),
        LoopsLeft(1),
        LoopsLeft(0),
        Line(6),
        Line(7),
    ];
    expect(&calls, |probes| {
        let _brace_of_function = probes.end(7);
        probes.line(1);
        #[expect(
            clippy::never_loop,
            reason = "the shape of a loop that is left at once"
        )]
        loop {
            let _again = probes.again(1);
            let _brace = probes.end(5);
            probes.line(2);
            probes.leaving(1);
            break;
        }
        probes.line(6);
    });
}

#[test]
fn scope_guards_a_break_out_of_nested_loops_leaves_as_many_as_it_says() {
    let calls = [
        Line(1),
        Line(2),
        Line(3),
        // Both, and each of their guards takes one off.
        LoopsLeft(2),
        LoopsLeft(1),
        LoopsLeft(0),
        Line(9),
    ];
    expect(&calls, |probes| {
        probes.line(1);
        #[expect(
            clippy::never_loop,
            reason = "the shape of a loop that is left at once"
        )]
        'outer: loop {
            let _again = probes.again(1);
            let _brace = probes.end(8);
            probes.line(2);
            #[expect(
                clippy::never_loop,
                reason = "the shape of a loop that is left at once"
            )]
            loop {
                let _again = probes.again(2);
                let _brace = probes.end(7);
                probes.line(3);
                probes.leaving(2);
                break 'outer;
            }
        }
        probes.line(9);
    });
}

#[test]
fn scope_guards_a_break_out_of_the_inner_loop_has_the_outer_one_go_on() {
    let calls = [
        Line(1),
        Line(2),
        LoopsLeft(1),
        LoopsLeft(0),
        Line(8),
        HotLine(1),
        Line(2),
        LoopsLeft(1),
        LoopsLeft(0),
        Line(8),
        HotLine(1),
    ];
    expect(&calls, |probes| {
        probes.line(1);
        for _ in 0..2 {
            let _again = probes.again(1);
            let _brace = probes.end(8);
            #[expect(
                clippy::never_loop,
                reason = "the shape of a loop that is left at once"
            )]
            loop {
                let _again = probes.again(2);
                let _brace = probes.end(7);
                probes.line(2);
                probes.leaving(1);
                break;
            }
        }
    });
}

#[test]
fn scope_guards_a_continue_of_an_outer_loop_leaves_the_inner_one_alone() {
    let calls = [
        Line(1),
        Line(2),
        LoopsLeft(1),
        LoopsLeft(0),
        Line(8),
        HotLine(1),
    ];
    expect(&calls, |probes| {
        probes.line(1);
        'outer: for _ in 0..1 {
            let _again = probes.again(1);
            let _brace = probes.end(8);
            #[expect(
                clippy::never_loop,
                reason = "the shape of a loop that is left at once"
            )]
            loop {
                let _again = probes.again(2);
                probes.line(2);
                probes.leaving(1);
                continue 'outer;
            }
        }
    });
}

#[test]
fn scope_guards_a_return_runs_no_brace_and_no_header_however_deep_it_is() {
    let calls = [
        Line(1),
        Line(2),
        Line(3),
        LoopsLeft(3),
        LoopsLeft(2),
        LoopsLeft(1),
    ];
    let expected = Expected::stated(&calls);
    let function = |probes: Mock<'_>| {
        let _brace = probes.end(20);
        probes.line(1);
        #[expect(
            clippy::never_loop,
            reason = "the shape of a loop that is left at once"
        )]
        loop {
            let _again = probes.again(1);
            probes.line(2);
            loop {
                let _again = probes.again(2);
                let _brace = probes.end(10);
                probes.line(3);
                // One more than there are loops: the function's own brace holds still, too.
                probes.leaving(3);
                return;
            }
        }
    };
    function(Mock(&expected));
    // Of a frame that is over.
    expected.is_over(1);
}

#[test]
fn scope_guards_a_statement_goes_on_after_a_block_inside_of_it() {
    let value = expect(&[Line(1), Line(2), Resume(1), Line(5)], |probes| {
        probes.line(1);
        let value = 1 + {
            let _back = probes.back(1);
            probes.line(2);
            2
        };
        probes.line(5);
        value
    });
    assert_eq!(value, 3);
}

#[test]
fn scope_guards_a_statement_does_not_go_on_where_its_block_is_left_by_a_jump() {
    let calls = [Line(1), Line(2), LoopsLeft(1), LoopsLeft(0)];
    expect(&calls, |probes| {
        #[expect(
            clippy::never_loop,
            reason = "the shape of a loop that is left at once"
        )]
        loop {
            let _again = probes.again(9);
            probes.line(1);
            let _value: u32 = {
                let _back = probes.back(1);
                probes.line(2);
                probes.leaving(1);
                break;
            };
        }
    });
}

#[test]
fn scope_guards_a_panic_goes_by_braces_and_headers_as_if_the_blocks_had_ended() {
    let expected = Expected::stated(&[Line(1), Line(2), Line(3), HotLine(1)]);
    let probes = Mock(&expected);
    let function = std::panic::AssertUnwindSafe(|| {
        probes.line(1);
        let _again = probes.again(1);
        let _brace = probes.end(3);
        probes.line(2);
        panic!("as the test wants it");
    });
    assert!(std::panic::catch_unwind(function).is_err());
    expected.is_over(0);
}

#[test]
#[should_panic(expected = "left: told, right: stated")]
fn scope_guards_the_mock_fails_where_it_is_told_something_else() {
    expect(&[Line(1)], |probes| probes.hot_line(1));
}

#[test]
#[should_panic(expected = "left: told, right: stated")]
fn scope_guards_the_mock_fails_where_something_is_missing() {
    expect(&[Line(1)], |_| ());
}
