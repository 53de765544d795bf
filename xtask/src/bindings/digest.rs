//! Which face a library has: the generated sources are given the same, and check it when they load the library.

/// What stands before the digest in the library; see `bindings/src/digest.rs`.
const MARK: &[u8] = b"innsync-facade-digest:";
const DIGITS: usize = 16;

/// The mark with the digest, as the library tells it.
pub(super) fn of(library: &[u8]) -> Result<String, String> {
    let whole = |at: usize| library.get(at..at + MARK.len() + DIGITS);
    library
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK)
        .filter_map(|(at, _)| std::str::from_utf8(whole(at)?).ok())
        .find(|found| found.bytes().rev().take(DIGITS).all(|digit| digit.is_ascii_hexdigit()))
        .map(str::to_owned)
        .ok_or_else(|| "the library does not say which face it has: see bindings/src/digest.rs".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_among_other_bytes() {
        let library = b"\xffinnsync-facade-digest:%s\0\0innsync-facade-digest:00112233445566ff\0rest";
        assert_eq!(of(library), Ok("innsync-facade-digest:00112233445566ff".to_owned()));
        assert!(of(b"innsync-facade-digest:0011").is_err());
    }
}
