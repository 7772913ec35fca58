use memprof::profile_memory;

#[profile_memory(interval = 10)]
fn near() {}

#[profile_memory(colour = "red")]
fn far() {}

#[profile_memory("a name")]
fn no_name() {}

#[profile_memory(10)]
fn number() {}

fn main() {
    near();
    far();
    no_name();
    number();
}
