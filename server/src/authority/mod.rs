//! The only one that writes. Whatever anybody does, by REST or from a phone's outbox, comes through here as commands; each
//! accepted operation is one commit with one number, without gaps, in one transaction with its outcome.
//!
//! [`push`](Authority::push) takes operations from outboxes, [`run`](Authority::run) commands from REST. Both read the
//! property's head first (in a transaction that holds the write lock), let the rules of [`innsync_domain`] decide, write,
//! and hand back what was [`Committed`], for the hub to show to whoever may see it.

mod draft;
mod losses;
mod operation;
mod push;
mod retention;
mod run;
mod writer;

use innsync_domain::{
    Command, Department, Employee, Entity, EntityKind, Intent, Person, Policies, Role, Timestamp, Uuid,
};

use crate::ledger::{Credentials, KeptAnswer, Ledger, LedgerError, Property};
use crate::ledger::{credentials, entities, feed, properties};
use crate::random::SeededRandom;
use crate::reader::Reader;
pub use crate::view::Committed;
pub use retention::Retention;
pub(crate) use run::Keep;
pub use run::{Expected, NewLogin, RunAnswer, RunOptions};
use writer::{Origin, Writer};

/// See the module.
pub struct Authority {
    ledger: Ledger,
    random: SeededRandom,
}

impl Authority {
    /// The authority over that ledger. Marks and the ids it gives follow from the seed: from the system's random source
    /// in earnest, from the run's number in a simulation.
    pub fn new(ledger: Ledger, seed: u64) -> Self {
        Self { ledger, random: SeededRandom::new(seed) }
    }

    /// The ledger, for reading and for sessions.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger, to change sessions.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// The ledger, without its authority.
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// Reads by the writing connection itself.
    pub fn read(&self) -> &Reader {
        self.ledger.read()
    }

    /// A new id of that moment.
    pub fn new_id(&mut self, now: Timestamp) -> Uuid {
        self.random.uuid_v7(now)
    }

    /// New ids of that moment, for what a REST call creates.
    pub(crate) fn ids(&mut self, now: Timestamp) -> crate::api::Ids<'_> {
        crate::api::Ids { random: &mut self.random, now }
    }

    /// Begins a property.
    pub fn create_property(&mut self, property: &Property) -> Result<(), LedgerError> {
        Property::check_id(&property.id)?;
        properties::insert(self.ledger.connection(), property)
    }

    /// Adds somebody to the staff together with how they sign in, in the name of nobody (the nil UUID): so the first
    /// manager comes to be.
    #[allow(clippy::too_many_arguments)]
    pub fn add_person(
        &mut self,
        now: Timestamp,
        property: &str,
        login: &str,
        password_hash: &str,
        name: &str,
        role: Role,
        department: Department,
        employee_id: Option<Uuid>,
    ) -> Result<(Employee, Committed), LedgerError> {
        let id = employee_id.unwrap_or_else(|| self.random.uuid_v7(now));
        let command = Command::CreateEmployee { employee_id: id, name: name.to_owned(), role, department };
        let operation = self.random.uuid_v7(now);
        let transaction = self.ledger.begin()?;
        let mut writer = Writer::open(&transaction, &mut self.random, property, now)?;
        let nobody = Person {
            id: Uuid::nil(),
            role: Role::Manager,
            department: Department::Management,
            is_on_duty: true,
        };
        let mut draft = draft::Draft::new(&transaction, property);
        let decided = draft.run(&command, operation, &nobody, now)?;
        decided.map_err(|rejection| LedgerError::Refused(rejection.message))?;
        let intent = Intent { at: now, certain: true };
        let origin = Origin { by: nobody.id, forced: false, operation, intent };
        writer.commit(origin, draft.into_changes())?;
        if credentials::get(&transaction, property, login)?.is_some() {
            return Err(LedgerError::LoginTaken(login.to_owned()));
        }
        let new =
            Credentials { login: login.to_owned(), employee: id, password_hash: password_hash.to_owned() };
        credentials::set(&transaction, property, &new)?;
        let mut committed = writer.finish()?;
        let employee = match entities::get(&transaction, property, &EntityKind::Employee, id)? {
            Some(Entity::Employee(employee)) => employee,
            _ => return Err(LedgerError::NoSuchPerson(id)),
        };
        transaction.commit()?;
        let committed =
            committed.pop().ok_or_else(|| LedgerError::Corrupt("nothing was committed".to_owned()))?;
        Ok((employee, committed))
    }

    /// Sets how somebody on the staff signs in; takes the place of what they had.
    pub fn set_credentials(
        &mut self,
        property: &str,
        login: &str,
        employee_id: Uuid,
        password_hash: &str,
    ) -> Result<(), LedgerError> {
        if self.read().person(property, employee_id)?.is_none() {
            return Err(LedgerError::NoSuchPerson(employee_id));
        }
        let (login, password_hash) = (login.to_owned(), password_hash.to_owned());
        self.ledger.set_credentials(property, &Credentials { login, employee: employee_id, password_hash })
    }

    /// Forgets the log up to commit `keep_after_seq` (at most the head). Phones that have not come that far fetch a
    /// snapshot.
    pub fn compact(&mut self, property: &str, keep_after_seq: u64) -> Result<(), LedgerError> {
        let transaction = self.ledger.begin()?;
        let head = properties::head(&transaction, property)?;
        let horizon = keep_after_seq.min(head.cursor.seq);
        if horizon > head.horizon {
            feed::forget(&transaction, property, horizon)?;
            properties::set_horizon(&transaction, property, horizon)?;
        }
        Ok(transaction.commit()?)
    }

    /// Declares that the ledger was restored from a backup: the feed is another incarnation from now on, and every phone
    /// fetches a snapshot and offers again what the backup does not know.
    pub fn declare_restored(&mut self, property: &str) -> Result<(), LedgerError> {
        let transaction = self.ledger.begin()?;
        properties::head(&transaction, property)?;
        properties::next_epoch(&transaction, property)?;
        Ok(transaction.commit()?)
    }

    /// How a property decides between edits that did not know of each other.
    pub fn policies(&self, property: &str) -> Result<Policies, LedgerError> {
        properties::policies(self.ledger.connection(), property)
    }

    /// Has the property decide otherwise from now on.
    pub fn set_policies(&mut self, property: &str, policies: &Policies) -> Result<(), LedgerError> {
        let transaction = self.ledger.begin()?;
        properties::head(&transaction, property)?;
        properties::set_policies(&transaction, property, policies)?;
        Ok(transaction.commit()?)
    }

    /// The answer that was given under that Idempotency-Key, if it is still kept.
    pub(crate) fn kept_answer(
        &self,
        now: Timestamp,
        property: &str,
        author: Uuid,
        key: &str,
    ) -> Result<Option<KeptAnswer>, LedgerError> {
        crate::ledger::answers::get(self.ledger.connection(), property, author, key, now)
    }
}
