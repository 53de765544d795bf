//! Two people change the same thing, one of them without having seen the other's change. docs/conflicts.md tells these
//! cases; each policy has one.

use std::collections::BTreeMap;

use innsync_domain::{
    Audience, Change, Command, Conflict, Context, Dispute, Edit, EmployeeStatus, Entity, EntityKind,
    EntityRef, Fields, Intent, Lost, NotePatch, Parked, Policies, Policy, Priority, Reason, Rejection,
    Ruling, Settles, Stamp, Stamps, Stop, SuiteStatus, TaskPatch, TaskStatus, TaskType, Timestamp, Uuid,
    against_deleted, decide, dispute, records, stamps_of,
};
use serde_json::{Value, json};

use crate::world::*;

/// The motel with what the server knows of each field.
struct House {
    world: World,
    stamps: BTreeMap<EntityRef, Stamps>,
    policies: Policies,
    operations: u128,
    /// Each entity before each commit.
    log: BTreeMap<(u64, EntityRef), Entity>,
}

/// What one operation knows beside its command.
#[derive(Clone)]
struct Seen {
    base: Fields,
    version: Option<u64>,
    at: i64,
    certain: bool,
    force: bool,
    settles: Settles,
}

/// What became of an operation.
#[derive(Debug)]
enum Done {
    /// It took effect; the values that lost.
    Taken(Vec<Conflict>),
    /// A person decides: field, base, mine, theirs.
    Person(Vec<(String, Value, Value, Value)>, Option<Reason>),
    Refused(Rejection),
}

impl House {
    fn new() -> Self {
        let mut world = World::motel();
        world.does(SAM, new_task_for(10, TaskType::General, ANA));
        world.does(SAM, new_note(20, Audience::AllStaff));
        Self {
            world,
            stamps: BTreeMap::new(),
            policies: Policies::default(),
            operations: 9_000,
            log: BTreeMap::new(),
        }
    }

    /// What somebody sees of some fields now, and when they act: minutes after the house was opened.
    fn sees(&self, entity: &EntityRef, fields: &[&str], minute: i64) -> Seen {
        let row = &self.world.entities[entity];
        let base = fields.iter().map(|name| ((*name).to_owned(), row.field(name).unwrap())).collect();
        Seen {
            base,
            version: Some(row.version()),
            at: minute,
            certain: true,
            force: false,
            settles: Settles::default(),
        }
    }

    /// Does what somebody meant upon what they had seen.
    fn does(&mut self, who: Uuid, command: &Command, seen: &Seen) -> Done {
        self.operations += 1;
        let (operation, actor) = (id(self.operations), self.world.person(who));
        let at = Timestamp::from_millis(1_795_400_000_000 + seen.at * 60_000);
        let intent = Intent { at, certain: seen.certain };
        let (context, none) = (Context { operation, actor: &actor, at }, Stamps::default());
        let primary = command.primary();
        let edit = Edit {
            command,
            context: &context,
            intent,
            base: &seen.base,
            base_version: seen.version,
            force: seen.force,
            settles: &seen.settles,
            policies: &self.policies,
            stamps: self.stamps.get(&primary).unwrap_or(&none),
        };
        let taken = match decide(&edit, &self.world) {
            Ok(Ruling::Taken(taken)) => taken,
            Ok(Ruling::Person { fields, rejection }) => {
                let told = fields.into_iter().map(|it| (it.field, it.base, it.mine, it.theirs)).collect();
                return Done::Person(told, rejection.map(|it| it.reason));
            }
            Err(Stop::Rejected(rejection)) => return Done::Refused(rejection),
            Err(stop) => panic!("{stop}"),
        };
        for mut change in taken.effects.changes {
            change.stamp(at, who);
            self.write(change, who, operation, intent);
        }
        let seen_before = |it: &Lost| {
            let before = self.log.get(&(it.written_in?, primary.clone()))?;
            before.field(&it.field)
        };
        let lost = taken.lost.into_iter();
        let lost = lost.map(|it| Lost { base: seen_before(&it).unwrap_or(it.base.clone()), ..it }).collect();
        let lost = records(operation, &primary, lost, at);
        lost.iter().for_each(|it| self.world.put(it.clone()));
        Done::Taken(lost)
    }

    fn write(&mut self, change: Change, by: Uuid, operation: Uuid, Intent { at, certain }: Intent) {
        let reference = change.reference().unwrap();
        let Some(after) = change.after.clone() else {
            self.world.entities.remove(&reference);
            return;
        };
        let seq = self.operations as u64;
        if let Some(before) = change.before.clone() {
            self.log.insert((seq, reference.clone()), before);
        }
        let stamps = self.stamps.entry(reference).or_default();
        let written = Stamp { seq, version: after.version(), at, certain, by, operation };
        let new = stamps_of(&change, &written, stamps);
        stamps.0.extend(new.0);
        self.world.put(after);
    }

    fn task(&self) -> innsync_domain::Task {
        self.world.task(id(10))
    }
}

impl Done {
    #[track_caller]
    fn lost(self) -> Vec<Conflict> {
        let Self::Taken(lost) = self else { panic!("{self:?}") };
        lost
    }

    #[track_caller]
    fn asks(self) -> (Vec<(String, Value, Value, Value)>, Option<Reason>) {
        let Self::Person(fields, reason) = self else { panic!("{self:?}") };
        (fields, reason)
    }
}

/// Field, what lost, what was kept, by which policy.
fn told(lost: &[Conflict]) -> Vec<(&str, Value, Value, Uuid, Policy)> {
    lost.iter()
        .map(|it| (it.field.as_str(), it.lost.clone(), it.kept.clone(), it.lost_by, it.policy.clone()))
        .collect()
}

fn edit_task(patch: TaskPatch) -> Command {
    Command::EditTask { task_id: id(10), patch }
}

fn retitle(title: &str) -> Command {
    edit_task(TaskPatch { title: Some(title.into()), ..TaskPatch::default() })
}

fn describe(text: &str) -> Command {
    edit_task(TaskPatch { description: Some(text.into()), ..TaskPatch::default() })
}

fn prioritise(priority: Priority) -> Command {
    edit_task(TaskPatch { priority: Some(priority), ..TaskPatch::default() })
}

fn the_task() -> EntityRef {
    task(id(10))
}

#[test]
fn edits_of_different_fields_are_both_done_and_nobody_is_asked() {
    let mut house = House::new();
    let (sam, maria) = (house.sees(&the_task(), &["title"], 1), house.sees(&the_task(), &["priority"], 2));
    assert_eq!(house.does(SAM, &retitle("Lamp in 101"), &sam).lost(), []);
    assert_eq!(house.does(MARIA, &prioritise(Priority::High), &maria).lost(), []);
    assert_eq!((house.task().title.as_str(), house.task().priority), ("Lamp in 101", Priority::High));
}

#[test]
fn the_same_value_on_both_sides_is_no_conflict() {
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["priority"], 1);
    assert_eq!(house.does(SAM, &prioritise(Priority::High), &seen).lost(), []);
    assert_eq!(house.does(MARIA, &prioritise(Priority::High), &seen).lost(), []);
}

#[test]
fn texts_are_merged_by_words_and_else_a_person_decides() {
    let mut house = House::new();
    house.does(
        SAM,
        &describe("Bring two towels to suite 101"),
        &house.sees(&the_task(), &["description"], 0),
    );
    let seen = house.sees(&the_task(), &["description"], 1);
    assert_eq!(house.does(SAM, &describe("Bring four towels to suite 101"), &seen).lost(), []);
    assert_eq!(house.does(MARIA, &describe("Bring two towels to suite 102"), &seen).lost(), []);
    assert_eq!(house.task().description, "Bring four towels to suite 102");
    let (fields, reason) = house.does(PAULA, &describe("Bring ten towels to suite 101"), &seen).asks();
    let (was, theirs) = ("Bring two towels to suite 101", "Bring four towels to suite 102");
    let mine = "Bring ten towels to suite 101";
    assert_eq!(fields, [("description".to_owned(), json!(was), json!(mine), json!(theirs))]);
    assert_eq!(reason, None);
    assert_eq!(house.task().description, theirs, "nothing is done meanwhile");
}

#[test]
fn the_later_intent_wins_in_whatever_order_they_arrive_and_the_loser_is_recorded() {
    // G8, G19
    for late_arrives_first in [true, false] {
        let mut house = House::new();
        let (sam, maria) =
            (house.sees(&the_task(), &["priority"], 5), house.sees(&the_task(), &["priority"], 9));
        let mut ops = [(SAM, Priority::Low, sam), (MARIA, Priority::Urgent, maria)];
        if late_arrives_first {
            ops.reverse();
        }
        let lost: Vec<_> = ops
            .iter()
            .flat_map(|(who, priority, seen)| house.does(*who, &prioritise(priority.clone()), seen).lost())
            .collect();
        assert_eq!(house.task().priority, Priority::Urgent);
        assert_eq!(told(&lost), [("priority", json!("LOW"), json!("URGENT"), SAM, Policy::LastWriteWins)]);
        assert_eq!((lost[0].base.clone(), lost[0].kept_by), (json!("NORMAL"), MARIA));
    }
}

#[test]
fn two_intents_of_the_same_moment_are_told_apart_by_lot_and_by_no_clock() {
    // G19: the first half of an id is a phone's time, the second is random.
    let (sams, marias) = (Uuid::from_u64_pair(9, 1), Uuid::from_u64_pair(2, 5));
    for maria_first in [false, true] {
        let mut house = House::new();
        let seen = house.sees(&the_task(), &["priority"], 5);
        let mut ops = [(SAM, sams, Priority::Low), (MARIA, marias, Priority::Urgent)];
        if maria_first {
            ops.reverse();
        }
        let mut lost = Vec::new();
        for (who, operation, priority) in ops {
            house.operations = operation.as_u128() - 1;
            lost.extend(house.does(who, &prioritise(priority), &seen).lost());
        }
        assert_eq!(house.task().priority, Priority::Urgent);
        assert_eq!(told(&lost), [("priority", json!("LOW"), json!("URGENT"), SAM, Policy::LastWriteWins)]);
    }
}

#[test]
fn a_time_that_was_not_measured_decides_nothing() {
    // G19
    let mut house = House::new();
    let sam = house.sees(&the_task(), &["priority"], 9);
    let maria = Seen { certain: false, at: 2, ..sam.clone() };
    house.does(SAM, &prioritise(Priority::Low), &sam);
    let lost = house.does(MARIA, &prioritise(Priority::Urgent), &maria).lost();
    assert_eq!(house.task().priority, Priority::Urgent, "the order of arrival");
    assert_eq!(told(&lost), [("priority", json!("LOW"), json!("URGENT"), SAM, Policy::LastWriteWins)]);
    assert!(!lost[0].certain);
}

#[test]
fn who_saw_a_value_is_later_than_it_whatever_their_clock_says() {
    // G19
    let mut house = House::new();
    house.does(SAM, &prioritise(Priority::Low), &house.sees(&the_task(), &["priority"], 9));
    let stale = house.sees(&the_task(), &["priority"], 8);
    house.does(MARIA, &prioritise(Priority::Urgent), &house.sees(&the_task(), &["priority"], 3));
    let lost = house.does(PAULA, &prioritise(Priority::High), &stale).lost();
    assert_eq!(told(&lost), [("priority", json!("HIGH"), json!("URGENT"), PAULA, Policy::LastWriteWins)]);
}

#[test]
fn of_one_edit_some_fields_may_lose_and_the_others_are_done() {
    // G8
    let mut house = House::new();
    let sam = house.sees(&the_task(), &["priority", "title"], 3);
    house.does(MARIA, &prioritise(Priority::Urgent), &house.sees(&the_task(), &["priority"], 7));
    let patch =
        TaskPatch { title: Some("Lamp".into()), priority: Some(Priority::Low), ..TaskPatch::default() };
    let lost = house.does(SAM, &edit_task(patch), &sam).lost();
    assert_eq!(told(&lost), [("priority", json!("LOW"), json!("URGENT"), SAM, Policy::LastWriteWins)]);
    assert_eq!((house.task().title.as_str(), house.task().priority), ("Lamp", Priority::Urgent));
}

#[test]
fn complete_beats_start_and_a_start_that_is_late_is_recorded() {
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["status"], 1);
    house.does(SAM, &Command::StartTask { task_id: id(10) }, &seen);
    assert_eq!(house.does(ANA, &Command::CompleteTask { task_id: id(10) }, &seen).lost(), []);
    assert_eq!(house.task().status, TaskStatus::Completed);
    let lost = house.does(ANA, &Command::StartTask { task_id: id(10) }, &seen).lost();
    assert_eq!(told(&lost), [("status", json!("IN_PROGRESS"), json!("COMPLETED"), ANA, Policy::Guarded)]);
    assert_eq!(house.task().status, TaskStatus::Completed);
}

#[test]
fn the_same_end_of_a_task_is_no_conflict_and_two_different_ones_are_for_a_person() {
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["status"], 1);
    house.does(SAM, &Command::CompleteTask { task_id: id(10) }, &seen);
    assert_eq!(house.does(ANA, &Command::CompleteTask { task_id: id(10) }, &seen).lost(), []);
    let (fields, _) = house.does(MARIA, &Command::CancelTask { task_id: id(10) }, &seen).asks();
    let wanted = ("status".to_owned(), json!("PENDING"), json!("CANCELLED"), json!("COMPLETED"));
    assert_eq!(fields, [wanted]);
}

#[test]
fn a_suite_is_what_was_last_seen_of_it_as_far_as_the_rules_allow() {
    let mut house = House::new();
    let suite_103 = suite(S103);
    let seen = house.sees(&suite_103, &["status"], 5);
    let later = Seen { at: 8, ..seen.clone() };
    house.does(SAM, &set_suite(S103, SuiteStatus::OutOfService), &seen);
    // ana may take it from dirty to cleaning, but not from out of service.
    let (fields, reason) = house.does(ANA, &set_suite(S103, SuiteStatus::Cleaning), &later).asks();
    assert_eq!(fields[0].3, json!("OUT_OF_SERVICE"));
    assert_eq!(reason, Some(Reason::IllegalTransition));
    let lost = house.does(MARIA, &set_suite(S103, SuiteStatus::Inspected), &later).lost();
    assert_eq!(told(&lost), [("status", json!("OUT_OF_SERVICE"), json!("INSPECTED"), SAM, Policy::Guarded)]);
}

#[test]
fn permissions_never_change_by_an_edit_that_is_late() {
    let mut house = House::new();
    let ana = EntityRef::new(EntityKind::Employee, ANA);
    let promote = |role| {
        let patch = innsync_domain::EmployeePatch { role: Some(role), ..Default::default() };
        Command::EditEmployee { employee_id: ANA, patch }
    };
    let (early, late) = (house.sees(&ana, &["role"], 1), house.sees(&ana, &["role"], 9));
    house.does(MARIA, &promote(innsync_domain::Role::Supervisor), &early);
    let lost = house.does(PAULA, &promote(innsync_domain::Role::Manager), &late).lost();
    assert_eq!(told(&lost), [("role", json!("MANAGER"), json!("SUPERVISOR"), PAULA, Policy::ServerWins)]);
}

#[test]
fn comments_are_all_kept() {
    let mut house = House::new();
    let note = EntityRef::new(EntityKind::Note, id(20));
    let seen = house.sees(&note, &[], 1);
    for (who, comment) in [(ANA, 31), (BEN, 32)] {
        let command = Command::AddComment { note_id: id(20), comment_id: id(comment), text: "Yes".into() };
        assert_eq!(house.does(who, &command, &seen).lost(), []);
    }
    assert_eq!(house.world.note(id(20)).comments.len(), 2);
}

#[test]
fn a_property_may_decide_otherwise() {
    let mut house = House::new();
    house.policies.choose("TASK.priority", Some(Policy::Manual)).unwrap();
    let seen = house.sees(&the_task(), &["priority"], 1);
    house.does(SAM, &prioritise(Priority::Low), &seen);
    let (fields, _) = house.does(MARIA, &prioritise(Priority::Urgent), &seen).asks();
    assert_eq!(fields, [("priority".to_owned(), json!("NORMAL"), json!("URGENT"), json!("LOW"))]);
}

#[test]
fn whoever_deletes_what_somebody_has_just_changed_is_asked() {
    // G8
    let mut house = House::new();
    let seen = Seen { base: Fields::new(), ..house.sees(&the_task(), &[], 9) };
    house.does(SAM, &retitle("Lamp in 101"), &house.sees(&the_task(), &["title"], 1));
    let delete = Command::DeleteTask { task_id: id(10) };
    let (fields, _) = house.does(MARIA, &delete, &seen).asks();
    assert_eq!(fields, [("title".to_owned(), Value::Null, Value::Null, json!("Lamp in 101"))]);
    let knowing = house.sees(&the_task(), &[], 10);
    assert_eq!(house.does(MARIA, &delete, &knowing).lost(), []);
}

#[test]
fn an_edit_of_what_was_deleted_names_what_it_wanted() {
    // G8
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["title"], 1);
    let last = house.world.entities[&the_task()].clone();
    house.does(MARIA, &Command::DeleteTask { task_id: id(10) }, &house.sees(&the_task(), &[], 2));
    let command = retitle("Lamp in 101");
    let Done::Refused(rejection) = house.does(SAM, &command, &seen) else { panic!() };
    assert_eq!(rejection.reason, Reason::NotFound);
    let actor = house.world.person(SAM);
    let context = Context { operation: id(1), actor: &actor, at: Timestamp::default() };
    let fields = against_deleted(&seen_by(&command, &context, &seen.base), &last, &house.world).unwrap();
    assert_eq!((fields[0].base.clone(), fields[0].mine.clone()), (json!("Task 10"), json!("Lamp in 101")));
    let ana = house.world.person(BEN);
    let hidden = Context { operation: id(1), actor: &ana, at: Timestamp::default() };
    assert_eq!(against_deleted(&seen_by(&command, &hidden, &seen.base), &last, &house.world), Ok(vec![])); // G25
}

#[test]
fn whoever_overwrites_knowingly_leaves_a_record_for_whom_they_overwrote() {
    // G8
    let mut house = House::new();
    house.does(SAM, &retitle("Lamp in 101"), &house.sees(&the_task(), &["title"], 1));
    let early = house.sees(&the_task(), &["title"], 2);
    house.does(PAULA, &prioritise(Priority::High), &house.sees(&the_task(), &["priority"], 3));
    let settles = Settles { fields: vec![in_conflict("title")], version: early.version };
    let seen = Seen { force: true, settles, ..house.sees(&the_task(), &["title", "priority", "dueAt"], 4) };
    let patch = TaskPatch {
        title: Some("Bulb in 101".into()),
        priority: Some(Priority::Low),
        ..TaskPatch::default()
    };
    let lost = house.does(MARIA, &edit_task(patch), &seen).lost();
    assert_eq!(
        told(&lost),
        [
            // It came while maria had not chosen yet.
            ("priority", json!("HIGH"), json!("LOW"), PAULA, Policy::Manual),
            ("title", json!("Lamp in 101"), json!("Bulb in 101"), SAM, Policy::Manual),
        ]
    );
    assert_eq!(lost[1].base, json!("Task 10"), "what sam saw, not what maria did");
}

#[test]
fn what_one_has_long_seen_is_overwritten_without_a_record_also_while_settling() {
    let mut house = House::new();
    house.does(SAM, &prioritise(Priority::High), &house.sees(&the_task(), &["priority"], 1));
    house.does(PAULA, &retitle("Lamp"), &house.sees(&the_task(), &["title"], 2));
    let seen = house.sees(&the_task(), &["title", "priority"], 4);
    let settles = Settles { fields: vec![in_conflict("title")], version: seen.version };
    let patch =
        TaskPatch { title: Some("Bulb".into()), priority: Some(Priority::Low), ..TaskPatch::default() };
    let lost = house.does(MARIA, &edit_task(patch), &Seen { force: true, settles, ..seen }).lost();
    assert_eq!(told(&lost), [("title", json!("Lamp"), json!("Bulb"), PAULA, Policy::Manual)]);
}

#[test]
fn whoever_deletes_knowingly_leaves_records_for_all_that_was_changed_meanwhile() {
    // G8
    let mut house = House::new();
    house.does(SAM, &retitle("Lamp in 101"), &house.sees(&the_task(), &["title"], 1));
    let told_of = house.sees(&the_task(), &[], 2);
    house.does(PAULA, &prioritise(Priority::High), &house.sees(&the_task(), &["priority"], 3));
    let settles = Settles { fields: vec![in_conflict("title")], version: told_of.version };
    let seen = Seen { force: true, settles, ..house.sees(&the_task(), &[], 4) };
    let lost = house.does(MARIA, &Command::DeleteTask { task_id: id(10) }, &seen).lost();
    let mut lost: Vec<_> = told(&lost).into_iter().map(|(field, lost, _, by, _)| (field, lost, by)).collect();
    lost.sort_by_key(|it| it.0.len());
    assert_eq!(lost, [("title", json!("Lamp in 101"), SAM), ("priority", json!("HIGH"), PAULA)]);
}

#[test]
fn a_version_that_was_never_there_is_nothing_seen() {
    // G8: of a history that was lost by a restored backup, or made up.
    let mut house = House::new();
    house.does(SAM, &retitle("Lamp in 101"), &house.sees(&the_task(), &["title"], 1));
    let made_up = Seen { base: Fields::new(), version: Some(99), ..house.sees(&the_task(), &[], 9) };
    let (fields, _) = house.does(MARIA, &Command::DeleteTask { task_id: id(10) }, &made_up).asks();
    assert_eq!(fields[0].0, "title");
    let lost = house.does(MARIA, &retitle("Bulb"), &made_up).lost();
    assert_eq!(told(&lost), [("title", json!("Lamp in 101"), json!("Bulb"), SAM, Policy::MergeText)]);
}

#[test]
fn a_form_that_sends_all_its_fields_changes_those_alone_that_were_touched() {
    // G8
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["title", "description", "priority"], 1);
    house.does(SAM, &prioritise(Priority::Urgent), &house.sees(&the_task(), &["priority"], 2));
    house.does(SAM, &describe("Bring a ladder"), &house.sees(&the_task(), &["description"], 2));
    let was = |field: &str| seen.base[field].as_str().unwrap().to_owned();
    let form = TaskPatch {
        title: Some("Lamp in 101".into()),
        description: Some(was("description")),
        priority: Some(was("priority").as_str().into()),
        ..TaskPatch::default()
    };
    assert_eq!(house.does(MARIA, &edit_task(form), &Seen { at: 9, ..seen }).lost(), []);
    let task = house.task();
    assert_eq!((task.title.as_str(), task.description.as_str()), ("Lamp in 101", "Bring a ladder"));
    assert_eq!(task.priority, Priority::Urgent);
}

#[test]
fn a_text_that_is_overwritten_unseen_leaves_a_record() {
    // G8
    let mut house = House::new();
    let seen = Seen { base: Fields::new(), ..house.sees(&the_task(), &[], 1) };
    house.does(SAM, &describe("Bring a ladder"), &house.sees(&the_task(), &["description"], 2));
    let lost = house.does(MARIA, &describe("Bring a bulb"), &seen).lost();
    assert_eq!(lost[0].lost, json!("Bring a ladder"));
}

#[test]
fn a_step_forward_over_one_that_went_back_leaves_a_record() {
    // G8
    let mut house = House::new();
    house.does(ANA, &Command::StartTask { task_id: id(10) }, &house.sees(&the_task(), &["status"], 1));
    let ana = house.sees(&the_task(), &["status"], 2);
    house.does(SAM, &Command::CompleteTask { task_id: id(10) }, &house.sees(&the_task(), &["status"], 3));
    house.does(SAM, &Command::ReopenTask { task_id: id(10) }, &house.sees(&the_task(), &["status"], 4));
    let lost = house.does(ANA, &Command::CompleteTask { task_id: id(10) }, &ana).lost();
    assert_eq!(told(&lost), [("status", json!("PENDING"), json!("COMPLETED"), SAM, Policy::Guarded)]);
}

#[test]
fn who_completes_what_was_completed_has_not_seen_that_it_was_reopened() {
    // G8
    let mut house = House::new();
    let complete = Command::CompleteTask { task_id: id(10) };
    house.does(ANA, &complete, &house.sees(&the_task(), &["status"], 1));
    // It changes nothing on what ana sees, so nothing is in `base`.
    let again = house.sees(&the_task(), &[], 2);
    house.does(SAM, &Command::ReopenTask { task_id: id(10) }, &house.sees(&the_task(), &["status"], 3));
    let lost = house.does(ANA, &complete, &again).lost();
    assert_eq!(told(&lost), [("status", json!("PENDING"), json!("COMPLETED"), SAM, Policy::Guarded)]);
}

#[test]
fn what_is_done_whole_or_not_at_all_is_recorded_whole() {
    // G8
    let mut house = House::new();
    let ben = EntityRef::new(EntityKind::Employee, BEN);
    house.does(BEN, &Command::SetDuty { employee_id: BEN, is_on_duty: true }, &house.sees(&ben, &[], 0));
    let seen = house.sees(&ben, &["status", "isOnDuty"], 1);
    let on_break = Command::SetEmployeeStatus { employee_id: BEN, status: EmployeeStatus::OnBreak };
    house.does(BEN, &on_break, &Seen { at: 9, ..house.sees(&ben, &["status"], 9) });
    let lost = house.does(SAM, &Command::SetDuty { employee_id: BEN, is_on_duty: false }, &seen).lost();
    let mut fields: Vec<_> =
        told(&lost).into_iter().map(|(field, lost, kept, ..)| (field, lost, kept)).collect();
    fields.sort_by_key(|it| it.0.len());
    let status = ("status", json!("OFF_DUTY"), json!("ON_BREAK"));
    assert_eq!(fields, [status, ("isOnDuty", json!(false), json!(true))]);
}

#[test]
fn what_is_restored_by_a_step_and_loses_once_more_is_recorded_again() {
    // G8
    let mut house = House::new();
    house.does(ANA, &Command::StartTask { task_id: id(10) }, &house.sees(&the_task(), &["status"], 1));
    let started = house.sees(&the_task(), &["assignedTo", "status"], 3);
    house.does(ANA, &Command::CompleteTask { task_id: id(10) }, &house.sees(&the_task(), &["status"], 2));
    // To give it to ben is to make it pending: a step behind comes too late.
    let restore = Command::RestoreValue {
        conflict_id: id(40),
        entity_type: EntityKind::Task,
        entity_id: id(10),
        field: "assignedTo".into(),
        value: json!(BEN),
    };
    let mut fields: Vec<_> =
        house.does(SAM, &restore, &started).lost().into_iter().map(|it| it.field).collect();
    fields.sort();
    assert_eq!(fields, ["assignedTo", "status"]);
}

#[test]
fn what_the_rules_refuse_is_refused_and_no_conflict() {
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["status"], 1);
    house.does(SAM, &Command::StartTask { task_id: id(10) }, &seen);
    // miguel does maintenance; the task is ana's.
    let done = house.does(BEN, &Command::CancelTask { task_id: id(10) }, &seen);
    let Done::Refused(rejection) = done else { panic!("{done:?}") };
    assert!(matches!(rejection.reason, Reason::NotFound | Reason::Forbidden), "{rejection:?}");
}

#[test]
fn a_sheet_follows_what_others_do_while_it_is_open() {
    // G8
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["title", "priority", "type"], 1);
    house.does(SAM, &retitle("Lamp"), &house.sees(&the_task(), &["title"], 2));
    let then = house.world.entities[&the_task()].clone();
    let told = [innsync_domain::FieldConflict { by: Some(SAM), ..in_conflict("title") }];
    house.does(PAULA, &retitle("Lamp in 101"), &house.sees(&the_task(), &["title"], 3));
    let once = house.world.entities[&the_task()].clone();
    house.does(SAM, &prioritise(Priority::Low), &house.sees(&the_task(), &["priority"], 3));
    let patch =
        TaskPatch { title: Some("Bulb".into()), priority: Some(Priority::High), ..TaskPatch::default() };
    let command = edit_task(patch);
    let actor = house.world.person(MARIA);
    let context = Context { operation: id(1), actor: &actor, at: Timestamp::default() };
    let parked = Parked { command: &command, base: &seen.base, told: &told, then: Some(&then) };
    let now = &house.world.entities[&the_task()];
    let Dispute { fields, wanted } = dispute(&parked, Some(now), &context, &house.world).unwrap();
    let brief: Vec<_> = fields.iter().map(|it| (it.field.as_str(), it.theirs.clone(), it.by)).collect();
    assert_eq!(
        brief,
        [("title", json!("Lamp in 101"), None), ("priority", json!("LOW"), None)],
        "two have changed it since, and nobody is named for what they may not have done"
    );
    assert_eq!(wanted.len(), 2);
    let Dispute { fields, .. } = dispute(&parked, Some(&once), &context, &house.world).unwrap();
    assert_eq!(
        fields.iter().map(|it| (it.field.as_str(), it.by)).collect::<Vec<_>>(),
        [("title", Some(PAULA))]
    );
    let delete = Command::DeleteTask { task_id: id(10) };
    let parked = Parked { command: &delete, base: &Fields::new(), told: &told, then: Some(&then) };
    let Dispute { fields, .. } = dispute(&parked, Some(now), &context, &house.world).unwrap();
    assert_eq!(fields.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["title", "priority"]);
}

fn in_conflict(field: &str) -> innsync_domain::FieldConflict {
    innsync_domain::FieldConflict {
        field: field.into(),
        base: Value::Null,
        mine: Value::Null,
        theirs: Value::Null,
        by: None,
        at: None,
        policy: None,
    }
}

#[test]
fn what_lost_is_restored_by_its_owner_as_an_edit_of_theirs() {
    // G8
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["priority"], 1);
    house.does(MARIA, &prioritise(Priority::Urgent), &Seen { at: 5, ..seen.clone() });
    let lost = house.does(SAM, &prioritise(Priority::Low), &seen).lost();
    let restore = Command::RestoreValue {
        conflict_id: lost[0].id,
        entity_type: EntityKind::Task,
        entity_id: id(10),
        field: "priority".into(),
        value: lost[0].lost.clone(),
    };
    assert_eq!(house.does(SAM, &restore, &house.sees(&the_task(), &["priority"], 7)).lost(), []);
    assert_eq!(house.task().priority, Priority::Low);
    let record = &house.world.entities[&EntityRef::new(EntityKind::Conflict, lost[0].id)];
    assert!(!record.field("restoredAt").unwrap().is_null());
    house.world.refuses_as(BEN, restore, Reason::NotFound);
}

#[test]
fn what_was_given_up_is_kept_and_put_aside_at_once() {
    // G8
    let mut house = House::new();
    let fields = vec![innsync_domain::FieldConflict {
        field: "title".into(),
        base: json!("Task 10"),
        mine: json!("Lamp"),
        theirs: json!("Bulb"),
        by: Some(MARIA),
        at: None,
        policy: None,
    }];
    let keep =
        Command::KeepTheirs { operation: id(77), entity_type: EntityKind::Task, entity_id: id(10), fields };
    house.does(SAM, &keep, &house.sees(&the_task(), &[], 1));
    let record = &house.world.entities[&keep.primary()];
    assert_eq!(record.field("lost"), Some(json!("Lamp")));
    assert!(!record.field("seenAt").unwrap().is_null());
    let dismiss = Command::DismissConflicts { conflict_ids: vec![keep.primary().id] };
    house.world.refuses_as(BEN, dismiss, Reason::NotFound); // G25
}

#[test]
fn a_conflict_gives_nothing_away_of_what_is_hidden_by_now() {
    // G25
    let mut house = House::new();
    let seen = house.sees(&the_task(), &["status", "title"], 1);
    house.does(
        SAM,
        &Command::AssignTask { task_id: id(10), assignee: BEN },
        &house.sees(&the_task(), &[], 1),
    );
    house.does(SAM, &retitle("For ben's eyes"), &house.sees(&the_task(), &["title"], 2));
    let Done::Refused(rejection) = house.does(ANA, &Command::CompleteTask { task_id: id(10) }, &seen) else {
        panic!()
    };
    assert_eq!(rejection.reason, Reason::NotFound);
}

#[test]
fn base_values_that_make_no_sense_are_refused_and_unknown_names_passed_over() {
    let mut house = House::new();
    let odd = |base: Value| {
        let Value::Object(base) = base else { panic!("{base}") };
        Seen { base, version: None, at: 1, certain: true, force: false, settles: Settles::default() }
    };
    let Done::Refused(rejection) = house.does(SAM, &retitle("Mine"), &odd(json!({ "title": 7 }))) else {
        panic!()
    };
    assert_eq!((rejection.reason, rejection.field.as_deref()), (Reason::InvalidField, Some("base")));
    let seen = odd(json!({ "colour": "red", "version": 1, "id": "x", "updatedAt": 3 }));
    assert_eq!(house.does(SAM, &retitle("Mine"), &seen).lost(), []);
}

#[test]
fn where_the_command_was_never_possible_a_person_decides() {
    let mut house = House::new();
    house.does(SAM, &Command::CancelTask { task_id: id(10) }, &house.sees(&the_task(), &["status"], 1));
    let seen = Seen {
        base: [("status".to_owned(), json!("IN_PROGRESS"))].into_iter().collect(),
        ..house.sees(&the_task(), &[], 2)
    };
    let (fields, _) = house.does(SAM, &Command::ReopenTask { task_id: id(10) }, &seen).asks();
    assert_eq!(fields, [("status".to_owned(), json!("IN_PROGRESS"), json!("PENDING"), json!("CANCELLED"))]);
}

#[test]
fn an_empty_note_field_is_null_on_all_sides() {
    let mut house = House::new();
    house.policies.choose("NOTE.suiteId", Some(Policy::Manual)).unwrap();
    let note = EntityRef::new(EntityKind::Note, id(20));
    let about = |suite| {
        let patch = NotePatch { suite_id: Some(suite), ..NotePatch::default() };
        Command::EditNote { note_id: id(20), patch }
    };
    let seen = house.sees(&note, &["suiteId"], 1);
    house.does(SAM, &about(Some(S101)), &seen);
    let (fields, _) = house.does(MARIA, &about(Some(S102)), &seen).asks();
    assert_eq!(fields, [("suiteId".to_owned(), Value::Null, json!(S102), json!(S101))]);
}

/// An edit of what its author saw, as plain as can be.
pub(crate) fn seen_by<'a>(command: &'a Command, context: &'a Context<'a>, base: &'a Fields) -> Edit<'a> {
    static POLICIES: std::sync::LazyLock<Policies> = std::sync::LazyLock::new(Policies::default);
    static STAMPS: std::sync::LazyLock<Stamps> = std::sync::LazyLock::new(Stamps::default);
    static NOTHING: Settles = Settles { fields: Vec::new(), version: None };
    let intent = Intent { at: context.at, certain: true };
    Edit {
        command,
        context,
        intent,
        base,
        base_version: None,
        force: false,
        settles: &NOTHING,
        policies: &POLICIES,
        stamps: &STAMPS,
    }
}
