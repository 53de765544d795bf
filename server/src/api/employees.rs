//! The staff. `person` and `password`, with which somebody new signs in, are the edge's.

use innsync_domain::{
    Command, Department, Employee, EmployeePatch, EmployeeStatus, EntityKind, EntityRef, Role, Uuid,
};
use innsync_protocol::Problem;

use super::answer::invalid;
use super::body::Body;
use super::plan::{Ids, Plan};

const OF_THE_EDGE: &[&str] = &["person", "password"];

fn about(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Employee, id)
}

pub(super) fn create(mut body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    let employee_id = ids.chosen(&mut body)?;
    let mut commands = vec![Command::CreateEmployee {
        employee_id,
        name: body.required("name")?,
        role: body.required_choice("role", Role::KNOWN)?,
        department: body.required_choice("department", Department::KNOWN)?,
    }];
    commands.extend(duty(employee_id, &mut body)?);
    body.has_read(OF_THE_EDGE);
    Plan::create(commands, about(employee_id), body)
}

pub(super) fn patch(current: &Employee, mut body: Body) -> Result<Plan, Problem> {
    let patch = EmployeePatch {
        name: body.optional("name")?,
        role: body.choice("role", Role::KNOWN)?,
        department: body.choice("department", Department::KNOWN)?,
    };
    let mut commands = Vec::new();
    if patch != EmployeePatch::default() {
        commands.push(Command::EditEmployee { employee_id: current.id, patch });
    }
    commands.extend(duty(current.id, &mut body)?);
    Plan::change(commands, about(current.id), body, Some(&current.clone().into()))
}

pub(super) fn set_status(employee_id: Uuid, mut body: Body) -> Result<Plan, Problem> {
    let commands = duty(employee_id, &mut body)?;
    if commands.is_empty() {
        return Err(invalid("status", "status and isOnDuty are missing; name one of them."));
    }
    Plan::change(commands, about(employee_id), body, None)
}

/// `isOnDuty` and `status`, which must not contradict each other.
fn duty(employee_id: Uuid, body: &mut Body) -> Result<Vec<Command>, Problem> {
    let on_duty: Option<bool> = body.optional("isOnDuty")?;
    let status = body.choice("status", EmployeeStatus::KNOWN)?;
    if let (Some(on_duty), Some(status)) = (on_duty, &status)
        && on_duty == (*status == EmployeeStatus::OffDuty)
    {
        return Err(invalid("status", format!("status {status} contradicts isOnDuty {on_duty}.")));
    }
    let on_duty = on_duty.map(|is_on_duty| Command::SetDuty { employee_id, is_on_duty });
    let status = status.map(|status| Command::SetEmployeeStatus { employee_id, status });
    Ok(on_duty.into_iter().chain(status).collect())
}
