//! The staff, and who is on duty. `isOnDuty` holds exactly while the status is not OFF_DUTY.

use crate::Uuid;
use crate::command::EmployeePatch;
use crate::entity::{Employee, EntityKind, EntityRef, Fields};
use crate::execute::{Scratch, Stop, check, permission};
use crate::vocabulary::{Department, EmployeeStatus, Role};

fn reference(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Employee, id)
}

/// Adds somebody, off duty until they come.
pub(super) fn create(
    s: &mut Scratch<'_>,
    id: Uuid,
    name: &str,
    role: &Role,
    department: &Department,
) -> Result<(), Stop> {
    check::known("role", role.as_str(), role.is_known())?;
    check::known("department", department.as_str(), department.is_known())?;
    check::permitted(permission::may_manage(s.actor()), reference(id), "Only a manager may add people.")?;
    check::title("name", name)?;
    s.fresh::<Employee>(id)?;
    s.put(Employee {
        id,
        name: name.to_owned(),
        role: role.clone(),
        department: department.clone(),
        status: EmployeeStatus::OffDuty,
        is_on_duty: false,
        version: 0,
        updated_at: s.context().at,
        updated_by: s.actor().id,
        extra: Fields::new(),
    })
}

/// Changes name, role or department. A manager stays one until another manager says otherwise.
pub(super) fn edit(s: &mut Scratch<'_>, id: Uuid, patch: &EmployeePatch) -> Result<(), Stop> {
    let mut employee = s.primary::<Employee>(id)?;
    check::permitted(permission::may_manage(s.actor()), reference(id), "Only a manager may edit people.")?;
    if let Some(role) = &patch.role {
        check::known("role", role.as_str(), role.is_known())?;
        let own = id == s.actor().id && *role != Role::Manager;
        let message = "You cannot give up your own role of manager; ask another manager.";
        check::permitted(!own, reference(id), message).map_err(|refusal| refusal.field("role"))?;
        employee.role = role.clone();
    }
    if let Some(department) = &patch.department {
        check::known("department", department.as_str(), department.is_known())?;
        employee.department = department.clone();
    }
    if let Some(name) = &patch.name {
        check::title("name", name)?;
        employee.name.clone_from(name);
    }
    s.put(employee)
}

/// Removes somebody else from the staff. Their open tasks become unassigned: see [`crate::react`].
pub(super) fn delete(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    s.primary::<Employee>(id)?;
    check::permitted(permission::may_manage(s.actor()), reference(id), "Only a manager may remove people.")?;
    check::permitted(id != s.actor().id, reference(id), "You cannot remove yourself; ask another manager.")?;
    s.remove(reference(id))
}

/// Goes on or off duty.
pub(super) fn set_duty(s: &mut Scratch<'_>, id: Uuid, on: bool) -> Result<(), Stop> {
    let mut employee = own_or_directed(s, id)?;
    if employee.is_on_duty != on {
        employee.is_on_duty = on;
        employee.status = if on { EmployeeStatus::Available } else { EmployeeStatus::OffDuty };
    }
    s.put(employee)
}

/// Says what one is doing. OFF_DUTY is going off duty.
pub(super) fn set_status(s: &mut Scratch<'_>, id: Uuid, status: &EmployeeStatus) -> Result<(), Stop> {
    let mut employee = own_or_directed(s, id)?;
    check::known("status", status.as_str(), status.is_known())?;
    let off = *status == EmployeeStatus::OffDuty;
    if !employee.is_on_duty && !off {
        let message = format!("Go on duty first; {status} is for people at work.");
        return Err(check::not_on_duty(reference(id), &message).into());
    }
    employee.is_on_duty = !off;
    employee.status = status.clone();
    s.put(employee)
}

fn own_or_directed(s: &mut Scratch<'_>, id: Uuid) -> Result<Employee, Stop> {
    let employee = s.primary::<Employee>(id)?;
    let message = "Only oneself, a supervisor or a manager may change somebody's duty and status.";
    check::permitted(permission::may_set_duty(s.actor(), id), reference(id), message)?;
    Ok(employee)
}
