//! What is to be done again and again: forgetting what is too old, and noticing what an operator did beside the server.

use std::sync::Arc;
use std::time::Duration;

use super::state::Shared;
use crate::auth::REFRESH_TTL_MS;
use crate::authority::{Authority, Retention};

/// How often, at most and at least; in between, so often that nothing is kept for much longer than it is to be.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(60 * 60);

/// How often it is looked whether another process has ended sessions.
const BESIDE: Duration = Duration::from_secs(2);

/// Ends here what another process has ended in the ledger, as `person set-password` does. Runs until the task is dropped.
pub(super) async fn follow(shared: Arc<Shared>) {
    let mut tick = tokio::time::interval(BESIDE);
    let mut seen = None;
    loop {
        tick.tick().await;
        let looked =
            shared.writer.run(move |authority| (authority.ledger().ended_beside(seen), Vec::new())).await;
        match looked {
            Ok(Ok((version, ended))) => {
                seen = Some(version);
                for (session, ended_at) in ended {
                    shared.close_session(session, ended_at).await;
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "whether sessions were ended beside this server is not known")
            }
            // The server is busy, or stops.
            Err(_) => {}
        }
    }
}

/// Forgets, at the start and from then on. Runs until the task is dropped.
pub(super) async fn forget(shared: Arc<Shared>, keep_changes: Duration) {
    let changes_ms = i64::try_from(keep_changes.as_millis()).unwrap_or(i64::MAX);
    // No access token is good for longer.
    let keep = Retention { changes_ms, ended_sessions_ms: REFRESH_TTL_MS };
    let mut tick = tokio::time::interval((keep_changes / 24).clamp(OFTEN, SELDOM));
    loop {
        tick.tick().await;
        let now = shared.now();
        shared.gate.forget_ended(now.plus_millis(-REFRESH_TTL_MS));
        while forget_slice(&shared, keep).await {}
    }
}

/// Whether there is more to forget just now. What could not be done is done another time.
async fn forget_slice(shared: &Shared, keep: Retention) -> bool {
    let now = shared.now();
    let forget = move |authority: &mut Authority| {
        let more = authority.forget_old(now, &keep);
        match authority.forget_conflicts(now) {
            Ok((more_conflicts, committed)) => (more.map(|more| more || more_conflicts), committed),
            Err(error) => (more.and(Err(error)), Vec::new()),
        }
    };
    match shared.writer.run(forget).await {
        Ok(Ok(more)) => more,
        Ok(Err(error)) => {
            tracing::warn!(%error, "what is too old could not be forgotten");
            false
        }
        Err(_) => false,
    }
}
