//! The server: the real ledger, authority, REST and hub; sessions are the simulation's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use innsync_domain::{Command, Employee, EntityKind, SuiteStatus, Timestamp, Uuid};
use innsync_engine::HttpAnswer;
use innsync_protocol::{
    Problem, SessionAnswer, SnapshotLine, SnapshotRequest, SnapshotResume, SnapshotStart,
};
use innsync_server::api::{ApiRequest, Caller, handle};
use innsync_server::authority::{Authority, Committed, RunOptions};
use innsync_server::hub::{Hub, TokenFacts};
use innsync_server::ledger::{Ledger, LedgerError, Property};
use innsync_server::reader::PageSize;

use crate::failure::{Checked, Violation};
use crate::issuer::{Access, Issuer};
use crate::model::{Model, Rows};
use crate::people::{MARIA, PEOPLE, PROPERTY, employee};
use crate::plan::{Plan, Releases};
use crate::queue::Request;
use crate::releases;

/// See the module.
pub(crate) struct Host {
    pub(crate) authority: Authority,
    pub(crate) hub: Hub,
    pub(crate) issuer: Issuer,
    pub(crate) is_up: bool,
    /// Which process it is.
    pub(crate) life: u32,
    /// The last snapshot of each sign-in, which can be gone on with after a cut, and how many there were.
    kept: BTreeMap<Uuid, (Uuid, Vec<String>)>,
    snapshots: u128,
    backup: Option<Backup>,
    page_size: PageSize,
}

/// The ledger, and with it the sessions, of an earlier moment; what the reference was then.
struct Backup {
    ledger: Ledger,
    issuer: Issuer,
    model: Model,
}

/// What a request came to on the server.
pub(crate) struct Handled {
    pub(crate) answer: HttpAnswer,
    pub(crate) lines: Vec<String>,
    pub(crate) committed: Vec<Committed>,
}

/// Ledgers that earlier runs are done with.
static USED: Mutex<Vec<Ledger>> = Mutex::new(Vec::new());

/// An empty ledger: a used one, where there is one.
fn empty_ledger() -> Result<Ledger, LedgerError> {
    let used = USED.lock().unwrap_or_else(PoisonError::into_inner).pop();
    if let Some(mut used) = used
        && used.clear().is_ok()
    {
        return Ok(used);
    }
    Ledger::in_memory()
}

pub(crate) fn broken(error: LedgerError) -> Violation {
    Violation::new("RUN", format!("the ledger: {error}"))
}

impl Host {
    /// A server with a motel, its staff and some suites; the model is told of it.
    pub(crate) fn open(plan: &Plan, now: Timestamp, model: &mut Model) -> Checked<Self> {
        let authority = set_up(plan, now, model).map_err(broken)?;
        Ok(Self {
            authority,
            hub: Hub::new(plan.seed),
            issuer: Issuer::new(plan.faults.token_ms),
            is_up: true,
            life: 0,
            kept: BTreeMap::new(),
            snapshots: 0,
            backup: None,
            page_size: page_size(plan),
        })
    }

    /// The run is over, and its ledger may be used by another.
    pub(crate) fn end(self) {
        USED.lock().unwrap_or_else(PoisonError::into_inner).push(self.authority.into_ledger());
    }

    /// Another process over the same ledger.
    pub(crate) fn restart(&mut self, seed: u64) {
        self.hub = Hub::new(seed);
        self.is_up = true;
        self.life += 1;
        self.kept.clear();
    }

    /// Takes a backup, in the place of the one before.
    pub(crate) fn back_up(&mut self, model: &Model) -> Checked {
        let ledger = self.authority.ledger().copy().map_err(broken)?;
        self.backup = Some(Backup { ledger, issuer: self.issuer.clone(), model: model.clone() });
        Ok(())
    }

    /// Puts the backup in the place of the ledger; what the reference was then, if there is a backup. `declared`: as
    /// somebody does who says so to the server; else only the marks tell.
    pub(crate) fn restore(&mut self, seed: u64, declared: bool) -> Checked<Option<Model>> {
        let Some(Backup { ledger, issuer, model }) = &self.backup else { return Ok(None) };
        let mut ledger = ledger.copy().map_err(broken)?;
        ledger.set_page_size(self.page_size);
        self.authority = Authority::new(ledger, seed);
        if declared {
            self.authority.declare_restored(PROPERTY).map_err(broken)?;
        }
        self.issuer.restore(issuer);
        Ok(Some(model.clone()))
    }

    /// Answers a request that has arrived.
    pub(crate) fn answer(&mut self, request: &Request, releases: Releases, now: Timestamp) -> Handled {
        if request.path == "/v1/sessions/refresh" {
            return plain(self.refresh(&request.body, now));
        }
        let access = request.token.as_deref().and_then(|token| self.issuer.check(token, now));
        let Some(access) = access else {
            return plain(problem(401, "TOKEN_EXPIRED", "The token is not good; refresh it."));
        };
        let (path, query) = split(&request.path);
        if let Some(lines) = self.rest_of_snapshot(access.session, request) {
            let answer = HttpAnswer { status: 200, retry_after_ms: None, body: String::new() };
            return Handled { answer, lines, committed: Vec::new() };
        }
        let caller = Caller { property: PROPERTY.into(), employee: employee(access.who) };
        let answer = handle(
            &mut self.authority,
            &caller,
            now,
            &ApiRequest {
                method: request.method,
                path,
                query: &query,
                body: request.body.as_bytes(),
                idempotency_key: None,
                login: None,
            },
        );
        let streams = request.streams_lines && answer.status == 200;
        let lines = if streams { answer.body.lines().map(str::to_owned).collect() } else { Vec::new() };
        let lines = self.keep_snapshot(access.session, releases, lines);
        let body = if streams { String::new() } else { answer.body };
        let answer_ = HttpAnswer { status: answer.status, retry_after_ms: None, body };
        Handled { answer: answer_, lines, committed: answer.committed }
    }

    /// What the phone has not got yet of a snapshot that was cut, as the edge of the server would have kept it.
    fn rest_of_snapshot(&self, session: Uuid, request: &Request) -> Option<Vec<String>> {
        if request.path != "/v1/snapshot" {
            return None;
        }
        let SnapshotResume { id, lines } =
            serde_json::from_str::<SnapshotRequest>(&request.body).ok()?.resume?;
        let (_, all) = self.kept.get(&session).filter(|(kept, _)| *kept == id)?;
        let Ok(SnapshotLine::Start(start)) = SnapshotLine::parse(all.first()?) else { return None };
        let mut rest = vec![SnapshotLine::Start(SnapshotStart { from: lines, ..start }).to_json()];
        rest.extend(all.get(1 + usize::try_from(lines).ok()?..)?.iter().cloned());
        Some(rest)
    }

    fn keep_snapshot(&mut self, session: Uuid, releases: Releases, mut lines: Vec<String>) -> Vec<String> {
        releases::snapshot(releases, &mut lines);
        if let Some(first) = lines.first_mut()
            && let Ok(SnapshotLine::Start(start)) = SnapshotLine::parse(first)
        {
            self.snapshots += 1;
            let id = Uuid::from_u128(self.snapshots);
            *first = SnapshotLine::Start(SnapshotStart { id: Some(id), ..start }).to_json();
            self.kept.insert(session, (id, lines.clone()));
        }
        lines
    }

    fn refresh(&mut self, body: &str, now: Timestamp) -> HttpAnswer {
        let token = serde_json::from_str::<innsync_protocol::RefreshRequest>(body).map(|it| it.refresh_token);
        let refreshed = token.ok().and_then(|token| self.issuer.refresh(&token, now));
        let Some((who, session)) = refreshed else {
            return problem(401, "REFRESH_INVALID", "Sign in again.");
        };
        let property = Property {
            id: PROPERTY.to_owned(),
            name: "Seaside Motel".to_owned(),
            time_zone: "UTC".to_owned(),
        };
        match self.employee(who) {
            Some(employee) => json(&SessionAnswer {
                access_token: session.access_token,
                refresh_token: session.refresh_token,
                expires_at: session.expires_at,
                employee,
                property: property.into(),
            }),
            None => problem(401, "NOT_ON_STAFF", "Not on the staff."),
        }
    }

    fn employee(&self, who: usize) -> Option<Employee> {
        let id = employee(who);
        match self.authority.read().get(PROPERTY, id, &EntityKind::Employee, id) {
            Ok(Some(innsync_domain::Entity::Employee(employee))) => Some(employee),
            _ => None,
        }
    }

    /// What a good token says, as the hub hears it.
    pub(crate) fn facts(&self, token: &str, now: Timestamp) -> Option<TokenFacts> {
        let Access { who, session, expires_at } = self.issuer.check(token, now)?;
        Some(TokenFacts { property: Arc::from(PROPERTY), employee: employee(who), session, expires_at })
    }

    /// What the server itself would send that person as a snapshot.
    pub(crate) fn snapshot(&self, who: usize) -> Checked<Rows> {
        let mut rows = Rows::new();
        let request = SnapshotRequest::default();
        let done = self.authority.read().snapshot(PROPERTY, employee(who), &request, None, &mut |line| {
            if let Ok(SnapshotLine::Row(row)) = SnapshotLine::parse(&line) {
                rows.insert(row.reference(), row);
            }
            true
        });
        done.map_err(broken).map(|()| rows)
    }
}

/// How much a page of the feed holds.
fn page_size(plan: &Plan) -> PageSize {
    match usize::try_from(plan.faults.page).unwrap_or(0) {
        0 => PageSize::default(),
        commits => PageSize { commits, commit_bytes: 2_000 * commits, result_bytes: 60 * commits },
    }
}

fn plain(answer: HttpAnswer) -> Handled {
    Handled { answer, lines: Vec::new(), committed: Vec::new() }
}

pub(crate) fn problem(status: u16, code: &str, detail: &str) -> HttpAnswer {
    let body = serde_json::to_string(&Problem::new(status, code, detail)).unwrap_or_default();
    HttpAnswer { status, retry_after_ms: None, body }
}

fn json(body: &impl serde::Serialize) -> HttpAnswer {
    let body = serde_json::to_string(body).unwrap_or_default();
    HttpAnswer { status: 200, retry_after_ms: None, body }
}

/// Path and query. Nothing that an engine asks for needs decoding but commas.
fn split(path: &str) -> (&str, Vec<(String, String)>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    (path, pairs.map(|(key, value)| (key.to_owned(), value.replace("%2C", ","))).collect())
}

fn set_up(plan: &Plan, now: Timestamp, model: &mut Model) -> Result<Authority, LedgerError> {
    let mut ledger = empty_ledger()?;
    ledger.set_page_size(page_size(plan));
    let mut authority = Authority::new(ledger, plan.seed);
    let (id, name) = (PROPERTY.to_owned(), "Seaside Motel".to_owned());
    authority.create_property(&Property { id, name, time_zone: "UTC".to_owned() })?;
    authority.set_policies(PROPERTY, &plan.policies)?;
    model.policies = plan.policies.clone();
    for (who, human) in PEOPLE.iter().enumerate().take(plan.people) {
        let (role, department) = (human.role.clone(), human.department.clone());
        let (_, committed) = authority.add_person(
            now,
            PROPERTY,
            human.name,
            "-",
            human.name,
            role,
            department,
            Some(employee(who)),
        )?;
        model.adopt(&committed);
    }
    let duty = (0..plan.people).map(|who| Command::SetDuty { employee_id: employee(who), is_on_duty: true });
    let suites = (0..6u128).map(|number| Command::CreateSuite {
        suite_id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0100 + number),
        suite_number: (101 + number).to_string(),
        floor: 1,
        status: if number % 2 == 0 { SuiteStatus::Occupied } else { SuiteStatus::VacantClean },
    });
    for command in duty.chain(suites) {
        let answer = authority.run(now, PROPERTY, employee(MARIA), &[command], &RunOptions::default())?;
        let committed = answer.ok().and_then(|answer| answer.committed);
        let committed = committed.ok_or_else(|| LedgerError::Refused("the set-up".to_owned()))?;
        model.adopt(&committed);
    }
    Ok(authority)
}
