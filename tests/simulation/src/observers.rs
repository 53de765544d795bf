//! Who watches a phone's database as live queries do: reads it once, and then goes by what each commit says of itself. Some
//! read nothing for a while, or go away and come back; what they then hold must be what is shown (G6).

use std::collections::BTreeMap;

use innsync_domain::{Entity, EntityRef};
use innsync_store::WriteSet;

use crate::failure::{Checked, Violation};
use crate::model::Rows;
use crate::shadow::Shadow;
use crate::sometimes::Sometimes;
use crate::world::World;

/// Commits of a phone between two looks at all that somebody holds who was not away.
const COMPARED_EVERY: u64 = 16;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observer {
    /// `None`: all is read with the next look.
    rows: Option<Rows>,
    /// What commits since the last look said.
    told: BTreeMap<EntityRef, Option<Entity>>,
    /// Reads nothing before.
    away_until: u64,
}

impl Observer {
    /// The app has ended, and with it whoever watched.
    pub(crate) fn is_gone(&mut self) {
        *self = Self::default();
    }

    /// A commit says what it concerns.
    pub(crate) fn note(&mut self, written: WriteSet) {
        if written.everything {
            self.rows = None;
        }
        match self.rows {
            // All is read anyway.
            None => self.told.clear(),
            Some(_) => self.told.extend(written.rows),
        }
    }

    /// Takes over what was told, or reads everything.
    fn look(&mut self, shadow: &Shadow) -> &Rows {
        let told = std::mem::take(&mut self.told);
        let rows = self.rows.get_or_insert_with(|| shadow.shown.clone());
        for (reference, row) in told {
            match row {
                Some(row) => rows.insert(reference, row),
                None => rows.remove(&reference),
            };
        }
        rows
    }
}

impl World {
    /// Something was committed on a phone, and whoever watches may look.
    pub(crate) fn observed(&mut self, who: usize) -> Checked {
        let (now, absent) = (self.now, self.faults.absent);
        let observer = &self.phones[who].observer;
        if now < observer.away_until {
            return Ok(());
        }
        let was_away = observer.away_until > 0;
        if was_away {
            self.phones[who].observer.away_until = 0;
            self.reach(Sometimes::ObserverAway);
        }
        let phone = &mut self.phones[who];
        let name = phone.name();
        let rows = phone.observer.look(&phone.shadow);
        if (was_away || phone.commits.is_multiple_of(COMPARED_EVERY)) && *rows != phone.shadow.shown {
            let odd = rows.keys().chain(phone.shadow.shown.keys());
            let odd = odd.into_iter().find(|it| rows.get(it) != phone.shadow.shown.get(it));
            let detail = format!("{name}'s commits did not tell of {odd:?}");
            return Err(Violation::new("G6", detail));
        }
        if absent > 0 && self.random.chance(absent) {
            let goes = self.random.chance(200);
            let until = now + self.random.below(60_000);
            let observer = &mut self.phones[who].observer;
            if goes {
                observer.is_gone();
            }
            observer.away_until = until;
        }
        Ok(())
    }
}
