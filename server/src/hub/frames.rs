//! What clients say.

use innsync_domain::{EntityKind, EntityRef, Uuid};
use innsync_protocol::{ClientFrame, CloseCode, FrameError, ServerFrame};

use super::Hub;
use super::conn::{Flow, ack, bare_ack};
use super::io::{ClientKind, ConnId, HubOutput, Now, TokenFacts, Unchecked};
use super::rooms::{Room, SUBSCRIPTIONS};

/// What the seed's own client sends upwards (§3.2). The server is the one that says what changed: these are passed over.
const PASSED_OVER: [&str; 3] = ["ENTITY_CREATED", "ENTITY_UPDATED", "ENTITY_DELETED"];

pub(super) fn error(conn: ConnId, code: &str, message: impl Into<String>) -> HubOutput {
    let frame = ServerFrame::Error { code: code.to_owned(), message: message.into() };
    HubOutput::Send { conn, text: frame.to_json().into() }
}

impl Hub {
    pub(super) fn text(&mut self, now: Now, conn: ConnId, text: &str, out: &mut Vec<HubOutput>) {
        self.alive(now, conn);
        if !self.whereabouts.contains_key(&conn) {
            return;
        }
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Heartbeat { .. }) => self.heartbeat(now, conn, out),
            Ok(ClientFrame::Resume(resume)) => self.resume(conn, resume, out),
            Ok(ClientFrame::Auth { token }) => {
                out.push(HubOutput::CheckToken { conn, token: Unchecked(token) });
            }
            Ok(ClientFrame::Subscribe { entity_type, entity_id }) => {
                self.subscribe(conn, entity_type, entity_id, out);
            }
            Ok(ClientFrame::Unsubscribe { entity_type, entity_id }) => {
                self.unsubscribe(conn, entity_type, entity_id);
            }
            Err(FrameError::UnknownType(name)) if PASSED_OVER.contains(&name.as_str()) => {}
            Err(wrong) => out.push(error(conn, wrong.code(), wrong.to_string())),
        }
    }

    pub(super) fn binary(&mut self, now: Now, conn: ConnId, out: &mut Vec<HubOutput>) {
        self.alive(now, conn);
        if self.whereabouts.contains_key(&conn) {
            let wrong = FrameError::Malformed("a binary frame; frames are text".to_owned());
            out.push(error(conn, wrong.code(), wrong.to_string()));
        }
    }

    pub(super) fn alive(&mut self, now: Now, conn: ConnId) {
        if let Some((entry, ..)) = self.at(conn) {
            entry.heard_ms = now.mono_ms;
        }
    }

    /// To a phone that is caught up: everything up to the head was said. While it catches up the answer waits its turn.
    fn heartbeat(&mut self, now: Now, conn: ConnId, out: &mut Vec<HubOutput>) {
        let Some((entry, feed, _)) = self.at(conn) else { return };
        let head = feed.head();
        let text = match &mut entry.flow {
            Flow::Waiting => bare_ack(now, head.epoch),
            Flow::CatchingUp { owed_ack, .. } => {
                owed_ack.get_or_insert(now.mono_ms);
                return;
            }
            Flow::Live { at } => {
                let from = at.seq;
                if head.seq > at.seq {
                    *at = head;
                }
                ack(now, from, *at)
            }
        };
        out.push(HubOutput::Send { conn, text });
    }

    fn subscribe(&mut self, conn: ConnId, kind: EntityKind, id: Option<Uuid>, out: &mut Vec<HubOutput>) {
        let Some((entry, _, rooms)) = self.at(conn) else { return };
        if entry.kind == ClientKind::InnSync {
            return;
        }
        // A kind is any text; what is kept for a socket must not grow with it.
        if !kind.is_known() {
            out.push(error(conn, "INVALID_FIELDS", "SUBSCRIBE names an entityType that there is not"));
            return;
        }
        if rooms.subscriptions(entry.viewer.id) >= SUBSCRIPTIONS {
            let message =
                format!("at most {SUBSCRIPTIONS} subscriptions; take some back, or subscribe to a kind");
            out.push(error(conn, "TOO_MANY_SUBSCRIPTIONS", message));
            return;
        }
        rooms.join(entry.viewer.id, room(kind, id));
    }

    fn unsubscribe(&mut self, conn: ConnId, kind: EntityKind, id: Option<Uuid>) {
        if let Some((entry, _, rooms)) = self.at(conn) {
            rooms.leave(entry.viewer.id, &room(kind, id));
        }
    }

    pub(super) fn token_checked(
        &mut self,
        conn: ConnId,
        facts: Option<TokenFacts>,
        out: &mut Vec<HubOutput>,
    ) {
        let Some((entry, ..)) = self.at(conn) else { return };
        let same = |facts: &TokenFacts| {
            facts.employee == entry.token.employee && facts.property == entry.token.property
        };
        let Some(facts) = facts.filter(same) else {
            self.close(conn, CloseCode::POLICY, "Authentication failed", out);
            return;
        };
        let expires_at = facts.expires_at.as_millis();
        entry.token = facts;
        out.push(HubOutput::Send { conn, text: ServerFrame::AuthOk { expires_at }.to_json().into() });
    }
}

fn room(kind: EntityKind, id: Option<Uuid>) -> Room {
    match id {
        Some(id) => Room::Entity(EntityRef::new(kind, id)),
        None => Room::Kind(kind),
    }
}
