//! Sessions that have ended while access tokens of theirs would still be good.

use std::collections::BTreeMap;

use innsync_domain::{Timestamp, Uuid};

/// Each with when its last access token expires.
#[derive(Debug, Default)]
pub(super) struct Revoked(BTreeMap<Uuid, Timestamp>);

impl Revoked {
    pub(super) fn add(&mut self, now: Timestamp, session: Uuid, until: Timestamp) {
        self.0.retain(|_, until| *until > now);
        self.0.insert(session, until);
    }

    pub(super) fn contains(&self, session: Uuid) -> bool {
        self.0.contains_key(&session)
    }
}
