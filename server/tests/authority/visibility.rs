//! G25: no one sees what their role must not, at any exit.

use std::collections::BTreeMap;

use innsync_domain::{Command, Entity, EntityKind, EntityRef, Person, TaskType, may_see, redact};
use serde_json::{Value, json};

use crate::motel::{Motel, STAFF, id};

/// One of everything, for everybody.
fn full_motel() -> Motel {
    let mut motel = Motel::open();
    for (title, task_type, assignee) in [
        ("For anybody", TaskType::General, None),
        ("For housekeeping", TaskType::Cleaning, None),
        ("For maintenance", TaskType::Maintenance, None),
        ("Ana's", TaskType::Cleaning, Some("ana")),
        ("Ben's", TaskType::Cleaning, Some("ben")),
        ("Miguel's", TaskType::Maintenance, Some("miguel")),
        ("Fire", TaskType::Emergency, None),
    ] {
        motel.create_task("maria", title, task_type, assignee);
    }
    motel.create_task("ana", "Reported by ana", TaskType::Maintenance, None);
    for (note, audience) in [
        ("all", json!({"kind": "ALL_STAFF"})),
        ("managers", json!({"kind": "MANAGERS"})),
        ("maintenance", json!({"kind": "DEPARTMENT", "department": "MAINTENANCE"})),
        ("ben", json!({"kind": "PEOPLE", "people": [id("ben")]})),
    ] {
        let command = json!({"type": "CREATE_NOTE", "noteId": id(note), "title": note, "audience": audience});
        motel.does("maria", serde_json::from_value(command).unwrap());
    }
    motel.does("ben", Command::SetDuty { employee_id: id("ben"), is_on_duty: false });
    for who in ["miguel", "sam"] {
        let alert_id = innsync_domain::derived_id(id("Fire"), "alert");
        motel.does(who, Command::AcknowledgeAlert { alert_id });
    }
    motel
}

/// Everything that there is, by taking all that anybody ever was told of it.
fn everything(motel: &Motel) -> BTreeMap<EntityRef, Entity> {
    let mut all = BTreeMap::new();
    for change in motel.log.iter().flat_map(|committed| committed.changes.iter()) {
        let entity = change.reference().unwrap();
        match &change.after {
            Some(after) => drop(all.insert(entity, after.clone())),
            None => drop(all.remove(&entity)),
        }
    }
    all
}

#[test]
fn snapshot_catch_up_lists_and_single_reads_show_exactly_what_one_may_see() {
    let mut motel = full_motel();
    let all = everything(&motel);
    assert!(all.len() > 25, "{}", all.len());
    for who in STAFF {
        let person: Person = motel.reader().person("seaside", id(who)).unwrap().unwrap();
        let visible: BTreeMap<_, _> = all
            .values()
            .filter(|entity| may_see(entity, &person))
            .map(|entity| (entity.reference(), redact(entity.clone(), &person)))
            .collect();
        assert_eq!(motel.snapshot(who).entities, visible, "{who}");
        assert!(who == "maria" || visible.len() < all.len());

        let mut listed = BTreeMap::new();
        for kind in EntityKind::KNOWN {
            for entity in motel.reader().list("seaside", id(who), kind).unwrap() {
                listed.insert(entity.reference(), entity);
            }
        }
        assert_eq!(listed, visible, "{who}");
        for entity in all.keys() {
            let path = format!("/v1/{}/{}", collection(&entity.kind), entity.id);
            let (status, body) = motel.rest(who, "GET", &path, Value::Null);
            match visible.get(entity) {
                Some(expected) => assert_eq!(body, serde_json::to_value(expected).unwrap()),
                None => assert_eq!((status, &body["code"]), (404, &json!("NOT_FOUND")), "{who} {path}"),
            }
        }
    }
}

#[test]
fn what_is_hidden_cannot_be_told_from_what_is_not_there() {
    let mut motel = full_motel();
    let (hidden, absent) = (id("managers"), id("absent"));
    for (method, tail, body) in [
        ("GET", "", json!(null)),
        ("PATCH", "", json!({"title": "Mine"})),
        ("PATCH", "", json!({"title": "Mine", "version": 77})),
        ("DELETE", "", json!(null)),
        ("POST", "/comments", json!({"text": "Hello"})),
    ] {
        let mut ask = |id| motel.rest("ana", method, &format!("/v1/notes/{id}{tail}"), body.clone());
        let (on_hidden, on_absent) = (ask(hidden), ask(absent));
        assert_eq!((on_hidden.0, on_absent.0), (404, 404), "{method} {tail}");
        let without_id =
            |body: &Value| body.to_string().replace(&hidden.to_string(), "").replace(&absent.to_string(), "");
        assert_eq!(without_id(&on_hidden.1), without_id(&on_absent.1));
    }
}

#[test]
fn nothing_of_one_property_is_visible_to_another() {
    let mut motel = full_motel();
    let there = motel.reader().head("seaside").unwrap();
    motel.found("hillside");
    let seen = motel.snapshot("maria");
    let foreign = seen.entities.keys().filter(|entity| entity.kind != EntityKind::Employee).count();
    assert_eq!(foreign, 0, "{:?}", seen.entities.keys());
    assert_eq!(motel.rest("maria", "GET", "/v1/tasks", Value::Null), (200, json!([])));
    let path = format!("/v1/tasks/{}", id("Ana's"));
    assert_eq!(motel.rest("maria", "GET", &path, Value::Null).0, 404);
    assert_eq!(motel.rest("maria", "PATCH", &path, json!({"title": "x"})).0, 404);
    let answer = motel.reader().catch_up("hillside", id("maria"), there, &[]).unwrap();
    assert!(answer.to_json().contains("HISTORY"), "a cursor of another property is of another history");
    assert_eq!(motel.reader().head("seaside").unwrap(), there);
    // An operation of the same id in both is two operations.
    let op = motel.op("maria", crate::motel::create_task("Both", TaskType::General, None));
    assert!(motel.push("maria", std::slice::from_ref(&op))[0].seq().is_some());
    motel.property = "seaside";
    assert!(motel.push("maria", &[op])[0].seq().is_some());
}

fn collection(kind: &EntityKind) -> String {
    format!("{}s", kind.as_str().to_lowercase())
}
