use memprof::profile_memory;

#[profile_memory]
#[must_use]
#[memprof::profile_memory(lines = false)]
fn twice() -> u32 {
    1
}

fn main() {
    println!("{}", twice());
}
