//! People who change the same few things at once, without having seen what the others did: the class of steps that looks for
//! conflicts (docs/conflicts.md), and what people do about those that there are.

use innsync_domain::{
    Audience, Command, Conflict, Entity, EntityKind, Note, NotePatch, Policies, Policy, Priority, Suite,
    SuitePatch, Task, TaskPatch, TaskStatus, TaskType, Uuid,
};
use innsync_random::Random;

use crate::people::{ANA, BEN, MARIA, SAM, employee};
use crate::plan::{CrashPoint, Step, What};
use crate::workload::{Deed, Scene};

/// Of a thousand seeds, how many have people who change the same things at once.
const CONTESTS: u32 = 300;
/// Of these, in how many the property has policies of its own.
const OWN_POLICIES: u32 = 400;
/// Who takes part: two who direct, two who do not.
pub(crate) const RIVALS: usize = 4;
/// The things that they change: so many of each kind, the oldest.
const THINGS: usize = 2;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// When the things that all of them change are there.
const READY_MS: u64 = 6_000;

/// What this class adds to a plan.
#[derive(Debug)]
pub(crate) struct Contest {
    pub(crate) skew_ms: Vec<i64>,
    pub(crate) policies: Policies,
    pub(crate) steps: Vec<Step>,
}

/// The class, where a seed has it. Drawn apart, so that what a seed had before stays.
pub(crate) fn of(seed: u64, end: u64) -> Option<Contest> {
    let mut random = Random::of(seed, "contests");
    if !random.chance(CONTESTS) {
        return None;
    }
    let r = &mut random;
    let skew_ms = (0..RIVALS).map(|_| r.below(2 * DAY_MS) as i64 - DAY_MS as i64).collect();
    let policies = if r.chance(OWN_POLICIES) { policies(r) } else { Policies::default() };
    let mut steps = things(r);
    for _ in 0..r.between(2, 7) {
        let at = READY_MS + r.below(end.saturating_sub(READY_MS).max(60_000));
        rivalry(r, at, &mut steps);
    }
    Some(Contest { skew_ms, policies, steps })
}

/// Some fields are decided otherwise than by the table, as far as that is allowed.
fn policies(r: &mut Random) -> Policies {
    let mut policies = Policies::default();
    let fields: Vec<String> = policies.table().map(|(field, _, _)| field).collect();
    for field in fields {
        let policy = r.pick(Policy::KNOWN).filter(|_| r.chance(400)).cloned();
        // What is not allowed for a field is refused, and stays as it is.
        let _ = policies.choose(&field, policy);
    }
    policies
}

/// What all of them will change.
fn things(r: &mut Random) -> Vec<Step> {
    let whose = [MARIA, ANA, SAM, ANA, MARIA];
    let deeds = [Deed::SharedTask, Deed::SharedTask, Deed::SharedTask, Deed::SharedNote, Deed::SharedNote];
    let all = whose.into_iter().zip(deeds).zip(1..);
    all.map(|((who, deed), nth)| Step { at: 400 * nth, what: What::Act { who, deed, pick: r.next() } })
        .collect()
}

/// Some people cannot hear each other for a while, and all of them change things; then they look at what came of it.
fn rivalry(r: &mut Random, at: u64, steps: &mut Vec<Step>) {
    let ms = *r.pick(&[300, 4_000, 20_000, 60_000]).unwrap_or(&4_000);
    let rivals = [ANA, BEN, MARIA, SAM];
    let all_do = r.chance(600).then(|| deed(r));
    for who in rivals {
        if r.chance(650) {
            steps.push(Step { at, what: What::Partition { who, ms, told: r.chance(500) } });
            if r.chance(250) {
                let (point, down_ms) = (CrashPoint::Idle, r.between(1, 2_000));
                let at = at + r.below(ms / 2 + 1);
                steps.push(Step { at, what: What::Crash { who, point, down_ms, reboot: true } });
            }
        }
        if r.chance(200) {
            let by_ms = r.below(DAY_MS) as i64 - DAY_MS as i64 / 2;
            steps.push(Step { at: at + r.below(ms), what: What::SetClock { who, by_ms } });
        }
        for _ in 0..r.between(0, 3) {
            let deed = all_do.unwrap_or_else(|| deed(r));
            steps.push(Step { at: at + r.below(ms), what: What::Act { who, deed, pick: r.next() } });
        }
    }
    for _ in 0..r.between(1, 6) {
        let who = *r.pick(&rivals).unwrap_or(&MARIA);
        let at = at + ms + r.below(40_000);
        let what = match r.below(10) {
            0..6 => What::Settle { who, pick: r.next() },
            6..9 => What::Act { who, deed: Deed::RestoreValue, pick: r.next() },
            _ => What::Act { who, deed: Deed::DismissConflicts, pick: r.next() },
        };
        steps.push(Step { at, what });
    }
}

/// What they are all about to do.
fn deed(r: &mut Random) -> Deed {
    match r.below(20) {
        0..5 => Deed::Rewrite,
        5..8 => Deed::Reprioritise,
        8..11 => Deed::Reassign,
        11..14 => Deed::StepTask,
        14..16 => Deed::StepSuite,
        16..18 => Deed::EditMuch,
        18 => Deed::EditPeople,
        _ => Deed::Remove,
    }
}

/// Words that people put into texts.
const WORDS: [&str; 14] = [
    "four",
    "ten",
    "fresh",
    "blue",
    "tomorrow",
    "quietly",
    "twice",
    "downstairs",
    "sheets",
    "please",
    "urgent",
    "balcony",
    "guest",
    "keys",
];
/// What a text that is shared says at first.
const TEXT: &str = "bring two towels to suite 101 then check the minibar and air the bathroom before noon";

/// The text with one word replaced, put in, taken away or added at its end.
fn rewritten(text: &str, r: &mut Random) -> String {
    let mut words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let word = *r.pick(&WORDS).unwrap_or(&"please");
    let at = r.below(words.len().max(1) as u64) as usize;
    match r.below(4) {
        0 if words.len() > 2 => drop(words.remove(at)),
        1 if at < words.len() => words[at] = word,
        2 => words.insert(at, word),
        _ => words.push(word),
    }
    words.join(" ")
}

macro_rules! shared {
    ($scene:expr, $kind:ident, $random:expr) => {{
        let all =
            $scene.shown.values().filter_map(|it| if let Entity::$kind(it) = it { Some(it) } else { None });
        let all: Vec<_> = all.take(THINGS).collect();
        // The first more often than the second: that is how people meet.
        let first = all.first().copied().filter(|_| $random.chance(650));
        first.or_else(|| $random.pick(&all).copied())
    }};
}

impl Scene<'_> {
    /// A deed of this class; `None` also where there is nothing to do it with.
    pub(crate) fn contest(&self, deed: Deed, r: &mut Random, id: Uuid) -> Option<Command> {
        match deed {
            Deed::SharedTask => Some(self.shared_task(r, id)),
            Deed::SharedNote => Some(Command::CreateNote {
                note_id: id,
                title: "for everybody to read".to_owned(),
                content: TEXT.to_owned(),
                suite_id: None,
                task_id: None,
                audience: Audience::AllStaff,
            }),
            Deed::Rewrite => self.rewrite(r),
            Deed::Reprioritise => {
                let priority = r.pick(&[Priority::Low, Priority::High, Priority::Urgent]).cloned();
                let patch = TaskPatch { priority, ..TaskPatch::default() };
                Some(Command::EditTask { task_id: self.a_task(r)?.id, patch })
            }
            Deed::Reassign => {
                let task_id = self.a_task(r)?.id;
                Some(match r.below(4) {
                    0 => Command::ReleaseTask { task_id },
                    1 => Command::TakeTask { task_id },
                    _ => Command::AssignTask { task_id, assignee: employee(r.below(RIVALS as u64) as usize) },
                })
            }
            Deed::StepTask => self.step_task(r),
            Deed::StepSuite => {
                let suite_id = self.a_suite(r)?.id;
                let status = r.pick(innsync_domain::SuiteStatus::KNOWN)?.clone();
                Some(Command::SetSuiteStatus { suite_id, status })
            }
            Deed::EditMuch => self.edit_much(r),
            Deed::EditPeople => {
                let who = if r.chance(500) { ANA } else { BEN };
                let name =
                    Some(format!("{} {}", crate::people::PEOPLE[who].name, WORDS[r.below(9) as usize]));
                let role = r.chance(300).then_some(innsync_domain::Role::FrontDesk);
                let patch = innsync_domain::EmployeePatch { name, role, department: None };
                Some(Command::EditEmployee { employee_id: employee(who), patch })
            }
            Deed::Remove => match r.below(3) {
                0 => Some(Command::DeleteTask { task_id: self.a_task(r)?.id }),
                1 => Some(Command::DeleteNote { note_id: self.a_note(r)?.id }),
                _ => Some(Command::AddComment {
                    note_id: self.a_note(r)?.id,
                    comment_id: id,
                    text: "I will see to it".to_owned(),
                }),
            },
            Deed::RestoreValue => {
                let open: Vec<&Conflict> =
                    self.conflicts().filter(|it| it.restored_at.is_none() || r.chance(100)).collect();
                let it = r.pick(&open).copied()?;
                Some(Command::RestoreValue {
                    conflict_id: it.id,
                    entity_type: it.entity_type.clone(),
                    entity_id: it.entity_id,
                    field: it.field.clone(),
                    value: it.lost.clone(),
                })
            }
            Deed::DismissConflicts => {
                let conflict_ids: Vec<Uuid> =
                    self.conflicts().filter(|it| it.seen_at.is_none()).map(|it| it.id).take(3).collect();
                (!conflict_ids.is_empty()).then_some(Command::DismissConflicts { conflict_ids })
            }
            _ => None,
        }
    }

    fn shared_task(&self, r: &mut Random, task_id: Uuid) -> Command {
        let directs = crate::people::directs(self.who);
        let mine = if directs { TaskType::Cleaning } else { TaskType::General };
        Command::CreateTask {
            task_id,
            title: "towels for the guests".to_owned(),
            description: TEXT.to_owned(),
            task_type: mine,
            priority: Priority::Normal,
            suite_id: None,
            assigned_to: (directs && r.chance(500)).then(|| employee(ANA)),
            due_at: None,
            severity: None,
        }
    }

    fn rewrite(&self, r: &mut Random) -> Option<Command> {
        if r.chance(500) {
            let task = self.a_task(r)?;
            let mut patch = TaskPatch::default();
            match r.chance(300) {
                true => patch.title = Some(rewritten(&task.title, r)),
                false => patch.description = Some(rewritten(&task.description, r)),
            }
            return Some(Command::EditTask { task_id: task.id, patch });
        }
        let note = self.a_note(r)?;
        let mut patch = NotePatch::default();
        match r.chance(300) {
            true => patch.title = Some(rewritten(&note.title, r)),
            false => patch.content = Some(rewritten(&note.content, r)),
        }
        Some(Command::EditNote { note_id: note.id, patch })
    }

    /// Several fields at once; now and then as a form does that sends all that it shows.
    fn edit_much(&self, r: &mut Random) -> Option<Command> {
        let suite = self.a_suite(r).map(|suite| suite.id);
        match r.below(4) {
            0 => {
                let note = self.a_note(r)?;
                let patch = NotePatch {
                    title: r.chance(500).then(|| rewritten(&note.title, r)),
                    content: Some(rewritten(&note.content, r)),
                    suite_id: r.chance(400).then_some(suite),
                    audience: r.chance(150).then_some(Audience::Managers),
                    ..NotePatch::default()
                };
                Some(Command::EditNote { note_id: note.id, patch })
            }
            1 => {
                let suite_number = r.chance(400).then(|| (101 + r.below(12)).to_string());
                let patch = SuitePatch { suite_number, floor: Some(r.below(4) as i32) };
                Some(Command::EditSuite { suite_id: suite?, patch })
            }
            _ => {
                let task = self.a_task(r)?;
                let is_form = r.chance(200);
                let priority = r.pick(&[Priority::Low, Priority::High, Priority::Urgent]).cloned();
                let patch = TaskPatch {
                    title: if is_form { Some(task.title.clone()) } else { None },
                    description: Some(rewritten(&task.description, r)),
                    priority,
                    suite_id: r.chance(300).then_some(suite),
                    due_at: r.chance(300).then(|| Some(crate::phone::wall(r.below(9) * 60_000))),
                    task_type: r.chance(100).then_some(TaskType::General),
                };
                Some(Command::EditTask { task_id: task.id, patch })
            }
        }
    }

    fn step_task(&self, r: &mut Random) -> Option<Command> {
        let task = self.a_task(r)?;
        let task_id = task.id;
        Some(match (&task.status, r.below(10)) {
            (TaskStatus::Pending, 0..5) => Command::StartTask { task_id },
            (TaskStatus::Pending | TaskStatus::InProgress, 0..7) => Command::CompleteTask { task_id },
            (TaskStatus::Pending | TaskStatus::InProgress, 7) => Command::ReleaseTask { task_id },
            (TaskStatus::Pending | TaskStatus::InProgress, _) => Command::CancelTask { task_id },
            _ => Command::ReopenTask { task_id },
        })
    }

    fn a_task(&self, r: &mut Random) -> Option<&Task> {
        shared!(self, Task, r)
    }

    fn a_note(&self, r: &mut Random) -> Option<&Note> {
        shared!(self, Note, r)
    }

    fn a_suite(&self, r: &mut Random) -> Option<&Suite> {
        shared!(self, Suite, r)
    }

    /// The records of values of theirs that lost.
    fn conflicts(&self) -> impl Iterator<Item = &Conflict> {
        let records = self.shown.values().filter(|it| it.kind() == EntityKind::Conflict);
        records.filter_map(|it| if let Entity::Conflict(it) = it { Some(it) } else { None })
    }
}

/// Values that a person writes by hand for fields in conflict.
pub(crate) fn by_hand(fields: &[innsync_domain::FieldConflict], r: &mut Random) -> innsync_domain::Fields {
    let is_text = |field: &str| matches!(field, "title" | "description" | "content");
    let values = fields.iter().map(|it| {
        let either = if r.chance(500) { &it.mine } else { &it.theirs };
        let value = match either.as_str().filter(|_| is_text(&it.field)) {
            Some(text) => rewritten(text, r).into(),
            None => either.clone(),
        };
        (it.field.clone(), value)
    });
    values.collect()
}
