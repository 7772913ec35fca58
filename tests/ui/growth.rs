use memprof::profile_memory;

#[profile_memory(max_growth = "n^2.1")]
fn no_size(_n: usize) {}

#[profile_memory(by = n, max_growth = "quadratic")]
fn not_a_power(n: usize) -> usize {
    n
}

#[profile_memory(by = n, max_growth = 2)]
fn not_a_text(n: usize) -> usize {
    n
}

#[profile_memory(by)]
fn no_expression(n: usize) -> usize {
    n
}

#[profile_memory(by = +)]
fn not_an_expression(n: usize) -> usize {
    n
}

#[profile_memory(by = items)]
fn not_a_number(items: &[u8]) -> usize {
    items.len()
}

#[profile_memory(by = m)]
fn not_there(n: usize) -> usize {
    n
}

struct Many;

#[profile_memory(by = n)]
impl Many {
    fn one(n: usize) -> usize {
        n
    }
}

fn main() {
    no_size(1);
    not_a_power(1);
    not_a_text(1);
    no_expression(1);
    not_an_expression(1);
    not_a_number(&[]);
    not_there(1);
    Many::one(1);
}
