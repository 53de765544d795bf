//! Sessions, as the edge of the server would give them: access tokens that expire, refresh tokens that are good once
//! (and a little longer, for the answer that was lost).

use std::collections::BTreeMap;

use innsync_domain::{Timestamp, Uuid};
use innsync_engine::Session;

use crate::people::PEOPLE;

/// How long a superseded refresh token is still taken, in milliseconds.
const GRACE_MS: i64 = 60_000;
/// How long an access token is good where it is good as for ever.
const FOR_EVER_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Whose a token is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    pub(crate) who: usize,
    pub(crate) session: Uuid,
    pub(crate) expires_at: Timestamp,
}

#[derive(Debug, Clone)]
struct Refresh {
    who: usize,
    session: Uuid,
    superseded_at: Option<Timestamp>,
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    count: u128,
    life_ms: i64,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Refresh>,
}

impl Issuer {
    /// `life_ms` of an access token; 0: for ever.
    pub(crate) fn new(life_ms: u64) -> Self {
        let life_ms = if life_ms == 0 { FOR_EVER_MS } else { life_ms as i64 };
        Self { count: 0, life_ms, access: BTreeMap::new(), refresh: BTreeMap::new() }
    }

    /// From now on tokens are good for ever.
    pub(crate) fn calm_down(&mut self) {
        self.life_ms = FOR_EVER_MS;
    }

    /// The server goes on from a backup: it knows the refresh tokens of then. Access tokens are known by their signature.
    pub(crate) fn restore(&mut self, backup: &Self) {
        self.refresh.clone_from(&backup.refresh);
    }

    /// A person signs in.
    pub(crate) fn sign_in(&mut self, who: usize, now: Timestamp) -> Session {
        let session = Uuid::from_u128(self.count + 1);
        self.issue(who, session, now)
    }

    fn issue(&mut self, who: usize, session: Uuid, now: Timestamp) -> Session {
        self.count += 1;
        let name = PEOPLE[who].name;
        let (access, refresh) =
            (format!("access-{name}-{}", self.count), format!("refresh-{name}-{}", self.count));
        let expires_at = now.plus_millis(self.life_ms);
        self.access.insert(access.clone(), Access { who, session, expires_at });
        self.refresh.insert(refresh.clone(), Refresh { who, session, superseded_at: None });
        Session { access_token: access, refresh_token: refresh, expires_at }
    }

    /// Whose the access token is, if it is good.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Option<Access> {
        self.access.get(token).copied().filter(|access| now < access.expires_at)
    }

    /// New tokens for a refresh token, if it is good.
    pub(crate) fn refresh(&mut self, token: &str, now: Timestamp) -> Option<(usize, Session)> {
        let found = self.refresh.get_mut(token)?;
        match found.superseded_at {
            Some(at) if now > at.plus_millis(GRACE_MS) => return None,
            Some(_) => {}
            None => found.superseded_at = Some(now),
        }
        let (who, session) = (found.who, found.session);
        Some((who, self.issue(who, session, now)))
    }

    /// The person's access tokens are not taken any more.
    pub(crate) fn revoke_access(&mut self, who: usize) {
        self.access.retain(|_, access| access.who != who);
    }

    /// The person's sessions end, which they were.
    pub(crate) fn end_sessions(&mut self, who: usize) -> Vec<Uuid> {
        let mut ended: Vec<Uuid> =
            self.refresh.values().filter(|it| it.who == who).map(|it| it.session).collect();
        ended.dedup();
        self.revoke_access(who);
        self.refresh.retain(|_, refresh| refresh.who != who);
        ended
    }
}
