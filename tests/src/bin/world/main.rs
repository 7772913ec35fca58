//! Does to its own process what programs do, as the first argument names, with annotated calls before, meanwhile and
//! after. Says at the end how often it called what, and ends with code 7.

mod beginnings;
mod cancelled;
mod descriptors;
mod main_ends;
mod one_thread;
mod signals;
mod taken_down;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["descriptors", how, file] => descriptors::main(how, file),
        ["signals", how] => signals::main(how),
        ["cancelled", how] => cancelled::main(how),
        ["main-ends"] => main_ends::main(),
        ["one-thread"] => one_thread::main(""),
        ["one-thread", how] => one_thread::main(how),
        ["taken-down"] => taken_down::main(),
        ["beginnings", ref how @ ..] => beginnings::main(&how.join(" ")),
        _ => panic!("unknown arguments {arguments:?}"),
    }
    std::process::exit(7);
}
