//! The flight recorder: the last inputs of the engine, for a support person.

use std::collections::VecDeque;

use innsync_domain::Timestamp;
use innsync_engine::{Input, Now, redacted};
use serde::Serialize;

/// Inputs that are kept at most.
const ENTRIES: usize = 500;
/// Bytes that they take at most, as they are written.
const BYTES: usize = 64 * 1024;

/// The last inputs, oldest first, at most [`ENTRIES`] of them and [`BYTES`] bytes. What repeats itself takes one entry.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    entries: VecDeque<Entry>,
    bytes: usize,
}

/// An input, without what people wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// When it came (first), by the phone's clock.
    at: Timestamp,
    /// Milliseconds of the boot's clock then.
    boot_ms: u64,
    /// How often it came in a row.
    times: u32,
    /// What it was ([`redacted`]).
    input: String,
}

impl Recorder {
    pub(super) fn note(&mut self, now: Now, input: &Input) {
        let input = redacted(input);
        if let Some(last) = self.entries.back_mut().filter(|last| last.input == input) {
            last.times = last.times.saturating_add(1);
            return;
        }
        self.bytes += input.len();
        self.entries.push_back(Entry { at: now.wall, boot_ms: now.boot_ms, times: 1, input });
        while self.entries.len() > ENTRIES || self.bytes > BYTES {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes -= oldest.input.len();
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use innsync_engine::SocketEvent;

    fn at(boot_ms: u64) -> Now {
        Now { boot_ms, wall: Timestamp::from_millis(0) }
    }

    #[test]
    fn it_keeps_the_newest_within_its_bounds() {
        let mut recorder = Recorder::default();
        for id in 0..2_000 {
            recorder.note(at(id), &Input::Http { id, answer: Err(failure("")) });
        }
        let entries = recorder.entries();
        assert_eq!((entries.len(), entries[0].boot_ms, entries[499].boot_ms), (ENTRIES, 1_500, 1_999));
        for id in 0..2_000 {
            recorder.note(at(id), &Input::Http { id, answer: Err(failure(&"x".repeat(400))) });
        }
        let entries = recorder.entries();
        let bytes: usize = entries.iter().map(|entry| entry.input.len()).sum();
        assert!(bytes <= BYTES && bytes > BYTES / 2, "{bytes}");
        assert_eq!(bytes, recorder.bytes);
    }

    fn failure(detail: &str) -> innsync_engine::HttpFailure {
        innsync_engine::HttpFailure { detail: detail.to_owned() }
    }

    #[test]
    fn what_repeats_itself_takes_one_entry() {
        let mut recorder = Recorder::default();
        for boot_ms in 0..100 {
            recorder.note(at(boot_ms), &Input::Tick);
        }
        let event = SocketEvent::Frame("{}".to_owned());
        recorder.note(at(100), &Input::Socket { generation: 1, event });
        recorder.note(at(101), &Input::Tick);
        let told: Vec<_> = recorder.entries().iter().map(|entry| (entry.times, entry.boot_ms)).collect();
        assert_eq!(told, [(100, 0), (1, 100), (1, 101)]);
    }
}
