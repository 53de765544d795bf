//! What happened, as lines: a hash over all of them, and the last few for whoever must find out why.

use std::collections::VecDeque;

/// Lines kept for the report of a failure.
const KEPT: usize = 40;
/// Characters of a line that are kept (all of it is hashed).
const LINE_CHARS: usize = 400;

/// The run's diary.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    hash: u64,
    lines: VecDeque<String>,
    /// Print lines as they come.
    pub(crate) verbose: bool,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: VecDeque::with_capacity(KEPT), verbose: false }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, at: u64, text: String) {
        self.bytes(&at.to_le_bytes());
        self.bytes(text.as_bytes());
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        let mut text = text;
        if text.len() > LINE_CHARS && !self.verbose {
            text = text.chars().take(LINE_CHARS).chain("…".chars()).collect();
        }
        let line = format!("{:>5}.{:03} {text}", at / 1000, at % 1000);
        if self.verbose {
            #[allow(clippy::print_stdout)] // What --trace is for.
            {
                println!("{line}");
            }
        }
        self.lines.push_back(line);
    }

    /// Hashes what no line shows.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        // FNV-1a, eight bytes at a time: nobody forges a trace.
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            self.hash = (self.hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
        }
        for byte in chunks.remainder() {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }
}
