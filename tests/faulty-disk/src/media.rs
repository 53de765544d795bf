//! What is on the medium, and what only the operating system has: names and contents of the files of one folder.

use std::collections::BTreeMap;

use innsync_random::Random;

/// Bytes that a disk writes at once. Where a write is torn, it is between or within these.
const SECTOR: usize = 512;

/// Names one file's contents, whatever it is called.
pub(crate) type FileId = u64;

/// Something done to a file since it was last synced.
#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { len: usize },
}

#[derive(Debug, Default)]
struct File {
    /// As of the last sync.
    durable: Vec<u8>,
    /// Since then, in order.
    pending: Vec<Change>,
}

/// A folder: what is in it, what of that is durable.
#[derive(Debug, Default)]
pub(crate) struct Media {
    files: BTreeMap<FileId, File>,
    /// The folder as the operating system shows it.
    names: BTreeMap<String, FileId>,
    /// The folder as of its last sync.
    durable_names: BTreeMap<String, FileId>,
    last: FileId,
}

impl Media {
    /// The file of that name; one that was there before the disk was, with what it held then.
    pub(crate) fn known(&mut self, name: &str, held: impl FnOnce() -> Vec<u8>) -> FileId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = self.add(name, held());
        self.durable_names.insert(name.to_owned(), id);
        id
    }

    /// A file that has just been made, empty. Its name is not durable before [`Media::sync_folder`].
    pub(crate) fn create(&mut self, name: &str) -> FileId {
        self.add(name, Vec::new())
    }

    fn add(&mut self, name: &str, durable: Vec<u8>) -> FileId {
        self.last += 1;
        self.files.insert(self.last, File { durable, pending: Vec::new() });
        self.names.insert(name.to_owned(), self.last);
        self.last
    }

    pub(crate) fn write(&mut self, id: FileId, at: usize, bytes: &[u8]) {
        self.change(id, Change::Write { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn truncate(&mut self, id: FileId, len: usize) {
        self.change(id, Change::Truncate { len });
    }

    fn change(&mut self, id: FileId, change: Change) {
        if let Some(file) = self.files.get_mut(&id) {
            file.pending.push(change);
        }
    }

    /// What the file holds is durable; its name need not be.
    pub(crate) fn sync(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(&id) {
            for change in file.pending.drain(..) {
                apply(&mut file.durable, &change);
            }
        }
    }

    pub(crate) fn delete(&mut self, name: &str) {
        self.names.remove(name);
    }

    /// Names that were made and removed are so for good.
    pub(crate) fn sync_folder(&mut self) {
        self.durable_names = self.names.clone();
        let named: Vec<FileId> = self.names.values().copied().collect();
        self.files.retain(|id, _| named.contains(id));
    }

    /// Whether anything would be lost.
    pub(crate) fn is_durable(&self) -> bool {
        self.names == self.durable_names && self.files.values().all(|file| file.pending.is_empty())
    }

    /// The power fails: what is there afterwards, by name; `None`: the file is gone.
    pub(crate) fn power_loss(&mut self, seed: u64) -> Vec<(String, Option<Vec<u8>>)> {
        let mut random = Random::new(seed);
        // Runs in which nothing or everything unsynced is lost are the plainest to understand, so they are frequent.
        let how = match random.below(8) {
            0 => How::Nothing,
            1 => How::Everything,
            2 => How::InOrder,
            3 | 4 => How::Reordered,
            _ => How::Torn,
        };
        let mut after = Vec::new();
        let all: std::collections::BTreeSet<String> =
            self.names.keys().chain(self.durable_names.keys()).cloned().collect();
        for name in all {
            let (now, then) = (self.names.get(&name).copied(), self.durable_names.get(&name).copied());
            let keeps = match how {
                How::Nothing => true,
                How::Everything => false,
                How::InOrder | How::Reordered | How::Torn => random.coin(),
            };
            let id = if keeps { now } else { then };
            let held = id.and_then(|id| self.files.get(&id)).map(|file| file.after(how, &mut random));
            after.push((name, held));
        }
        self.files.clear();
        self.names.clear();
        for (name, held) in &after {
            if let Some(held) = held {
                self.add(name, held.clone());
            }
        }
        self.durable_names = self.names.clone();
        after
    }
}

/// What a power loss takes of what was not synced.
#[derive(Debug, Clone, Copy)]
enum How {
    Nothing,
    Everything,
    /// All after some write, which itself is torn.
    InOrder,
    /// Any writes, whole.
    Reordered,
    /// Any sectors of any writes.
    Torn,
}

impl File {
    fn after(&self, how: How, random: &mut Random) -> Vec<u8> {
        let mut held = self.durable.clone();
        let cut = random.up_to(self.pending.len());
        for (index, change) in self.pending.iter().enumerate() {
            match how {
                How::Nothing => apply(&mut held, change),
                How::Everything => break,
                How::InOrder if index < cut => apply(&mut held, change),
                How::InOrder if index == cut => tear(&mut held, change, random),
                How::InOrder => break,
                How::Reordered if random.coin() => apply(&mut held, change),
                How::Reordered => {}
                How::Torn => tear(&mut held, change, random),
            }
        }
        held
    }
}

fn apply(held: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes } => put(held, *at, bytes),
        Change::Truncate { len } => held.resize(*len, 0),
    }
}

fn put(held: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if held.len() < end {
        held.resize(end, 0);
    }
    if let Some(place) = held.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

/// Does some of it, sector by sector.
fn tear(held: &mut Vec<u8>, change: &Change, random: &mut Random) {
    let (at, bytes) = match change {
        Change::Truncate { .. } if random.coin() => return,
        Change::Truncate { len } => return held.resize(*len, 0),
        Change::Write { at, bytes } => (*at, bytes),
    };
    if random.below(4) == 0 && held.len() < at + bytes.len() {
        // The file grew before its contents came.
        held.resize(at + bytes.len(), 0);
    }
    let mut begin = 0;
    while begin < bytes.len() {
        let end = bytes.len().min(begin + SECTOR - (at + begin) % SECTOR);
        let piece = bytes.get(begin..end).unwrap_or_default();
        match random.below(16) {
            0..7 => {}
            7..14 => put(held, at + begin, piece),
            // Its beginning.
            14 => put(held, at + begin, piece.get(..random.up_to(piece.len())).unwrap_or_default()),
            // Neither the old bytes nor the new.
            _ => {
                let noise: Vec<u8> = piece.iter().map(|_| random.next() as u8).collect();
                put(held, at + begin, &noise);
            }
        }
        begin = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds() -> impl Iterator<Item = u64> {
        0..200
    }

    fn held(after: &[(String, Option<Vec<u8>>)], name: &str) -> Option<Vec<u8>> {
        after.iter().find(|(it, _)| it == name).and_then(|(_, held)| held.clone())
    }

    /// A log of two sectors: the first is synced, the second is not.
    fn half_synced() -> Media {
        let mut media = Media::default();
        let log = media.create("log");
        media.write(log, 0, &[1; SECTOR]);
        media.sync(log);
        media.sync_folder();
        media.write(log, SECTOR, &[2; SECTOR]);
        media
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_is_there_gone_or_torn() {
        let (mut whole, mut gone, mut torn) = (0, 0, 0);
        for seed in seeds() {
            let mut media = half_synced();
            assert!(!media.is_durable());
            let log = held(&media.power_loss(seed), "log").unwrap();
            assert!(media.is_durable());
            assert_eq!(log[..SECTOR], [1; SECTOR]);
            match &log[SECTOR..] {
                [] => gone += 1,
                rest if rest == [2; SECTOR] => whole += 1,
                _ => torn += 1,
            }
        }
        assert!(whole > 20 && gone > 20 && torn > 20, "{whole} whole, {gone} gone, {torn} torn");
    }

    #[test]
    fn a_name_is_durable_once_its_folder_is_synced() {
        let made = |synced: bool, seed: u64| {
            let mut media = Media::default();
            let log = media.create("log");
            media.write(log, 0, b"x");
            media.sync(log);
            if synced {
                media.sync_folder();
            }
            held(&media.power_loss(seed), "log")
        };
        assert!(seeds().all(|seed| made(true, seed) == Some(b"x".to_vec())));
        assert!(seeds().any(|seed| made(false, seed).is_none()));
        let deleted = |synced: bool, seed: u64| {
            let mut media = half_synced();
            media.delete("log");
            if synced {
                media.sync_folder();
            }
            held(&media.power_loss(seed), "log").is_none()
        };
        assert!(seeds().all(|seed| deleted(true, seed)));
        assert!(seeds().any(|seed| !deleted(false, seed)), "it may come back");
    }

    #[test]
    fn later_writes_may_survive_earlier_ones() {
        let reordered = |seed: u64| {
            let mut media = half_synced();
            let log = media.known("log", Vec::new);
            media.write(log, 2 * SECTOR, &[3; SECTOR]);
            let log = held(&media.power_loss(seed), "log").unwrap();
            log.len() == 3 * SECTOR
                && log[SECTOR..2 * SECTOR] == [0; SECTOR]
                && log[2 * SECTOR..] == [3; SECTOR]
        };
        assert!(seeds().any(reordered));
    }

    #[test]
    fn a_truncation_is_undone_unless_it_was_synced() {
        let cut = |synced: bool, seed: u64| {
            let mut media = half_synced();
            let log = media.known("log", Vec::new);
            media.sync(log);
            media.truncate(log, 0);
            if synced {
                media.sync(log);
            }
            held(&media.power_loss(seed), "log").unwrap().is_empty()
        };
        assert!(seeds().all(|seed| cut(true, seed)));
        assert!(seeds().any(|seed| cut(false, seed)) && seeds().any(|seed| !cut(false, seed)));
    }

    #[test]
    fn the_same_seed_loses_the_same() {
        for seed in seeds() {
            assert_eq!(half_synced().power_loss(seed), half_synced().power_loss(seed));
        }
    }
}
