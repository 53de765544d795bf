//! Calls that change something.

use innsync_domain::{Command, Entity, EntityKind, EntityRef, Fields, Person, Timestamp, Uuid};
use innsync_protocol::Problem;
use sha2::{Digest, Sha256};

use super::answer::{invalid, not_found, problem_of};
use super::body::Body;
use super::plan::{Ids, Plan, Shape};
use super::route::{Route, collection};
use super::{ApiAnswer, ApiRequest, Caller, employees, news, notes, suites, tasks};
use crate::authority::{Authority, Expected, Keep, RunAnswer, RunOptions};
use crate::ledger::{KeptAnswer, LedgerError};

/// Characters of an Idempotency-Key, at most.
const KEY_CHARS: usize = 255;

pub(super) fn write(
    authority: &mut Authority,
    caller: &Caller,
    now: Timestamp,
    request: &ApiRequest<'_>,
    route: &Route<'_>,
) -> ApiAnswer {
    match try_write(authority, caller, now, request, route) {
        Ok(answer) => answer,
        Err(problem) => ApiAnswer::problem(&problem),
    }
}

fn try_write(
    authority: &mut Authority,
    caller: &Caller,
    now: Timestamp,
    request: &ApiRequest<'_>,
    route: &Route<'_>,
) -> Result<ApiAnswer, Problem> {
    let actor = authority.read().person(&caller.property, caller.employee);
    let actor = actor.map_err(|error| problem_of(&error))?;
    let actor = actor.ok_or_else(|| problem_of(&LedgerError::NoSuchPerson(caller.employee)))?;
    let key = request.idempotency_key.map(|key| check_key(key).map(|()| (key, hash(request)))).transpose()?;
    if let Some((key, hash)) = &key
        && let Some(answer) = answered_before(authority, caller, now, key, hash)?
    {
        return Ok(answer);
    }
    let plan = plan(authority, caller, &actor, now, request, route)?;
    let is_new_employee = plan.shape == Shape::Created && plan.about.kind == EntityKind::Employee;
    let login = request.login.filter(|_| is_new_employee).cloned();
    let options = RunOptions {
        expected: plan.expected,
        forced: plan.forced,
        blind: plan.blind,
        about: Some(plan.about.clone()),
        login,
    };
    let (about, shape) = (&plan.about, plan.shape);
    let outcome = {
        let kept =
            |outcome: &_| keepable(key.map(|(_, hash)| hash).unwrap_or_default(), about, shape, outcome);
        let keep = key.map(|(key, _)| Keep { key, render: &kept });
        authority
            .run_and_keep(now, &caller.property, caller.employee, &plan.commands, &options, keep)
            .map_err(|error| problem_of(&error))?
    };
    let mut answer = render(about, shape, &outcome);
    answer.committed = outcome.ok().and_then(|it| it.committed).into_iter().collect();
    Ok(answer)
}

/// Reads the call into commands.
fn plan(
    authority: &mut Authority,
    caller: &Caller,
    actor: &Person,
    now: Timestamp,
    request: &ApiRequest<'_>,
    route: &Route<'_>,
) -> Result<Plan, Problem> {
    match route {
        Route::Collection(kind) => create(kind, Body::read(request.body)?, &mut authority.ids(now)),
        Route::Item(kind, id) if request.method == "DELETE" => delete(kind, *id, request.query),
        Route::Item(kind, id) => {
            patch(&current(authority, caller, kind, *id)?, actor, Body::read(request.body)?)
        }
        Route::Step(EntityKind::Conflict, id, name) => {
            let current = current(authority, caller, &EntityKind::Conflict, *id)?;
            news::conflict_step(current, name, Body::read(request.body)?)
        }
        Route::Step(kind, id, name) => {
            step(kind, *id, name, Body::read(request.body)?, &mut authority.ids(now))
        }
        Route::Ops | Route::Sync | Route::Snapshot => Err(unexpected()),
    }
}

/// The entity as the caller sees it.
fn current(authority: &Authority, caller: &Caller, kind: &EntityKind, id: Uuid) -> Result<Entity, Problem> {
    let current = authority.read().get(&caller.property, caller.employee, kind, id);
    current.map_err(|error| problem_of(&error))?.ok_or_else(|| not_found(kind, id))
}

fn create(kind: &EntityKind, body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    match kind {
        EntityKind::Suite => suites::create(body, ids),
        EntityKind::Task => tasks::create(body, ids),
        EntityKind::Note => notes::create(body, ids),
        EntityKind::Employee => employees::create(body, ids),
        EntityKind::Announcement => news::announce(body, ids),
        EntityKind::Shift => news::change_shift(body, ids),
        EntityKind::Notification | EntityKind::Alert | EntityKind::Conflict | EntityKind::Other(_) => {
            Err(unexpected())
        }
    }
}

fn patch(current: &Entity, actor: &Person, body: Body) -> Result<Plan, Problem> {
    match current {
        Entity::Suite(suite) => suites::patch(suite, body),
        Entity::Task(task) => tasks::patch(task, actor, body),
        Entity::Note(note) => notes::patch(note, body),
        Entity::Employee(employee) => employees::patch(employee, body),
        Entity::Notification(_)
        | Entity::Alert(_)
        | Entity::Announcement(_)
        | Entity::Shift(_)
        | Entity::Conflict(_) => Err(unexpected()),
    }
}

fn step(kind: &EntityKind, id: Uuid, name: &str, body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    match kind {
        EntityKind::Suite => suites::set_status(id, body),
        EntityKind::Task => tasks::step(id, name, body),
        EntityKind::Note => notes::comment(id, body, ids),
        EntityKind::Employee => employees::set_status(id, body),
        EntityKind::Alert => news::alert_step(id, name, body),
        EntityKind::Notification => news::mark_read(id, body),
        EntityKind::Announcement | EntityKind::Shift | EntityKind::Conflict | EntityKind::Other(_) => {
            Err(unexpected())
        }
    }
}

fn delete(kind: &EntityKind, id: Uuid, query: &[(String, String)]) -> Result<Plan, Problem> {
    let command = match kind {
        EntityKind::Suite => Command::DeleteSuite { suite_id: id },
        EntityKind::Task => Command::DeleteTask { task_id: id },
        EntityKind::Note => Command::DeleteNote { note_id: id },
        EntityKind::Employee => Command::DeleteEmployee { employee_id: id },
        _ => return Err(unexpected()),
    };
    let about = EntityRef::new(kind.clone(), id);
    let version = query.iter().find(|(name, _)| name == "version");
    let version = version.map(|(_, text)| text.parse::<u64>()).transpose();
    let version = version.map_err(|_| invalid("version", "version must be a number."))?;
    let expected =
        version.map(|version| Expected { entity: about.clone(), version, wanted: Default::default() });
    Ok(Plan { about, commands: vec![command], expected, forced: false, blind: false, shape: Shape::Deleted })
}

/// The routes say that this cannot be.
fn unexpected() -> Problem {
    Problem::new(404, "NOT_FOUND", "There is nothing at this path.")
}

fn render(about: &EntityRef, shape: Shape, outcome: &Result<RunAnswer, Problem>) -> ApiAnswer {
    let entity = match outcome {
        Ok(answer) => answer.entity.as_ref(),
        Err(problem) => return ApiAnswer::problem(problem),
    };
    match (shape, entity) {
        (Shape::Deleted, _) | (Shape::Changed, None) => ApiAnswer::of_parts(204, "", String::new()),
        (Shape::Changed, Some(entity)) => ApiAnswer::of_parts(200, "", entity.to_json()),
        (Shape::Created, entity) => {
            let location = format!("/v1/{}/{}", collection(&about.kind), about.id);
            ApiAnswer::of_parts(201, &location, entity.map(Entity::to_json).unwrap_or_default())
        }
    }
}

/// The answer, to be given again.
fn keepable(
    hash: [u8; 32],
    about: &EntityRef,
    shape: Shape,
    outcome: &Result<RunAnswer, Problem>,
) -> KeptAnswer {
    let answer = render(about, shape, outcome);
    let location = answer.headers.into_iter().find(|(name, _)| *name == "Location");
    let location = location.map(|(_, value)| value).unwrap_or_default();
    KeptAnswer { hash, status: answer.status, location, body: answer.body }
}

fn check_key(key: &str) -> Result<(), Problem> {
    if key.is_empty() || key.len() > KEY_CHARS || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = format!("An Idempotency-Key has 1 to {KEY_CHARS} visible ASCII characters.");
        return Err(invalid("Idempotency-Key", detail));
    }
    Ok(())
}

/// What tells a request sent twice from a key used twice. A new employee's password is left out: this hash is a quick
/// one, and kept.
fn hash(request: &ApiRequest<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [request.method, request.path] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    for (name, value) in request.query {
        hash.update(format!("{name}={value}&"));
    }
    match serde_json::from_slice::<Fields>(request.body) {
        Ok(mut fields) if fields.contains_key("password") => {
            fields.remove("password");
            hash.update(serde_json::to_vec(&fields).unwrap_or_default());
        }
        _ => hash.update(request.body),
    }
    hash.finalize().into()
}

fn answered_before(
    authority: &Authority,
    caller: &Caller,
    now: Timestamp,
    key: &str,
    hash: &[u8; 32],
) -> Result<Option<ApiAnswer>, Problem> {
    let kept = authority.kept_answer(now, &caller.property, caller.employee, key);
    match kept.map_err(|error| problem_of(&error))? {
        None => Ok(None),
        Some(kept) if kept.hash == *hash => {
            Ok(Some(ApiAnswer::of_parts(kept.status, &kept.location, kept.body)))
        }
        Some(_) => {
            let detail = "This Idempotency-Key was used for another request; choose a new one.";
            Err(Problem::new(422, "IDEMPOTENCY_KEY_REUSED", detail))
        }
    }
}
