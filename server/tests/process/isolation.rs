//! G25: nothing of one property is ever visible to another, at any exit.

use serde_json::json;

use crate::house::{House, Session, done, person};

#[tokio::test]
async fn eve_of_the_hilltop_sees_nothing_of_the_seaside() {
    let house = House::demo();
    let data = house.data();
    let at = data.to_str().unwrap();
    let hilltop =
        ["property", "create", "--data", at, "--id", "hilltop", "--name", "Hilltop", "--time-zone", "UTC"];
    done(&hilltop, "");
    done(&person("add", &data, "hilltop", "eve", &["--name", "Eve", "--role", "manager"]), "owl-light\n");

    let maria = house.sign_in("maria").await;
    let eve = house.try_sign_in("hilltop", "eve", "owl-light").await;
    assert_eq!(eve.status, 201, "{}", eve.body);
    let eve = Session::of(&eve);
    let mut seed = house.seed(&eve.access).await;
    let mut phone = house.phone(&eve.access).await;
    seed.until("CONNECTED").await;
    phone.until("CONNECTED").await;
    house.resume(&mut phone, &eve.access).await;
    phone.until("DELTA").await;

    let suites = house.call("GET", "/v1/suites", Some(&maria.access), None).await;
    let suite = suites.body[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/suites/{suite}");
    let status = json!({ "status": "OUT_OF_SERVICE" });
    assert_eq!(house.call("GET", &path, Some(&eve.access), None).await.status, 404);
    let patch = house.call("PATCH", &format!("{path}/status"), Some(&eve.access), Some(status.clone())).await;
    assert_eq!(patch.status, 404, "{}", patch.body);
    seed.say(json!({ "type": "SUBSCRIBE", "entityType": "SUITE", "entityId": suite })).await;
    let changed = house.call("PATCH", &format!("{path}/status"), Some(&maria.access), Some(status)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert!(seed.is_silent().await && phone.is_silent().await);

    for path in [
        "/v1/suites",
        "/v1/tasks",
        "/v1/notes",
        "/v1/employees",
        "/v1/notifications",
        "/v1/snapshot",
        "/v1/sync?epoch=1&seq=0&mark=0000000000000000",
    ] {
        let answer = house.call("GET", path, Some(&eve.access), None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let text = answer.body.to_string();
        assert!(
            !text.contains(&suite) && !text.contains("Maria") && !text.contains("seaside"),
            "{path}: {text}"
        );
    }
    assert_eq!(house.try_sign_in("seaside", "eve", "owl-light").await.status, 401);
}
