//! A program of the crate `baseline`: counts as many words as it is told to.

fn main() {
    let words = std::env::args().nth(1).and_then(|words| words.parse().ok());
    let text = "word ".repeat(words.expect("a number"));
    println!("{}", baseline::lengths(&text).len());
}
