//! News: what other people's changes make a phone show or sound. One cause (a commit) shows one toast, the strongest that
//! applies; only emergencies and values that lost each show their own. What rings does not ring again until it is over for this person; an
//! emergency that goes on when they come back on duty does. A person's own changes are no news to them, and of a snapshot
//! only the emergencies that still go on are.
//!
//! | key | arguments | when |
//! | --- | --- | --- |
//! | `emergency` | `title`, `message`, `severity` | an alert: ERROR for 10 s, [`EffectBody::EmergencyModal`], the looping sound `emergency`; [`EffectBody::EmergencyOver`] when it is over for this person |
//! | `notification` | `title`, `message` | a notification of HIGH or URGENT priority: WARNING for 5 s |
//! | `conflict.lost` | `conflictId`, `entityType`, `entityId`, `field`, `title`, `by` | a value of mine lost to somebody else's: WARNING for 5 s, once for each record; of those that a later snapshot brings, too |
//! | `announcement` | `title`, `message` | WARNING where HIGH, INFO where NORMAL |
//! | `task.assigned` | `title` | a task assigned to me: INFO, the sound `task-assigned`, a system notification |
//! | `task.available` | `title` | an unassigned task that I could take: INFO |
//! | `shift.changed` | `old`, `new` | INFO |
//! | `suite.status` | `number`, `status` | INFO |
//! | `suite.created` | `number` | INFO |

use std::collections::BTreeMap;

use innsync_domain::{
    Alert, AnnouncementPriority, Conflict, Entity, EntityKind, EntityRef, Event, NotificationPriority,
    NotificationType, Timestamp, Uuid, derived_id,
};
use innsync_protocol::{Commit, Cursor};

use crate::draft::Draft;
use crate::limits::{NEWS_MAX_AGE_MS, TOAST_MS};
use crate::notices::args;
use crate::output::{Effect, EffectBody, ToastLevel};
use crate::store::StoreError;

/// Milliseconds that an emergency's toast stays.
const EMERGENCY_TOAST_MS: u32 = 10_000;
/// Milliseconds that the toast of a value that lost stays.
const LOST_TOAST_MS: u32 = 5_000;

/// What a commit tells.
pub(crate) struct News {
    epoch: u64,
    seq: u64,
    at: Timestamp,
    by: Uuid,
    pub(crate) events: Vec<Event>,
}

/// A toast that one event of a commit would show.
struct Candidate {
    /// The higher, the stronger.
    rank: u8,
    level: ToastLevel,
    key: &'static str,
    args: BTreeMap<String, String>,
    duration_ms: u32,
    /// What it is about, and so what its id is derived from.
    entity: EntityRef,
}

impl News {
    pub(crate) fn of(epoch: u64, commit: &Commit) -> Self {
        Self { epoch, seq: commit.seq, at: commit.at, by: commit.by, events: Vec::new() }
    }
}

impl Draft<'_> {
    /// Records the effects of a commit. The mirror is already as it is after the whole delta, so that what is over by then
    /// is not told.
    pub(crate) fn tell_news(&mut self, news: &News) -> Result<(), StoreError> {
        let mut strongest: Option<Candidate> = None;
        for event in &news.events {
            if let Some(conflict) = lost_value(event, self.config.employee) {
                self.tell_lost(conflict)?;
                continue;
            }
            let Some(candidate) = self.candidate(news, event)? else { continue };
            if candidate.key == "emergency" {
                self.ring(&candidate.entity)?;
            }
            if strongest.as_ref().is_none_or(|it| candidate.rank > it.rank) {
                strongest = Some(candidate);
            }
        }
        let Some(Candidate { level, key, args, duration_ms, entity, .. }) = strongest else { return Ok(()) };
        let cause = format!("{}:{}", news.epoch, news.seq);
        match key {
            "emergency" => return Ok(()),
            "task.assigned" => {
                let name = "task-assigned".to_owned();
                let sound = EffectBody::Sound { name, looping: false };
                self.news_effect(&entity, &format!("sound:{cause}"), sound)?;
                let notification = EffectBody::SystemNotification { key: key.to_owned(), args: args.clone() };
                self.news_effect(&entity, &format!("system:{cause}"), notification)?;
            }
            _ => {}
        }
        let toast = EffectBody::Toast { level, key: key.to_owned(), args, duration_ms };
        self.news_effect(&entity, &format!("toast:{cause}"), toast)
    }

    fn news_effect(&mut self, entity: &EntityRef, what: &str, body: EffectBody) -> Result<(), StoreError> {
        self.effect(Effect { id: news_id(entity, what), at: self.now.wall, body })
    }

    /// That a value of this person's lost, whoever's commit it was that made it lose.
    pub(crate) fn tell_lost(&mut self, conflict: &Conflict) -> Result<(), StoreError> {
        let body = EffectBody::Toast {
            level: ToastLevel::Warning,
            key: "conflict.lost".to_owned(),
            args: self.conflict_args(conflict)?,
            duration_ms: LOST_TOAST_MS,
        };
        self.news_effect(&EntityRef::new(EntityKind::Conflict, conflict.id), "lost", body)
    }

    /// The emergency screen, its sound and its toast, if the alert still wants this person and does not ring already. Which
    /// ringing of it this is, is part of its effects' ids: what was shown of an earlier one does not silence it.
    pub(crate) fn ring(&mut self, alert: &EntityRef) -> Result<(), StoreError> {
        let Some(Entity::Alert(it)) = self.mirror_row(alert)? else { return Ok(()) };
        if !self.is_open(&it) || self.state.meta.ringing.contains_key(&it.id) {
            return Ok(());
        }
        let Cursor { epoch, seq, .. } = self.state.meta.cursor;
        let episode = format!("{epoch}:{seq}");
        self.state.meta.ringing.insert(it.id, episode.clone());
        let toast = EffectBody::Toast {
            level: ToastLevel::Error,
            key: "emergency".to_owned(),
            args: alert_args(&it),
            duration_ms: EMERGENCY_TOAST_MS,
        };
        let modal = EffectBody::EmergencyModal { alert_id: it.id, title: it.title, message: it.message };
        let sound = EffectBody::Sound { name: "emergency".to_owned(), looping: true };
        for (what, body) in [("modal", modal), ("sound", sound), ("toast", toast)] {
            self.news_effect(alert, &format!("{what}:{episode}"), body)?;
        }
        Ok(())
    }

    /// An emergency that this person has acknowledged (on another phone), that is resolved or out of sight, does not ring
    /// any more: where the shell has not shown it yet, it need not, and where it has, it is told.
    pub(crate) fn silence_what_is_over(&mut self) -> Result<(), StoreError> {
        for (id, episode) in self.state.meta.ringing.clone() {
            let alert = EntityRef::new(EntityKind::Alert, id);
            if let Some(Entity::Alert(now)) = self.mirror_row(&alert)?
                && !self.is_over(&now)
            {
                continue;
            }
            self.state.meta.ringing.remove(&id);
            for what in ["modal", "sound", "toast"] {
                self.withdraw(news_id(&alert, &format!("{what}:{episode}")));
            }
            let over = EffectBody::EmergencyOver { alert_id: id };
            self.news_effect(&alert, &format!("over:{episode}"), over)?;
        }
        Ok(())
    }

    fn candidate(&self, news: &News, event: &Event) -> Result<Option<Candidate>, StoreError> {
        let me = self.config.employee;
        // Coming on duty is one's own doing, but the emergencies that are then seen are not.
        let own = news.by == me && !matches!(event, Event::EmergencyAlert { .. });
        if own {
            return Ok(None);
        }
        let age = self.state.clock.guess(self.now).as_millis().saturating_sub(news.at.as_millis());
        let stale = age > NEWS_MAX_AGE_MS;
        let entity = event.entity();
        let toast = |rank, level, key, args, duration_ms| {
            Ok(Some(Candidate { rank, level, key, args, duration_ms, entity: event.entity() }))
        };
        match event {
            Event::EmergencyAlert { .. } => {
                let Some(Entity::Alert(alert)) = self.mirror_row(&entity)? else { return Ok(None) };
                if !self.is_open(&alert) {
                    return Ok(None);
                }
                toast(9, ToastLevel::Error, "emergency", alert_args(&alert), EMERGENCY_TOAST_MS)
            }
            Event::Notification { notification: it, .. } => {
                let text = args([("title", it.title.clone()), ("message", it.message.clone())]);
                match (&it.priority, &it.notification_type) {
                    (NotificationPriority::High | NotificationPriority::Urgent, _) => {
                        toast(8, ToastLevel::Warning, "notification", text, 5_000)
                    }
                    (_, NotificationType::TaskAvailable) if !stale => {
                        let args = args([("title", it.message.clone())]);
                        toast(4, ToastLevel::Info, "task.available", args, TOAST_MS)
                    }
                    _ => Ok(None),
                }
            }
            Event::TaskAssigned { task, assigned_to, .. } if *assigned_to == me => {
                toast(6, ToastLevel::Info, "task.assigned", args([("title", task.title.clone())]), TOAST_MS)
            }
            Event::SystemAnnouncement { announcement: it, .. } => {
                let args = args([("title", it.title.clone()), ("message", it.message.clone())]);
                let over = it.expires_at.is_some_and(|at| at <= self.state.clock.guess(self.now));
                match it.priority {
                    _ if over => Ok(None),
                    AnnouncementPriority::High => toast(7, ToastLevel::Warning, "announcement", args, 5_000),
                    AnnouncementPriority::Normal => {
                        toast(5, ToastLevel::Info, "announcement", args, TOAST_MS)
                    }
                    AnnouncementPriority::Low | AnnouncementPriority::Other(_) => Ok(None),
                }
            }
            Event::ShiftChange { shift, .. } if !stale => {
                let args = args([("old", shift.old_shift.clone()), ("new", shift.new_shift.clone())]);
                toast(3, ToastLevel::Info, "shift.changed", args, TOAST_MS)
            }
            Event::EntityUpdated { before, after, .. }
                if !stale && entity.kind == EntityKind::Suite && before.contains_key("status") =>
            {
                let Some(Entity::Suite(suite)) = self.mirror_row(&entity)? else { return Ok(None) };
                // Of several changes that arrive together, the last one is news.
                if after.get("status").and_then(|status| status.as_str()) != Some(suite.status.as_str()) {
                    return Ok(None);
                }
                let args = args([("number", suite.suite_number), ("status", suite.status.to_string())]);
                toast(2, ToastLevel::Info, "suite.status", args, TOAST_MS)
            }
            Event::EntityCreated { entity: Entity::Suite(suite), .. } if !stale => {
                let args = args([("number", suite.suite_number.clone())]);
                toast(1, ToastLevel::Info, "suite.created", args, TOAST_MS)
            }
            _ => Ok(None),
        }
    }

    fn conflict_args(&self, conflict: &Conflict) -> Result<BTreeMap<String, String>, StoreError> {
        let about = EntityRef::new(conflict.entity_type.clone(), conflict.entity_id);
        let title = self.mirror_row(&about)?.map(|entity| entity.title()).unwrap_or_default();
        let by = match self.mirror_row(&EntityRef::new(EntityKind::Employee, conflict.kept_by))? {
            Some(Entity::Employee(employee)) => employee.name,
            _ => String::new(),
        };
        Ok(args([
            ("conflictId", conflict.id.to_string()),
            ("entityType", about.kind.to_string()),
            ("entityId", about.id.to_string()),
            ("field", conflict.field.clone()),
            ("title", title),
            ("by", by),
        ]))
    }

    /// Whether the alert still wants this person: not resolved, not acknowledged by them, not their own.
    fn is_open(&self, alert: &Alert) -> bool {
        alert.raised_by != self.config.employee && !self.is_over(alert)
    }

    /// Whether it is resolved, or acknowledged by this person.
    fn is_over(&self, alert: &Alert) -> bool {
        let me = self.config.employee;
        alert.resolved_at.is_some() || alert.acknowledgements.iter().any(|it| it.employee_id == me)
    }
}

/// The record that a value of this person's lost, unless they gave it up themself.
fn lost_value(event: &Event, me: Uuid) -> Option<&Conflict> {
    match event {
        Event::EntityCreated { entity, .. } => unseen_loss(entity, me),
        _ => None,
    }
}

/// See [`lost_value`].
pub(crate) fn unseen_loss(entity: &Entity, me: Uuid) -> Option<&Conflict> {
    match entity {
        Entity::Conflict(it) if it.lost_by == me && it.seen_at.is_none() => Some(it),
        _ => None,
    }
}

fn alert_args(alert: &Alert) -> BTreeMap<String, String> {
    args([
        ("title", alert.title.clone()),
        ("message", alert.message.clone()),
        ("severity", alert.severity.to_string()),
    ])
}

fn news_id(entity: &EntityRef, what: &str) -> Uuid {
    derived_id(entity.id, &format!("effect:{}:{what}", entity.kind))
}
