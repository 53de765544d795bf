//! The engine's own limits, with their units. Those of the wire are in `innsync_protocol::limits`.

/// Milliseconds before the first reconnect, doubled at each failure.
pub const BACKOFF_FIRST_MS: u64 = 1_000;
/// Milliseconds between reconnects at most.
pub const BACKOFF_CAP_MS: u64 = 30_000;
/// Failed attempts after which a person is told once that it still does not work.
pub const ATTEMPTS_BEFORE_TOLD: u32 = 5;
/// Milliseconds connected after which the backoff starts anew.
pub const STABLE_MS: u64 = 30_000;
/// Milliseconds from opening a socket to its CONNECTED frame.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// Milliseconds for an HTTP answer.
pub const HTTP_TIMEOUT_MS: u64 = 30_000;
/// Milliseconds before expiry at which the access token is refreshed.
pub const REFRESH_AHEAD_MS: i64 = 60_000;
/// Milliseconds between pulls while no WebSocket can be had but HTTP answers.
pub const POLL_MS: u64 = 15_000;
/// Milliseconds within which a sendable operation is attempted (G3).
pub const SEND_WITHIN_MS: u64 = 5_000;
/// Operations queued on one phone; more are refused with a clear error.
pub const OPS_QUEUED: usize = 10_000;
/// Frames that are not commands, kept while offline; the oldest are dropped.
pub const FRAMES_QUEUED: usize = 100;
/// Frames kept while a pull is under way.
pub const FRAMES_BUFFERED: usize = 256;
/// Rows in one write transaction of a snapshot.
pub const ROWS_PER_TRANSACTION: usize = 500;
/// Effects remembered after they were presented, so that none is shown twice.
pub const EFFECTS_REMEMBERED: usize = 1_000;
