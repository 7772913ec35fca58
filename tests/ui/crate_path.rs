use memprof::profile_memory;

#[profile_memory(crate = 3)]
fn number() {}

#[profile_memory(crate)]
fn nothing() {}

fn main() {
    number();
    nothing();
}
