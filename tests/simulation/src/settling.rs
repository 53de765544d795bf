//! People settle conflicts on their phones, and are told what they lost.

use innsync_domain::{Command, Entity, EntityKind, Uuid};
use innsync_engine::{Batch, EffectBody, Input, OpState, ParkReason, QueuedOp, Settlement, Write};
use innsync_random::Random;

use crate::contest::by_hand;
use crate::failure::{Checked, Violation};
use crate::people::employee;
use crate::shadow::Touched;
use crate::sometimes::Sometimes;
use crate::workload::{Deed, Scene};
use crate::world::World;

/// What a person does about a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Theirs,
    Mine,
    Merged,
    /// Writes the whole change anew.
    Edit,
}

impl World {
    /// A person settles one of their conflicts, by what they were shown last; now and then somebody has changed it since.
    pub(crate) fn settle_one(&mut self, who: usize, pick: u64) -> Checked {
        let r = &mut Random::of(pick, "settle");
        let phone = &self.phones[who];
        if phone.engine.is_none() || phone.is_frozen(self.now) {
            return Ok(());
        }
        // Who is off the staff for good is in no day's story.
        let dismissal = |op: &QueuedOp| matches!(op.op.command, Command::DeleteEmployee { .. });
        let conflicts: Vec<&QueuedOp> =
            phone.shadow.outbox.values().filter(|op| is_conflict(op) && !dismissal(op)).collect();
        let Some(old) = r.pick(&conflicts).map(|op| (*op).clone()) else { return Ok(()) };
        let (parked, primary) = (old.op.id, old.op.command.primary());
        let now = phone.shadow.mirror(&primary).map(Entity::version);
        let is_stale = r.chance(200);
        let seen = if is_stale { Some(now.map_or(1, |version| version.saturating_sub(1))) } else { now };
        let way = *r
            .pick(&[Way::Theirs, Way::Mine, Way::Mine, Way::Merged, Way::Merged, Way::Edit])
            .unwrap_or(&Way::Mine);
        let request = phone.requests + 1;
        let input = match self.settles(who, &old, way, seen, request, r) {
            Some(input) => input,
            None => return Ok(()),
        };
        self.phones[who].requests = request;
        let id = match &input {
            Input::Settle { id, .. } | Input::Edit { id, .. } => *id,
            _ => return Ok(()),
        };
        self.feed(who, input)?;
        let shadow = &self.phones[who].shadow;
        let (took_place, waits) = (shadow.outbox.contains_key(&id), shadow.outbox.contains_key(&parked));
        if way == Way::Edit {
            return Ok(());
        }
        if is_stale {
            if took_place || !waits {
                let detail =
                    format!("{} settled {parked} by version {seen:?}, and {now:?} was there", self.name(who));
                return Err(Violation::new("G8", detail));
            }
            self.reach(Sometimes::ChangedMeanwhile);
        } else if !waits {
            self.reach(match way {
                Way::Theirs => Sometimes::SettledTheirs,
                Way::Merged => Sometimes::SettledMerged,
                Way::Mine | Way::Edit => Sometimes::SettledMine,
            });
        }
        Ok(())
    }

    fn settles(
        &mut self,
        who: usize,
        old: &QueuedOp,
        way: Way,
        seen: Option<u64>,
        request: u64,
        r: &mut Random,
    ) -> Option<Input> {
        let OpState::Parked { reason: ParkReason::Conflict { fields, .. } } = &old.state else { return None };
        let id = self.new_id(who);
        let parked = old.op.id;
        let choice = match way {
            Way::Theirs => Settlement::Theirs,
            Way::Mine => Settlement::Mine,
            Way::Merged => Settlement::Merged(by_hand(fields, r)),
            Way::Edit => {
                let phone = &self.phones[who];
                let now = phone.id_time(self.now, self.ids_are_timely);
                let (person, people) = (phone.person, self.plan.people);
                let scene = Scene { shown: &phone.shadow.shown, who: person, people, now };
                let commands = [Deed::Rewrite, Deed::EditMuch, Deed::Reprioritise, Deed::StepTask];
                let commands = commands.into_iter().filter_map(|deed| scene.command(deed, r.next()));
                let primary = old.op.command.primary();
                let command = commands.into_iter().find(|command| command.primary() == primary)?;
                return Some(Input::Edit { request, parked, id, command });
            }
        };
        Some(Input::Settle { request, parked, id, seen, choice })
    }

    /// What a person gives by settling, as far as it is known before: of what they give up the phone names the fields.
    pub(crate) fn given_by_settling(&self, who: usize, parked: Uuid, choice: &Settlement) -> Option<Command> {
        let old = &self.phones[who].shadow.outbox.get(&parked)?.op;
        match choice {
            Settlement::Mine => Some(old.command.clone()),
            Settlement::Merged(values) => old.command.with_values(values),
            Settlement::Theirs => {
                let primary = old.command.primary();
                Some(Command::KeepTheirs {
                    operation: parked,
                    entity_type: primary.kind,
                    entity_id: primary.id,
                    fields: Vec::new(),
                })
            }
        }
    }

    /// A value that lost is its owner's alone to see (G8), and told once to each phone.
    pub(crate) fn losers_are_told(&mut self, who: usize, batch: &Batch, touched: &Touched) -> Checked {
        let (name, me) = (self.name(who), employee(self.phones[who].person));
        let shown = &self.phones[who].shadow.shown;
        let records = touched.before.keys().filter(|it| it.kind == EntityKind::Conflict);
        for record in records.filter_map(|it| shown.get(it)) {
            if let Entity::Conflict(record) = record
                && record.lost_by != me
            {
                let detail = format!("{name} sees the record {} of a value of {}", record.id, record.lost_by);
                return Err(Violation::new("G8", detail));
            }
        }
        for write in &batch.writes {
            let Write::PutEffect(effect) = write else { continue };
            let EffectBody::Toast { key, args, .. } = &effect.body else { continue };
            let Some(record) = args.get("conflictId").filter(|_| key == "conflict.lost") else { continue };
            self.reach(Sometimes::LoserTold);
            let first = *self.told.entry((who, record.clone())).or_insert(effect.id);
            // What a restored backup has lost is done, and told, once more.
            if first != effect.id && self.past.is_empty() {
                return Err(Violation::new("G8", format!("{name} is told twice that {record} lost")));
            }
        }
        Ok(())
    }
}

fn is_conflict(op: &QueuedOp) -> bool {
    matches!(op.state, OpState::Parked { reason: ParkReason::Conflict { .. } })
}

/// Whether a patch is a part of another.
pub(crate) fn is_part_of(whole: &Command, part: &Command) -> bool {
    let fields = part.named_fields();
    let left = whole.named_fields();
    let others: Vec<&str> = left.iter().filter(|it| !fields.contains(it)).map(String::as_str).collect();
    whole.without_fields(&others).is_some_and(|whole| whole == *part)
}

/// Whether two commands say that the same was given up: which fields that is about, the phone says.
pub(crate) fn give_up_the_same(given: &Command, sent: &Command) -> bool {
    match (given, sent) {
        (Command::KeepTheirs { operation: one, .. }, Command::KeepTheirs { operation: other, .. }) => {
            one == other
        }
        _ => false,
    }
}
