//! From RESUME to live: the ledger is asked for one page. Where more is to come, the phone is live at once after a gap and
//! pulls what is in between over HTTP, at its own pace: nothing waits for it here. Otherwise the ledger is asked again
//! until its answer has reached all that came by meanwhile.

use innsync_domain::Uuid;
use innsync_protocol::{CloseCode, Cursor, Resume, ServerFrame, SyncAnswer, limits};

use super::Hub;
use super::conn::{Flow, ack, bare_ack};
use super::fanout::{gap, write};
use super::frames::error;
use super::io::{ClientKind, ConnId, HubOutput, Now};

impl Hub {
    pub(super) fn resume(&mut self, conn: ConnId, resume: Resume, out: &mut Vec<HubOutput>) {
        let Some((entry, ..)) = self.at(conn) else { return };
        if entry.kind == ClientKind::Seed {
            let message = "RESUME is for sockets of the subprotocol innsync.v1";
            out.push(error(conn, "UNEXPECTED_FRAME", message));
            return;
        }
        let Resume { cursor, device, pending } = resume;
        if pending.len() > limits::PENDING_PER_RESUME || device.chars().count() > limits::DEVICE_CHARS {
            let message = format!(
                "RESUME names at most {} operations and a device of {} characters",
                limits::PENDING_PER_RESUME,
                limits::DEVICE_CHARS
            );
            out.push(error(conn, "INVALID_FIELDS", message));
            return;
        }
        self.ask(conn, cursor, pending, None, out);
    }

    /// Asks the ledger; an answer to an earlier question is not waited for any more.
    fn ask(
        &mut self,
        conn: ConnId,
        cursor: Cursor,
        pending: Vec<Uuid>,
        owed_ack: Option<u64>,
        out: &mut Vec<HubOutput>,
    ) {
        self.tickets += 1;
        let ticket = self.tickets;
        let Some((entry, ..)) = self.at(conn) else { return };
        entry.flow = Flow::CatchingUp { ticket, owed_ack };
        let (property, viewer) = (entry.token.property.clone(), entry.viewer.id);
        out.push(HubOutput::CatchUp { conn, ticket, property, viewer, cursor, pending });
    }

    pub(super) fn caught_up(
        &mut self,
        now: Now,
        conn: ConnId,
        ticket: u64,
        answer: Option<SyncAnswer>,
        out: &mut Vec<HubOutput>,
    ) {
        let Some((entry, feed, _)) = self.at(conn) else { return };
        let owed_ack = match entry.flow {
            Flow::CatchingUp { ticket: asked, owed_ack } if asked == ticket => owed_ack,
            _ => return,
        };
        let head = feed.head();
        match answer {
            Some(SyncAnswer::Delta(delta)) => {
                let mut at = Cursor { epoch: delta.epoch, seq: delta.to, mark: delta.mark };
                let (is_behind, is_far) = (delta.to < head.seq, delta.more);
                out.push(HubOutput::Send { conn, text: write(delta).text().clone() });
                if is_behind && !is_far {
                    self.ask(conn, at, Vec::new(), owed_ack, out);
                    return;
                }
                // Not behind although there is more: what is to come has yet to come by here, and is sent then.
                if is_behind {
                    at = head;
                    out.push(HubOutput::Send { conn, text: gap(at) });
                }
                entry.flow = Flow::Live { at };
                if owed_ack.is_some() {
                    out.push(HubOutput::Send { conn, text: ack(now, at.seq, at) });
                }
            }
            Some(SyncAnswer::Reset(reset)) => {
                entry.flow = Flow::Waiting;
                out.push(HubOutput::Send { conn, text: ServerFrame::Reset(reset).to_json().into() });
                if owed_ack.is_some() {
                    out.push(HubOutput::Send { conn, text: bare_ack(now, head.epoch) });
                }
            }
            None => self.close(conn, CloseCode::GOING_AWAY, "The ledger could not be read", out),
        }
    }
}
