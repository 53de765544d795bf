//! A ledger that must not grow.

use serde_json::{Value, json};

use crate::house::House;

#[tokio::test]
async fn a_ledger_at_its_limit_is_answered_as_a_full_disk_and_goes_on_when_there_is_room() {
    // A quota and a limit on files reach SQLite as errors of the disk, and not as a full one.
    let house = House::within(tempfile::tempdir().unwrap(), 2_048, &["--demo"]);
    let maria = house.sign_in("maria").await;
    let note = json!({ "title": "House rules", "content": "Bring towels. ".repeat(1_400) });
    let mut written = 0;
    let refused = loop {
        let answer = house.call("POST", "/v1/notes", Some(&maria.access), Some(note.clone())).await;
        if answer.status != 201 {
            break answer;
        }
        written += 1;
        assert!(written < 1_000, "there is no limit");
    };
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (503, Some("STORAGE_FULL")),
        "{}",
        house.errors()
    );
    assert_eq!(refused.headers["retry-after"], "5");
    assert!(house.errors().contains("the disk of the ledger is full"), "{}", house.errors());

    let house = house.restarted(&[]).await;
    let notes = house.call("GET", "/v1/notes", Some(&maria.access), None).await;
    assert_eq!(notes.body.as_array().map(Vec::len), Some(written), "{}", Value::from(notes.status));
    assert_eq!(house.call("POST", "/v1/notes", Some(&maria.access), Some(note)).await.status, 201);
}
