//! Paths and methods.

use innsync_domain::{EntityKind, Uuid};
use innsync_protocol::Problem;

use super::ApiAnswer;

/// What a path means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Route<'a> {
    /// `/v1/tasks`
    Collection(EntityKind),
    /// `/v1/tasks/{id}`
    Item(EntityKind, Uuid),
    /// `/v1/tasks/{id}/complete`
    Step(EntityKind, Uuid, &'a str),
    /// `/v1/ops`
    Ops,
    /// `/v1/sync`
    Sync,
    /// `/v1/snapshot`
    Snapshot,
}

/// Why there is no answer at that path or to that method.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// What is wrong with it.
    NoSuchPath(String),
    /// The methods that there are.
    NoSuchMethod(&'static [&'static str]),
}

impl Refusal {
    pub(super) fn into_answer(self) -> ApiAnswer {
        match self {
            Self::NoSuchPath(why) => ApiAnswer::problem(&Problem::new(404, "NOT_FOUND", why)),
            Self::NoSuchMethod(allowed) => {
                let allowed = allowed.join(", ");
                let detail = format!("This path answers to {allowed} only.");
                let mut answer = ApiAnswer::problem(&Problem::new(405, "METHOD_NOT_ALLOWED", detail));
                answer.headers.push(("Allow", allowed));
                answer
            }
        }
    }
}

pub(super) fn resolve<'a>(method: &str, path: &'a str) -> Result<Route<'a>, Refusal> {
    let no_such_path = || Refusal::NoSuchPath(why_not(path));
    let route = parse(path).ok_or_else(no_such_path)?;
    let allowed = methods(&route);
    let method = if method == "HEAD" { "GET" } else { method };
    match allowed {
        [] => Err(no_such_path()),
        allowed if allowed.contains(&method) => Ok(route),
        allowed => Err(Refusal::NoSuchMethod(allowed)),
    }
}

fn parse(path: &str) -> Option<Route<'_>> {
    let mut segments = path.strip_prefix("/v1/")?.split('/');
    let (first, second, third) = (segments.next()?, segments.next(), segments.next());
    if segments.next().is_some() {
        return None;
    }
    let id = || second.and_then(|text| Uuid::try_parse(text).ok());
    Some(match (kind(first), second, third) {
        (Some(kind), None, _) => Route::Collection(kind),
        (Some(kind), Some(_), None) => Route::Item(kind, id()?),
        (Some(kind), Some(_), Some(step)) => Route::Step(kind, id()?, step),
        (None, None, _) if first == "ops" => Route::Ops,
        (None, None, _) if first == "sync" => Route::Sync,
        (None, None, _) if first == "snapshot" => Route::Snapshot,
        (None, ..) => return None,
    })
}

/// The answer where there is nothing.
pub(crate) fn nothing_at(path: &str) -> Problem {
    Problem::new(404, "NOT_FOUND", why_not(path))
}

/// Why there is nothing at that path, and what there is.
fn why_not(path: &str) -> String {
    let Some(rest) = path.strip_prefix("/v1/") else {
        return format!("There is nothing at {path}; every call begins with /v1/, as GET /v1/health does.");
    };
    let mut segments = rest.split('/');
    let (first, second, third) = (segments.next().unwrap_or_default(), segments.next(), segments.next());
    let Some(kind) = kind(first) else {
        let kinds: Vec<&str> = EntityKind::KNOWN.iter().map(collection).collect();
        let kinds = kinds.join(", ");
        return format!(
            "There is nothing at {path}; behind /v1/ comes one of {kinds}, sessions, ws, ops, sync, snapshot, health."
        );
    };
    match (second, third) {
        (Some(""), None) => {
            format!("There is nothing at {path}; leave out the slash at the end: /v1/{first}.")
        }
        (Some(id), _) if Uuid::try_parse(id).is_err() => {
            format!("{id:?} is no id: an id is a UUID, as GET /v1/{first} shows it.")
        }
        (_, Some(step)) if !steps(&kind).is_empty() => {
            let steps = steps(&kind).join(", ");
            format!("There is no step {step:?} for {first}; there is {steps}.")
        }
        _ => format!("There is nothing at {path}; there is /v1/{first} and /v1/{first}/{{id}}."),
    }
}

fn kind(name: &str) -> Option<EntityKind> {
    EntityKind::KNOWN.iter().find(|kind| collection(kind) == name).cloned()
}

/// The collection of a kind, as paths have it.
pub(super) fn collection(kind: &EntityKind) -> &'static str {
    match kind {
        EntityKind::Suite => "suites",
        EntityKind::Task => "tasks",
        EntityKind::Employee => "employees",
        EntityKind::Note => "notes",
        EntityKind::Notification => "notifications",
        EntityKind::Alert => "alerts",
        EntityKind::Announcement => "announcements",
        EntityKind::Shift => "shifts",
        EntityKind::Conflict => "conflicts",
        EntityKind::Other(_) => "",
    }
}

/// What can be done with one of them, behind its id.
fn steps(kind: &EntityKind) -> &'static [&'static str] {
    match kind {
        EntityKind::Task => &["complete", "start", "take", "release", "reopen", "cancel", "assign"],
        EntityKind::Suite | EntityKind::Employee => &["status"],
        EntityKind::Note => &["comments"],
        EntityKind::Alert => &["acknowledge", "resolve"],
        EntityKind::Notification => &["read"],
        EntityKind::Conflict => &["dismiss", "restore"],
        EntityKind::Announcement | EntityKind::Shift | EntityKind::Other(_) => &[],
    }
}

fn methods(route: &Route<'_>) -> &'static [&'static str] {
    use EntityKind::{Alert, Announcement, Conflict, Employee, Note, Shift, Suite, Task};
    match route {
        Route::Collection(Suite | Task | Note | Employee | Announcement | Shift) => &["GET", "POST"],
        Route::Collection(_) => &["GET"],
        Route::Item(Suite | Task | Note | Employee, _) => &["GET", "PATCH", "DELETE"],
        Route::Item(..) => &["GET"],
        Route::Step(kind, _, step) if !steps(kind).contains(step) => &[],
        Route::Step(Note | Alert | Conflict, ..) => &["POST"],
        Route::Step(..) => &["PATCH"],
        Route::Ops => &["POST"],
        Route::Sync => &["GET"],
        Route::Snapshot => &["GET", "POST"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_the_protocol_says() {
        let id = Uuid::from_u128(7);
        assert_eq!(resolve("HEAD", "/v1/tasks"), Ok(Route::Collection(EntityKind::Task)));
        assert_eq!(resolve("DELETE", &format!("/v1/notes/{id}")), Ok(Route::Item(EntityKind::Note, id)));
        let path = format!("/v1/tasks/{id}/complete");
        assert_eq!(resolve("PATCH", &path), Ok(Route::Step(EntityKind::Task, id, "complete")));
        assert_eq!(resolve("POST", &path), Err(Refusal::NoSuchMethod(&["PATCH"])));
        assert_eq!(resolve("PUT", "/v1/ops"), Err(Refusal::NoSuchMethod(&["POST"])));
    }

    #[test]
    fn everything_else_is_not_there() {
        let id = Uuid::from_u128(7);
        for path in [
            "",
            "/",
            "/v1",
            "/v1/",
            "/v1//",
            "/v2/tasks",
            "/v1/minibars",
            "/v1/tasks/",
            "/v1/tasks/seven",
            "/v1/ops/1",
            &format!("/v1/tasks/{id}/dance"),
            &format!("/v1/tasks/{id}/complete/x"),
            &format!("/v1/suites/{id}/complete"),
        ] {
            assert!(matches!(resolve("GET", path), Err(Refusal::NoSuchPath(_))), "{path}");
        }
    }
}
