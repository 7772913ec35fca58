//! A new figure breaks no program, so nobody else makes values that would lack it.

use memprof::run::HeapFigures;

fn main() {
    let _ = HeapFigures {
        allocated: 1,
        ..HeapFigures::default()
    };
}
