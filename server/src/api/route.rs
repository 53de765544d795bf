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
    NoSuchPath,
    /// The methods that there are.
    NoSuchMethod(&'static [&'static str]),
}

impl Refusal {
    pub(super) fn into_answer(self) -> ApiAnswer {
        match self {
            Self::NoSuchPath => {
                ApiAnswer::problem(&Problem::new(404, "NOT_FOUND", "There is nothing at this path."))
            }
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
    let route = parse(path).ok_or(Refusal::NoSuchPath)?;
    let allowed = methods(&route);
    let method = if method == "HEAD" { "GET" } else { method };
    match allowed {
        [] => Err(Refusal::NoSuchPath),
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
        EntityKind::Other(_) => "",
    }
}

fn methods(route: &Route<'_>) -> &'static [&'static str] {
    use EntityKind::{Alert, Announcement, Employee, Note, Notification, Shift, Suite, Task};
    match route {
        Route::Collection(Suite | Task | Note | Employee | Announcement | Shift) => &["GET", "POST"],
        Route::Collection(_) => &["GET"],
        Route::Item(Suite | Task | Note | Employee, _) => &["GET", "PATCH", "DELETE"],
        Route::Item(..) => &["GET"],
        Route::Step(Task, _, "complete" | "start" | "take" | "release" | "reopen" | "cancel" | "assign") => {
            &["PATCH"]
        }
        Route::Step(Suite | Employee, _, "status") | Route::Step(Notification, _, "read") => &["PATCH"],
        Route::Step(Note, _, "comments") | Route::Step(Alert, _, "acknowledge" | "resolve") => &["POST"],
        Route::Step(..) => &[],
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
            assert_eq!(resolve("GET", path), Err(Refusal::NoSuchPath), "{path}");
        }
    }
}
