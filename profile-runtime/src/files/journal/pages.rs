//! Lines of text of which none crosses a page of the file.
//!
//! The kernel copies what is written page by page, and a process that is killed meanwhile leaves off
//! between two of them. So the last line of a journal is whole, whenever its writer died. What is left
//! of a page is filled with a line of the kind `-`, which every reader passes over.

/// Bytes of a page: the smallest there is on any machine; larger ones are multiples.
const PAGE: usize = 4096;

/// The longest line, without its end: longer ones would leave much of the pages empty.
pub(super) const LONGEST: usize = 1_000;

/// Shortens `text` to at most this many bytes, between two characters.
pub(super) fn cut(text: &mut String, longest: usize) {
    let end = (0..=longest.min(text.len())).rfind(|&at| text.is_char_boundary(at));
    text.truncate(end.unwrap_or(0));
}

/// The shortest line that fills a page up: `- ` and its end.
const SHORTEST_FILLER: usize = 3;

/// Text to be appended to a file.
#[derive(Debug, Default)]
pub(super) struct PageAlignedText {
    text: Vec<u8>,
    /// Where in its page the text begins.
    begin: usize,
}

impl PageAlignedText {
    /// Forgets the text; the next one is for the end of a file of `length` bytes.
    pub(super) fn begin_at(&mut self, length: u64) {
        self.text.clear();
        self.begin = (length % PAGE as u64) as usize;
    }

    /// Makes room for `bytes`, of which every page is resident.
    pub(super) fn touch(&mut self, bytes: usize) {
        // Not `vec![0; n]`, which asks for memory that is not resident yet.
        self.text.clear();
        self.text.resize(bytes, b'-');
        self.text.clear();
    }

    /// What has been added, whole lines.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Adds `line`, which has no end and no more than [`LONGEST`] bytes; a longer one is left out.
    pub(super) fn push(&mut self, line: &str) {
        let needed = line.len() + 1;
        if needed > PAGE {
            return;
        }
        let room = PAGE - (self.begin + self.text.len()) % PAGE;
        if needed != room && needed + SHORTEST_FILLER > room {
            self.fill(room);
        }
        self.text.extend_from_slice(line.as_bytes());
        self.text.push(b'\n');
    }

    fn fill(&mut self, room: usize) {
        let end = self.text.len() + room;
        self.text.push(b'-');
        self.text.resize(end - 1, b' ');
        self.text.push(b'\n');
    }

    /// Bytes that it holds.
    pub(super) fn bytes(&self) -> u64 {
        self.text.capacity() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_between_characters() {
        for (text, longest, expected) in [
            ("né", 2, "n"),
            ("né", 3, "né"),
            ("né", 9, "né"),
            ("é", 1, ""),
        ] {
            let mut text = text.to_owned();
            cut(&mut text, longest);
            assert_eq!(text, expected);
        }
    }

    proptest! {
        #[test]
        fn no_line_crosses_a_page_and_none_is_empty(
            begin in 0_usize..PAGE - 3,
            lengths in prop::collection::vec(3_usize..=LONGEST, 1..200),
        ) {
            let mut pages = PageAlignedText::default();
            pages.begin_at(begin as u64);
            let lines: Vec<String> = lengths.iter().map(|&n| format!("k {}", "x".repeat(n - 2))).collect();
            for line in &lines {
                pages.push(line);
            }
            let mut at = begin;
            let mut found = Vec::new();
            for line in pages.text().split_inclusive(|&byte| byte == b'\n') {
                prop_assert_eq!(at / PAGE, (at + line.len() - 1) / PAGE);
                at += line.len();
                let line = str::from_utf8(line).unwrap().trim_end_matches('\n');
                prop_assert!(line.contains(' '), "mprof wants a space in every line");
                if !line.starts_with('-') {
                    found.push(line.to_owned());
                }
            }
            prop_assert_eq!(found, lines);
        }
    }
}
