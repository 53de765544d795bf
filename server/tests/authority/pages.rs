//! Random days: whoever catches up from wherever, in whatever steps, holds what a fresh snapshot has.

use std::collections::BTreeMap;

use innsync_domain::{Command, EntityKind, Person, SuiteStatus};
use innsync_server::random::SeededRandom;
use innsync_server::view::view_commit;
use serde_json::{Value, json};

use crate::motel::{Motel, Phone, STAFF, id};

struct Dice(SeededRandom);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        (self.0.next_u64() % most as u64) as usize
    }
    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

fn any_command(dice: &mut Dice, day: usize) -> Command {
    let who = id(dice.one(&STAFF));
    let task = id(&format!("task {}", dice.below(20)));
    let note = id(&format!("note {}", dice.below(6)));
    let suite = id(dice.one(&["101", "102"]));
    let fresh = id(&format!("fresh {day} {}", dice.below(1_000_000)));
    let task_type = dice.one(&["CLEANING", "MAINTENANCE", "GENERAL", "INSPECTION", "EMERGENCY"]);
    let suite_status = SuiteStatus::KNOWN[dice.below(SuiteStatus::KNOWN.len())].as_str();
    let audience = [
        json!({"kind": "ALL_STAFF"}),
        json!({"kind": "MANAGERS"}),
        json!({"kind": "DEPARTMENT", "department": "HOUSEKEEPING"}),
        json!({"kind": "PEOPLE", "people": [who]}),
    ][dice.below(4)]
    .clone();
    let assignee = if dice.below(2) == 0 { json!(who) } else { Value::Null };
    let command = match dice.below(24) {
        0..=3 => json!({"type": "CREATE_TASK", "taskId": task, "title": "A task", "taskType": task_type,
            "assignedTo": assignee, "suiteId": suite}),
        4 => json!({"type": "EDIT_TASK", "taskId": task, "patch": {"title": format!("Title {day}")}}),
        5 | 6 => json!({"type": "ASSIGN_TASK", "taskId": task, "assignee": who}),
        7 => json!({"type": "TAKE_TASK", "taskId": task}),
        8 => json!({"type": "START_TASK", "taskId": task}),
        9 => json!({"type": "COMPLETE_TASK", "taskId": task}),
        10 => json!({"type": "RELEASE_TASK", "taskId": task}),
        11 => json!({"type": "REOPEN_TASK", "taskId": task}),
        12 => json!({"type": "CANCEL_TASK", "taskId": task}),
        13 => json!({"type": "DELETE_TASK", "taskId": task}),
        14 | 15 => json!({"type": "SET_SUITE_STATUS", "suiteId": suite, "status": suite_status}),
        16 => json!({"type": "CREATE_NOTE", "noteId": note, "title": "A note", "audience": audience}),
        17 => json!({"type": "EDIT_NOTE", "noteId": note, "patch": {"audience": audience}}),
        18 => json!({"type": "ADD_COMMENT", "noteId": note, "commentId": fresh, "text": "Seen"}),
        19 => json!({"type": "DELETE_NOTE", "noteId": note}),
        20 | 21 => json!({"type": "SET_DUTY", "employeeId": who, "isOnDuty": dice.below(3) > 0}),
        22 => json!({"type": "ACKNOWLEDGE_ALERT", "alertId": innsync_domain::derived_id(task, "alert")}),
        _ => json!({"type": "RESOLVE_ALERT", "alertId": innsync_domain::derived_id(task, "alert")}),
    };
    serde_json::from_value(command).unwrap()
}

/// Somebody is sent to another department, which is another scope.
fn any_move(dice: &mut Dice) -> Command {
    let department = dice.one(&["HOUSEKEEPING", "MAINTENANCE"]);
    serde_json::from_value(json!({
        "type": "EDIT_EMPLOYEE", "employeeId": id(dice.one(&["ana", "ben", "miguel"])),
        "patch": {"department": department},
    }))
    .unwrap()
}

/// A phone that hears every commit as it is made.
struct Listener {
    phone: Phone,
    person: Person,
}

impl Listener {
    fn new(motel: &Motel, who: &str) -> Self {
        let person = motel.reader().person("seaside", id(who)).unwrap().unwrap();
        Self { phone: motel.snapshot(who), person }
    }

    fn hear(&mut self, motel: &Motel, from: usize) {
        for committed in &motel.log[from..] {
            let (commit, after, scope_changed) = view_commit(committed, &self.person);
            if scope_changed {
                *self = Self::new(motel, &self.phone.who);
                return;
            }
            for change in commit.iter().flat_map(|commit| &commit.changes) {
                self.phone.apply(change);
            }
            self.person = after;
            self.phone.cursor.seq = committed.seq;
            self.phone.cursor.mark = committed.mark;
        }
    }
}

fn random_days(seed: u64) {
    let mut dice = Dice(SeededRandom::new(seed));
    let mut motel = Motel::open();
    let mut listeners: Vec<Listener> = STAFF.iter().map(|who| Listener::new(&motel, who)).collect();
    let mut phones: BTreeMap<usize, Phone> = BTreeMap::new();
    for day in 0..500 {
        let from = motel.log.len();
        let who = if dice.below(2) == 0 { "maria" } else { dice.one(&STAFF) };
        match dice.below(60) {
            0 => motel.tries("maria", any_move(&mut dice)),
            _ => motel.tries(who, any_command(&mut dice, day)),
        };
        listeners.iter_mut().for_each(|listener| listener.hear(&motel, from));
        // Somebody's phone begins, somebody's goes on by a page, somebody's comes up to date.
        let at = dice.below(12);
        let phone = phones.entry(at).or_insert_with(|| motel.snapshot(STAFF[at % STAFF.len()]));
        match dice.below(6) {
            0 => drop(phone.pull(&motel)),
            1 => {
                phone.catch_up(&motel);
                phone.assert_is_fresh(&motel);
            }
            _ => {}
        }
    }
    for listener in &listeners {
        listener.phone.assert_is_fresh(&motel);
    }
    for phone in phones.values_mut() {
        phone.catch_up(&motel);
        phone.assert_is_fresh(&motel);
    }
    let everything = motel.snapshot("maria");
    for kind in [EntityKind::Suite, EntityKind::Employee] {
        assert!(everything.entities.keys().any(|entity| entity.kind == kind));
    }
}

#[test]
fn whoever_catches_up_holds_what_a_fresh_snapshot_has() {
    // G9, G25: live frames, catching up and snapshots show the same.
    for seed in 0..12 {
        random_days(seed);
    }
}
