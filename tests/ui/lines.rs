use memprof::profile_memory;

#[profile_memory(lines)]
fn flag() {}

#[profile_memory(lines = "no")]
fn text() {}

fn main() {
    flag();
    text();
}
