//! Sessions that have ended while access tokens of theirs would still be good. The ledger has them as well, for the next
//! start.

use std::collections::BTreeMap;

use innsync_domain::{Timestamp, Uuid};

/// Each with when it ended.
#[derive(Debug, Default)]
pub(super) struct Revoked(BTreeMap<Uuid, Timestamp>);

impl Revoked {
    /// Whether that is news.
    pub(super) fn add(&mut self, session: Uuid, ended_at: Timestamp) -> bool {
        self.0.insert(session, ended_at).is_none()
    }

    pub(super) fn contains(&self, session: Uuid) -> bool {
        self.0.contains_key(&session)
    }

    pub(super) fn forget(&mut self, before: Timestamp) {
        self.0.retain(|_, ended_at| *ended_at >= before);
    }
}
