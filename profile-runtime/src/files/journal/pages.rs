//! Text whose lines never cross a page of the file, so that the last line of a journal is whole at every moment.
//!
//! The kernel copies what is written page by page, and stops between two pages when the process is killed. The rest of
//! a page that has no room for the next line is filled with a line of the kind `-`, which every reader skips.

/// Bytes of the smallest page on any machine. Larger pages are multiples of it.
const PAGE: usize = 4096;

/// The longest line, without its line break: longer lines would leave much of the pages empty.
pub(super) const LONGEST: usize = 1_000;

/// Shortens `text` to at most this many bytes, between two characters.
pub(super) fn cut(text: &mut String, longest: usize) {
    let end = (0..=longest.min(text.len())).rfind(|&at| text.is_char_boundary(at));
    text.truncate(end.unwrap_or(0));
}

/// The shortest line that fills a page up: `- ` and a line break.
const SHORTEST_FILLER: usize = 3;

/// Text to be appended to a file.
#[derive(Debug, Default)]
pub(super) struct PageAlignedText {
    text: Vec<u8>,
    /// The place in its page at which the text begins.
    begin: usize,
}

impl PageAlignedText {
    /// Starts a new text, to be appended to a file of `length` bytes.
    pub(super) fn begin_at(&mut self, length: u64) {
        self.text.clear();
        self.begin = (length % PAGE as u64) as usize;
    }

    /// Makes room for `bytes`, all of it resident.
    pub(super) fn touch(&mut self, bytes: usize) {
        // Not `vec![0; n]`, whose memory is not resident yet.
        self.text.clear();
        self.text.resize(bytes, b'-');
        self.text.clear();
    }

    /// The text so far: whole lines.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Adds `line`, which has no line break and at most [`LONGEST`] bytes. One that is longer than a page is left
    /// out.
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

    /// Fills up the page, which has `room` bytes left.
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
    fn journal_page_cut_is_between_characters() {
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
        fn journal_page_pages_have_no_line_that_crosses_them_or_is_empty(
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
