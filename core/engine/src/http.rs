//! HTTP requests under way, and what their answers mean before anybody reads the body.

use innsync_domain::Uuid;
use innsync_protocol::{Problem, SnapshotRequest, SnapshotResume};

use crate::draft::Draft;
use crate::input::{HttpAnswer, HttpFailure};
use crate::limits::{HTTP_GRACE_MS, HTTP_TIMEOUT_MS};
use crate::output::{HttpRequest, Output, Secret};
use crate::store::StoreError;

/// What a request is for. At most one of each is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Push,
    Pull,
    Snapshot,
    Refresh,
}

#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub(crate) id: u64,
    pub(crate) purpose: Purpose,
    /// When it is given up.
    pub(crate) until: u64,
    /// The access token that it went with.
    token: Secret,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    last_id: u64,
    in_flight: Vec<InFlight>,
    /// Whether the last HTTP answer was the server's own; at first it is assumed.
    pub(crate) answers: Answers,
    /// The last request before [`crate::Input::Sync`].
    tried_before: u64,
    /// A request after that one was not answered by the server, and none since was.
    pub(crate) unreachable: bool,
}

/// What the last HTTP request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Answers {
    /// None was made yet.
    #[default]
    Untried,
    /// It was answered by our server.
    Ours,
    /// It was not answered, or by somebody else (a captive portal).
    None,
}

/// What an answer means, whatever it is for.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 2xx with this body, which may still be unreadable.
    Body(String),
    /// 401: the access token is not taken.
    Unauthorized,
    /// 413.
    TooLarge,
    /// Try again, after so many milliseconds at least.
    Later { after: Option<u64>, detail: String },
}

impl Requests {
    pub(crate) fn find(&self, purpose: Purpose) -> Option<&InFlight> {
        self.in_flight.iter().find(|it| it.purpose == purpose)
    }

    pub(crate) fn take(&mut self, id: u64) -> Option<InFlight> {
        let at = self.in_flight.iter().position(|it| it.id == id)?;
        Some(self.in_flight.remove(at))
    }

    /// Forgets the one for that purpose, if it is under way; its answer will be ignored.
    pub(crate) fn take_for(&mut self, purpose: Purpose) -> bool {
        let id = self.find(purpose).map(|it| it.id);
        id.is_some_and(|id| self.take(id).is_some())
    }

    /// Forgets all but a refresh: their answers will be ignored.
    pub(crate) fn forget(&mut self) {
        self.in_flight.retain(|it| it.purpose == Purpose::Refresh);
    }

    pub(crate) fn prolong(&mut self, id: u64, until: u64) {
        if let Some(it) = self.in_flight.iter_mut().find(|it| it.id == id) {
            it.until = until;
        }
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        self.in_flight.iter().map(|it| it.until).min()
    }

    /// From now on it counts whether the server answers.
    pub(crate) fn begin_trial(&mut self) {
        self.tried_before = self.last_id;
        self.unreachable = false;
    }

    /// That one was answered, as `answers` says, or was not.
    fn tried(&mut self, id: u64) {
        match self.answers {
            Answers::Ours => self.unreachable = false,
            Answers::None => self.unreachable |= id > self.tried_before,
            Answers::Untried => {}
        }
    }

    pub(crate) fn waits_for(&self, id: u64) -> bool {
        self.in_flight.iter().any(|it| it.id == id)
    }

    /// Whether any is under way.
    pub(crate) fn any(&self) -> bool {
        !self.in_flight.is_empty()
    }

    pub(crate) fn overdue(&self, now: u64) -> Option<u64> {
        self.in_flight.iter().find(|it| it.until <= now).map(|it| it.id)
    }
}

impl Draft<'_> {
    /// Sends a request; a refresh goes without the access token.
    pub(crate) fn request(&mut self, purpose: Purpose, path: String, body: Option<String>) -> u64 {
        let requests = &mut self.state.requests;
        requests.last_id += 1;
        let id = requests.last_id;
        let access = Secret(self.state.session.access_token());
        let until = self.now.boot_ms + HTTP_TIMEOUT_MS + HTTP_GRACE_MS;
        requests.in_flight.push(InFlight { id, purpose, until, token: access.clone() });
        self.tell(Output::Http(HttpRequest {
            id,
            method: if purpose == Purpose::Pull { "GET" } else { "POST" },
            path,
            token: (purpose != Purpose::Refresh).then_some(access),
            body: body.map(Secret),
            streams_lines: purpose == Purpose::Snapshot,
        }));
        id
    }

    pub(crate) fn on_http(
        &mut self,
        id: u64,
        answer: Result<HttpAnswer, HttpFailure>,
    ) -> Result<(), StoreError> {
        let Some(request) = self.state.requests.take(id) else { return Ok(()) };
        if answer.is_ok() {
            self.heard_something();
        }
        let answer = classify(answer, &mut self.state.requests.answers);
        if matches!(answer, Answer::Unauthorized) && request.purpose != Purpose::Refresh {
            self.token_refused(&request.token.0);
        }
        match request.purpose {
            Purpose::Push => self.on_push_answer(answer)?,
            Purpose::Pull => self.on_pull_answer(answer)?,
            Purpose::Snapshot => self.on_snapshot_answer(id, answer),
            Purpose::Refresh => self.on_refresh_answer(answer),
        }
        self.state.requests.tried(id);
        Ok(())
    }

    /// A sign of the server, or of whoever answers for it.
    pub(crate) fn heard_something(&mut self) {
        self.state.heard_at = self.boot();
        self.state.no_network = false;
    }

    /// The driver owes an answer for too long: as if the request had failed.
    pub(crate) fn give_up_requests(&mut self) -> Result<(), StoreError> {
        while let Some(id) = self.state.requests.overdue(self.boot()) {
            self.on_http(id, Err(HttpFailure { detail: "no answer in time".to_owned() }))?;
        }
        Ok(())
    }

    /// The body was read: our server answers, and takes our token.
    pub(crate) fn answered_by_ours(&mut self) {
        self.state.requests.answers = Answers::Ours;
        self.state.session.accepted();
    }

    /// The body could not be read: somebody else answered, or something cut it.
    pub(crate) fn answered_by_another(&mut self) {
        self.state.requests.answers = Answers::None;
    }
}

fn classify(answer: Result<HttpAnswer, HttpFailure>, answers: &mut Answers) -> Answer {
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => {
            *answers = Answers::None;
            return Answer::Later { after: None, detail: failure.detail };
        }
    };
    if (200..300).contains(&answer.status) {
        return Answer::Body(answer.body);
    }
    let problem = serde_json::from_str::<Problem>(&answer.body);
    *answers = if problem.is_ok() { Answers::Ours } else { Answers::None };
    match answer.status {
        401 => Answer::Unauthorized,
        413 => Answer::TooLarge,
        status => Answer::Later {
            after: answer.retry_after_ms,
            detail: match problem {
                Ok(problem) => format!("the server answered {status} {}", problem.code),
                Err(_) => format!("the server answered {status}"),
            },
        },
    }
}

/// A query for a cursor.
pub(crate) fn sync_path(cursor: &innsync_protocol::Cursor) -> String {
    format!("/v1/sync?epoch={}&seq={}&mark={}", cursor.epoch, cursor.seq, cursor.mark)
}

/// What a snapshot's request says.
pub(crate) fn snapshot_body(pending: Vec<Uuid>, resume: Option<SnapshotResume>) -> String {
    let request = SnapshotRequest { pending, resume };
    serde_json::to_string(&request).unwrap_or_default()
}
