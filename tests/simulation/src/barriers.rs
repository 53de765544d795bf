//! Barriers (G11): what a caller was promised, and whether it was so when they were told.

use innsync_engine::{Input, OpState, QueuedOp};
use innsync_protocol::Cursor;

use crate::failure::{Checked, Violation};
use crate::host::broken;
use crate::people::PROPERTY;
use crate::shadow::Shadow;
use crate::sometimes::Sometimes;
use crate::world::World;

/// Somebody waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Barrier {
    request: u64,
    /// Where the server was at the call, and in which of its histories: how many were before it.
    head: Cursor,
    history: usize,
    /// The first place in the outbox that was free.
    before: u64,
}

impl Barrier {
    /// An operation from before it that is neither confirmed nor parked.
    pub(crate) fn unsettled<'a>(&self, shadow: &'a Shadow) -> Option<&'a QueuedOp> {
        let parked = |state: &OpState| matches!(state, OpState::Parked { .. });
        shadow.outbox.values().find(|op| op.order < self.before && !parked(&op.state))
    }
}

impl World {
    /// Somebody wants to know when they are up to date.
    pub(crate) fn raise_barrier(&mut self, who: usize) -> Checked {
        let head = self.host.authority.read().head(PROPERTY).map_err(broken)?;
        let history = self.past.len();
        let phone = &mut self.phones[who];
        if phone.engine.is_none() || phone.is_frozen(self.now) {
            return Ok(());
        }
        phone.requests += 1;
        let barrier =
            Barrier { request: phone.requests, head, history, before: phone.shadow.meta.next_order };
        phone.barriers.push(barrier);
        self.feed(who, Input::Barrier { request: barrier.request })
    }

    /// They are told that they are.
    pub(crate) fn barrier_lifted(&mut self, who: usize, request: u64) -> Checked {
        self.reach(Sometimes::UpToDate);
        let history = self.history_of(who)?;
        let phone = &mut self.phones[who];
        let name = phone.name();
        let Some(at) = phone.barriers.iter().position(|barrier| barrier.request == request) else {
            return Err(Violation::new(
                "G11",
                format!("{name}'s barrier {request} was lifted, and none was raised"),
            ));
        };
        let barrier = phone.barriers.remove(at);
        let cursor = phone.shadow.meta.cursor;
        if (history, cursor.seq) < (barrier.history, barrier.head.seq) {
            let detail = format!(
                "{name} is told to be up to date at {}, the server was at {}",
                cursor.seq, barrier.head.seq
            );
            return Err(Violation::new("G11", detail));
        }
        match barrier.unsettled(&phone.shadow) {
            Some(op) => {
                Err(Violation::new("G11", format!("{name} is told to be up to date, and {} waits", op.op.id)))
            }
            None => Ok(()),
        }
    }
}
