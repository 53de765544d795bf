//! Waiting for what must become so.

use std::future::Future;
use std::time::Duration;

/// How long a test waits for what must become so. Nothing that works takes as long, also on a slow and busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `holds`, asking again every few milliseconds; false when patience ends.
pub async fn becomes<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) -> bool {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if holds().await {
            return true;
        }
        if tokio::time::Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
