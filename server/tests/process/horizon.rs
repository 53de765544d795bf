//! What the server forgets, and what becomes of a phone that was away for longer.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn a_phone_that_was_away_for_longer_than_changes_are_kept_takes_a_snapshot() {
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    let start = house.snapshot_start(&ana.access).await;
    house.fill_with_notes(&maria, 3_000, 10).await;
    let house = house.restarted(&["--keep-changes", "1s"]).await;
    let (epoch, seq, mark) = (&start["epoch"], &start["seq"], start["mark"].as_str().unwrap());
    let path = format!("/v1/sync?epoch={epoch}&seq={seq}&mark={mark}");
    // What is older than a second is forgotten at the start, or where the second is not over then, later on.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut answer = house.call("GET", &path, Some(&ana.access), None).await;
    while answer.body["type"] == "DELTA" && Instant::now() < deadline {
        answer = house.call("GET", &path, Some(&ana.access), None).await;
    }
    assert_eq!((&answer.body["type"], &answer.body["reason"]), (&json!("RESET"), &json!("HORIZON")));

    let mut phone = house.phone(&ana.access).await;
    phone.until("CONNECTED").await;
    phone
        .say(json!({ "type": "RESUME", "epoch": epoch, "seq": seq, "mark": mark, "device": "handset-1" }))
        .await;
    assert_eq!(phone.until("RESET").await["reason"], "HORIZON");
    let fresh = house.resume(&mut phone, &ana.access).await;
    assert!(fresh["seq"].as_u64() > seq.as_u64().map(|seq| seq + 2_999));
    assert_eq!(phone.until("DELTA").await["to"], fresh["seq"]);
    let note = json!({ "title": "Towels", "content": "For 104" });
    assert_eq!(house.call("POST", "/v1/notes", Some(&maria.access), Some(note)).await.status, 201);
    let delta = phone.until("DELTA").await;
    assert_eq!(
        (&delta["from"], &delta["commits"][0]["changes"][0]["entity"]["title"]),
        (&fresh["seq"], &json!("Towels"))
    );
}
