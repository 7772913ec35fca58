//! Hot code in which one function, or one line, takes all the memory: nothing of it is told of the others.

use memprof::run::{FunctionProfile, Line, Run};
use memprof_tests::program::{function, run};
use memprof_tests::truth::check_invariants;

const MIB: i64 = 1 << 20;

/// What a hot call or line may have got without its own doing: a stack, code, and arenas that were touched for the
/// first time.
const STRAY: i64 = MIB / 2;

fn of(program: &str, counted: bool) -> Run {
    let path = match counted {
        true => env!("CARGO_BIN_EXE_whose_counted"),
        false => env!("CARGO_BIN_EXE_whose"),
    };
    let run = run(path, &[program]).recorded();
    check_invariants(&run);
    run
}

fn line<'run>(profile: &'run FunctionProfile, source: &str) -> &'run Line {
    let mut lines = profile.lines.iter();
    let found = lines.find(|line| line.source.contains(source));
    found.unwrap_or_else(|| panic!("{}: {source}", profile.name))
}

/// A getter that is called between calls that allocate has nothing of theirs, and one of these no more than it can
/// have allocated: `push` moves the vector's pointers at most.
#[test]
fn calls_between_others_have_nothing_of_theirs() {
    for counted in [false, true] {
        let run = of("getter", counted);
        let (len, add) = (function(&run, "len"), function(&run, "add"));
        assert!(len.net_rss.abs() <= STRAY, "{counted}: {}", len.net_rss);
        assert!(len.peak_rss as i64 <= STRAY, "{counted}: {}", len.peak_rss);
        assert!(
            add.peak_rss as i64 <= 3 * MIB,
            "{counted}: {}",
            add.peak_rss
        );
        let getter = function(&run, "getter");
        assert!(
            (95 * MIB..120 * MIB).contains(&getter.net_rss),
            "{}",
            getter.net_rss
        );
    }
}

/// The header of a loop has nothing of its body. Without the allocator the two may be told together.
#[test]
fn the_header_of_a_loop_has_nothing_of_its_body() {
    for counted in [false, true] {
        let run = of("header", counted);
        let profile = function(&run, "header");
        let (header, body) = (line(profile, "while let"), line(profile, "kept.push"));
        assert!(
            header.net_rss.abs() <= STRAY,
            "{counted}: {}",
            header.net_rss
        );
        let group = header
            .group
            .map_or(0, |group| profile.groups[group].net_rss);
        println!(
            "{counted}: header {}, body {}, together {group}",
            header.net_rss, body.net_rss
        );
        assert!(
            body.net_rss + group >= 28 * MIB,
            "{counted}: {} and {group}",
            body.net_rss
        );
        if counted {
            assert!(body.net_rss >= 28 * MIB, "{}", body.net_rss);
            // The vector's own buffer was allocated before, and is touched only now: by whom is not known.
            assert!(group.abs() <= 3 * MIB, "{group}");
        }
    }
}

/// One call of 100,001 has 40 MiB for a while. It need not be among those that are read. Then the height is its
/// caller's, and no other call's.
#[test]
fn a_height_is_told_of_no_other_call() {
    for counted in [false, true] {
        let run = of("spike", counted);
        let (spike, called) = (function(&run, "spike"), function(&run, "one_of_many"));
        assert!(
            (39 * MIB..44 * MIB).contains(&(spike.peak_rss as i64)),
            "{}",
            spike.peak_rss
        );
        let line = line(spike, "one_of_many(n)");
        let group = line.group.map_or(0, |group| spike.groups[group].peak_rss);
        println!(
            "{counted}: line {}, together {group}, called {}",
            line.peak_rss, called.peak_rss
        );
        assert!(
            line.peak_rss.max(group) as i64 >= 39 * MIB,
            "{} {group}",
            line.peak_rss
        );
        // Either that call was read, and has its height; or no call has it.
        let high = called
            .call_records
            .iter()
            .filter(|call| call.peak_rss as i64 > MIB);
        assert_eq!(
            high.count(),
            usize::from(called.peak_rss as i64 > MIB),
            "{called:?}"
        );
    }
}
