//! How connections end.

use super::*;

#[test]
fn silence_ends_a_connection_and_any_sign_of_life_prolongs_it() {
    let mut motel = Motel::open();
    let (ana, ben) = (motel.phone("ana"), motel.seed("ben"));
    motel.later(60_000);
    motel.feed(HubInput::Alive { conn: ConnId(ben) });
    motel.later(40_000);
    assert_eq!(motel.closed.get(&ana), Some(&4002));
    assert_eq!(motel.closed.get(&ben), None);
}

#[test]
fn a_token_runs_out_with_grace_unless_a_fresh_one_comes() {
    let mut motel = Motel::open();
    let (ana, ben) = (motel.phone("ana"), motel.phone("ben"));
    for _ in 0..19 {
        motel.later(50_000);
        for conn in [ana, ben] {
            motel.feed(HubInput::Alive { conn: ConnId(conn) });
        }
    }
    assert!(motel.closed.is_empty(), "within the grace");
    motel.say(ana, json!({ "type": "AUTH", "token": "fresh" }));
    assert_eq!(motel.checks, [ConnId(ana)]);
    let facts = motel.token("ana");
    motel.feed(HubInput::TokenChecked { conn: ConnId(ana), facts: Some(facts.clone()) });
    let frames = motel.frames(ana);
    assert_eq!(frames[0], json!({ "type": "AUTH_OK", "expiresAt": facts.expires_at.as_millis() }));
    motel.later(20_000);
    assert_eq!((motel.closed.get(&ana), motel.closed.get(&ben)), (None, Some(&1008)));
}

#[test]
fn somebody_elses_token_or_a_bad_one_ends_the_connection() {
    let mut motel = Motel::open();
    let (ana, ben) = (motel.phone("ana"), motel.phone("ben"));
    let of_maria = motel.token("maria");
    motel.feed(HubInput::TokenChecked { conn: ConnId(ana), facts: Some(of_maria) });
    motel.feed(HubInput::TokenChecked { conn: ConnId(ben), facts: None });
    assert_eq!((motel.closed[&ana], motel.closed[&ben]), (1008, 1008));
}

#[test]
fn who_leaves_the_staff_is_closed_and_told_nothing_more() {
    let mut motel = Motel::open();
    let (phone, tablet) = (motel.phone("ben"), motel.seed("ben"));
    motel.act("maria", Command::DeleteEmployee { employee_id: person_id("ben") });
    assert_eq!((motel.closed[&phone], motel.closed[&tablet]), (1008, 1008));
    assert!(motel.hear(phone).is_empty() && motel.hear(tablet).is_empty());
}

#[test]
fn signing_out_ends_the_sockets_of_that_session_alone() {
    let mut motel = Motel::open();
    let (phone, tablet) = (motel.phone("ana"), motel.phone("ana"));
    motel.feed(HubInput::SessionEnded { session: Uuid::from_u128(u128::from(phone + 1)) });
    assert_eq!((motel.closed.get(&phone), motel.closed.get(&tablet)), (Some(&1008), None));
}

#[test]
fn too_large_and_too_slow_have_codes_of_their_own() {
    let mut motel = Motel::open();
    let (ana, ben) = (motel.phone("ana"), motel.phone("ben"));
    motel.feed(HubInput::Oversize { conn: ConnId(ana) });
    motel.feed(HubInput::Overflowed { conn: ConnId(ben) });
    assert_eq!((motel.closed[&ana], motel.closed[&ben]), (1009, 4001));
}

#[test]
fn a_server_that_stops_asks_its_phones_to_come_back_spread_out() {
    let mut motel = Motel::open();
    let phones: Vec<u64> = (0..20).map(|_| motel.phone("ana")).collect();
    let ben = motel.seed("ben");
    motel.feed(HubInput::Drain);
    let mut delays: Vec<u64> = phones
        .iter()
        .map(|conn| {
            let frames = motel.frames(*conn);
            assert_eq!(frames[0]["type"], "RECONNECT");
            frames[0]["after"].as_u64().unwrap()
        })
        .collect();
    delays.sort_unstable();
    delays.dedup();
    assert!(delays.len() > 15 && delays.iter().all(|after| *after <= 5_000), "{delays:?}");
    assert!(motel.hear(ben).is_empty());
    assert!(motel.closed.values().all(|code| *code == 1001) && motel.closed.len() == 21);
    let late = motel.connect("miguel", ClientKind::InnSync);
    assert_eq!(motel.hear(late), ["CONNECTED", "RECONNECT"]);
    assert_eq!(motel.closed[&late], 1001);
}

#[test]
fn a_ledger_that_cannot_be_read_sends_the_phone_away_for_now() {
    let mut motel = Motel::open();
    let ana = motel.connect("ana", ClientKind::InnSync);
    motel.resume(ana, motel.head());
    motel.questions[0].answer = None;
    motel.answer();
    assert_eq!(motel.closed[&ana], 1001);
}
