use memprof::profile_memory;

#[profile_memory(name = 3)]
fn number() {}

#[profile_memory(name = "")]
fn empty() {}

#[profile_memory(name = unquoted)]
fn unquoted() {}

fn main() {
    number();
    empty();
    unquoted();
}
