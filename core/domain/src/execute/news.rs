//! What people are told: announcements, changes of shift, and marking one's own notifications as read.

use crate::Uuid;
use crate::command::Command;
use crate::entity::{Announcement, EntityKind, EntityRef, Fields, Notification, Shift};
use crate::execute::scratch::Found;
use crate::execute::{Scratch, Stop, check, permission};
use crate::limits;
use crate::visibility::may_see;

/// Tells all staff something.
pub(super) fn announce(s: &mut Scratch<'_>, command: &Command) -> Result<(), Stop> {
    let Command::Announce { announcement_id, title, message, priority, expires_at } = command else {
        return Ok(());
    };
    check::known("priority", priority.as_str(), priority.is_known())?;
    check::permitted(
        permission::may_direct(s.actor()),
        EntityRef::new(EntityKind::Announcement, *announcement_id),
        "Only a supervisor or manager may make announcements.",
    )?;
    check::title("title", title)?;
    check::length("message", message, limits::TEXT_CHARS)?;
    s.fresh::<Announcement>(*announcement_id)?;
    let (at, by) = (s.context().at, s.actor().id);
    s.put(Announcement {
        id: *announcement_id,
        title: title.clone(),
        message: message.clone(),
        priority: priority.clone(),
        expires_at: *expires_at,
        created_by: by,
        created_at: at,
        version: 0,
        updated_at: at,
        updated_by: by,
        extra: Fields::new(),
    })
}

/// Announces a change of shift. Nobody's duty changes by it.
pub(super) fn change_shift(s: &mut Scratch<'_>, command: &Command) -> Result<(), Stop> {
    let Command::ChangeShift { shift_id, old_shift, new_shift, on_duty_employees } = command else {
        return Ok(());
    };
    check::permitted(
        permission::may_direct(s.actor()),
        EntityRef::new(EntityKind::Shift, *shift_id),
        "Only a supervisor or manager may announce a change of shift.",
    )?;
    check::length("oldShift", old_shift, limits::TITLE_CHARS)?;
    check::title("newShift", new_shift)?;
    check::count("onDutyEmployees", on_duty_employees.len(), limits::PEOPLE)?;
    s.fresh::<Shift>(*shift_id)?;
    let (at, by) = (s.context().at, s.actor().id);
    s.put(Shift {
        id: *shift_id,
        old_shift: old_shift.clone(),
        new_shift: new_shift.clone(),
        on_duty_employees: on_duty_employees.clone(),
        created_by: by,
        created_at: at,
        version: 0,
        updated_at: at,
        updated_by: by,
        extra: Fields::new(),
    })
}

/// Marks one's own notifications as read. Of several, those that are gone are skipped; where all are, it is refused.
pub(super) fn mark_read(s: &mut Scratch<'_>, ids: &[Uuid]) -> Result<(), Stop> {
    check::count("notificationIds", ids.len(), limits::READ_MARKS)?;
    let Some(first) = ids.first() else {
        return Err(check::invalid("notificationIds", "Name at least one notification.").into());
    };
    let mut any = false;
    for id in ids {
        let reason = match s.find::<Notification>(*id)? {
            Found::Known(mut news) if may_see(&news.clone().into(), s.actor()) => {
                any = true;
                news.read_at = news.read_at.or(Some(s.context().at));
                s.put(news)?;
                continue;
            }
            Found::Known(_) | Found::Absent => "NOTIFICATION_GONE",
            Found::Unknown => "NOTIFICATION_NOT_VISIBLE",
        };
        s.skip(EntityRef::new(EntityKind::Notification, *id), reason);
    }
    if any { Ok(()) } else { s.primary::<Notification>(*first).map(|_| ()) }
}
