use memprof::profile_memory;

#[profile_memory(lines = false, interval_ms = 3, lines = true)]
fn twice() {}

fn main() {
    twice();
}
