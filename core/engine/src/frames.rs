//! What the server says on the socket.

use std::sync::Arc;

use innsync_domain::Timestamp;
use innsync_protocol::limits::PENDING_PER_RESUME;
use innsync_protocol::{ClientFrame, Connected, Delta, HeartbeatAck, Resume, ServerFrame};

use crate::draft::Draft;
use crate::limits::{FRAMES_QUEUED, REFRESH_APART_MS};
use crate::link::{Event, Loss};
use crate::output::{ClientEvent, Output, SignInReason};
use crate::store::StoreError;

impl Draft<'_> {
    pub(crate) fn on_frame(&mut self, text: &str) -> Result<(), StoreError> {
        match ServerFrame::parse(text) {
            Ok(ServerFrame::Connected(connected)) => self.on_connected(connected),
            Ok(ServerFrame::Delta(delta)) => return self.on_delta(delta),
            Ok(ServerFrame::HeartbeatAck(ack)) => return self.on_heartbeat_ack(&ack),
            Ok(ServerFrame::Reset(reset)) => self.on_reset_frame(&reset),
            Ok(ServerFrame::AuthOk { .. }) => self.state.session.accepted(),
            Ok(ServerFrame::Error { code, message }) => {
                self.error(format!("the server says {code}: {message}"))
            }
            Ok(ServerFrame::Reconnect { after }) => self.link_event(Event::Lost(Loss::Drained { after })),
            Ok(ServerFrame::Unknown { frame_type }) => {
                let event = ClientEvent::Other { name: frame_type, text: text.to_owned() };
                self.tell(Output::Event(event));
            }
            Err(error) => {
                // It may have been a DELTA; what it held comes again with the pull.
                self.error(format!("a frame could not be read: {error}"));
                self.state.feed.want_pull();
            }
        }
        Ok(())
    }

    fn on_connected(&mut self, connected: Connected) {
        if self.state.link.is_live() {
            return;
        }
        if connected.user_id != self.config.employee {
            // Operations only ever leave with their author's token.
            self.error("the token is another person's");
            return self.end_session(SignInReason::Expired);
        }
        self.state.clock.measure(self.now, connected.timestamp);
        self.plan_refresh(REFRESH_APART_MS);
        self.link_event(Event::Greeted { interval: connected.heartbeat_interval });
        if self.state.meta.property.as_ref() != Some(&connected.property) {
            self.state.meta.property = Some(connected.property);
        }
        self.tell(Output::Event(ClientEvent::Connected));
        if std::mem::take(&mut self.state.link.told_lost) {
            self.notice_restored();
        }
        self.state.feed.connected();
        self.resume();
        self.flush_frames();
        self.state.push.retry_now();
        self.state.feed.retry_now();
        self.state.snapshots.retry_now();
    }

    /// Says where the phone stands; the server continues from there.
    pub(crate) fn resume(&mut self) {
        let Some(generation) = self.state.link.live_generation() else { return };
        let cursor = self.reach();
        let frame = ClientFrame::Resume(Resume {
            cursor,
            device: self.config.device.clone(),
            pending: self.state.outbox.unanswered(PENDING_PER_RESUME),
        });
        self.tell(Output::SendFrame { generation, text: frame.to_json() });
        self.state.feed.resumed(cursor, self.state.outbox.taken());
        if self.boot() < self.state.push.watched_until || self.state.barriers.want_pull(&self.state.feed) {
            self.drop_late_pull();
        }
    }

    /// A frame of the app's own.
    pub(crate) fn send_frame(&mut self, text: String) {
        if let Some(generation) = self.state.link.live_generation() {
            return self.tell(Output::SendFrame { generation, text });
        }
        let frames = Arc::make_mut(&mut self.state.frames);
        if frames.len() >= FRAMES_QUEUED {
            frames.pop_front();
            frames.push_back(text);
            return self.error(format!("more than {FRAMES_QUEUED} frames wait; the oldest was dropped"));
        }
        frames.push_back(text);
    }

    fn flush_frames(&mut self) {
        let Some(generation) = self.state.link.live_generation() else { return };
        let frames = std::mem::take(&mut self.state.frames);
        for text in frames.iter() {
            self.tell(Output::SendFrame { generation, text: text.clone() });
        }
    }

    fn on_heartbeat_ack(&mut self, ack: &HeartbeatAck) -> Result<(), StoreError> {
        self.state.clock.measure(self.now, ack.timestamp);
        // The server does not know yet where this phone stands, or is about to say what came since: a sign of life alone.
        if ack.epoch == 0 || (ack.to == 0 && self.state.meta.cursor.seq > 0) {
            return Ok(());
        }
        let delta = Delta {
            epoch: ack.epoch,
            from: ack.from,
            to: ack.to,
            mark: ack.mark,
            commits: Vec::new(),
            results: Vec::new(),
            more: false,
            digest: None,
        };
        self.on_delta(delta)?;
        let cursor = self.state.meta.cursor;
        if (cursor.epoch, cursor.seq, cursor.mark) == (ack.epoch, ack.to, ack.mark) {
            self.up_to_date(Timestamp::from_millis(ack.timestamp));
        }
        Ok(())
    }
}
