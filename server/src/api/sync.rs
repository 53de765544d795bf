//! Outboxes, catching up, snapshots.

use innsync_domain::{Timestamp, Uuid};
use innsync_protocol::{Cursor, Mark, Problem, PushRequest, SnapshotRequest, limits};

use super::answer::{invalid, problem_of};
use super::body::parse;
use super::{ApiAnswer, Caller};
use crate::authority::Authority;
use crate::ledger::LedgerError;
use crate::reader::Reader;

/// `POST /v1/ops`
pub(super) fn push(authority: &mut Authority, caller: &Caller, now: Timestamp, body: &[u8]) -> ApiAnswer {
    match try_push(authority, caller, now, body) {
        Ok(answer) => answer,
        Err(problem) => ApiAnswer::problem(&problem),
    }
}

fn try_push(
    authority: &mut Authority,
    caller: &Caller,
    now: Timestamp,
    body: &[u8],
) -> Result<ApiAnswer, Problem> {
    let request: PushRequest = parse(body, "ops", "a list of operations")?;
    if request.ops.len() > limits::OPS_PER_PUSH {
        let detail = format!("A push has at most {} operations.", limits::OPS_PER_PUSH);
        return Err(Problem::new(413, "BODY_TOO_LARGE", detail));
    }
    let pushed = authority.push(now, &caller.property, caller.employee, &request.ops);
    let (answer, committed) = pushed.map_err(|error| problem_of(&error))?;
    Ok(ApiAnswer { committed, ..ApiAnswer::json(&answer) })
}

/// `GET /v1/sync?epoch=&seq=&mark=`, `pending=` with ids between commas, and `digest=true`. Without epoch: never synced.
pub(super) fn sync(
    reader: &Reader,
    caller: &Caller,
    query: &[(String, String)],
) -> Result<ApiAnswer, Problem> {
    on_the_staff(reader, caller)?;
    let field = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let number = |name: &str| match field(name) {
        Some(text) => text.parse::<u64>().map_err(|_| invalid(name, format!("{name} must be a number."))),
        None => Ok(0),
    };
    let mark = match field("mark") {
        Some(text) => text.parse::<Mark>().map_err(|why| invalid("mark", format!("{why}.")))?,
        None => Mark::default(),
    };
    let cursor = Cursor { epoch: number("epoch")?, seq: number("seq")?, mark };
    let pending = field("pending").unwrap_or_default();
    let pending: Result<Vec<Uuid>, _> =
        pending.split(',').filter(|id| !id.is_empty()).map(Uuid::try_parse).collect();
    let pending = pending.map_err(|_| invalid("pending", "pending must be ids between commas."))?;
    check_pending(&pending)?;
    let answer = match field("digest") {
        Some("true") => reader.catch_up_with_digest(&caller.property, caller.employee, cursor, &pending),
        None | Some("false") => reader.catch_up(&caller.property, caller.employee, cursor, &pending),
        Some(_) => return Err(invalid("digest", "digest must be true or false.")),
    };
    let body = answer.map_err(|error| problem_of(&error))?.to_json();
    Ok(ApiAnswer { body, ..ApiAnswer::json(&()) })
}

/// `GET` and `POST /v1/snapshot`, whole. The edge streams it with [`Reader::snapshot`] instead.
pub(super) fn snapshot(reader: &Reader, caller: &Caller, body: &[u8]) -> Result<ApiAnswer, Problem> {
    on_the_staff(reader, caller)?;
    let request = snapshot_request(body)?;
    let mut lines = String::new();
    let done = reader.snapshot(&caller.property, caller.employee, &request, None, &mut |line| {
        lines.push_str(&line);
        lines.push('\n');
        true
    });
    done.map_err(|error| problem_of(&error))?;
    Ok(ApiAnswer::lines(lines))
}

/// Reads the body of `POST /v1/snapshot`; an empty one has nothing pending.
pub fn snapshot_request(body: &[u8]) -> Result<SnapshotRequest, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(SnapshotRequest::default());
    }
    let request: SnapshotRequest = parse(body, "pending", "a list of ids (UUIDs)")?;
    check_pending(&request.pending)?;
    Ok(request)
}

fn check_pending(pending: &[Uuid]) -> Result<(), Problem> {
    let most = limits::PENDING_PER_RESUME;
    let detail = || invalid("pending", format!("At most {most} operations can be pending; send some first."));
    if pending.len() > most { Err(detail()) } else { Ok(()) }
}

fn on_the_staff(reader: &Reader, caller: &Caller) -> Result<(), Problem> {
    match reader.person(&caller.property, caller.employee) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(problem_of(&LedgerError::NoSuchPerson(caller.employee))),
        Err(error) => Err(problem_of(&error)),
    }
}
