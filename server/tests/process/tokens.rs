//! Access tokens that are not good.

use std::time::{Duration, Instant};

use crate::house::House;

fn bad_tokens(good: &str, foreign: &str) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = good.split('.').collect();
    let mut tampered = parts[1].to_owned();
    let middle = tampered.len() / 2;
    let other = if &tampered[middle..=middle] == "A" { "B" } else { "A" };
    tampered.replace_range(middle..=middle, other);
    vec![
        ("none", format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{}.", parts[1])),
        ("another algorithm", format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.{}.{}", parts[1], parts[2])),
        ("tampered", format!("{}.{tampered}.{}", parts[0], parts[2])),
        ("another server's", foreign.to_owned()),
        ("cut", good[..good.len() - 5].to_owned()),
        ("nonsense", "nonsense".to_owned()),
    ]
}

#[tokio::test]
async fn none_but_the_servers_own_signature_is_good() {
    let (house, other) = (House::demo(), House::demo());
    let (ana, foreign) = (house.sign_in("ana").await, other.sign_in("ana").await);
    for (name, token) in bad_tokens(&ana.access, &foreign.access) {
        let answer = house.call("GET", "/v1/suites", Some(&token), None).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some("TOKEN_INVALID")), "{name}");
        assert!(answer.headers.contains_key("www-authenticate"));
        let closed = Err((1008, "Authentication failed".to_owned()));
        assert_eq!(house.seed(&token).await.next().await, closed, "{name}");
        assert_eq!(house.phone(&token).await.next().await, closed, "{name}");
    }
    let missing = house.call("GET", "/v1/suites", None, None).await;
    assert_eq!((missing.status, missing.body["code"].as_str()), (401, Some("TOKEN_MISSING")));
    assert_eq!(house.socket("/v1/ws", None, None).await.closed().await.0, 1008);
}

#[tokio::test]
async fn an_expired_token_says_so_and_a_refresh_helps() {
    let house = House::with(tempfile::tempdir().unwrap(), &["--demo", "--token-ttl", "1s"], "info");
    let ana = house.sign_in("ana").await;
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut answer = house.call("GET", "/v1/suites", Some(&ana.access), None).await;
    while answer.status == 200 && Instant::now() < deadline {
        answer = house.call("GET", "/v1/suites", Some(&ana.access), None).await;
    }
    assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some("TOKEN_EXPIRED")));
    assert_eq!(house.phone(&ana.access).await.closed().await.0, 1008);
    assert_eq!(house.refresh(&ana.refresh).await.status, 200);
}

#[tokio::test]
async fn an_operator_can_do_without_tokens_in_the_query() {
    let house = House::with(tempfile::tempdir().unwrap(), &["--demo", "--no-query-token"], "info");
    let ana = house.sign_in("ana").await;
    assert_eq!(house.seed(&ana.access).await.closed().await.0, 1008);
    let mut socket = house.socket("/v1/ws", Some(&ana.access), None).await;
    assert_eq!(socket.frame().await["type"], "CONNECTED");
}

#[tokio::test]
async fn a_restart_signs_nobody_out() {
    let house = House::demo();
    let ana = house.sign_in("ana").await;
    let house = house.restarted(&["--demo"]).await;
    assert_eq!(house.call("GET", "/v1/suites", Some(&ana.access), None).await.status, 200);
    assert_eq!(house.refresh(&ana.refresh).await.status, 200);
    assert!(house.errors().contains("left as it is"), "{}", house.errors());
}
