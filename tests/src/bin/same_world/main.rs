//! Does to its own process what programs do, as the first argument names, with annotated calls before, meanwhile and
//! after. Says what it sees of that on stdout, writes files into the folder it was started in, and ends with code 7.
//! Without an argument it lists its modes.
#![cfg(target_os = "linux")]

#[macro_use]
mod say;
mod descriptors;
mod ends;
mod files;
mod isolation;
mod look;
mod plugins;
mod privileges;
mod processes;
mod signals;
mod threads;
mod work;

/// What a mode is called, and what it does.
type Mode = (&'static str, fn());

const THEMES: [&[Mode]; 9] = [
    &descriptors::MODES,
    &processes::MODES,
    &privileges::MODES,
    &isolation::MODES,
    &signals::MODES,
    &threads::MODES,
    &ends::MODES,
    &plugins::MODES,
    &files::MODES,
];

fn main() {
    let mut modes = THEMES.into_iter().flatten();
    let Some(wanted) = std::env::args().nth(1) else {
        modes.for_each(|(name, _)| println!("{name}"));
        return;
    };
    let mode = modes.find(|(name, _)| *name == wanted);
    let (_, mode) = mode.unwrap_or_else(|| panic!("unknown mode {wanted:?}"));
    // What comes first is in place before the first annotated call.
    if !wanted.ends_with("-first") {
        work::work();
    }
    mode();
    work::work();
    look::around("at the end");
    std::process::exit(7);
}
