//! Secrets are planted, everything is logged that can be, and all output is searched.

use serde_json::json;

use crate::house::{House, Session, done, person};

#[tokio::test]
async fn no_secret_is_ever_written() {
    for format in ["text", "json"] {
        let dir = tempfile::tempdir().unwrap();
        let mut secrets =
            vec!["planted-pelican".to_owned(), "planted-guess".to_owned(), "planted-token".to_owned()];
        let mut house = House::with(dir, &["--demo", "--log-format", format], "trace");
        let data = house.data();
        let lea = person("add", &data, "seaside", "lea", &["--name", "Lea", "--role", "HOUSEKEEPER"]);
        done(&lea, "planted-pelican\n");

        let lea = Session::of(&house.try_sign_in("seaside", "lea", "planted-pelican").await);
        house.try_sign_in("seaside", "lea", "planted-guess").await;
        house.send("POST", "/v1/sessions", None, Some("{\"password\":\"planted-guess\"".to_owned())).await;
        let next = Session::of(&house.refresh(&lea.refresh).await);
        house.refresh("planted-token").await;
        house.call("GET", "/v1/suites", Some("planted-token"), None).await;
        house.call("GET", "/v1/suites?token=planted-token", Some(&next.access), None).await;
        house.seed("planted-token").await.closed().await;
        let mut seed = house.seed(&lea.access).await;
        seed.until("CONNECTED").await;
        let mut phone = house.phone(&next.access).await;
        phone.until("CONNECTED").await;
        phone.say(json!({ "type": "AUTH", "token": lea.access })).await;
        phone.until("AUTH_OK").await;
        phone.say(json!({ "type": "AUTH", "token": "planted-token" })).await;
        phone.closed().await;
        house.interrupt("-TERM");
        let (rest, code) = house.end().await;
        assert_eq!(code, Some(0));

        secrets.extend([lea.access, lea.refresh, next.access, next.refresh]);
        let logs = house.errors();
        assert!(
            logs.contains("/v1/sessions") && logs.contains("socket opened"),
            "the log is too quiet: {logs}"
        );
        for secret in secrets {
            let part = &secret[..secret.len().min(40)];
            assert!(!logs.contains(&secret) && !rest.contains(&secret), "{part}… was written");
            // The part of a JWT that is no boilerplate.
            let signature = secret.rsplit('.').next().unwrap();
            assert!(!logs.contains(signature), "{part}… was written");
        }
        assert!(!logs.contains("Lea"), "names are not logged");
    }
}
