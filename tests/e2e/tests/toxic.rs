//! The bad network does what it says, byte by byte.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use innsync_e2e::toxic::{Ailment, End, Toxic, Weather};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// After which nothing more is expected.
const QUIET: Duration = Duration::from_millis(800);

/// Sends back whatever comes.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn toxic(ailment: Ailment) -> Toxic {
    let toxic = Toxic::start_with(echo().await, 1, move |_| ailment).await.unwrap();
    toxic.weather(Weather::Toxic);
    toxic
}

/// What comes back of 100 bytes until the end, or until nothing came for a while; and how it ended.
async fn hundred(toxic: &Toxic) -> (usize, &'static str) {
    let mut stream = TcpStream::connect(toxic.address()).await.unwrap();
    let _ = stream.write_all(&[7; 100]).await;
    drain(&mut stream).await
}

async fn drain(stream: &mut TcpStream) -> (usize, &'static str) {
    let (mut all, mut some) = (0, [0; 64]);
    loop {
        match tokio::time::timeout(QUIET, stream.read(&mut some)).await {
            Err(_) => return (all, "open"),
            Ok(Ok(0)) => return (all, "closed"),
            Ok(Ok(read)) => all += read,
            Ok(Err(_)) => return (all, "reset"),
        }
    }
}

#[tokio::test]
async fn a_connection_is_cut_in_the_middle_and_only_in_bad_weather() {
    let toxic = toxic(Ailment { down: Some((42, End::Cut)), ..Ailment::default() }).await;
    assert_eq!(hundred(&toxic).await, (42, "closed"));
    assert_eq!(toxic.befallen().cut, 1);
    toxic.weather(Weather::Clear);
    assert_eq!(hundred(&toxic).await, (100, "open"));
}

#[tokio::test]
async fn a_connection_is_reset_by_its_ailment_and_at_any_time() {
    let ailing = toxic(Ailment { up: Some((42, End::Reset)), ..Ailment::default() }).await;
    // What was passed on may be lost with it, as in life.
    let (passed, end) = hundred(&ailing).await;
    assert!(passed <= 42 && end == "reset", "{passed} {end}");

    let healthy = toxic(Ailment::default()).await;
    let mut stream = TcpStream::connect(healthy.address()).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(drain(&mut stream).await, (5, "open"));
    healthy.reset_all();
    assert_eq!(drain(&mut stream).await, (0, "reset"));
}

#[tokio::test]
async fn a_mute_connection_stays_open_until_it_is_healed() {
    for (ailment, echoed) in [
        (Ailment { up: Some((42, End::Mute)), ..Ailment::default() }, 42),
        (Ailment { down: Some((42, End::Mute)), ..Ailment::default() }, 42),
        (Ailment { up: Some((100, End::MuteBoth)), ..Ailment::default() }, 0),
    ] {
        let toxic = toxic(ailment).await;
        let mut stream = TcpStream::connect(toxic.address()).await.unwrap();
        stream.write_all(&[7; 100]).await.unwrap();
        let (passed, end) = drain(&mut stream).await;
        // Both directions at once: what is on its way back by then may still come.
        assert!(passed == echoed || (echoed == 0 && passed <= 100), "{ailment:?}: {passed}");
        assert_eq!(end, "open", "{ailment:?}");
        toxic.weather(Weather::Clear);
        stream.write_all(&[7; 100]).await.unwrap();
        assert_eq!(drain(&mut stream).await, (0, "open"), "{ailment:?}");
        toxic.heal();
        assert_eq!(drain(&mut stream).await, (0, "reset"), "{ailment:?}");
        assert!(toxic.befallen().mute >= 1);
    }
}

#[tokio::test]
async fn a_connection_is_slow_and_narrow() {
    let toxic = toxic(Ailment { delay: (120, 120), width: 1_000, ..Ailment::default() }).await;
    let began = Instant::now();
    assert_eq!(hundred(&toxic).await, (100, "open"));
    // Twice 120 ms, and twice 100 bytes at 1,000 bytes a second.
    assert!(began.elapsed() >= Duration::from_millis(2 * 220) + QUIET, "{:?}", began.elapsed());
}

#[tokio::test]
async fn new_connections_are_refused_or_answered_by_a_page_and_old_ones_stay() {
    let toxic = toxic(Ailment::default()).await;
    let mut old = TcpStream::connect(toxic.address()).await.unwrap();
    old.write_all(b"1").await.unwrap();
    assert_eq!(drain(&mut old).await, (1, "open"));
    toxic.weather(Weather::Refusing);
    assert_eq!(hundred(&toxic).await, (0, "reset"));
    toxic.weather(Weather::Portal);
    let mut stream = TcpStream::connect(toxic.address()).await.unwrap();
    stream.write_all(b"POST /v1/ops HTTP/1.1\r\n\r\n").await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    assert!(page.starts_with("HTTP/1.1 ") && page.ends_with("</html>"), "{page}");
    old.write_all(b"2").await.unwrap();
    assert_eq!(drain(&mut old).await, (1, "open"));
    let befallen = toxic.befallen();
    assert_eq!((befallen.connections, befallen.refused, befallen.portal), (3, 1, 1));
}

#[test]
fn a_seed_draws_the_same_again_and_everything_there_is() {
    let draw = |seed| (0..400).map(|number| Ailment::draw(seed, number)).collect::<Vec<_>>();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let all = draw(3);
    assert!(all.contains(&Ailment::default()), "some are well");
    for end in [End::Cut, End::Reset, End::Mute, End::MuteBoth] {
        for of in [|it: &Ailment| it.up, |it: &Ailment| it.down] {
            assert!(all.iter().any(|it| of(it).is_some_and(|(_, how)| how == end)), "{end:?}");
        }
    }
    assert!(all.iter().any(|it| it.width > 0) && all.iter().any(|it| it.delay.1 > 0));
}
