//! The phone's clocks.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use innsync_domain::Timestamp;
use innsync_engine::Now;

use crate::random;

/// Where time comes from. Shells whose platform hides the boot's clock give their own; tests do, too.
pub trait Clock: Send + Sync {
    /// The clocks now. `boot_ms` counts sleep and never goes back within a boot.
    fn now(&self) -> Now;
    /// Which boot of the phone this is; times of `boot_ms` are comparable within one alone.
    fn boot_id(&self) -> String;
}

/// The operating system's clocks: `/proc/uptime` and the kernel's boot id on Linux and Android; elsewhere, or where
/// those are hidden, the time since this clock was made with a random boot id.
#[derive(Debug)]
pub struct SystemClock {
    boot_id: String,
    /// Kept open: the clock is read several times for each input.
    uptime: Option<File>,
    started: Instant,
    latest: AtomicU64,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl SystemClock {
    /// The clock of this process.
    pub fn new() -> Self {
        let uptime = File::open("/proc/uptime").ok().filter(|file| since_boot(file).is_some());
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let (boot_id, uptime) = match (boot_id, uptime) {
            (Some(boot_id), Some(uptime)) => (boot_id.trim().to_owned(), Some(uptime)),
            _ => (random::hex(16), None),
        };
        Self { boot_id, uptime, started: Instant::now(), latest: AtomicU64::new(0) }
    }

    fn since_boot(&self) -> u64 {
        let uptime = self.uptime.as_ref().and_then(since_boot);
        uptime.unwrap_or_else(|| u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let boot_ms = self.since_boot();
        let boot_ms = self.latest.fetch_max(boot_ms, Ordering::Relaxed).max(boot_ms);
        Now { boot_ms, wall: wall() }
    }

    fn boot_id(&self) -> String {
        self.boot_id.clone()
    }
}

/// Milliseconds since boot, sleep included, in steps of ten.
fn since_boot(uptime: &File) -> Option<u64> {
    let mut bytes = [0; 64];
    let count = read_from_start(uptime, &mut bytes).ok()?;
    let text = std::str::from_utf8(&bytes[..count]).ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 1_000 + hundredths.parse::<u64>().ok()? * 10)
}

#[cfg(unix)]
fn read_from_start(file: &File, bytes: &mut [u8]) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn read_from_start(_: &File, _: &mut [u8]) -> std::io::Result<usize> {
    Err(std::io::ErrorKind::Unsupported.into())
}

pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_clock_does_not_go_back() {
        let clock = SystemClock::new();
        let first = clock.now();
        std::thread::sleep(std::time::Duration::from_millis(30));
        let second = clock.now();
        assert!(second.boot_ms > first.boot_ms, "{first:?} {second:?}");
        assert!(!clock.boot_id().is_empty());
    }
}
