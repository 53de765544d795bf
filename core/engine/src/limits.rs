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
/// Milliseconds between two comparisons of the phone's rows with the server's, on average, each phone at another time.
pub const DIGEST_EVERY_MS: u64 = 6 * 60 * 60 * 1000;
/// Milliseconds after the start within which the first is asked for.
pub const DIGEST_FIRST_MS: u64 = 10 * 60 * 1000;
/// Milliseconds without a sign of the server after which [`crate::Engine::rest`] takes it for unreachable.
pub const SILENCE_MS: u64 = 10_000;
/// Operations queued on one phone; more are refused with a clear error.
pub const OPS_QUEUED: usize = 10_000;
/// Milliseconds that an operation stays on the phone after a person discarded it.
pub const DISCARDED_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Frames that are not commands, kept while offline; the oldest are dropped.
pub const FRAMES_QUEUED: usize = 100;
/// Frames kept while a pull is under way.
pub const FRAMES_BUFFERED: usize = 256;
/// Milliseconds after which it is asked what became of an operation that was taken, as an answer to a push from before RESUME
/// says, where the socket does not bring its commit.
pub const TAKEN_WAITS_MS: u64 = 10_000;
/// Pages kept of pulls that outlived their connection.
pub const PAGES_KEPT: usize = 8;
/// Rows in one write transaction of a snapshot.
pub const ROWS_PER_TRANSACTION: usize = 500;
/// Effects remembered after they were presented, so that none is shown twice.
pub const EFFECTS_REMEMBERED: usize = 1_000;
/// Effects that wait to be presented; of more, the oldest are withdrawn. Those of emergencies that go on are not counted.
pub const EFFECTS_WAITING: usize = 100;
/// Milliseconds after which a toast or a short sound that was not presented is withdrawn.
pub const EFFECT_MAX_AGE_MS: i64 = 3_600_000;
/// Milliseconds beyond [`HTTP_TIMEOUT_MS`] after which the engine itself gives a request up, should the driver never answer.
pub const HTTP_GRACE_MS: u64 = 5_000;
/// Milliseconds that a server may ask a phone to stay away before it reconnects; longer wishes are cut.
pub const DRAIN_CAP_MS: u64 = 300_000;
/// Milliseconds between two refreshes of the access token at least, however short its life.
pub const REFRESH_APART_MS: i64 = 10_000;
/// Milliseconds after which news of suites and unassigned tasks are no longer told: who was offline for a day wants to see
/// the board, not a hundred toasts.
pub const NEWS_MAX_AGE_MS: i64 = 300_000;
/// Milliseconds that a toast stays where the table of effects names no time.
pub const TOAST_MS: u32 = 4_000;
