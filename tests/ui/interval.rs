use memprof::profile_memory;

#[profile_memory(interval_ms = "10")]
fn text() {}

#[profile_memory(interval_ms = 10ms)]
fn unit() {}

#[profile_memory(interval_ms = 0)]
fn zero() {}

#[profile_memory(interval_ms = -2.5)]
fn negative() {}

#[profile_memory(interval_ms = 1_000_000_000)]
fn long() {}

#[profile_memory(interval_ms)]
fn nothing() {}

#[profile_memory(interval_ms =)]
fn no_value() {}

fn main() {
    text();
    unit();
    zero();
    negative();
    long();
    nothing();
    no_value();
}
