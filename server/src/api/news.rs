//! Announcements, shifts, alerts and notifications.

use innsync_domain::{AnnouncementPriority, Command, Entity, EntityKind, EntityRef, Uuid};
use innsync_protocol::Problem;

use super::body::Body;
use super::plan::{Ids, Plan};

pub(super) fn announce(mut body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    let announcement_id = ids.chosen(&mut body)?;
    let priority = body.choice("priority", AnnouncementPriority::KNOWN)?;
    let command = Command::Announce {
        announcement_id,
        title: body.required("title")?,
        message: body.required("message")?,
        priority: priority.unwrap_or(AnnouncementPriority::Normal),
        expires_at: body.maybe("expiresAt")?,
    };
    body.ignore(&["createdBy", "createdAt"]);
    Plan::create(vec![command], EntityRef::new(EntityKind::Announcement, announcement_id), body)
}

pub(super) fn change_shift(mut body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    let shift_id = ids.chosen(&mut body)?;
    let command = Command::ChangeShift {
        shift_id,
        old_shift: body.required("oldShift")?,
        new_shift: body.required("newShift")?,
        on_duty_employees: body.maybe("onDutyEmployees")?.unwrap_or_default(),
    };
    body.ignore(&["createdBy", "createdAt"]);
    Plan::create(vec![command], EntityRef::new(EntityKind::Shift, shift_id), body)
}

pub(super) fn alert_step(alert_id: Uuid, name: &str, body: Body) -> Result<Plan, Problem> {
    let command = match name {
        "resolve" => Command::ResolveAlert { alert_id },
        _ => Command::AcknowledgeAlert { alert_id },
    };
    Plan::change(vec![command], EntityRef::new(EntityKind::Alert, alert_id), body, None)
}

pub(super) fn mark_read(id: Uuid, body: Body) -> Result<Plan, Problem> {
    let command = Command::MarkRead { notification_ids: vec![id] };
    Plan::change(vec![command], EntityRef::new(EntityKind::Notification, id), body, None)
}

/// `restore` writes the value that lost after all, `dismiss` puts the record aside.
pub(super) fn conflict_step(current: Entity, name: &str, body: Body) -> Result<Plan, Problem> {
    let about = current.reference();
    let command = match current {
        Entity::Conflict(it) if name == "restore" => Command::RestoreValue {
            conflict_id: it.id,
            entity_type: it.entity_type,
            entity_id: it.entity_id,
            field: it.field,
            value: it.lost,
        },
        _ => Command::DismissConflicts { conflict_ids: vec![about.id] },
    };
    Plan::change(vec![command], about, body, None)
}
