use super::*;

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;

/// Nobody is freeing anything, and nobody has taken what others freed.
const PENDING: PendingFrees = PendingFrees {
    being_freed: 0,
    unsettled: u64::MAX,
};

fn parts(own: u64, others: u64) -> Parts<u64> {
    Parts { own, others }
}

/// RSS changed by so many pages, and there were so many faults. The heap is not counted.
fn between(pages: i64, faults: Parts<u64>) -> Between {
    Between {
        is_first: false,
        change: pages * PAGE as i64,
        faults: Some(faults),
        strayed_before: false,
        heap: None,
        begun: 0,
        pending: PENDING,
        untaken: u64::MAX / 2,
        most_gone: u64::MAX,
        unclaimed: u64::MAX,
        grown_before: 0,
        lag: 0,
        page: PAGE,
    }
}

/// The same where the heap is counted; `allocated` and `freed` in pages.
fn counted(pages: i64, faults: Parts<u64>, allocated: Parts<u64>, freed: Parts<u64>) -> Between {
    let counts = |allocated: u64, freed: u64| Counts {
        allocated: allocated * PAGE,
        freed: freed * PAGE,
        allocations: allocated.min(1),
    };
    Between {
        heap: Some(Parts {
            own: counts(allocated.own, freed.own),
            others: counts(allocated.others, freed.others),
        }),
        ..between(pages, faults)
    }
}

/// What others changed and what is unsure, in pages.
fn in_pages(split: Split) -> (i64, u64) {
    (split.others / PAGE as i64, split.unsure / PAGE)
}

fn split(between: Between) -> (i64, u64) {
    in_pages(between.split(true))
}

#[test]
fn split_growth_is_whose_the_faults_are() {
    assert_eq!(split(between(800, parts(500, 300))), (300, 0));
    assert_eq!(split(between(300, parts(0, 300))), (300, 0), "it slept");
    assert_eq!(split(between(500, parts(500, 0))), (0, 0));
}

#[test]
fn split_where_nobody_else_was_at_work_all_is_the_thread_s() {
    let stray = between(-100, parts(20, 8));
    assert_eq!(in_pages(stray.split(false)), (0, 0));
}

#[test]
fn split_a_few_faults_of_others_are_theirs_and_make_nothing_doubtful() {
    let split = |between: Between| in_pages(between.split(false));
    assert_eq!(split(between(8, parts(3, 5))), (5, 0));
    assert_eq!(split(between(515, parts(3, 1))), (1, 0), "a huge page");
    // A page is not there yet when its fault is counted, and a line that frees has not given it back.
    let early = counted(1, parts(0, 2), parts(0, 0), parts(0, 0));
    let freed = early.heap.map(|mut heap| {
        heap.own.freed = 1_000;
        heap
    });
    let early = Between {
        heap: freed,
        ..early
    };
    assert_eq!(split(early), (1, 0));
    let late = Between {
        strayed_before: true,
        ..between(1, parts(0, 0))
    };
    assert_eq!(split(late), (1, 0));
    // What the thread gave back meanwhile is its own.
    let own = counted(2, parts(4, 2), parts(4, 0), parts(4, 0));
    assert_eq!(split(own), (2, 0));
    let older = counted(-98, parts(0, 2), parts(0, 0), parts(100, 0));
    assert_eq!(split(older), (2, 0));
}

#[test]
fn split_before_the_first_reading_nothing_is_the_thread_s() {
    let first = Between {
        is_first: true,
        ..between(700, parts(500, 200))
    };
    let expected = Split {
        others: 700 * PAGE as i64,
        unsure: u64::MAX,
        ..Split::default()
    };
    assert_eq!(first.split(true), expected);
}

#[test]
fn split_huge_pages_are_divided_as_the_faults_are() {
    // Four faults brought 512 pages each: 3 of one thread, 1 of another one.
    let huge = between(4 * 512, parts(3, 1));
    assert_eq!(split(huge), (512, 4 * 511));
    // All are one thread's, whoever waits.
    assert_eq!(split(between(4 * 512, parts(0, 4))), (4 * 512, 0));
}

#[test]
fn split_growth_that_was_missing_at_the_reading_before_is_not_the_thread_s() {
    let lagging = Between {
        lag: 20 * PAGE,
        ..between(120, parts(50, 50))
    };
    assert_eq!(split(lagging), (70, 0));
    let more = Between {
        lag: 19 * PAGE,
        ..lagging
    };
    assert_eq!(split(more), (60, 20));
}

#[test]
fn split_growth_without_faults_is_whose_allocations_are() {
    let by_heap = counted(100, parts(0, 0), parts(30, 90), parts(0, 0));
    assert_eq!(split(by_heap), (75, 100));
    let nobody = between(100, parts(0, 0));
    assert_eq!(split(nobody), (0, 100), "somebody: the thread sees it");
}

#[test]
fn split_where_faults_are_not_counted_the_heap_divides() {
    let not_counted = Between {
        faults: None,
        ..counted(100, parts(0, 0), parts(25, 75), parts(0, 0))
    };
    assert_eq!(split(not_counted), (75, 100));
}

#[test]
fn split_what_was_given_back_is_whose_the_frees_are() {
    // 40 came and 60 went, 45 of them the thread's.
    let both = counted(-20, parts(40, 0), parts(40, 0), parts(45, 15));
    assert_eq!(split(both), (-15, 0), "all that was freed has gone");
    let other = counted(-60, parts(0, 0), parts(0, 0), parts(0, 60));
    assert_eq!(split(other), (-60, 0));
    let own = counted(-60, parts(0, 0), parts(0, 0), parts(60, 0));
    assert_eq!(split(own), (0, 0));
}

#[test]
fn split_of_what_was_freed_a_part_stayed_and_nobody_knows_whose() {
    // 100 and 300 were freed, 200 of these have gone.
    let kept = counted(-200, parts(0, 0), parts(0, 0), parts(100, 300));
    assert_eq!(split(kept), (-150, 100), "own may be 0 to 100");
}

#[test]
fn split_memory_that_an_allocator_hands_out_again_is_not_given_back() {
    // Others allocate and free the same 100 pages a hundred times; the thread gives 50 back.
    let churn = counted(-50, parts(0, 0), parts(0, 10_000), parts(50, 10_000));
    assert_eq!(split(churn), (0, 0));
    // Where each time new pages come, each time they go.
    let mapped = counted(-50, parts(0, 10_000), parts(0, 10_000), parts(50, 10_000));
    assert_eq!(split(mapped), (0, 0));
    // The pages came by own faults and went, and another thread freed as much into its own cache.
    let passing = counted(0, parts(80, 0), parts(80, 80), parts(80, 80));
    assert_eq!(split(passing), (0, 0));
}

#[test]
fn split_pages_whose_faults_are_not_counted_yet_are_others() {
    assert_eq!(split(between(8, parts(0, 0))), (8, 0));
    assert_eq!(split(between(9, parts(0, 0))), (0, 9), "by no faults");
    assert_eq!(split(between(8, parts(7, 0))), (0, 0), "in a huge page");
}

#[test]
fn split_what_goes_beyond_what_was_freed_goes_with_whom_freed() {
    // A small free lets an allocator give back what was freed before.
    let trimmed = counted(-500, parts(0, 0), parts(0, 0), parts(30, 10));
    assert_eq!(split(trimmed), (-125, 460));
}

#[test]
fn split_what_goes_while_others_are_freeing_is_theirs_beyond_what_the_thread_freed() {
    let being_freed = |pages: i64, own: u64| Between {
        pending: PendingFrees {
            being_freed: 100 * PAGE,
            ..PENDING
        },
        ..counted(-pages, parts(0, 0), parts(0, 0), parts(own, 0))
    };
    assert_eq!(split(being_freed(30, 0)), (-30, 0));
    assert_eq!(split(being_freed(80, 50)), (-30, 30));
    // 100 were half freed at the reading before, and are freed by now.
    let begun = Between {
        begun: 100 * PAGE,
        ..counted(-80, parts(0, 0), parts(0, 0), parts(50, 100))
    };
    assert_eq!(split(begun), (-30, 30));
}

#[test]
fn split_what_others_freed_and_have_taken_is_no_longer_to_be_split() {
    // Another thread freed 100 pages, and had its reading: what of them was given back is taken.
    let settled = |pages: i64, unsettled: u64| Between {
        pending: PendingFrees {
            unsettled: unsettled * PAGE,
            ..PENDING
        },
        ..counted(-pages, parts(0, 0), parts(0, 0), parts(100, 100))
    };
    assert_eq!(split(settled(100, 100)), (-50, 100));
    assert_eq!(split(settled(100, 0)), (0, 0), "the allocator kept them");
    assert_eq!(split(settled(160, 0)), (-60, 60), "or not");
}

#[test]
fn split_without_counts_what_came_meanwhile_goes_as_the_faults_are() {
    // 100 came and went again.
    assert_eq!(split(between(0, parts(75, 25))), (0, 100));
    assert_eq!(split(between(0, parts(0, 100))), (0, 100), "it slept");
    // 100 came, 130 went: 30 are older pages.
    assert_eq!(split(between(-30, parts(0, 100))), (0, 130));
}

#[test]
fn split_nobody_takes_more_than_was_given_back_and_not_taken_yet() {
    let untaken = |pages: u64| Between {
        untaken: pages * PAGE,
        ..between(-60, parts(0, 0))
    };
    assert_eq!(split(untaken(100)), (0, 60));
    assert_eq!(split(untaken(60)), (0, 60));
    assert_eq!(split(untaken(45)), (-15, 60));
    assert_eq!(split(untaken(0)), (-60, 60));
}

#[test]
fn split_without_counts_a_thread_gives_back_what_it_had_the_time_for() {
    let ran_for = |pages: u64| Between {
        most_gone: pages * PAGE,
        ..between(-60, parts(0, 0))
    };
    assert_eq!(split(ran_for(80)), (0, 60));
    assert_eq!(split(ran_for(20)), (-40, 60));
    assert_eq!(split(ran_for(0)), (-60, 60), "it slept");
}

#[test]
fn split_what_nobody_took_and_others_cannot_have_had_is_whose_there_is_something() {
    let left = |untaken: u64, unclaimed: u64, had: u64| Between {
        untaken: untaken * PAGE,
        unclaimed: unclaimed * PAGE,
        grown_before: (had * PAGE) as i64,
        ..between(0, parts(0, 0))
    };
    assert_eq!(split(left(50, 0, 80)), (50, 50));
    assert_eq!(split(left(50, 30, 80)), (20, 20));
    assert_eq!(split(left(50, 50, 80)), (0, 0));
    assert_eq!(split(left(50, 0, 10)), (10, 10));
    assert_eq!(split(left(50, 0, 0)), (0, 0), "it only slept");
    // What the thread touched meanwhile is no longer others'.
    let touched = Between {
        untaken: 50 * PAGE,
        unclaimed: 30 * PAGE,
        ..between(30, parts(30, 0))
    };
    assert_eq!(split(touched), (30, 30));
    let uncounted_faults = Between {
        faults: None,
        ..left(50, 0, 80)
    };
    assert_eq!(split(uncounted_faults), (0, 0));
}

#[test]
fn split_what_nobody_took_is_whose_frees_were_counted() {
    let left = |freed: u64| Between {
        untaken: 50 * PAGE,
        unclaimed: 0,
        ..counted(0, parts(0, 0), parts(0, 0), parts(freed, 0))
    };
    assert_eq!(split(left(0)), (0, 0));
    assert_eq!(split(left(30)), (30, 30));
    assert_eq!(split(left(90)), (50, 50));
}

#[test]
fn split_what_a_thread_takes_is_whole_pages() {
    let odd = counted(-3, parts(0, 0), parts(0, 0), parts(10, 10));
    let split = odd.split(true);
    assert_eq!((split.taken, split.others), (2 * PAGE, -(PAGE as i64)));
}

#[test]
fn split_a_thread_can_have_been_as_high_as_its_faults_explain() {
    let faults = between(0, parts(100, 900));
    assert_eq!(faults.most_own(400 * PAGE, false), 100 * PAGE);
    assert_eq!(faults.most_of_others(400 * PAGE, false), 900 * PAGE);
    // 50 pages more than faults: they came with some of the faults.
    assert_eq!(faults.most_own(1_050 * PAGE, false), 150 * PAGE);
    assert_eq!(faults.most_own(400 * PAGE, true), 200 * MIB);
    let asleep = between(0, parts(0, 900));
    assert_eq!(asleep.most_own(1_050 * PAGE, true), 0);
    let unknown = Between {
        faults: None,
        ..faults
    };
    assert_eq!(unknown.most_own(MIB, false), MIB);
}

#[test]
fn split_more_than_a_file_s_pages_with_a_fault_shows_huge_pages() {
    let faults = between(0, parts(30, 10));
    assert!(!faults.shows_huge_pages(40 * (64 << 10)));
    assert!(faults.shows_huge_pages(40 * (64 << 10) + PAGE));
    assert!(
        !between(0, parts(1, 0)).shows_huge_pages(MIB),
        "less than one"
    );
    assert!(between(0, parts(1, 0)).shows_huge_pages(2 * MIB));
}
