//! Guessing passwords is made slow: after a few failures each further attempt has to wait, longer each time.

use std::collections::BTreeMap;
use std::net::IpAddr;

use sha2::{Digest, Sha256};

/// Failures of one person within [`WINDOW_MS`] before anybody has to wait.
const PERSON_FAILURES: u32 = 5;
/// The same for one address. Phones of a motel share one, so it is more.
const ADDRESS_FAILURES: u32 = 30;
/// Milliseconds after which a failure is forgotten, if no other came.
const WINDOW_MS: u64 = 60_000;
/// Milliseconds of the first wait; it doubles with each further failure.
const FIRST_WAIT_MS: u64 = 15_000;
/// Milliseconds of the longest wait, so that nobody can be locked out for good.
const LONGEST_WAIT_MS: u64 = 300_000;
/// People and addresses that are remembered.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// By the hash of the property's id and the name, so that long ones take no more memory.
    Person([u8; 32]),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_ms: u64,
    blocked_until_ms: u64,
}

/// Who failed to sign in lately. Time is of any clock that never jumps.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: BTreeMap<Who, Failures>,
}

impl Throttle {
    /// Whether an attempt may be made; `Err`: in so many seconds.
    pub fn admit(&self, now_ms: u64, property: &str, login: &str, address: IpAddr) -> Result<(), u64> {
        let until = who(property, login, address)
            .filter_map(|who| self.failures.get(&who))
            .map(|failures| failures.blocked_until_ms)
            .max()
            .unwrap_or(0);
        if until <= now_ms { Ok(()) } else { Err((until - now_ms).div_ceil(1000)) }
    }

    /// An attempt failed.
    pub fn failed(&mut self, now_ms: u64, property: &str, login: &str, address: IpAddr) {
        self.make_room(now_ms);
        for who in who(property, login, address) {
            let allowed = match who {
                Who::Person(_) => PERSON_FAILURES,
                Who::Address(_) => ADDRESS_FAILURES,
            };
            let entry = self.failures.entry(who).or_insert(Failures {
                count: 0,
                last_ms: now_ms,
                blocked_until_ms: 0,
            });
            if is_past(entry, now_ms) {
                entry.count = 0;
            }
            entry.count += 1;
            entry.last_ms = now_ms;
            if entry.count >= allowed {
                let doublings = (entry.count - allowed).min(16);
                let wait = (FIRST_WAIT_MS << doublings).min(LONGEST_WAIT_MS);
                entry.blocked_until_ms = now_ms + wait;
            }
        }
    }

    /// An attempt succeeded: the person is themself. The address is not cleared by one who is let in.
    pub fn succeeded(&mut self, property: &str, login: &str) {
        self.failures.remove(&person(property, login));
    }

    fn make_room(&mut self, now_ms: u64) {
        if self.failures.len() < REMEMBERED {
            return;
        }
        self.failures.retain(|_, failures| !is_past(failures, now_ms));
        while self.failures.len() >= REMEMBERED {
            let oldest = self.failures.iter().min_by_key(|(_, failures)| failures.last_ms);
            let Some(oldest) = oldest.map(|(who, _)| who.clone()) else { return };
            self.failures.remove(&oldest);
        }
    }
}

fn is_past(failures: &Failures, now_ms: u64) -> bool {
    now_ms > failures.blocked_until_ms.max(failures.last_ms) + WINDOW_MS
}

/// This machine's own address is a proxy's or its operator's: it says nothing of who is there and is not counted.
fn who(property: &str, login: &str, address: IpAddr) -> impl Iterator<Item = Who> {
    let address = address.to_canonical();
    let counted = (!address.is_loopback()).then_some(Who::Address(address));
    [person(property, login)].into_iter().chain(counted)
}

fn person(property: &str, login: &str) -> Who {
    let hash = Sha256::new().chain_update((property.len() as u64).to_be_bytes());
    Who::Person(hash.chain_update(property).chain_update(login).finalize().into())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const MOTEL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 8));

    fn fail(throttle: &mut Throttle, now: u64, login: &str, times: u32) {
        for _ in 0..times {
            throttle.failed(now, "seaside", login, MOTEL);
        }
    }

    #[test]
    fn the_sixth_attempt_waits_and_each_further_one_longer() {
        let mut throttle = Throttle::default();
        fail(&mut throttle, 0, "ana", 4);
        assert_eq!(throttle.admit(0, "seaside", "ana", MOTEL), Ok(()));
        fail(&mut throttle, 0, "ana", 1);
        assert_eq!(throttle.admit(0, "seaside", "ana", ELSEWHERE), Err(15));
        assert_eq!(throttle.admit(15_000, "seaside", "ana", MOTEL), Ok(()));
        fail(&mut throttle, 15_000, "ana", 1);
        assert_eq!(throttle.admit(15_000, "seaside", "ana", MOTEL), Err(30));
        fail(&mut throttle, 15_000, "ana", 40);
        assert_eq!(throttle.admit(15_000, "seaside", "ana", MOTEL), Err(300));
    }

    #[test]
    fn others_are_not_held_up_until_the_address_has_failed_too_often() {
        let mut throttle = Throttle::default();
        fail(&mut throttle, 0, "ana", 5);
        assert_eq!(throttle.admit(0, "seaside", "ben", MOTEL), Ok(()));
        for index in 0..25 {
            fail(&mut throttle, 0, &format!("guess-{index}"), 1);
        }
        assert_eq!(throttle.admit(0, "seaside", "ben", MOTEL), Err(15));
        assert_eq!(throttle.admit(0, "seaside", "ben", ELSEWHERE), Ok(()));
    }

    #[test]
    fn a_proxy_on_this_machine_is_never_held_up_for_its_clients() {
        for proxy in
            [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into(), "::ffff:127.0.0.1".parse().unwrap()]
        {
            let mut throttle = Throttle::default();
            for index in 0..100 {
                throttle.failed(0, "seaside", &format!("guess-{index}"), proxy);
            }
            assert_eq!(throttle.admit(0, "seaside", "ben", proxy), Ok(()));
            for _ in 0..5 {
                throttle.failed(0, "seaside", "ana", proxy);
            }
            assert_eq!(throttle.admit(0, "seaside", "ana", proxy), Err(15));
        }
    }

    #[test]
    fn success_and_time_forgive() {
        let mut throttle = Throttle::default();
        fail(&mut throttle, 0, "ana", 4);
        throttle.succeeded("seaside", "ana");
        fail(&mut throttle, 0, "ana", 4);
        assert_eq!(throttle.admit(0, "seaside", "ana", ELSEWHERE), Ok(()));
        fail(&mut throttle, 70_000, "ana", 4);
        assert_eq!(throttle.admit(70_000, "seaside", "ana", ELSEWHERE), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut throttle = Throttle::default();
        for index in 0..REMEMBERED as u64 + 50 {
            throttle.failed(index, "seaside", &format!("guess-{index}"), MOTEL);
        }
        assert!(throttle.failures.len() <= REMEMBERED + 2);
    }
}
