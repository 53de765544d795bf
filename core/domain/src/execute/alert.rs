//! Alerts: acknowledging and resolving them. They are raised by the server alone, see [`crate::react`].

use crate::Uuid;
use crate::derived_id;
use crate::entity::{Acknowledgement, Alert, EntityKind, EntityRef, Fields, Task};
use crate::execute::scratch::Found;
use crate::execute::{Scratch, Stop, check, permission};
use crate::visibility::may_see;
use crate::vocabulary::TaskType;

/// The alerts of an emergency's task, in order: the first one; where the task was deleted and another created under its
/// id, that one's; and so on.
pub(crate) fn alert_ids(task: Uuid) -> impl Iterator<Item = Uuid> {
    let later = (2..).map(move |nth: u32| derived_id(task, &format!("alert:{nth}")));
    std::iter::once(derived_id(task, "alert")).chain(later)
}

/// Adds one's acknowledgement, once. One that comes after the alert was resolved (and so went out of sight) still counts
/// for those who were on duty.
pub(super) fn acknowledge(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let (actor, at) = (s.actor(), s.context().at);
    let mut alert = match s.find::<Alert>(id)? {
        Found::Known(alert) if actor.is_on_duty || may_see(&alert.clone().into(), actor) => alert,
        Found::Known(_) | Found::Absent => return Err(check::not_found(reference(id)).into()),
        Found::Unknown => return Err(Stop::Unknown(reference(id))),
    };
    if alert.acknowledgements.iter().any(|it| it.employee_id == actor.id) {
        return Ok(());
    }
    alert.acknowledgements.push(Acknowledgement { employee_id: actor.id, at, extra: Fields::new() });
    s.put(alert)
}

/// Ends an emergency's alert. Its task goes on until it is completed. One that has ended is out of a supervisor's sight;
/// they are told that it is as they wanted all the same.
pub(super) fn resolve(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let actor = s.actor();
    let alert = match s.find::<Alert>(id)? {
        Found::Known(alert) if actor.is_on_duty && permission::may_resolve(actor, &alert) => alert,
        Found::Known(alert) if may_see(&alert.clone().into(), actor) => alert,
        Found::Known(_) | Found::Absent => return Err(check::not_found(reference(id)).into()),
        Found::Unknown => return Err(Stop::Unknown(reference(id))),
    };
    let message = "Only who raised it, a supervisor or a manager may resolve an alert.";
    check::permitted(permission::may_resolve(actor, &alert), reference(id), message)?;
    end(s, alert)
}

/// Ends the alert of an emergency whose task is over.
pub(super) fn end_with_task(s: &mut Scratch<'_>, task: &Task) -> Result<(), Stop> {
    if task.task_type != TaskType::Emergency {
        return Ok(());
    }
    let mut ids = alert_ids(task.id);
    let mut alert = ids.next().map(|first| s.secondary::<Alert>(first)).transpose()?.flatten();
    while let Some(known) = alert {
        if known.resolved_at.is_none() {
            return end(s, known);
        }
        alert = match ids.next().map(|later| s.find::<Alert>(later)).transpose()? {
            Some(Found::Known(later)) => Some(later),
            _ => None,
        };
    }
    Ok(())
}

fn end(s: &mut Scratch<'_>, mut alert: Alert) -> Result<(), Stop> {
    if alert.resolved_at.is_some() {
        return Ok(());
    }
    alert.resolved_at = Some(s.context().at);
    alert.resolved_by = Some(s.actor().id);
    s.put(alert)
}

fn reference(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Alert, id)
}
