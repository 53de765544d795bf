//! The same plan twice, with other wall clocks on all phones: nothing that the server makes of operations may differ (G19).
//! Ids are made of the true time in both, so that they are the same.
//!
//! A clock may change when a phone does something (a token that seems to be over is renewed), and with that the rest of the
//! run. The runs are compared up to where an operation comes at another time.

use innsync_domain::{FieldConflict, Uuid};
use innsync_protocol::{Op, OpOutcome};
use innsync_server::authority::Committed;

use crate::Bug;
use crate::contest::RIVALS;
use crate::failure::{Checked, Violation};
use crate::plan::{Faults, Plan, What};
use crate::trace::Lines;
use crate::watch::look;
use crate::world::World;

/// Of the seeds in which people change the same things at once, one in so many is run so: of all, one in fifty.
const EVERY: u64 = 15;
/// By how much the clocks differ, in milliseconds: for each phone another multiple.
const JUMP_MS: i64 = 37 * 60 * 1000;

/// An operation and what became of it, but for times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    at: u64,
    op: Uuid,
    outcome: String,
}

/// In the order of their answers.
pub(crate) type Diary = Vec<Answered>;

impl Answered {
    pub(crate) fn new(at: u64, op: &Op, outcome: &OpOutcome, committed: Option<&Committed>) -> Self {
        let what = match outcome.settled() {
            OpOutcome::Applied { .. } => "applied".to_owned(),
            OpOutcome::Merged { .. } => "merged".to_owned(),
            OpOutcome::Conflict { fields, .. } => {
                // When a comment was made is a time as well.
                let values = |it: &FieldConflict| {
                    (it.field != "comments").then(|| [it.mine.clone(), it.theirs.clone()])
                };
                let fields = fields.iter().map(|it| format!("{} {:?}", it.field, values(it)));
                format!("conflict {}", fields.collect::<Vec<_>>().join(", "))
            }
            OpOutcome::Rejected { rejection, .. } => format!("rejected {}", rejection.reason.as_str()),
            OpOutcome::Duplicate { .. } | OpOutcome::Retry { .. } => "later".to_owned(),
        };
        let changes = committed.into_iter().flat_map(|it| it.changes.iter());
        let rows = changes.map(|it| it.after.as_ref().map_or("gone".to_owned(), |row| look(row).to_json()));
        let outcome = rows.fold(what, |text, row| text + "\n      " + &row);
        Self { at, op: op.id, outcome }
    }
}

/// Whether that plan is run with other clocks, too.
pub(crate) fn are_compared(plan: &Plan) -> bool {
    plan.seed.is_multiple_of(EVERY) && plan.people == RIVALS
}

/// How many operations were answered alike in both runs.
pub(crate) fn compare(plan: &Plan) -> Checked<u64> {
    // Tokens that seem to be over would be renewed at other times.
    let faults = Faults { token_ms: 0, ..plan.faults };
    let plan = Plan { faults, ..plan.clone() };
    let (one, other) = (diary(&plan)?, diary(&with_other_clocks(&plan))?);
    let mut same = 0;
    for (one, other) in one.iter().zip(&other) {
        if (one.at, one.op) != (other.at, other.op) {
            break;
        }
        if one != other {
            let detail = format!(
                "with other wall clocks operation {} comes to\n      {}\n    instead of\n      {}",
                one.op, other.outcome, one.outcome
            );
            return Err(Violation::new("G19", detail));
        }
        same += 1;
    }
    Ok(same)
}

fn with_other_clocks(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for (nth, skew) in (-2..).zip(&mut plan.skew_ms) {
        *skew = -*skew + nth * JUMP_MS;
    }
    for step in &mut plan.steps {
        if let What::SetClock { by_ms, .. } = &mut step.what {
            *by_ms = JUMP_MS - *by_ms;
        }
    }
    plan
}

fn diary(plan: &Plan) -> Checked<Diary> {
    let mut world = World::new(plan, Bug::None, Lines::Hashed)?;
    world.ids_are_timely = true;
    world.diary = Some(Diary::new());
    let result = world.run();
    let diary = world.diary.take().unwrap_or_default();
    world.host.end();
    result.map(|_| diary)
}
