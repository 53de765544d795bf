//! Driving a phone as `core/client` does: prepare, commit in one transaction, apply, and only then do what it says; with
//! deaths and full disks in between.

use std::fmt::{self, Display};

use innsync_domain::{Uuid, derived_id};
use innsync_engine::{
    Batch, ClientEvent, EffectBody, Input, OpState, Output, ParkReason, QueuedOp, Receipt, Settlement,
    StoreError, Write,
};
use innsync_protocol::CloseCode;

use crate::Bug;
use crate::digests::Counted;
use crate::failure::{Checked, Violation};
use crate::phone::Told;
use crate::plan::CrashPoint;
use crate::queue::Event;
use crate::shadow::Touched;
use crate::sometimes::Sometimes;
use crate::watch::{Choice, look};
use crate::world::{Accepted, World};

/// Accepted operations before a bug on purpose sets in.
const BUG_AFTER: usize = 10;

impl World {
    /// Something happens to a phone. Nothing does while its app is not running.
    pub(crate) fn feed(&mut self, who: usize, input: Input) -> Checked {
        if self.phones[who].engine.is_none() {
            return Ok(());
        }
        if self.phones[who].is_frozen(self.now) {
            let (life, at) = (self.phones[who].life, self.phones[who].frozen_until);
            self.queue.push(at, Event::Shell { who, life, input: Box::new(input) });
            return Ok(());
        }
        let choice = self.choice(who, &input);
        let expected = self.expected(who, &input);
        let name = self.name(who);
        self.note(format_args!("{name}: {}", Said(&input)));
        let is_failure = matches!(input, Input::CommitFailed);
        let phone = &mut self.phones[who];
        let Some(engine) = &phone.engine else { return Ok(()) };
        let store = Counted::new(phone.storage.store()?);
        let step = engine.prepare(phone.now(self.now), input, &store);
        self.digests += store.digests();
        let struck = self.strikes(who);
        if self.dies_on_disk(who)? {
            return Ok(());
        }
        let step = match step {
            Ok(step) => step,
            Err(error) if struck => return self.recover(who, &error),
            Err(error) => return Err(self.phones[who].failed(&error)),
        };
        if !step.batch.writes.is_empty() {
            if self.dies_at(who, CrashPoint::BeforeCommit)? {
                return Ok(());
            }
            if !is_failure && self.random.chance(self.faults.commit_fails) {
                self.reach(Sometimes::CommitFailed);
                self.note(format!("{}'s disk is full", self.name(who)));
                return self.feed(who, Input::CommitFailed);
            }
            let written = self.commit(who, &step.batch, choice)?;
            if self.dies_on_disk(who)? {
                return Ok(());
            }
            match written {
                Ok(()) => self.is_as_expected(who, &step.batch, &expected)?,
                Err(error) if is_failure => return self.recover(who, &error.into()),
                Err(error) => {
                    self.note(format!("{} could not write: {error}", self.name(who)));
                    return self.feed(who, Input::CommitFailed);
                }
            }
            if self.dies_at(who, CrashPoint::AfterCommit)? {
                return Ok(());
            }
        }
        let wrote = !step.batch.writes.is_empty();
        let outputs = match &mut self.phones[who].engine {
            Some(engine) => engine.apply(step),
            None => return Ok(()),
        };
        let half = outputs.len() / 2;
        for (index, output) in outputs.into_iter().enumerate() {
            if wrote && index == half && self.dies_at(who, CrashPoint::AmidOutputs)? {
                return Ok(());
            }
            self.carry_out(who, output)?;
            if self.phones[who].engine.is_none() {
                return Ok(());
            }
        }
        self.schedule_tick(who);
        self.look_after(who)
    }

    fn choice(&mut self, who: usize, input: &Input) -> Choice {
        match input {
            Input::Execute { id, command, .. } => {
                self.given.insert(*id, command.clone());
                Choice::Execute(*id)
            }
            Input::Retry { parked, id } => {
                if let Some(op) = self.phones[who].shadow.outbox.get(parked) {
                    self.given.insert(*id, op.op.command.clone());
                }
                Choice::GiveUp(*parked)
            }
            Input::Settle { parked, id, choice, .. } => {
                if let Some(command) = self.given_by_settling(who, *parked, choice) {
                    self.given.insert(*id, command);
                    // Without the fields that the person only named as they saw them.
                    if !matches!(choice, Settlement::Theirs) {
                        self.rests.insert(*id);
                    }
                }
                if let (Settlement::Theirs, Some(old)) = (choice, self.given.get(parked).cloned()) {
                    let rest = derived_id(*id, "rest");
                    self.given.insert(rest, old);
                    self.rests.insert(rest);
                }
                Choice::GiveUp(*parked)
            }
            Input::Edit { parked, id, command, .. } => {
                self.given.insert(*id, command.clone());
                Choice::GiveUp(*parked)
            }
            Input::Discard { id } => Choice::GiveUp(*id),
            _ => Choice::None,
        }
    }

    /// Commits to the database. Where that fails, as only a disk that does may make it, nothing has happened, unless the
    /// app dies next.
    fn commit(&mut self, who: usize, batch: &Batch, choice: Choice) -> Checked<Result<(), StoreError>> {
        let mut parts = vec![batch.clone()];
        if self.bug == Bug::CursorApart && self.phones[who].storage.is_on_disk() {
            parts = cursor_apart(batch);
        }
        for part in &parts {
            let written = self.phones[who].storage.commit(part)?;
            let struck = self.strikes(who);
            match written {
                Ok(written) => self.phones[who].observer.note(written),
                Err(error) if !struck => {
                    let detail = format!("{}'s database: {error}", self.name(who));
                    return Err(Violation::new("RUN", detail));
                }
                Err(error) => {
                    self.phones[who].storage.doubt.failed.push((batch.clone(), choice));
                    return Ok(Err(error));
                }
            }
        }
        self.written(who, batch, choice).map(Ok)
    }

    /// A batch was committed: checks what is there now.
    pub(crate) fn written(&mut self, who: usize, batch: &Batch, choice: Choice) -> Checked {
        let phone = &mut self.phones[who];
        if phone.storage.is_on_disk() {
            phone.storage.doubt.committed(&phone.shadow, batch);
        }
        let touched: Touched = phone.shadow.apply(batch);
        let parked = |id: &Uuid| {
            phone.shadow.outbox.get(id).is_some_and(|op| matches!(op.state, OpState::Parked { .. }))
        };
        self.parked.extend(touched.put.iter().map(|(id, _)| *id).filter(parked));
        if let Choice::GiveUp(id) = choice
            && touched.deleted.iter().any(|op| op.op.id == id)
        {
            self.given_up.insert(id);
        }
        let cursor = phone.shadow.meta.cursor;
        self.trace.bytes(&cursor.seq.to_le_bytes());
        self.watch_batch(who, &touched, choice);
        self.losers_are_told(who, batch, &touched)?;
        let model = self.history_of(who)?;
        let phone = &mut self.phones[who];
        let gone = touched.deleted.iter().map(|op| op.op.id).filter(|id| choice != Choice::GiveUp(*id));
        self.left.extend(gone.map(|id| (id, model)));
        let model = self.past.get(model).unwrap_or(&self.model);
        let restored = (!self.past.is_empty()).then_some(&self.model);
        phone.watch.committed(model, &phone.shadow, &touched, choice, restored)?;
        self.shows_what_is_pending(who, &touched)?;
        self.observed(who)
    }

    /// In which of the server's histories a phone's cursor is: how many were before it.
    pub(crate) fn history_of(&mut self, who: usize) -> Checked<usize> {
        let phone = &mut self.phones[who];
        let cursor = phone.shadow.meta.cursor;
        let histories = self.past.iter().chain([&self.model]);
        let Some(found) = histories.enumerate().filter(|(_, it)| it.has(&cursor)).map(|(at, _)| at).last()
        else {
            let detail = format!("{} is at {cursor:?}, where the server never was", phone.name());
            return Err(Violation::new("G6", detail));
        };
        if std::mem::replace(&mut phone.history, found) != found {
            phone.watch.other_history();
            self.reach(Sometimes::OtherHistory);
        }
        Ok(found)
    }

    fn dies_at(&mut self, who: usize, point: CrashPoint) -> Checked<bool> {
        match self.phones[who].death {
            Some(death) if death.point == point => {
                self.reach(match point {
                    CrashPoint::Idle | CrashPoint::BeforeCommit => Sometimes::DiedBeforeCommit,
                    CrashPoint::AfterCommit => Sometimes::DiedAfterCommit,
                    CrashPoint::AmidOutputs => Sometimes::DiedAmidOutputs,
                });
                self.kill(who, death.down_ms, death.reboot)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn carry_out(&mut self, who: usize, output: Output) -> Checked {
        if !matches!(output, Output::Status(_)) {
            let name = self.name(who);
            self.note(format_args!("{name} {}", Told(&output)));
        }
        self.watch_output(&output);
        match output {
            Output::OpenSocket { generation, token } => self.open_socket(who, generation, token.0),
            Output::SendFrame { generation, text } => {
                self.phones[who].resumes += u32::from(text.starts_with(r#"{"type":"RESUME""#));
                self.send_frame(who, generation, text);
            }
            Output::CloseSocket { .. } => self.drop_socket(who),
            Output::Http(request) => self.request(who, request),
            Output::SaveSession(session) => self.phones[who].session = Some(session),
            Output::SignInRequired(_) => {
                self.phones[who].session = None;
                if !self.phones[who].is_signing_in {
                    self.phones[who].is_signing_in = true;
                    let at = self.now + self.random.between(500, 20_000);
                    self.queue.push(at, Event::SignIn { who });
                }
            }
            Output::Executed { result: Ok(receipt), .. } => return self.saved(who, &receipt),
            Output::UpToDate { request } => return self.barrier_lifted(who, request),
            Output::Effect(_) if self.random.chance(self.faults.unseen) => {}
            Output::Effect(effect) => {
                self.effect_is_committed(who, &effect)?;
                let (life, at) = (self.phones[who].life, self.now + self.random.below(4_000));
                let input = Box::new(Input::Presented { effect: effect.id });
                self.queue.push(at, Event::Shell { who, life, input });
            }
            Output::Executed { .. }
            | Output::Operation(_)
            | Output::Event(_)
            // A shell that presents it all the same does no harm.
            | Output::Withdrawn(_)
            | Output::Connection(_)
            | Output::Status(_) => {}
        }
        Ok(())
    }

    fn watch_output(&mut self, output: &Output) {
        let reached = match output {
            Output::CloseSocket { code, .. } if *code == CloseCode::IDLE.0 => Sometimes::DeadLink,
            Output::SaveSession(_) => Sometimes::TokenRefreshed,
            Output::SignInRequired(_) => Sometimes::SignInRequired,
            Output::Executed { result: Err(_), .. } => Sometimes::RefusedAtOnce,
            Output::Operation(Receipt { state: Some(OpState::Parked { reason }), .. }) => match reason {
                ParkReason::Conflict { .. } => Sometimes::ParkedConflict,
                ParkReason::Rejected { rejection } => match rejection.reason.as_str() {
                    "DEPENDENCY_FAILED" => Sometimes::ParkedDependency,
                    "TOO_LARGE" => Sometimes::ParkedTooLarge,
                    _ => Sometimes::ParkedRefused,
                },
            },
            Output::Event(ClientEvent::Other { .. }) => Sometimes::PassedOver,
            Output::Effect(effect) if matches!(effect.body, EffectBody::EmergencyModal { .. }) => {
                Sometimes::Emergency
            }
            Output::Withdrawn(_) => Sometimes::Withdrawn,
            _ => return,
        };
        self.reach(reached);
    }

    /// What a transaction shows of what some runs should reach.
    fn watch_batch(&mut self, who: usize, touched: &Touched, choice: Choice) {
        let outbox = &self.phones[who].shadow.outbox;
        let applied = |op: &QueuedOp| matches!(op.state, OpState::Applied { .. });
        let again = |(id, before): &(Uuid, Option<QueuedOp>)| {
            before.as_ref().is_some_and(applied)
                && outbox.get(id).is_some_and(|op| matches!(op.state, OpState::Queued | OpState::Sent))
        };
        let offered = touched.put.iter().any(again);
        let under_work = touched.everything && !outbox.is_empty();
        let given_up = matches!(choice, Choice::GiveUp(_)) && !touched.deleted.is_empty();
        let retried = given_up && !touched.put.is_empty();
        for (is, what) in [
            (offered, Sometimes::Offered),
            (under_work, Sometimes::SwappedUnderWork),
            (retried, Sometimes::Retried),
            (given_up && !retried, Sometimes::Discarded),
        ] {
            if is {
                self.reach(what);
            }
        }
    }

    /// A person was told that their command is saved.
    fn saved(&mut self, who: usize, receipt: &Receipt) -> Checked {
        let id = receipt.id;
        // What a person gave up, where nothing is left to be recorded.
        if receipt.state.is_none() && self.given_up.contains(&id) {
            return Ok(());
        }
        let Some(command) = self.given.get(&id).cloned() else {
            return Err(Violation::new("G1", format!("{id} was saved, but nobody gave it")));
        };
        if !self.phones[who].shadow.outbox.contains_key(&id) && !command.is_cosmetic() {
            return Err(Violation::new("G1", format!("{id} was called saved before it was on the disk")));
        }
        let is_cosmetic = command.is_cosmetic();
        let person = self.phones[who].person;
        self.accepted.insert(id, Accepted { person, command });
        self.phones[who].last_op = Some(id);
        let is_time = self.bug_is_due && self.accepted.len() > BUG_AFTER && !is_cosmetic;
        if self.bug == Bug::Flicker && is_time {
            self.flicker(who, receipt)?;
        }
        if self.bug == Bug::LoseOperation && is_time {
            self.bug_is_due = false;
            let phone = &mut self.phones[who];
            phone.shadow.outbox.remove(&id);
            let batch = Batch { writes: vec![Write::DeleteOp(id)] };
            let written = phone.storage.commit(&batch)?;
            written.map_err(|error| Violation::new("RUN", error.to_string()))?;
            self.kill(who, 1_000, false)?;
        }
        Ok(())
    }

    /// A bug on purpose: see [`Bug::Flicker`].
    fn flicker(&mut self, who: usize, receipt: &Receipt) -> Checked {
        let shadow = &self.phones[who].shadow;
        let shown = shadow.shown.get(&receipt.entity).cloned();
        let base = shadow.bases.get(&receipt.entity).cloned().flatten();
        if let (Some(shown), Some(base)) = (shown, base)
            && look(&shown) != look(&base)
        {
            self.bug_is_due = false;
            for row in [base, shown] {
                let _ = self.commit(who, &Batch { writes: vec![Write::Show(row)] }, Choice::None)?;
            }
        }
        Ok(())
    }
}

/// A bug on purpose: see [`Bug::CursorApart`].
fn cursor_apart(batch: &Batch) -> Vec<Batch> {
    let (cursor, rest): (Vec<Write>, Vec<Write>) =
        batch.writes.iter().cloned().partition(|write| matches!(write, Write::PutMeta(_)));
    let parts = [Batch { writes: cursor }, Batch { writes: rest }];
    parts.into_iter().filter(|part| !part.writes.is_empty()).collect()
}

/// An input in a few words, for the trace.
struct Said<'a>(&'a Input);

impl Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Input::Execute { request, id, command, depends_on } => {
                write!(f, "{request} {id}")?;
                depends_on.iter().try_for_each(|id| write!(f, " after {id}"))?;
                write!(f, " {}", serde_json::to_string(command).unwrap_or_default())
            }
            Input::Socket { generation, .. } => write!(f, "socket {generation}"),
            Input::Http { id, answer } => {
                write!(f, "http {id} {}", answer.as_ref().map_or(0, |answer| answer.status))
            }
            Input::SnapshotLines { id, lines } => write!(f, "http {id}, {} lines", lines.len()),
            Input::SignedIn(_) => f.write_str("signed in"),
            other => write!(f, "{other:?}"),
        }
    }
}
