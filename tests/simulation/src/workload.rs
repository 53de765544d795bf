//! What people do all day. A plan says the kind of deed and a number; with what it is done is picked from what their
//! phone shows at that moment, now and then from what makes no sense.

use std::collections::BTreeMap;

use innsync_domain::{
    Alert, AnnouncementPriority, Audience, Command, Department, EmployeePatch, EmployeeStatus, Entity,
    EntityRef, Note, NotePatch, Priority, Role, Severity, Suite, SuiteStatus, Task, TaskPatch, TaskStatus,
    TaskType, Timestamp, Uuid,
};
use innsync_random::Random;
use serde::{Deserialize, Serialize};

use crate::ids;
use crate::people::{ANA, BEN, PEOPLE, directs, employee};

/// A kind of deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum Deed {
    CreateTask,
    AssignTask,
    EditTask,
    TakeTask,
    StartTask,
    CompleteTask,
    ReleaseTask,
    ReopenTask,
    CancelTask,
    DeleteTask,
    SuiteStatus,
    CreateSuite,
    EditSuite,
    WriteNote,
    Comment,
    EditNote,
    DeleteNote,
    Duty,
    Status,
    Promote,
    Raise,
    Acknowledge,
    Resolve,
    Announce,
    ChangeShift,
    MarkRead,
    // What many change at once, see `contest.rs`.
    SharedTask,
    SharedNote,
    Rewrite,
    Reprioritise,
    Reassign,
    StepTask,
    StepSuite,
    EditMuch,
    EditPeople,
    Remove,
    RestoreValue,
    DismissConflicts,
}

use Deed as D;

const STAFF: &[(u64, Deed)] = &[
    (8, D::CreateTask),
    (14, D::TakeTask),
    (12, D::StartTask),
    (14, D::CompleteTask),
    (4, D::ReleaseTask),
    (4, D::EditTask),
    (12, D::SuiteStatus),
    (4, D::WriteNote),
    (6, D::Comment),
    (3, D::EditNote),
    (5, D::Duty),
    (5, D::Status),
    (1, D::Raise),
    (3, D::Acknowledge),
    (6, D::MarkRead),
];
const MANAGER: &[(u64, Deed)] = &[
    (14, D::CreateTask),
    (14, D::AssignTask),
    (12, D::EditTask),
    (3, D::StartTask),
    (3, D::CompleteTask),
    (4, D::CancelTask),
    (5, D::ReopenTask),
    (2, D::DeleteTask),
    (14, D::SuiteStatus),
    (2, D::CreateSuite),
    (3, D::EditSuite),
    (3, D::WriteNote),
    (4, D::Comment),
    (3, D::EditNote),
    (2, D::DeleteNote),
    (4, D::Duty),
    (3, D::Status),
    (1, D::Promote),
    (2, D::Raise),
    (2, D::Acknowledge),
    (3, D::Resolve),
    (1, D::Announce),
    (1, D::ChangeShift),
    (4, D::MarkRead),
];

impl Deed {
    /// What that person might do next.
    pub(crate) fn draw(random: &mut Random, who: usize) -> Self {
        let table = if directs(who) { MANAGER } else { STAFF };
        let mut at = random.below(table.iter().map(|(weight, _)| weight).sum());
        for (weight, deed) in table {
            if at < *weight {
                return *deed;
            }
            at -= weight;
        }
        Self::Comment
    }
}

/// What somebody sees, and who they are.
pub(crate) struct Scene<'a> {
    pub(crate) shown: &'a BTreeMap<EntityRef, Entity>,
    pub(crate) who: usize,
    /// How many people there are.
    pub(crate) people: usize,
    pub(crate) now: Timestamp,
}

macro_rules! all_of {
    ($scene:expr, $kind:ident) => {
        $scene
            .shown
            .values()
            .filter_map(|entity| if let Entity::$kind(it) = entity { Some(it) } else { None })
    };
}

impl Scene<'_> {
    /// The command, if there is anything to do it with.
    pub(crate) fn command(&self, deed: Deed, pick: u64) -> Option<Command> {
        let mut random = Random::of(pick, "deed");
        let r = &mut random;
        let id = ids::version_7(r, self.now);
        Some(match deed {
            D::CreateTask => self.create_task(r, id),
            D::AssignTask => {
                let task_id = self.task(r, |task| task.status.is_open())?.id;
                Command::AssignTask { task_id, assignee: self.anybody(r) }
            }
            D::EditTask => Command::EditTask {
                task_id: self.task(r, |task| task.status.is_open())?.id,
                patch: task_patch(r),
            },
            D::TakeTask => Command::TakeTask {
                task_id: self.task(r, |task| task.assigned_to.is_none() && task.status.is_open())?.id,
            },
            D::StartTask => {
                Command::StartTask { task_id: self.my_task(r, |task| task.status == TaskStatus::Pending)?.id }
            }
            D::CompleteTask => {
                Command::CompleteTask { task_id: self.my_task(r, |task| task.status.is_open())?.id }
            }
            D::ReleaseTask => {
                Command::ReleaseTask { task_id: self.my_task(r, |task| task.status.is_open())?.id }
            }
            D::ReopenTask => Command::ReopenTask { task_id: self.task(r, |task| !task.status.is_open())?.id },
            D::CancelTask => Command::CancelTask { task_id: self.task(r, |task| task.status.is_open())?.id },
            D::DeleteTask => Command::DeleteTask { task_id: self.task(r, |_| true)?.id },
            D::SuiteStatus => self.suite_status(r)?,
            D::CreateSuite => Command::CreateSuite {
                suite_id: id,
                suite_number: (101 + r.below(12)).to_string(),
                floor: 1,
                status: SuiteStatus::VacantClean,
            },
            D::EditSuite => Command::EditSuite {
                suite_id: self.suite(r)?.id,
                patch: innsync_domain::SuitePatch {
                    suite_number: r.chance(300).then(|| (101 + r.below(12)).to_string()),
                    floor: Some(r.below(3) as i32),
                },
            },
            D::WriteNote => Command::CreateNote {
                note_id: id,
                title: format!("note {}", pick % 1000),
                content: String::new(),
                suite_id: self.suite(r).map(|suite| suite.id).filter(|_| pick.is_multiple_of(2)),
                task_id: None,
                audience: audience(r),
            },
            D::Comment => Command::AddComment {
                note_id: self.note(r)?.id,
                comment_id: id,
                text: format!("comment {}", pick % 1000),
            },
            D::EditNote => Command::EditNote {
                note_id: self.note(r)?.id,
                patch: NotePatch {
                    title: r.chance(500).then(|| format!("title {}", pick % 7)),
                    content: r.chance(500).then(|| format!("content {}", pick % 7)),
                    audience: r.chance(200).then(|| audience(r)),
                    ..NotePatch::default()
                },
            },
            D::DeleteNote => Command::DeleteNote { note_id: self.note(r)?.id },
            D::Duty => {
                let employee_id = self.myself_or_anybody(r);
                Command::SetDuty { employee_id, is_on_duty: r.chance(750) }
            }
            D::Status => Command::SetEmployeeStatus {
                employee_id: self.myself_or_anybody(r),
                status: EmployeeStatus::KNOWN.get(r.below(4) as usize)?.clone(),
            },
            D::Promote => self.promote(r),
            D::Raise => Command::RaiseEmergency {
                task_id: id,
                title: format!("emergency {}", pick % 1000),
                description: "water".to_owned(),
                severity: Severity::Critical,
                suite_id: self.suite(r).map(|suite| suite.id),
            },
            D::Acknowledge => Command::AcknowledgeAlert { alert_id: self.alert(r)?.id },
            D::Resolve => Command::ResolveAlert { alert_id: self.alert(r)?.id },
            D::Announce => Command::Announce {
                announcement_id: id,
                title: "pool".to_owned(),
                message: "closed".to_owned(),
                priority: AnnouncementPriority::Normal,
                expires_at: None,
            },
            D::ChangeShift => Command::ChangeShift {
                shift_id: id,
                old_shift: "early".to_owned(),
                new_shift: "late".to_owned(),
                on_duty_employees: vec![employee(ANA)],
            },
            D::MarkRead => self.mark_read(r)?,
            D::SharedTask
            | D::SharedNote
            | D::Rewrite
            | D::Reprioritise
            | D::Reassign
            | D::StepTask
            | D::StepSuite
            | D::EditMuch
            | D::EditPeople
            | D::Remove
            | D::RestoreValue
            | D::DismissConflicts => self.contest(deed, r, id)?,
        })
    }

    fn create_task(&self, r: &mut Random, task_id: Uuid) -> Command {
        use TaskType::{Cleaning, General, Inspection, Maintenance};
        let task_type = r.pick(&[Cleaning, Maintenance, General, Inspection]).unwrap_or(&General).clone();
        let directs = directs(self.who);
        let task_type = if directs { task_type } else { Maintenance };
        Command::CreateTask {
            task_id,
            title: format!("task {}", r.below(1000)),
            description: String::new(),
            task_type,
            priority: Priority::Normal,
            suite_id: self.suite(r).map(|suite| suite.id).filter(|_| r.chance(600)),
            assigned_to: (directs && r.chance(400)).then(|| self.anybody(r)),
            due_at: None,
            severity: None,
        }
    }

    fn suite_status(&self, r: &mut Random) -> Option<Command> {
        use SuiteStatus::{Cleaning, Inspected, Occupied, OutOfService, VacantClean, VacantDirty};
        let suite = self.suite(r)?;
        let next = match suite.status {
            VacantClean | Inspected => Occupied,
            Occupied => VacantDirty,
            VacantDirty => Cleaning,
            _ => VacantClean,
        };
        let odd = r.pick(&[OutOfService, VacantDirty, Inspected, Occupied]).unwrap_or(&OutOfService).clone();
        let status = if r.chance(700) { next } else { odd };
        Some(Command::SetSuiteStatus { suite_id: suite.id, status })
    }

    /// Roles and departments change now and then, of those who do not manage.
    fn promote(&self, r: &mut Random) -> Command {
        let who = if r.chance(500) { ANA } else { BEN };
        let role = r.pick(&[Role::Housekeeper, Role::Maintenance, Role::Supervisor]).cloned();
        let department = r.pick(&[Department::Housekeeping, Department::Maintenance]).cloned();
        let patch = match r.below(3) {
            0 => EmployeePatch { role, ..EmployeePatch::default() },
            1 => EmployeePatch { department, ..EmployeePatch::default() },
            _ => EmployeePatch {
                name: Some(format!("{} {}", PEOPLE[who].name, r.below(9))),
                ..EmployeePatch::default()
            },
        };
        Command::EditEmployee { employee_id: employee(who), patch }
    }

    fn mark_read(&self, r: &mut Random) -> Option<Command> {
        let unread = all_of!(self, Notification).filter(|it| it.read_at.is_none()).map(|it| it.id);
        let notification_ids: Vec<Uuid> = unread.take(1 + r.below(4) as usize).collect();
        (!notification_ids.is_empty()).then_some(Command::MarkRead { notification_ids })
    }

    /// One of the latest that suit, so that people meet; now and then any.
    fn task(&self, r: &mut Random, suits: impl Fn(&Task) -> bool) -> Option<&Task> {
        let any = r.chance(60);
        let suiting: Vec<&Task> = all_of!(self, Task).filter(|task| any || suits(task)).collect();
        let latest = suiting.len().saturating_sub(4);
        r.pick(&suiting[latest..]).copied()
    }

    fn my_task(&self, r: &mut Random, suits: impl Fn(&Task) -> bool) -> Option<&Task> {
        let me = Some(employee(self.who));
        let others = directs(self.who);
        self.task(r, |task| (others || task.assigned_to == me) && suits(task))
    }

    fn suite(&self, r: &mut Random) -> Option<&Suite> {
        let suites: Vec<&Suite> = all_of!(self, Suite).collect();
        r.pick(&suites).copied()
    }

    fn note(&self, r: &mut Random) -> Option<&Note> {
        let notes: Vec<&Note> = all_of!(self, Note).collect();
        r.pick(&notes[notes.len().saturating_sub(3)..]).copied()
    }

    fn alert(&self, r: &mut Random) -> Option<&Alert> {
        let alerts: Vec<&Alert> = all_of!(self, Alert).filter(|it| it.resolved_at.is_none()).collect();
        r.pick(&alerts).copied()
    }

    fn anybody(&self, r: &mut Random) -> Uuid {
        employee(r.below(self.people as u64) as usize)
    }

    fn myself_or_anybody(&self, r: &mut Random) -> Uuid {
        if r.chance(850) { employee(self.who) } else { self.anybody(r) }
    }
}

fn task_patch(r: &mut Random) -> TaskPatch {
    let mut patch = TaskPatch::default();
    match r.below(4) {
        0 => patch.title = Some(format!("title {}", r.below(5))),
        1 => patch.description = Some(format!("description {}", r.below(5))),
        2 => patch.priority = r.pick(&[Priority::Low, Priority::High, Priority::Urgent]).cloned(),
        _ => {
            patch.title = Some(format!("title {}", r.below(5)));
            patch.task_type =
                r.pick(&[TaskType::Cleaning, TaskType::Maintenance, TaskType::General]).cloned();
        }
    }
    patch
}

fn audience(r: &mut Random) -> Audience {
    match r.below(5) {
        0 => Audience::Department { department: Department::Housekeeping },
        1 => Audience::Managers,
        2 => Audience::People { people: vec![employee(BEN)] },
        _ => Audience::AllStaff,
    }
}
