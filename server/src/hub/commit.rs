//! A commit comes by.

use innsync_protocol::{CloseCode, Cursor, Reset, ResetReason, ServerFrame};

use super::conn::Flow;
use super::fanout::Fanout;
use super::feed::{Feed, Step};
use super::io::{ClientKind, ConnId, HubOutput, Text};
use super::{Hub, Property};
use crate::authority::Committed;

impl Hub {
    pub(super) fn committed(&mut self, committed: &Committed, out: &mut Vec<HubOutput>) {
        let property = self
            .properties
            .entry(committed.property.clone())
            .or_insert_with(|| Property::new(Feed::before(committed)));
        match property.feed.advance(committed) {
            Step::Old => {}
            Step::Next => {
                let Ended { dismissed, moved } = property.tell(committed, out);
                for conn in dismissed {
                    self.close(conn, CloseCode::POLICY, "Authentication failed", out);
                }
                for conn in moved {
                    self.close(conn, CloseCode::GOING_AWAY, "Role changed", out);
                }
            }
            Step::Gap => {
                // Something was written past the authority. Who sees what may have changed with it: everybody comes
                // back, is read afresh and catches up.
                let all: Vec<ConnId> = property.conns.keys().copied().collect();
                for conn in all {
                    self.close(conn, CloseCode::GOING_AWAY, "Try again", out);
                }
            }
        }
    }
}

/// Sockets that a commit ends.
#[derive(Default)]
struct Ended {
    /// Of whoever is not on the staff any more.
    dismissed: Vec<ConnId>,
    /// The seed's, of whoever has another role or department: they know no RESET, so they come back and read anew.
    moved: Vec<ConnId>,
}

impl Property {
    /// Tells everybody.
    fn tell(&mut self, committed: &Committed, out: &mut Vec<HubOutput>) -> Ended {
        let mut fanout = Fanout::new(committed, self.feed.head().epoch);
        let mut ended = Ended::default();
        self.tell_seeds(committed, &mut fanout, out);
        let mut reset: Option<Text> = None;
        for (id, conn) in &mut self.conns {
            if committed.seq <= conn.since {
                continue;
            }
            if fanout.dismisses(conn.viewer.id) {
                ended.dismissed.push(*id);
                continue;
            }
            let seen = fanout.seen(&conn.viewer);
            let changed = seen.changed_person.filter(|person| **person != conn.viewer).cloned();
            let (is_empty, scope_changed) = (seen.is_empty, seen.scope_changed);
            match &mut conn.flow {
                _ if conn.kind == ClientKind::Seed => {
                    if scope_changed {
                        ended.moved.push(*id);
                    }
                }
                Flow::Waiting => {}
                flow if scope_changed => {
                    *flow = Flow::Waiting;
                    let text = reset.get_or_insert_with(scope_reset).clone();
                    out.push(HubOutput::Send { conn: *id, text });
                }
                Flow::CatchingUp { .. } => {}
                Flow::Live { at } if is_empty || committed.seq <= at.seq => {}
                Flow::Live { at } => {
                    let text = fanout.delta(&conn.viewer, at.seq).text().clone();
                    *at = Cursor { epoch: at.epoch, seq: committed.seq, mark: committed.mark };
                    out.push(HubOutput::Send { conn: *id, text });
                }
            }
            if let Some(after) = changed {
                conn.viewer = after;
            }
        }
        ended
    }

    /// The seed's sockets, by rooms. The actor's own hear, too: the seed's client skips its own.
    fn tell_seeds(&self, committed: &Committed, fanout: &mut Fanout<'_>, out: &mut Vec<HubOutput>) {
        for id in self.rooms.sockets(&fanout.rooms(), None) {
            let Some(conn) = self.conns.get(&id) else { continue };
            if committed.seq > conn.since && !fanout.dismisses(conn.viewer.id) {
                let events = fanout.events(&conn.viewer).iter().cloned();
                out.extend(events.map(|text| HubOutput::Send { conn: id, text }));
            }
        }
    }
}

fn scope_reset() -> Text {
    ServerFrame::Reset(Reset { reason: ResetReason::Scope }).to_json().into()
}
