//! What an operator sees.

use std::path::Path;
use std::process::{Command, Output};

use crate::house::{House, Session, done, person, run};

fn said(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// What is refused before anything is done.
fn refused(args: &[&str]) -> String {
    let output = run(args, "");
    assert!(!output.status.success() && output.stdout.is_empty(), "{args:?}");
    said(output.stderr)
}

fn help(args: &[&str]) -> String {
    said(run(&[args, &["--help"]].concat(), "").stdout)
}

/// The arguments that begin a property.
fn property<'a>(data: &'a Path, id: &'a str, time_zone: &'a str) -> Vec<&'a str> {
    let data = data.to_str().unwrap();
    vec!["property", "create", "--data", data, "--id", id, "--name", "Bay View", "--time-zone", time_zone]
}

/// Runs a line as it was printed, in a shell that finds the program.
fn pasted(line: &str, stdin: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_innsync-server"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let line = format!("printf '%s' '{stdin}' | {line}");
    Command::new("sh").args(["-c", &line]).env("PATH", path).output().unwrap()
}

fn failed(args: &[&str]) -> String {
    let output = run(args, "");
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn help_has_examples() {
    let all = help(&[]);
    assert!(all.contains("innsync-server serve --demo") && all.contains("person add"), "{all}");
    assert!(help(&["serve"]).contains("--no-query-token"));
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let house = House::demo();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("other.sqlite");
    let error = failed(&["serve", "--demo", "--listen", &house.address, "--data", data.to_str().unwrap()]);
    assert!(error.contains(&house.address) && error.contains("--listen"), "{error}");
    assert_eq!(dir.path().read_dir().unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn an_address_that_is_none_is_answered_with_what_to_write() {
    for address in ["localhost:0", "8080", "seaside.example:8080"] {
        let error = refused(&["serve", "--listen", address]);
        assert!(error.contains(address) && error.contains("127.0.0.1:8080"), "{error}");
    }
}

#[test]
fn a_mistyped_ledger_is_not_served_as_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("motle.sqlite");
    let error = failed(&["serve", "--listen", "127.0.0.1:0", "--data", path.to_str().unwrap()]);
    for hint in ["there is no ledger", "motle.sqlite", "property create", "--demo"] {
        assert!(error.contains(hint), "{error}");
    }
    assert_eq!(dir.path().read_dir().unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn a_ledger_without_a_property_is_served_with_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ledger.sqlite"), "").unwrap();
    let house = House::with(dir, &[], "info");
    assert!(house.errors().contains("nobody can sign in"), "{}", house.errors());
}

#[test]
fn a_time_zone_that_there_is_not_is_refused_with_what_to_write() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("ledger.sqlite");
    for zone in ["Pacific", "Los Angeles", "america/los_angeles", "UTC-8", "-08:00", ""] {
        let error = refused(&property(&data, "bay", zone));
        assert!(error.contains("IANA") && error.contains("America/Los_Angeles"), "{zone}: {error}");
    }
    assert!(!refused(&property(&data, "Bay View", "Europe/Rome")).is_empty());
    assert_eq!(dir.path().read_dir().unwrap().count(), 0, "nothing is begun");
    for (id, zone) in [("bay", "Europe/Rome"), ("cove", "America/Argentina/Buenos_Aires"), ("dune", "UTC")] {
        done(&property(&data, id, zone), "");
    }
}

#[test]
fn the_next_step_can_be_pasted_as_it_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("ana's motel.sqlite");
    let created = said(run(&property(&data, "bay", "Europe/Rome"), "").stdout);
    let hint = created.lines().map(str::trim).find(|line| line.starts_with("innsync-server person add"));
    let added = pasted(&format!("{} --password-stdin", hint.unwrap()), "sea-glass");
    assert!(added.status.success(), "{created} {}", said(added.stderr));
    let added = said(added.stdout);
    assert!(added.contains("innsync-server serve --data") && added.contains("maria"), "{added}");
}

#[test]
fn a_password_without_a_terminal_is_asked_for_on_stdin_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    done(&property(&path, "bay", "Europe/Rome"), "");
    let mut add = person("add", &path, "bay", "maria", &["--name", "Maria", "--role", "MANAGER"]);
    let error = failed(&add);
    assert!(error.contains("standard input") && error.contains("4 to 1000"), "{error}");
    // Whoever meant to type it must not have the next line of a script taken for it.
    add.retain(|argument| *argument != "--password-stdin");
    let error = failed(&add);
    assert!(error.contains("--password-stdin") && error.contains("terminal"), "{error}");
}

#[test]
fn help_says_of_each_what_it_does_with_the_ledger() {
    assert!(help(&["property", "create"]).contains("begun"));
    for there in [["property", "list"], ["person", "add"], ["person", "set-password"]] {
        let help = help(&there);
        assert!(!help.contains("begins an empty one"), "{help}");
    }
    assert!(help(&["person", "add"]).contains("--role MANAGER"), "an example");
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
    done(&property(&path, "seaside", "UTC"), "");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = failed(&["property", "list", "--data", data]);
    assert!(error.contains("version 99"), "{error}");
}

#[tokio::test]
async fn an_operator_sets_up_a_motel() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let data = path.to_str().unwrap();
    let property = property(&path, "bay", "Europe/Rome");
    assert!(failed(&["property", "list", "--data", data]).contains("there is no ledger"));
    done(&property, "");
    assert!(failed(&property).contains("already"));
    let list = run(&["property", "list", "--data", data], "");
    assert_eq!(String::from_utf8(list.stdout).unwrap(), "bay\tBay View\tEurope/Rome\n");

    let add = |property| person("add", &path, property, "maria", &["--name", "Maria", "--role", "MANAGER"]);
    assert!(failed(&add("nowhere")).contains("there is no property \"nowhere\""));
    done(&add("bay"), "sea-glass\n");
    let taken = run(&add("bay"), "sea-glass\n");
    assert!(String::from_utf8(taken.stderr).unwrap().contains("choose another name"));
    assert!(failed(&person("set-password", &path, "bay", "nobody", &[])).contains("nobody signs in"));

    let house = House::with(dir, &[], "info");
    let maria = house.try_sign_in("bay", "maria", "sea-glass").await;
    assert_eq!(maria.status, 201);
    done(&person("set-password", &path, "bay", "maria", &[]), "drift-wood\n");
    assert_eq!(house.try_sign_in("bay", "maria", "sea-glass").await.status, 401);
    assert_eq!(house.try_sign_in("bay", "maria", "drift-wood").await.status, 201);
    assert_eq!(house.refresh(&Session::of(&maria).refresh).await.status, 401);
}

#[tokio::test]
async fn an_operator_says_that_a_backup_was_restored() {
    // G17
    let house = House::demo();
    let path = house.data();
    let data = path.to_str().unwrap();
    let ana = house.sign_in("ana").await;
    // Before the first commit ana was not on the staff yet, so of this history it is RESET SCOPE.
    let reset = async |house: &House, epoch: u64| {
        let path = format!("/v1/sync?epoch={epoch}&seq=0&mark=0000000000000000");
        house.call("GET", &path, Some(&ana.access), None).await.body["reason"].clone()
    };
    assert_eq!((reset(&house, 1).await, reset(&house, 2).await), ("SCOPE".into(), "HISTORY".into()));
    let error = failed(&["restored", "--data", data]);
    assert!(error.contains("served by another process") && error.contains("stop it first"), "{error}");

    let dir = house.stopped().await;
    assert!(failed(&["restored", "--data", data, "--property", "hillside"]).contains("\"hillside\""));
    let restored = said(run(&["restored", "--data", data], "").stdout);
    assert!(restored.contains("seaside begins its epoch 2"), "{restored}");
    assert!(restored.contains("innsync-server serve --data"), "{restored}");
    let house = House::with(dir, &[], "info");
    assert_eq!((reset(&house, 1).await, reset(&house, 2).await), ("HISTORY".into(), "SCOPE".into()));
}

#[test]
fn of_a_ledger_that_is_not_there_nobody_says_that_it_was_restored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("motle.sqlite");
    let data = path.to_str().unwrap();
    assert!(failed(&["restored", "--data", data]).contains("there is no ledger"));
    assert_eq!(dir.path().read_dir().unwrap().count(), 0, "nothing is left behind");
    std::fs::write(&path, "").unwrap();
    assert!(failed(&["restored", "--data", data]).contains("has no property"));
    assert!(help(&["restored"]).contains("backup"));
}
