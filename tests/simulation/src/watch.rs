//! What is checked of a phone at each of its transactions: that its mirror is the reference at its cursor (G6), that
//! nothing leaves its outbox unresolved (G1), and that nothing flickers (G7).

use std::collections::{BTreeMap, BTreeSet};

use innsync_domain::{Entity, EntityKind, EntityRef, Person, Timestamp, Uuid};
use innsync_engine::{OpState, QueuedOp};

use crate::failure::{Checked, Violation};
use crate::model::{Model, Rows, person, seen};
use crate::shadow::{Shadow, Touched};

/// Who watches one phone.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    name: &'static str,
    me: Uuid,
    /// What the mirror should hold, and of which commit that is.
    expected: Rows,
    seq: u64,
    /// Whether that is of another history of the server's than what comes now.
    is_other_history: bool,
    /// Operations that another phone sends, too, with a copy of this one's outbox: as long as they are in it, the server's
    /// state may be of a later one than this phone thinks that it has sent.
    shared: BTreeSet<Uuid>,
    /// What a row has looked like since it last had a reason to change back.
    looks: BTreeMap<EntityRef, Vec<Option<Entity>>>,
}

/// What a person did, if the transaction is of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Nothing: the network or time did.
    None,
    /// Gave that command.
    Execute(Uuid),
    /// Gave that operation up, or tries it again under another id.
    GiveUp(Uuid),
}

impl Watch {
    pub(crate) fn new(name: &'static str, me: Uuid) -> Self {
        Self {
            name,
            me,
            expected: Rows::new(),
            seq: 0,
            is_other_history: false,
            shared: BTreeSet::new(),
            looks: BTreeMap::new(),
        }
    }

    /// Who watches the phone that gets a copy of this one's database, with that outbox.
    pub(crate) fn of_copy<'a>(
        &mut self,
        name: &'static str,
        outbox: impl Iterator<Item = &'a QueuedOp>,
    ) -> Self {
        self.shared.extend(outbox.map(|op| op.op.id));
        Self { name, ..self.clone() }
    }

    /// A transaction was committed. `model`: the history that the phone's cursor is of; `restored`: that of the server by now,
    /// where a backup was restored before.
    pub(crate) fn committed(
        &mut self,
        model: &Model,
        shadow: &Shadow,
        touched: &Touched,
        by: Choice,
        restored: Option<&Model>,
    ) -> Checked {
        let from = self.seq;
        let applied = |op: &QueuedOp| matches!(op.state, OpState::Applied { .. });
        let is_doubted = |id: &Uuid| shadow.outbox.get(id).is_some_and(|op| !applied(op));
        let mut before = touched.put.iter().filter(|(_, before)| before.as_ref().is_some_and(applied));
        if let Some((id, _)) = before.find(|(id, _)| is_doubted(id)).filter(|_| restored.is_none()) {
            let detail = format!("{} doubts {id}, that the server has taken and not lost", self.name);
            return Err(Violation::new("G7", detail));
        }
        self.removed(model, shadow, touched, by, restored)?;
        self.mirror(model, shadow, touched)?;
        self.flicker(model, shadow, touched, by, from)?;
        self.shared.retain(|id| shadow.outbox.contains_key(id));
        Ok(())
    }

    fn removed(
        &self,
        model: &Model,
        shadow: &Shadow,
        touched: &Touched,
        by: Choice,
        restored: Option<&Model>,
    ) -> Checked {
        let taken = |model: &Model, id| model.outcome(id).and_then(|outcome| outcome.seq());
        for op in &touched.deleted {
            let id = op.op.id;
            if by == Choice::GiveUp(id) || op.op.command.is_cosmetic() {
                continue;
            }
            let what = format!("{}'s {} {id} left the outbox", self.name, op.op.command.name());
            match taken(model, id) {
                // The next word of the server tells the phone that its history is another one, which has it.
                None if restored.is_some_and(|restored| taken(restored, id).is_some()) => {}
                None => return Err(Violation::new("G1", format!("{what}, but the server never took it"))),
                Some(seq) if shadow.meta.has_data && shadow.meta.cursor.seq < seq => {
                    let at = shadow.meta.cursor.seq;
                    return Err(Violation::new("G7", format!("{what} at {at}, before its commit {seq}")));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn mirror(&mut self, model: &Model, shadow: &Shadow, touched: &Touched) -> Checked {
        let to = shadow.meta.cursor.seq;
        if !shadow.meta.has_data {
            // The first snapshot is shown as it comes: there is nothing yet that it must agree with.
            self.expected.clear();
            self.seq = to;
            return Ok(());
        }
        let from = self.seq;
        if touched.everything
            || std::mem::take(&mut self.is_other_history)
            || (to != from && !self.advance(model, to)?)
        {
            self.expected = self.view(model, to)?;
            self.seq = to;
            return self.whole(shadow);
        }
        for change in model.entries(from, to).iter().flat_map(|entry| &entry.changes) {
            change.reference().map_or(Ok(()), |reference| self.compare(shadow, &reference))?;
        }
        touched.rows.iter().try_for_each(|reference| self.compare(shadow, reference))
    }

    /// The phone's cursor is one of another history of the server's than before: a backup was restored.
    pub(crate) fn other_history(&mut self) {
        self.is_other_history = true;
        self.looks.clear();
    }

    /// What was shown last is not known: the app was restarted after rows that come again were lost.
    pub(crate) fn forget_looks(&mut self) {
        self.looks.clear();
    }

    /// The whole mirror.
    pub(crate) fn whole(&self, shadow: &Shadow) -> Checked {
        let mirrored = shadow.mirrored();
        self.expected
            .keys()
            .chain(mirrored.into_keys())
            .try_for_each(|reference| self.compare(shadow, reference))
    }

    /// The end of the run: the phone has all there is.
    pub(crate) fn is_at_the_end(&self, model: &Model, shadow: &Shadow) -> Checked {
        let head = model.head();
        if shadow.meta.cursor.seq != head || !shadow.meta.has_data {
            let at = shadow.meta.cursor.seq;
            return Err(Violation::new("G9", format!("{} ends at {at}, the server at {head}", self.name)));
        }
        self.whole(shadow)
    }

    fn view(&self, model: &Model, seq: u64) -> Checked<Rows> {
        match model.view_at(seq, self.me) {
            Some((rows, _)) => Ok(rows),
            None => Err(Violation::new("G6", format!("{} is at {seq}, where nobody knows them", self.name))),
        }
    }

    /// Brings the expectation forward; `false`: it must be made anew.
    fn advance(&mut self, model: &Model, to: u64) -> Checked<bool> {
        if to < self.seq || to > model.head() {
            let detail =
                format!("{} goes from {} to {to}, the head is {}", self.name, self.seq, model.head());
            return Err(Violation::new("G6", detail));
        }
        let own = EntityRef::new(EntityKind::Employee, self.me);
        let Some(viewer) = person(&self.expected, self.me) else { return Ok(false) };
        for entry in model.entries(self.seq, to) {
            for change in &entry.changes {
                let Some(reference) = change.reference() else { continue };
                // Whoever changes themself may see other things than before.
                if reference == own {
                    return Ok(false);
                }
                self.expect(&viewer, &reference, change.after.as_ref());
            }
        }
        self.seq = to;
        Ok(true)
    }

    fn expect(&mut self, viewer: &Person, reference: &EntityRef, row: Option<&Entity>) {
        match row.and_then(|row| seen(row.clone(), viewer)) {
            Some(row) => self.expected.insert(reference.clone(), row),
            None => self.expected.remove(reference),
        };
    }

    fn compare(&self, shadow: &Shadow, reference: &EntityRef) -> Checked {
        let (is, should) = (shadow.mirror(reference), self.expected.get(reference));
        if is == should {
            return Ok(());
        }
        let text = |row: Option<&Entity>| row.map_or("nothing".to_owned(), Entity::to_json);
        let EntityRef { kind, id } = reference;
        let detail = format!(
            "{} at {} has of {kind} {id}\n      {}\n    and should have\n      {}",
            self.name,
            self.seq,
            text(is),
            text(should)
        );
        Err(Violation::new("G6", detail))
    }

    /// A row must not go back to what it looked like unless something happened to it.
    fn flicker(
        &mut self,
        model: &Model,
        shadow: &Shadow,
        touched: &Touched,
        by: Choice,
        from: u64,
    ) -> Checked {
        let Some(reasons) = self.reasons(model, shadow, touched, by, from) else {
            self.looks.clear();
            return Ok(());
        };
        let shared = self.shared_rows(shadow, touched);
        self.looks.retain(|reference, _| !shared.contains(reference));
        for (reference, before) in &touched.before {
            let now = shadow.shown.get(reference).map(look);
            let before = before.as_ref().map(look);
            if now == before || shared.contains(reference) {
                continue;
            }
            let looks = self.looks.entry(reference.clone()).or_default();
            if reasons.contains(reference) || looks.is_empty() {
                looks.clear();
                if !reasons.contains(reference) {
                    looks.push(before);
                }
            } else if looks.contains(&now) {
                let detail =
                    format!("{} saw {} {} change and change back", self.name, reference.kind, reference.id);
                return Err(Violation::new("G7", detail));
            }
            looks.push(now);
        }
        for reference in reasons {
            // It had a reason to change, even where it did not.
            if let Some(looks) = self.looks.get_mut(&reference) {
                looks.drain(..looks.len().saturating_sub(1));
            }
        }
        Ok(())
    }

    /// The rows that operations write, or wrote, that another phone sends, too.
    fn shared_rows(&self, shadow: &Shadow, touched: &Touched) -> BTreeSet<EntityRef> {
        let before = touched.put.iter().filter_map(|(_, before)| before.as_ref());
        let ops = shadow.outbox.values().chain(&touched.deleted).chain(before);
        let shared = ops.filter(|op| self.shared.contains(&op.op.id));
        shared.flat_map(|op| op.footprint.writes.iter().cloned()).collect()
    }

    /// The rows that a person would not wonder about; `None`: all.
    fn reasons(
        &self,
        model: &Model,
        shadow: &Shadow,
        touched: &Touched,
        by: Choice,
        from: u64,
    ) -> Option<BTreeSet<EntityRef>> {
        if touched.everything || !shadow.meta.has_data {
            return None;
        }
        let mut reasons = BTreeSet::new();
        let mut ops: Vec<&QueuedOp> = shadow.outbox.values().chain(&touched.deleted).collect();
        for op in &ops {
            let id = op.op.id;
            let before = touched.put.iter().find(|(put, _)| *put == id).map(|(_, before)| before.as_ref());
            let parked = |op: &QueuedOp| matches!(op.state, OpState::Parked { .. });
            let parked_now = parked(op) && before.is_some_and(|before| !before.is_some_and(parked));
            let chosen = by == Choice::Execute(id) || by == Choice::GiveUp(id);
            if chosen || parked_now {
                reasons.extend(op.footprint.writes.iter().cloned());
            }
        }
        let own = EntityRef::new(EntityKind::Employee, self.me);
        for entry in model.entries(from, shadow.meta.cursor.seq) {
            let changed: Vec<EntityRef> =
                entry.changes.iter().filter_map(|change| change.reference()).collect();
            if changed.contains(&own) {
                return None;
            }
            // Also what the person did on another phone.
            let is_mine = entry.by == self.me && ops.iter().any(|op| Some(op.op.id) == entry.op);
            if !is_mine {
                reasons.extend(changed);
            }
        }
        // What one pending operation does may depend on what another does.
        loop {
            let known = reasons.len();
            ops.retain(|op| {
                let concerned =
                    op.footprint.writes.iter().chain(&op.footprint.reads).any(|it| reasons.contains(it));
                if concerned {
                    reasons.extend(op.footprint.writes.iter().cloned());
                }
                !concerned
            });
            if reasons.len() == known {
                break;
            }
        }
        if reasons.contains(&own) { None } else { Some(reasons) }
    }
}

/// A row without what only the server knows when it commits: version and times.
pub(crate) fn look(row: &Entity) -> Entity {
    let (zero, mut row) = (Timestamp::default(), row.clone());
    row.stamp(0, zero, Uuid::nil());
    match &mut row {
        Entity::Task(it) => it.created_at = zero,
        Entity::Note(it) => {
            it.created_at = zero;
            it.comments.iter_mut().for_each(|comment| comment.created_at = zero);
        }
        Entity::Notification(it) => it.read_at = it.read_at.map(|_| zero),
        Entity::Alert(it) => {
            it.raised_at = zero;
            it.resolved_at = it.resolved_at.map(|_| zero);
            it.acknowledgements.iter_mut().for_each(|it| it.at = zero);
        }
        Entity::Announcement(it) => it.created_at = zero,
        Entity::Shift(it) => it.created_at = zero,
        Entity::Conflict(it) => {
            (it.meant_at, it.decided_at) = (zero, zero);
            it.seen_at = it.seen_at.map(|_| zero);
            it.restored_at = it.restored_at.map(|_| zero);
        }
        Entity::Suite(_) | Entity::Employee(_) => {}
    }
    row
}
