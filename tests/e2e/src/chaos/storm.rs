//! What befalls phones, networks and server while it storms.

use std::time::{Duration, Instant};

use super::talk::Asked;
use super::{Kind, Round};
use crate::toxic::Weather;

/// What is to be made good again in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Later {
    StartServer,
    StartPhone(usize),
    /// The phone has a network again, a bad one.
    Network(usize),
}

impl Round {
    /// Everybody works, and nothing is spared.
    pub(super) async fn storm(&mut self, length: Duration) -> Result<(), String> {
        let end = Instant::now() + length;
        let mut later: Vec<(Instant, Later)> = Vec::new();
        for person in &mut self.people {
            person.network.weather(Weather::Toxic);
            person.ask(Asked::Work);
        }
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(self.random.between(20, 160))).await;
            let now = Instant::now();
            let due: Vec<Later> = later.iter().filter(|(at, _)| *at <= now).map(|(_, what)| *what).collect();
            later.retain(|(at, _)| *at > now);
            for what in due {
                self.make_good(what)?;
            }
            self.befall(&mut later);
        }
        for (_, what) in later {
            self.make_good(what)?;
        }
        Ok(())
    }

    fn befall(&mut self, later: &mut Vec<(Instant, Later)>) {
        let who = usize::try_from(self.random.below(self.people.len() as u64)).unwrap_or_default();
        let told = self.kind != Kind::Untold;
        let mut after = |low, high| Instant::now() + Duration::from_millis(self.random.between(low, high));
        let (soon, then) = (after(0, 500), after(100, 900));
        match self.random.below(100) {
            // A phone's app is killed, by the person or the platform.
            0..18 => later.extend(self.kill_phone(who, soon)),
            // The server is.
            18..26 => later.extend(self.kill_server(soon)),
            // Both at once, and one after the other is back first.
            26..32 => {
                later.extend(self.kill_server(soon));
                later.extend(self.kill_phone(who, then));
            }
            // A power cut.
            32..34 => {
                later.extend(self.kill_server(then));
                for who in 0..self.people.len() {
                    later.extend(self.kill_phone(who, soon));
                }
            }
            // The network goes, and the platform says so.
            34..46 => {
                let person = &mut self.people[who];
                person.network.weather(Weather::Refusing);
                person.network.reset_all();
                if told {
                    person.ask(Asked::Offline);
                }
                later.push((soon, Later::Network(who)));
            }
            // The network goes, and nobody says so.
            46..56 => {
                self.people[who].network.weather(Weather::Refusing);
                later.push((then, Later::Network(who)));
            }
            // The Wi-Fi wants a sign-in.
            56..64 => {
                let network = &self.people[who].network;
                network.weather(Weather::Portal);
                network.reset_all();
                later.push((then, Later::Network(who)));
            }
            64..76 => self.people[who].network.reset_all(),
            76..80 => self.people[who].network.heal(),
            // A good moment.
            80..86 => {
                self.people[who].network.weather(Weather::Clear);
                later.push((then, Later::Network(who)));
            }
            _ if told => self.people[who].ask(Asked::Foreground),
            _ => {}
        }
    }

    fn kill_phone(&mut self, who: usize, back: Instant) -> Option<(Instant, Later)> {
        let person = &mut self.people[who];
        person.is_running().then(|| person.kill())?;
        Some((back, Later::StartPhone(who)))
    }

    fn kill_server(&mut self, back: Instant) -> Option<(Instant, Later)> {
        self.server.is_running().then(|| self.server.kill())?;
        self.servers_killed += 1;
        Some((back, Later::StartServer))
    }

    fn make_good(&mut self, what: Later) -> Result<(), String> {
        match what {
            Later::StartServer => tokio::task::block_in_place(|| self.server.restart()),
            Later::StartPhone(who) => {
                self.people[who].start()?;
                self.people[who].ask(Asked::Work);
                Ok(())
            }
            Later::Network(who) => {
                self.people[who].network.weather(Weather::Toxic);
                if self.kind != Kind::Untold {
                    self.people[who].ask(Asked::Online);
                }
                Ok(())
            }
        }
    }
}
