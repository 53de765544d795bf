//! Suites.

use innsync_domain::{Command, EntityKind, EntityRef, Suite, SuitePatch, SuiteStatus, Uuid};
use innsync_protocol::Problem;

use super::body::Body;
use super::plan::{Ids, Plan};

fn about(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Suite, id)
}

pub(super) fn create(mut body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    let suite_id = ids.chosen(&mut body)?;
    let command = Command::CreateSuite {
        suite_id,
        suite_number: body.required("suiteNumber")?,
        floor: body.required("floor")?,
        status: body.choice("status", SuiteStatus::KNOWN)?.unwrap_or(SuiteStatus::VacantClean),
    };
    Plan::create(vec![command], about(suite_id), body)
}

pub(super) fn patch(current: &Suite, mut body: Body) -> Result<Plan, Problem> {
    let patch = SuitePatch { suite_number: body.optional("suiteNumber")?, floor: body.optional("floor")? };
    let status = body.choice("status", SuiteStatus::KNOWN)?;
    let mut commands = Vec::new();
    if patch != SuitePatch::default() {
        commands.push(Command::EditSuite { suite_id: current.id, patch });
    }
    if let Some(status) = status.filter(|status| *status != current.status) {
        commands.push(Command::SetSuiteStatus { suite_id: current.id, status });
    }
    Plan::change(commands, about(current.id), body, Some(&current.clone().into()))
}

pub(super) fn set_status(suite_id: Uuid, mut body: Body) -> Result<Plan, Problem> {
    let status = body.required_choice("status", SuiteStatus::KNOWN)?;
    Plan::change(vec![Command::SetSuiteStatus { suite_id, status }], about(suite_id), body, None)
}
