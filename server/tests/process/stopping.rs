//! The end of a server.

use crate::house::House;

#[tokio::test]
async fn a_signal_lets_everybody_go_politely() {
    for signal in ["-TERM", "-INT"] {
        let mut house = House::demo();
        let ana = house.sign_in("ana").await;
        let mut phone = house.phone(&ana.access).await;
        let mut seed = house.seed(&ana.access).await;
        phone.until("CONNECTED").await;
        seed.until("CONNECTED").await;
        house.interrupt(signal);
        let reconnect = phone.frame().await;
        assert_eq!(reconnect["type"], "RECONNECT");
        assert!(reconnect["after"].as_u64().unwrap() <= 5_000);
        assert_eq!(phone.closed().await.0, 1001);
        assert_eq!(seed.next().await.unwrap_err().0, 1001);
        assert_eq!(house.end().await, (String::new(), Some(0)));
        assert!(house.errors().contains("stopped"), "{}", house.errors());
    }
}
