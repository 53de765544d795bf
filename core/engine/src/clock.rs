//! Time as the driver hands it in.

use innsync_domain::Timestamp;

/// The phone's clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the phone was switched on, sleep included; never goes back within a boot. All deadlines are in
    /// it.
    pub boot_ms: u64,
    /// The wall clock, which may be wrong and may jump.
    pub wall: Timestamp,
}
