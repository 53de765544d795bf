//! Requests on their way to the server and back. What is lost, doubled or late follows from the plan.

use innsync_domain::{Command, Reason, Rejection, Uuid};
use innsync_engine::{HttpAnswer, HttpFailure, HttpRequest, Input};
use innsync_protocol::{OpOutcome, OpResult, PushAnswer, PushRequest, SyncAnswer};
use innsync_server::authority::Committed;
use innsync_server::hub::HubInput;

use crate::Bug;
use crate::failure::{Checked, Violation};
use crate::host::{Handled, problem};
use crate::phone::wall;
use crate::queue::{Event, Request};
use crate::releases;
use crate::settling::{give_up_the_same, is_part_of};
use crate::sometimes::Sometimes;
use crate::twins::Answered;
use crate::world::World;

impl World {
    // From the phone's side.

    pub(crate) fn request(&mut self, who: usize, request: HttpRequest) {
        let HttpRequest { id, method, path, token, body, streams_lines } = request;
        if path == "/v1/ops" {
            self.phones[who].push = Some(id);
        }
        if path.starts_with("/v1/sync") {
            self.phones[who].pull = Some((id, self.phones[who].resumes));
        }
        let request = Request {
            who,
            life: self.phones[who].life,
            id,
            method,
            path,
            token: token.map(|token| token.0),
            body: body.map(|body| body.0).unwrap_or_default(),
            streams_lines,
            is_copy: false,
        };
        if self.is_offline(who)
            || self.now < self.phones[who].mute_until
            || self.random.chance(self.faults.lose_request)
        {
            return self.request_fails(&request);
        }
        if self.random.chance(self.faults.captive) {
            self.reach(Sometimes::Captive);
            let answer =
                HttpAnswer { status: 200, retry_after_ms: None, body: "<html>Welcome!</html>".to_owned() };
            return self.answer_later(&request, Vec::new(), Ok(answer));
        }
        if self.random.chance(self.faults.duplicate) {
            let most = if self.random.chance(300) { 60_000 } else { 300 };
            let late = self.random.below(most);
            let copy = Request { is_copy: true, ..request.clone() };
            self.queue.push(self.now + self.faults.delay_min_ms + late, Event::Request(Box::new(copy)));
        }
        let at = self.now + self.delay();
        self.queue.push(at, Event::Request(Box::new(request)));
    }

    /// No answer comes: the phone hears so, soon or late, or never.
    fn request_fails(&mut self, request: &Request) {
        let after = match self.random.below(3) {
            0 => self.random.between(1, 100),
            1 => self.random.between(100, 30_000),
            _ => return,
        };
        let Request { who, life, id, .. } = *request;
        let answer = Err(HttpFailure { detail: "connection lost".to_owned() });
        self.queue.push(self.now + after, Event::Answer { who, life, id, lines: Vec::new(), answer });
    }

    fn answer_later(
        &mut self,
        request: &Request,
        lines: Vec<String>,
        answer: Result<HttpAnswer, HttpFailure>,
    ) {
        let Request { who, life, id, is_copy, .. } = *request;
        if !is_copy {
            let at = self.now + self.delay();
            self.queue.push(at, Event::Answer { who, life, id, lines, answer });
        }
    }

    pub(crate) fn answer_arrives(
        &mut self,
        who: usize,
        life: u32,
        id: u64,
        lines: Vec<String>,
        answer: Result<HttpAnswer, HttpFailure>,
    ) -> Checked {
        if self.phones[who].life != life {
            return Ok(());
        }
        let lost = HttpFailure { detail: "connection lost".to_owned() };
        let is_deaf = self.is_offline(who) || self.now < self.phones[who].deaf_until;
        let answer = if is_deaf { Err(lost) } else { answer };
        let name = self.name(who);
        match &answer {
            Ok(HttpAnswer { status, body, .. }) => {
                self.note(format_args!("{name} ◀ {status} {body} ({} lines)", lines.len()));
            }
            Err(failure) => self.note(format_args!("{name} ◀ no answer: {}", failure.detail)),
        }
        let phone = &self.phones[who];
        if answer.is_ok() && phone.pull.is_some_and(|(pull, before)| pull == id && before != phone.resumes) {
            self.reach(Sometimes::PullOutlives);
        }
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let some = 1 + self.random.below(60) as usize;
            self.feed(who, Input::SnapshotLines { id, lines: lines.by_ref().take(some).collect() })?;
            if self.phones[who].life != life {
                return Ok(());
            }
        }
        self.feed(who, Input::Http { id, answer })
    }

    // From the server's side.

    pub(crate) fn request_arrives(&mut self, mut request: Request) -> Checked {
        let name = self.name(request.who);
        if !self.host.is_up {
            if !request.is_copy {
                self.request_fails(&request);
            }
            return Ok(());
        }
        let fails = self.random.chance(self.faults.server_error);
        if fails && self.random.chance(700) {
            let answer = self.error();
            self.note(format!("{name}'s {} meets a {}", request.path, answer.status));
            self.answer_later(&request, Vec::new(), Ok(answer));
            return Ok(());
        }
        let refused = self.random.chance(self.faults.refuse);
        if refused && self.random.chance(700) {
            let answer = self.refusal();
            self.note(format!("{name}'s {} meets a {}", request.path, answer.status));
            self.answer_later(&request, Vec::new(), Ok(answer));
            return Ok(());
        }
        self.push_twice(&mut request);
        releases::request(self.faults.releases, &mut request);
        self.note(format!(
            "server ◀ {name} {}{}",
            request.path,
            if request.is_copy { " (again)" } else { "" }
        ));
        let handled = self.host.answer(&request, self.faults.releases, wall(self.now));
        let Handled { mut answer, mut lines, committed } = handled;
        if request.path == "/v1/ops" && answer.status == 200 {
            self.pushed(&request, &answer, &committed)?;
        }
        let took_effect = !committed.is_empty();
        self.committed(committed)?;
        self.watch_answer(&request, &answer, took_effect);
        releases::answer(self.faults.releases, &mut answer);
        if refused {
            if took_effect {
                self.reach(Sometimes::Refused);
            }
            let answer = self.refusal();
            self.answer_later(&request, Vec::new(), Ok(answer));
        } else if fails {
            // It was done all the same.
            let answer = self.error();
            self.answer_later(&request, Vec::new(), Ok(answer));
        } else if self.random.chance(self.faults.lose_answer) && !request.is_copy {
            self.note(format!("{name}'s answer is lost"));
            if took_effect {
                self.reach(Sometimes::AnswerLost);
            }
            self.request_fails(&request);
        } else if !lines.is_empty() && self.random.chance(self.faults.cut_body) {
            self.reach(Sometimes::SnapshotCut);
            lines.truncate(self.random.below(lines.len() as u64) as usize);
            let end = if self.random.chance(500) {
                Ok(answer)
            } else {
                Err(HttpFailure { detail: "cut".to_owned() })
            };
            self.answer_later(&request, lines, end);
        } else {
            if lines.is_empty() && self.random.chance(self.faults.cut_answer) {
                self.reach(Sometimes::CutAnswer);
                let most = self.random.below(answer.body.len() as u64) as usize;
                answer.body = answer.body.chars().take(most).collect();
            }
            self.answer_later(&request, lines, Ok(answer));
        }
        Ok(())
    }

    /// What a proxy, or a program that is not ours, may answer.
    fn refusal(&mut self) -> HttpAnswer {
        let refusals = [
            (401, "TOKEN_INVALID"),
            (403, "FORBIDDEN"),
            (404, "NOT_FOUND"),
            (409, "CONFLICT"),
            (413, "TOO_LARGE"),
        ];
        let (status, code) = *self.random.pick(&refusals).unwrap_or(&(403, "FORBIDDEN"));
        match self.random.chance(500) {
            true => problem(status, code, "No."),
            false => HttpAnswer { status, retry_after_ms: None, body: format!("<html>{status}</html>") },
        }
    }

    fn error(&mut self) -> HttpAnswer {
        match self.random.below(4) {
            0 => problem(500, "INTERNAL", "Something failed."),
            1 => {
                HttpAnswer { status: 502, retry_after_ms: None, body: "<html>Bad Gateway</html>".to_owned() }
            }
            2 => problem(503, "UNAVAILABLE", "Later."),
            _ => {
                let retry_after_ms = Some(1_000 * self.random.between(1, 20));
                HttpAnswer { retry_after_ms, ..problem(429, "TOO_MANY_REQUESTS", "Later.") }
            }
        }
    }

    /// The reference hears what the server said of each operation.
    fn pushed(&mut self, request: &Request, answer: &HttpAnswer, committed: &[Committed]) -> Checked {
        let unreadable = |error: serde_json::Error| Violation::new("RUN", format!("a push: {error}"));
        let sent: PushRequest = serde_json::from_str(&request.body).map_err(unreadable)?;
        let answer: PushAnswer = serde_json::from_str(&answer.body).map_err(unreadable)?;
        if sent.ops.len() != answer.results.len() {
            return Err(Violation::new("G2", "a push has not as many results as operations"));
        }
        for (op, OpResult { id, result }) in sent.ops.iter().zip(&answer.results) {
            let op: innsync_protocol::Op = serde_json::from_str(op.get()).map_err(unreadable)?;
            let who = self.name(request.who);
            self.note(format!("  {who}'s {} {id}: {}", op.command.name(), outcome_text(result)));
            // Read marks that wait join each other.
            let same = |given: &Command| {
                *given == op.command
                    || (given.is_cosmetic() && op.command.is_cosmetic())
                    || give_up_the_same(given, &op.command)
                    || (self.rests.contains(&op.id) && is_part_of(given, &op.command))
            };
            if !self.given.get(&op.id).is_some_and(same) || op.id != *id {
                let detail = format!("operation {} {} was never given by {who}", op.id, op.command.name());
                return Err(Violation::new("G2", detail));
            }
            self.watch_result(request.who, &op, result);
            if self.is_joined_by_another(&op, result) {
                continue;
            }
            let commit = committed.iter().find(|it| it.result.as_ref().is_some_and(|(_, it)| it.id == *id));
            if let Some(diary) = &mut self.diary {
                diary.push(Answered::new(self.now, &op, result, commit));
            }
            self.model.answered(&op, result, wall(self.now))?;
            let reached = self.model.loses(&op, result, commit, wall(self.now))?;
            reached.into_iter().for_each(|what| self.reach(what));
        }
        Ok(())
    }

    fn watch_result(&mut self, phone: usize, op: &innsync_protocol::Op, outcome: &OpOutcome) {
        let senders = self.senders.entry(op.id).or_default();
        senders.insert(phone);
        if senders.len() > 1 {
            self.reach(Sometimes::SentBySeveral);
        }
        if op.intent.corrected.is_none() {
            self.reach(Sometimes::Uncertain);
        }
        match outcome {
            OpOutcome::Duplicate { .. } => self.reach(Sometimes::Duplicate),
            OpOutcome::Retry { .. } => self.reach(Sometimes::DependencyUnknown),
            _ => {}
        }
        match outcome.settled() {
            OpOutcome::Merged { .. } => self.reach(Sometimes::Merged),
            OpOutcome::Applied { skipped, .. } if !skipped.is_empty() => self.reach(Sometimes::Skipped),
            _ => {}
        }
    }

    /// Read marks that wait take in later ones under the same id. Where their database was copied meanwhile, and the other
    /// phone has sent the fewer, the server refuses the more by that id: a person is asked, and tries them again as another
    /// operation.
    fn is_joined_by_another(&self, op: &innsync_protocol::Op, outcome: &OpOutcome) -> bool {
        let is_refused = |rejection: &Rejection| rejection.reason == Reason::IdReused;
        let is_refused =
            matches!(outcome.settled(), OpOutcome::Rejected { rejection, .. } if is_refused(rejection));
        let by_several = self.senders.get(&op.id).is_some_and(|senders| senders.len() > 1);
        is_refused && by_several && op.command.is_cosmetic()
    }

    fn watch_answer(&mut self, request: &Request, answer: &HttpAnswer, took_effect: bool) {
        if request.path == "/v1/ops" && request.is_copy && took_effect {
            self.reach(Sometimes::CopyOvertakes);
        }
        if request.path.contains("&digest=true") {
            self.reach(Sometimes::Digest);
        }
        if request.path == "/v1/snapshot" && request.body.contains("\"resume\"") && answer.body.is_empty() {
            self.reach(Sometimes::SnapshotResumed);
        }
        if request.path.starts_with("/v1/sync") && answer.status == 200 {
            match SyncAnswer::parse(&answer.body) {
                Ok(SyncAnswer::Reset(reset)) => self.watch_reset(reset.reason),
                Ok(SyncAnswer::Delta(delta)) if delta.more => self.reach(Sometimes::MorePages),
                _ => {}
            }
        }
    }

    fn committed(&mut self, committed: Vec<Committed>) -> Checked {
        committed.into_iter().try_for_each(|committed| {
            self.model.marked(committed.mark);
            self.hub(HubInput::Committed(committed))
        })
    }

    /// A bug on purpose: see [`Bug::PushTwice`].
    fn push_twice(&mut self, request: &mut Request) {
        if self.bug != Bug::PushTwice || !self.bug_is_due || request.path != "/v1/ops" {
            return;
        }
        let Ok(mut push) = serde_json::from_str::<PushRequest>(&request.body) else { return };
        let Some(first) = push.ops.first() else { return };
        let Ok(mut op) = serde_json::from_str::<innsync_protocol::Op>(first.get()) else { return };
        op.id = Uuid::from_u128(op.id.as_u128() ^ 1);
        if let Ok(raw) = serde_json::value::to_raw_value(&op) {
            self.bug_is_due = false;
            push.ops.push(raw);
            request.body = serde_json::to_string(&push).unwrap_or_default();
        }
    }
}

fn outcome_text(outcome: &OpOutcome) -> String {
    serde_json::to_string(outcome).unwrap_or_default()
}
