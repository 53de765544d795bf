//! A thousand sockets share what they may share, and nobody is told what another class may see (G25).

use innsync_domain::{Audience, Role};
use innsync_protocol::Commit;

use super::*;
use crate::view::view_commit;

fn note(number: u128, audience: Audience) -> Command {
    Command::CreateNote {
        note_id: Uuid::from_u128(number),
        title: "Keys".to_owned(),
        content: "In the drawer".to_owned(),
        suite_id: None,
        task_id: None,
        audience,
    }
}

fn story(motel: &mut Motel) -> Vec<Committed> {
    let alert = |motel: &Motel| {
        let alerts =
            motel.authority.read().list(PROPERTY, person_id("maria"), &innsync_domain::EntityKind::Alert);
        alerts.unwrap()[0].id()
    };
    let mut commits = vec![
        motel.commit("maria", &[task(1, "For ana", Some("ana"))]),
        motel.commit("maria", &[task(2, "For anybody", None)]),
        motel.commit("ben", &[Command::TakeTask { task_id: Uuid::from_u128(2) }]),
        motel.commit(
            "maria",
            &[Command::AssignTask { task_id: Uuid::from_u128(1), assignee: person_id("ben") }],
        ),
        motel.commit("maria", &[note(3, Audience::People { people: vec![person_id("miguel")] })]),
        motel.commit("sam", &[note(4, Audience::Managers)]),
        motel.commit("ana", &[Command::SetDuty { employee_id: person_id("ana"), is_on_duty: false }]),
        motel.commit(
            "sam",
            &[Command::RaiseEmergency {
                task_id: Uuid::from_u128(5),
                title: "Water".to_owned(),
                description: "Pipe burst".to_owned(),
                severity: innsync_domain::Severity::Critical,
                suite_id: None,
            }],
        ),
    ];
    let alert_id = alert(motel);
    commits.push(motel.commit("miguel", &[Command::AcknowledgeAlert { alert_id }]));
    commits
        .push(motel.commit("ana", &[Command::SetDuty { employee_id: person_id("ana"), is_on_duty: true }]));
    commits.push(motel.commit("sam", &[Command::ResolveAlert { alert_id }]));
    commits.push(motel.commit("maria", &[Command::DeleteTask { task_id: Uuid::from_u128(2) }]));
    commits
}

#[test]
fn what_the_hub_sends_is_what_each_would_see_alone() {
    let mut motel = Motel::open();
    let people = ["maria", "sam", "ana", "ben", "miguel"];
    let phones = people.map(|login| motel.phone(login));
    let mut viewers =
        people.map(|login| motel.authority.read().person(PROPERTY, person_id(login)).unwrap().unwrap());
    for committed in story(&mut motel) {
        motel.feed(HubInput::Committed(committed.clone()));
        for (viewer, phone) in viewers.iter_mut().zip(phones) {
            let (alone, after, _) = view_commit(&committed, viewer);
            *viewer = after;
            let sent: Vec<Commit> = motel
                .frames(phone)
                .iter()
                .flat_map(|frame| frame["commits"].as_array().unwrap().clone())
                .map(|commit| serde_json::from_value(commit).unwrap())
                .collect();
            assert_eq!(sent, Vec::from_iter(alone), "{viewer:?} at {}", committed.seq);
        }
    }
}

#[test]
fn a_thousand_sockets_of_a_role_get_one_text() {
    let mut motel = Motel::open();
    for _ in 0..1_000 {
        let conn = motel.connect("ben", ClientKind::InnSync);
        motel.resume(conn, motel.head());
    }
    motel.answer_all();
    motel.frames.clear();
    let committed = motel.commit("maria", &[set_suite("102", SuiteStatus::OutOfService)]);
    let mut outputs = Vec::new();
    motel.hub.handle(motel.now, HubInput::Committed(committed), &mut outputs);
    let texts: std::collections::BTreeSet<*const u8> = outputs
        .iter()
        .filter_map(|output| match output {
            HubOutput::Send { text, .. } => Some(text.as_str().as_ptr()),
            _ => None,
        })
        .collect();
    assert_eq!((outputs.len(), texts.len()), (1_000, 1));
}

#[test]
fn nobody_of_another_property_hears_anything() {
    let mut motel = Motel::open();
    let hilltop =
        crate::ledger::Property { id: "hilltop".into(), name: "Hilltop".into(), time_zone: "UTC".into() };
    motel.authority.create_property(&hilltop).unwrap();
    let department = innsync_domain::Department::Management;
    // The very same id: only the property tells them apart.
    let (eve, _) = motel
        .authority
        .add_person(
            motel.now.wall,
            "hilltop",
            "eve",
            "x",
            "Eve",
            Role::Manager,
            department,
            Some(person_id("maria")),
        )
        .unwrap();
    for (conn, kind) in [(901, ClientKind::Seed), (902, ClientKind::InnSync)] {
        let read = motel.authority.read();
        let opened = Opened {
            conn: ConnId(conn),
            kind,
            property: hilltop.clone().into(),
            viewer: innsync_domain::Person::from(&eve),
            head: read.head("hilltop").unwrap(),
            token: TokenFacts { property: "hilltop".into(), ..motel.token("maria") },
        };
        motel.feed(HubInput::Opened(Box::new(opened)));
    }
    motel.say(
        902,
        json!({ "type": "RESUME", "epoch": 1, "seq": 0, "mark": "0000000000000000", "device": "x" }),
    );
    motel.answer_all();
    motel.frames.clear();
    for committed in story(&mut motel) {
        motel.feed(HubInput::Committed(committed));
    }
    assert!(motel.frames.is_empty(), "{:?}", motel.frames);
}
