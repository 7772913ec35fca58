//! A process in the list of all, and whether it is the one that somebody means.

/// So many bytes of a process's name are kept by the kernel (`TASK_COMM_LEN`, less the byte that ends it).
const KEPT: usize = 15;

/// A process of the machine.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Its number.
    pub(crate) pid: u32,
    /// Its name in bytes: the kernel cuts it where it likes, also within a letter.
    pub(crate) name: Vec<u8>,
    /// Its command line; empty for a process of the kernel.
    pub(crate) command: Vec<String>,
}

impl Listed {
    /// The name, as far as it can be read.
    pub(crate) fn name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// Whether `word` is its name, whole or as the kernel has cut it, or that of its program.
    pub(crate) fn is(&self, word: &str) -> bool {
        let kept = &word.as_bytes()[..word.len().min(KEPT)];
        self.name == kept || self.program() == word
    }

    /// Whether `word` is a part of one of them.
    pub(crate) fn has(&self, word: &str) -> bool {
        let word_bytes = word.as_bytes();
        let mut parts = self.name.windows(word.len().max(1));
        parts.any(|part| part == word_bytes) || self.program().contains(word)
    }

    /// The file name of the program, where a command line tells it.
    fn program(&self) -> &str {
        let program = self.command.first().map_or("", String::as_str);
        program.rsplit('/').next().unwrap_or(program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &[u8], program: &str) -> Listed {
        Listed {
            pid: 1,
            name: name.to_vec(),
            command: [program].iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    #[test]
    fn a_name_that_is_cut_within_a_letter_is_found() {
        let word = "abcdefghijklmnö-last";
        let cut = listed(&word.as_bytes()[..KEPT], "python3");
        assert!(std::str::from_utf8(&cut.name).is_err(), "cut within ö");
        assert!(cut.is(word) && cut.is("python3") && cut.has("defg"));
        assert!(!cut.is("abcdefghijklmn") && !cut.has("last"));
    }

    #[test]
    fn a_program_has_a_name_though_the_process_has_another() {
        let renamed = listed(b"worker", "/usr/bin/postgres");
        assert!(renamed.is("worker") && renamed.is("postgres") && renamed.has("gres"));
        assert!(!renamed.is("usr") && !renamed.has("bin"));
    }
}
