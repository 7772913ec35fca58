use memprof::profile_memory;

#[profile_memory(lines = false interval_ms = 3)]
fn no_comma() {}

fn main() {
    no_comma();
}
