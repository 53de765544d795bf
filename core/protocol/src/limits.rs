//! Limits on the wire. Both sides know them; what is over is refused, not cut.

/// Bytes of one WebSocket frame, either way. Over it the connection is closed with 1009.
pub const FRAME_BYTES: usize = 256 * 1024;
/// Bytes of one operation as JSON. Over it a phone refuses the command at once.
pub const OP_BYTES: usize = 64 * 1024;
/// Bytes of a REST request's body.
pub const BODY_BYTES: usize = 1024 * 1024;
/// Operations in one push.
pub const OPS_PER_PUSH: usize = 256;
/// Unanswered operations named in RESUME or a snapshot request.
pub const PENDING_PER_RESUME: usize = 256;
/// Commits in one DELTA of a catch-up; more follow in further ones.
pub const COMMITS_PER_DELTA: usize = 200;
/// Frames that wait for a slow connection before the server closes it.
pub const QUEUED_FRAMES: usize = 512;
/// Bytes that wait for a slow connection before the server closes it.
pub const QUEUED_BYTES: usize = 1024 * 1024;
/// Milliseconds between a client's heartbeats.
pub const HEARTBEAT_MS: u64 = 30_000;
/// Milliseconds that a client waits for any frame after its heartbeat before it takes the link for dead.
pub const HEARTBEAT_GRACE_MS: u64 = 5_000;
/// Milliseconds without any frame after which the server drops a connection.
pub const SERVER_IDLE_MS: u64 = 95_000;
/// Characters in a device's name.
pub const DEVICE_CHARS: usize = 100;
