//! SQL and Rust say the same: which rows a query finds, and in which order.

use innsync_domain::{
    AnnouncementPriority, Department, EmployeeStatus, Entity, EntityKind, Priority, Severity, SuiteStatus,
    TaskStatus, Timestamp, Uuid,
};
use innsync_random::Random;
use innsync_store::{Order, Query, Store};
use serde_json::{Value, json};

use crate::motel::{employee, id, morning, show, suite, task, write};

const ORDERS: [Order; 4] = [Order::Usual, Order::Newest, Order::Oldest, Order::Id];

#[test]
fn what_is_found_is_what_matches_in_the_order_of_compare() {
    for seed in 0..8 {
        let mut dice = Random::new(seed);
        let mut store = Store::open_in_memory().unwrap();
        let rows: Vec<Entity> = (0..300).map(|number| anything(&mut dice, number)).collect();
        write(&mut store, rows.iter().cloned().map(show).collect::<Vec<_>>());
        for _ in 0..150 {
            let query = any_query(&mut dice).order(one_of(&mut dice, &ORDERS));
            let mut expected: Vec<Entity> = rows.iter().filter(|row| query.matches(row)).cloned().collect();
            expected.sort_by(|left, right| query.compare(left, right));
            assert_eq!(store.query(&query).unwrap(), expected, "seed {seed}, {query:?}");
            assert_eq!(store.count(&query), Ok(expected.len() as u64));

            let (limit, offset) = (dice.below(6) as usize, dice.below(6) as usize);
            let window: Vec<Entity> = expected.iter().skip(offset).take(limit).cloned().collect();
            let found = store.query(&query.clone().limit(limit as u32).offset(offset as u32)).unwrap();
            assert_eq!(found, window, "seed {seed}, {query:?}, {limit} from {offset}");
            let rest: Vec<Entity> = expected.into_iter().skip(offset).collect();
            assert_eq!(store.query(&query.offset(offset as u32)).unwrap(), rest);
        }
    }
}

fn one_of<T: Clone>(dice: &mut Random, of: &[T]) -> T {
    dice.pick(of).unwrap().clone()
}

/// Rows with few different values, so that conditions meet and orders tie.
fn anything(dice: &mut Random, number: u64) -> Entity {
    let kind = one_of(dice, EntityKind::KNOWN);
    let somebody = |dice: &mut Random| one_of(dice, &[Some(id("ana")), Some(id("ben")), None]);
    let some_time = |dice: &mut Random| Timestamp::from_millis(dice.below(4) as i64 - 2);
    let maybe_time = |dice: &mut Random| (dice.below(2) == 0).then(|| some_time(dice));
    let fields = json!({
        "id": Uuid::from_u128((u128::from(dice.below(u64::MAX)) << 64) | u128::from(number)),
        "suiteNumber": one_of(dice, &["9", "10", "101", "101A", "A1", "", "-3", " 12"]),
        "floor": dice.below(3) as i32 - 1,
        "status": match kind {
            EntityKind::Suite => one_of(dice, &["OCCUPIED", "VACANT_CLEAN", "DEEP_CLEAN"]),
            EntityKind::Employee => one_of(dice, &["AVAILABLE", "OFF_DUTY"]),
            _ => one_of(dice, &["PENDING", "IN_PROGRESS", "COMPLETED", "PAUSED"]),
        },
        "priority": one_of(dice, &["LOW", "NORMAL", "HIGH", "URGENT", "EMERGENCY", "COSMIC", "ABYSMAL"]),
        "severity": one_of(dice, &["LOW", "CRITICAL"]),
        "type": "GENERAL", "role": "HOUSEKEEPER", "title": "t", "description": "d", "message": "m", "content": "c",
        "name": one_of(dice, &["Ana", "ana", "Ben", "Núñez", ""]),
        "department": one_of(dice, &["HOUSEKEEPING", "MAINTENANCE"]),
        "isOnDuty": dice.below(2) == 0,
        "assignedTo": somebody(dice),
        "suiteId": somebody(dice), "taskId": somebody(dice), "relatedEntityId": somebody(dice),
        "relatedTaskId": somebody(dice), "relatedSuiteId": somebody(dice),
        "recipientId": id("ana"), "raisedBy": id("ana"), "createdBy": id("ana"), "updatedBy": id("ana"),
        "raisedAt": some_time(dice), "createdAt": some_time(dice), "updatedAt": some_time(dice),
        "readAt": maybe_time(dice), "resolvedAt": maybe_time(dice), "expiresAt": maybe_time(dice),
        "dueAt": maybe_time(dice),
        "audience": {"kind": "ALL_STAFF"}, "oldShift": "night", "newShift": "day", "version": 1,
    });
    let of_conflicts = json!({
        "entityType": "TASK", "entityId": id("ana"), "field": "title", "lost": "Lamp", "lostBy": id("ana"),
        "keptBy": id("ben"), "meantAt": some_time(dice), "decidedAt": some_time(dice), "policy": "MANUAL", "certain": true,
    });
    let (Value::Object(mut fields), Value::Object(of_conflicts)) = (fields, of_conflicts) else {
        unreachable!()
    };
    fields.extend(of_conflicts);
    fields.retain(|_, value| !value.is_null());
    if kind == EntityKind::Task && dice.below(3) == 0 {
        fields.remove("department");
    }
    Entity::from_value(&kind, fields.into()).unwrap()
}

fn any_query(dice: &mut Random) -> Query {
    let mut query = Query::of(one_of(dice, EntityKind::KNOWN));
    for _ in 0..dice.below(3) {
        let person = one_of(dice, &[id("ana"), id("ben")]);
        let moment = Timestamp::from_millis(dice.below(4) as i64 - 2);
        query = match dice.below(16) {
            0 => query.status(&[SuiteStatus::Occupied, SuiteStatus::Other("DEEP_CLEAN".into())]),
            1 => query.status(&[TaskStatus::Pending]),
            2 => query.status(&[EmployeeStatus::Available]),
            3 => query.status(&[] as &[TaskStatus]),
            4 => query.priority(&[Priority::Urgent, Priority::Other("COSMIC".into())]),
            5 => query.priority(&[Severity::Critical]),
            6 => query.floor(dice.below(3) as i32 - 1),
            7 => query.assigned_to(person),
            8 => query.unassigned(),
            9 => query.suite(person),
            10 => query.task(person),
            11 => query.department(Department::Housekeeping),
            12 => query.unread(),
            13 => query.open(),
            14 => query.on_duty(),
            _ => query.due_before(moment).unexpired_at(moment),
        };
        if query.kind() == &EntityKind::Announcement {
            query = Query::announcements().unexpired_at(moment).priority(&[AnnouncementPriority::Low]);
        }
    }
    query
}

#[test]
fn suites_come_by_floor_and_door() {
    let mut store = Store::open_in_memory().unwrap();
    let doors = [("10", 1), ("9", 1), ("201", 2), ("101A", 1), ("101", 1), ("Penthouse", 3)];
    write(&mut store, doors.map(|(number, floor)| show(suite(number, floor, SuiteStatus::Occupied))));
    let found = store.query(&Query::suites()).unwrap();
    let numbers: Vec<Value> = found.iter().filter_map(|row| row.field("suiteNumber")).collect();
    assert_eq!(numbers, ["9", "10", "101", "101A", "201", "Penthouse"]);
    assert_eq!(store.count(&Query::suites().floor(1).status(&[SuiteStatus::Occupied])), Ok(4));
}

#[test]
fn ana_sees_the_most_urgent_first() {
    let mut store = Store::open_in_memory().unwrap();
    let mut tasks = ["no hurry", "leak", "at ten", "at nine", "done", "bens"].map(task);
    tasks[1].priority = Priority::Urgent;
    tasks[2].due_at = Some(morning().plus_millis(2));
    tasks[3].due_at = Some(morning().plus_millis(1));
    tasks[4].status = TaskStatus::Completed;
    tasks[5].assigned_to = Some(id("ben"));
    write(&mut store, tasks.map(show));
    let titles = |query: &Query| -> Vec<Value> {
        store.query(query).unwrap().iter().filter_map(|row| row.field("title")).collect()
    };
    let mine = Query::tasks().assigned_to(id("ana")).open();
    assert_eq!(titles(&mine), ["leak", "at nine", "at ten", "no hurry"]);
    assert_eq!(titles(&mine.clone().limit(2)), ["leak", "at nine"]);
    assert_eq!(titles(&Query::tasks().unassigned()), [""; 0]);
    assert!(mine.matches(&task("no hurry").into()) && !mine.matches(&employee("ana").into()));
}

/// The questions of the screens are answered by an index, not by reading every row.
#[test]
fn the_stores_indexes_serve_their_queries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    for (sql, index) in [
        ("SELECT * FROM suites WHERE status = 'OCCUPIED'", "suites_by_status"),
        ("SELECT * FROM suites WHERE floor = 1", "suites_by_floor"),
        ("SELECT * FROM tasks WHERE status IN ('PENDING', 'IN_PROGRESS')", "tasks_by_status"),
        (
            "SELECT * FROM tasks WHERE assigned_to = x'00' AND status = 'PENDING' ORDER BY created_at",
            "tasks_by_assignee",
        ),
        (
            "SELECT * FROM tasks WHERE assigned_to IS NULL AND status IN ('PENDING', 'IN_PROGRESS')",
            "tasks_by_assignee",
        ),
        ("SELECT * FROM tasks WHERE suite_id = x'00'", "tasks_by_suite"),
        ("SELECT * FROM notes WHERE suite_id = x'00'", "notes_by_suite"),
        ("SELECT * FROM notes WHERE task_id = x'00'", "notes_by_task"),
        (
            "SELECT * FROM notifications WHERE read_at IS NULL ORDER BY updated_at DESC, id",
            "notifications_unread",
        ),
    ] {
        let plan: String =
            connection.query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get(3)).unwrap();
        assert!(plan.contains(index), "{sql}: {plan}");
    }
}
