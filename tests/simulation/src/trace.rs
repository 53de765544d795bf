//! What happened, as lines: a hash over all of them, and, where they are kept, the last few for whoever must find out why.
//!
//! A run that comes out right is not asked for its lines, so none are made; one that fails is run once more for them.

use std::collections::VecDeque;
use std::fmt::{self, Display, Write};

/// Lines kept for the report of a failure.
const KEPT: usize = 40;
/// Characters of a line that are kept (all of it is hashed).
const LINE_CHARS: usize = 400;

/// What becomes of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// They are hashed, and that is all.
    Hashed,
    /// The last few are kept.
    Kept,
    /// So they are, and all are printed as they come.
    Printed,
}

/// The run's diary.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    hash: Hash,
    lines: VecDeque<String>,
    is: Lines,
}

impl Trace {
    pub(crate) fn new(is: Lines) -> Self {
        Self { hash: Hash::default(), lines: VecDeque::new(), is }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, at: u64, text: impl Display) {
        self.hash.bytes(&at.to_le_bytes());
        if self.is == Lines::Hashed {
            // Nothing that is displayed here fails.
            let _ = write!(self.hash, "{text}");
            return;
        }
        let mut text = text.to_string();
        self.hash.bytes(text.as_bytes());
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        if text.len() > LINE_CHARS && self.is == Lines::Kept {
            text = text.chars().take(LINE_CHARS).chain("…".chars()).collect();
        }
        let line = format!("{:>5}.{:03} {text}", at / 1000, at % 1000);
        if self.is == Lines::Printed {
            #[allow(clippy::print_stdout)] // What --trace is for.
            {
                println!("{line}");
            }
        }
        self.lines.push_back(line);
    }

    /// Hashes what no line shows.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.hash.bytes(bytes);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }
}

/// FNV-1a, eight bytes at a time, however they come: nobody forges a trace.
#[derive(Debug, Clone)]
struct Hash {
    value: u64,
    /// Bytes that are not a word yet.
    rest: [u8; 8],
    count: usize,
}

impl Default for Hash {
    fn default() -> Self {
        Self { value: 0xcbf2_9ce4_8422_2325, rest: [0; 8], count: 0 }
    }
}

impl Hash {
    fn bytes(&mut self, mut bytes: &[u8]) {
        if self.count > 0 {
            let some = bytes.len().min(8 - self.count);
            let (now, later) = bytes.split_at(some);
            self.rest[self.count..self.count + some].copy_from_slice(now);
            self.count += some;
            bytes = later;
            if self.count < 8 {
                return;
            }
            self.word(u64::from_le_bytes(self.rest));
        }
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.word(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        }
        let left = words.remainder();
        self.rest[..left.len()].copy_from_slice(left);
        self.count = left.len();
    }

    fn word(&mut self, word: u64) {
        self.value = (self.value ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
    }

    fn finish(&self) -> u64 {
        let mut last = self.clone();
        last.rest[self.count..].fill(0);
        last.word(u64::from_le_bytes(last.rest));
        last.value
    }
}

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_hashed_alike_however_it_is_put_together_and_whether_it_is_kept() {
        let (mut whole, mut parts) = (Trace::new(Lines::Kept), Trace::new(Lines::Hashed));
        whole.line(7, "ana starts her day at seven");
        parts.line(7, format_args!("{} starts {} day at {}", "ana", "her", "seven"));
        assert_eq!(whole.hash(), parts.hash());
        assert_eq!((whole.last().len(), parts.last().len()), (1, 0));
        parts.line(7, "");
        assert_ne!(whole.hash(), parts.hash());
    }

    #[test]
    fn another_word_at_any_place_gives_another_hash() {
        let hash = |text: &str| {
            let mut trace = Trace::new(Lines::Hashed);
            trace.line(0, text);
            trace.hash()
        };
        assert_ne!(hash("ben"), hash("bem"));
        assert_ne!(hash("maria sees it"), hash("maria saw it"));
        assert_ne!(hash("maria sees it"), hash("maria sees it "));
    }
}
