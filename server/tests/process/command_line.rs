//! What an operator sees.

use crate::house::{House, Session, run};

fn failed(args: &[&str]) -> String {
    let output = run(args, "");
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn help_has_examples() {
    let help = String::from_utf8(run(&["--help"], "").stdout).unwrap();
    assert!(help.contains("innsync-server serve --demo") && help.contains("person add"), "{help}");
    assert!(String::from_utf8(run(&["serve", "--help"], "").stdout).unwrap().contains("--no-query-token"));
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let house = House::demo();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("other.sqlite");
    let error = failed(&["serve", "--listen", &house.address, "--data", data.to_str().unwrap()]);
    assert!(error.contains(&house.address) && error.contains("--listen"), "{error}");
}

#[tokio::test]
async fn a_ledger_is_served_once() {
    let house = House::demo();
    let error = failed(&["serve", "--listen", "127.0.0.1:0", "--data", house.data().to_str().unwrap()]);
    assert!(error.contains("served by another process"), "{error}");
}

#[test]
fn what_is_not_a_ledger_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.txt");
    std::fs::write(&path, "Dear Maria, ".repeat(500)).unwrap();
    let error = failed(&["serve", "--listen", "127.0.0.1:0", "--demo", "--data", path.to_str().unwrap()]);
    assert!(error.contains("is not an InnSync ledger"), "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("Dear Maria"));
}

#[test]
fn a_ledger_of_a_newer_release_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let data = path.to_str().unwrap();
    let create =
        ["property", "create", "--data", data, "--id", "seaside", "--name", "Seaside", "--time-zone", "UTC"];
    assert!(run(&create, "").status.success());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = failed(&["property", "list", "--data", data]);
    assert!(error.contains("version 99"), "{error}");
}

#[tokio::test]
async fn an_operator_sets_up_a_motel() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let data = path.to_str().unwrap();
    let property = [
        "property",
        "create",
        "--data",
        data,
        "--id",
        "bay",
        "--name",
        "Bay View",
        "--time-zone",
        "Europe/Rome",
    ];
    assert!(failed(&["property", "list", "--data", data]).contains("there is no ledger"));
    assert!(run(&property, "").status.success());
    assert!(failed(&property).contains("already"));
    let list = run(&["property", "list", "--data", data], "");
    assert_eq!(String::from_utf8(list.stdout).unwrap(), "bay\tBay View\tEurope/Rome\n");

    let whose = |action, property, person| {
        vec!["person", action, "--data", data, "--property", property, "--person", person, "--password-stdin"]
    };
    let add =
        |property| [whose("add", property, "maria"), vec!["--name", "Maria", "--role", "MANAGER"]].concat();
    assert!(failed(&add("nowhere")).contains("there is no property \"nowhere\""));
    assert!(failed(&add("bay")).contains("a password has"), "an empty one");
    assert!(run(&add("bay"), "sea-glass\n").status.success());
    let taken = run(&add("bay"), "sea-glass\n");
    assert!(String::from_utf8(taken.stderr).unwrap().contains("choose another name"));
    assert!(failed(&whose("set-password", "bay", "nobody")).contains("nobody signs in"));

    let house = House::with(dir, &[], "info");
    let maria = house.try_sign_in("bay", "maria", "sea-glass").await;
    assert_eq!(maria.status, 201);
    assert!(run(&whose("set-password", "bay", "maria"), "drift-wood\n").status.success());
    assert_eq!(house.try_sign_in("bay", "maria", "sea-glass").await.status, 401);
    assert_eq!(house.try_sign_in("bay", "maria", "drift-wood").await.status, 201);
    assert_eq!(house.refresh(&Session::of(&maria).refresh).await.status, 401);
}
