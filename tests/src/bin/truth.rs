//! A program whose every line has a known effect on memory: see `memprof_tests::truth` for how the
//! comments are read.

use std::panic::catch_unwind;

use memprof::profile_memory;
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

fn main() {
    // The pages of the code that does this are not what is measured.
    drop((Mapping::new(MIB), Mapping::untouched(MIB)));
    straight();
    small();
    large();
    branches(true);
    branches(false);
    loops();
    early(3);
    let _ = question(false);
    let _ = question(true);
    outer();
    recursive(4);
    let _ = catch_unwind(panics);
    let _ = catch_unwind(|| catches().map(|()| "unreachable"));
    blocks();
}

#[profile_memory]
fn straight() {
    let first = Mapping::new(64 * MIB); //= hits 1 net 64 peak 64
    drop(Mapping::new(128 * MIB)); //= hits 1 net 0 peak 128
    let second = Mapping::new(MIB); //= hits 1 net 1 peak 1
    drop(first); //= hits 1 net -64
    let third = Mapping::untouched(512 * MIB); //= hits 1 net 0
    drop(third); //= hits 1 net 0
    let _kept_to_the_end = &second; //= hits 1 net 0
} //= hits 1 net -1

#[profile_memory]
fn small() {
    drop(Mapping::new(MIB)); //= hits 1 net 0 peak 1
    drop((Mapping::new(MIB), Mapping::new(2 * MIB))); //= hits 1 net 0 peak 3
    let pair = (Mapping::new(MIB), Mapping::new(MIB)); //= hits 1 net 2 peak 2
    drop(pair.0); //= hits 1 net -1
    drop(pair.1); //= hits 1 net -1
}

#[profile_memory]
fn large() {
    let kept = Mapping::new(256 * MIB); //= hits 1 net 256 peak 256
    drop(Mapping::new(256 * MIB)); //= hits 1 net 0 peak 256
    drop(kept); //= hits 1 net -256
}

#[rustfmt::skip] // A header's truth stays on its line.
#[profile_memory]
fn branches(big: bool) {
    let mapping = if big { //= hits 2 net 0
        Mapping::new(32 * MIB) //= hits 1 net 32 peak 32
    } else {
        drop(Mapping::new(4 * MIB)); //= hits 1 net 0 peak 4
        Mapping::new(2 * MIB) //= hits 1 net 2 peak 2
    };
    match mapping.bytes() / MIB { //= hits 2 net 0
        32 => drop(Mapping::new(8 * MIB)), //= hits 1 net 0 peak 8
        2 => { //= hits 0
            drop(Mapping::new(16 * MIB)); //= hits 1 net 0 peak 16
        }
        _ => unreachable!(), //= hits 0
    }
} //= hits 2 net -34

#[rustfmt::skip] // A header's truth stays on its line.
#[profile_memory]
fn loops() {
    let mut kept = Vec::new();
    for step in 0..10 { //= hits 11 net 0
        kept.push(Mapping::new(4 * MIB)); //= hits 10 net 40 peak 4
        if step % 2 == 0 { //= hits 10 net 0
            drop(Mapping::new(8 * MIB)); //= hits 5 net 0 peak 8
        }
    }
    while let Some(last) = kept.pop() { //= hits 11 net 0
        let inside = Mapping::new(2 * MIB); //= hits 10 net 20 peak 2
        drop(last); //= hits 10 net -40
        let _ = &inside;
    } //= hits 10 net -20
    let mut rounds = 0;
    loop {
        rounds += 1;
        if rounds == 4 { //= hits 4 net 0
            break; //= hits 1 net 0
        }
        drop(Mapping::new(MIB)); //= hits 3 net 0 peak 1
    }
}

#[profile_memory]
fn early(limit: usize) -> usize {
    let mapping = Mapping::new(16 * MIB); //= hits 1 net 16 peak 16
    for step in 0.. {
        let inner = Mapping::new(MIB); //= hits 4 net 4 peak 1
        if step == limit {
            return inner.bytes() + mapping.bytes(); //= hits 1 net -17
        }
    } //= hits 3 net -3
    0
}

#[profile_memory]
fn question(ok: bool) -> Result<usize, String> {
    let mapping = Mapping::new(8 * MIB); //= hits 2 net 16 peak 8
    let number = check(ok)?; //= hits 2 net -8
    drop(Mapping::new(24 * MIB)); //= hits 1 net 0 peak 24
    Ok(number + mapping.bytes())
} //= hits 1 net -8

fn check(ok: bool) -> Result<usize, String> {
    if ok { Ok(1) } else { Err("no".to_owned()) }
}

#[profile_memory]
fn outer() {
    let before = Mapping::new(10 * MIB); //= hits 1 net 10 peak 10
    let made = inner(20); //= hits 1 net 20 peak 60
    drop(before); //= hits 1 net -10
    let again = inner(5); //= hits 1 net 5 peak 15
    drop((made, again)); //= hits 1 net -25
}

#[profile_memory]
fn inner(size: usize) -> Mapping {
    let result = Mapping::new(size * MIB); //= hits 2 net 25 peak 20
    drop(Mapping::new(2 * size * MIB)); //= hits 2 net 0 peak 40
    result
}

#[rustfmt::skip] // A header's truth stays on its line.
#[profile_memory]
fn recursive(depth: usize) {
    let _mine = Mapping::new(3 * MIB); //= hits 4 net 12 peak 3
    if depth > 1 { //= hits 4 net 0
        recursive(depth - 1); //= hits 3 net 0 peak 9
    }
} //= hits 4 net -12

#[profile_memory]
fn panics() {
    let _mine = Mapping::new(12 * MIB); //= hits 1 net 12 peak 12
    std::panic::resume_unwind(Box::new("on purpose"))
} //= hits 1 net -12

#[profile_memory]
fn catches() -> Result<(), String> {
    let mine = Mapping::new(6 * MIB); //= hits 1 net 6 peak 6
    let caught = catch_unwind(panics_inside); //= hits 1 net 0 peak 7
    drop(mine); //= hits 1 net -6
    caught.map_err(|_| "caught".to_owned()) //= hits 1 net 0
}

#[profile_memory]
fn panics_inside() {
    let _mine = Mapping::new(7 * MIB); //= hits 1 net 7 peak 7
    std::panic::resume_unwind(Box::new("on purpose"))
} //= hits 1 net -7

fn blocks() {
    let yielded = memprof::block!("a block", {
        let kept = Mapping::new(5 * MIB); //= hits 1 net 5 peak 5
        drop(Mapping::new(9 * MIB)); //= hits 1 net 0 peak 9
        kept
    });
    drop(yielded);
}
