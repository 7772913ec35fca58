//! Links to pages in other folders.

/// A href of the page in `folder`, whatever its name.
pub(super) fn href(folder: &str, page: &str) -> String {
    let mut href = String::new();
    for byte in folder.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            href.push(char::from(byte));
        } else {
            href.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{href}/{page}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_become_safe_links() {
        assert_eq!(
            href("a b\"<ß", "index.html"),
            "a%20b%22%3C%C3%9F/index.html"
        );
    }
}
