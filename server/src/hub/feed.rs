//! What the hub knows of a property's feed without asking the ledger.

use std::collections::VecDeque;

use innsync_domain::{Entity, Person, Uuid};
use innsync_protocol::{Cursor, Mark};

use crate::authority::Committed;

/// Changes of the staff that are remembered.
const REMEMBERED: usize = 256;

/// How a commit follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is the next.
    Next,
    /// It was known before.
    Old,
    /// Some before it never came by here, as when the operator's tool writes to the ledger of a running server.
    Gap,
}

/// The head of a property's feed, and who of its staff has changed lately.
///
/// A person is read from the ledger while the socket is being opened; a commit may pass in between. The last changes of
/// the staff are kept so that nobody is taken for who they were.
#[derive(Debug)]
pub(super) struct Feed {
    head: Cursor,
    staff: VecDeque<(u64, Uuid, Option<Person>)>,
    /// Changes of the staff after this commit are all in `staff`.
    complete_after: u64,
}

impl Feed {
    /// A feed that the hub hears of for the first time.
    pub(super) fn new(head: Cursor) -> Self {
        Self { head, staff: VecDeque::new(), complete_after: head.seq }
    }

    /// A feed whose first commit is just coming.
    pub(super) fn before(committed: &Committed) -> Self {
        let seq = committed.seq.saturating_sub(1);
        Self::new(Cursor { epoch: 0, seq, mark: Mark(0) })
    }

    /// Where it stands.
    pub(super) fn head(&self) -> Cursor {
        self.head
    }

    /// Its incarnation, as the ledger has it.
    pub(super) fn set_epoch(&mut self, epoch: u64) {
        self.head.epoch = epoch;
    }

    /// A commit comes by.
    pub(super) fn advance(&mut self, committed: &Committed) -> Step {
        let Committed { seq, mark, .. } = *committed;
        if seq <= self.head.seq {
            return Step::Old;
        }
        let step = if seq == self.head.seq + 1 { Step::Next } else { Step::Gap };
        if step == Step::Gap {
            self.staff.clear();
            self.complete_after = seq - 1;
        }
        self.head = Cursor { seq, mark, ..self.head };
        for change in committed.changes.iter() {
            match (&change.before, &change.after) {
                (_, Some(Entity::Employee(it))) => self.remember(seq, it.id, Some(Person::from(it))),
                (Some(Entity::Employee(it)), None) => self.remember(seq, it.id, None),
                _ => {}
            }
        }
        step
    }

    /// The person as of the head, who was read from the ledger as of `read_at`. `Err`: not on the staff any more, or
    /// too long ago to say.
    pub(super) fn present(&self, person: Person, read_at: u64) -> Result<Person, ()> {
        if read_at < self.complete_after {
            return Err(());
        }
        let mut changes = self.staff.iter().rev();
        match changes.find(|(seq, id, _)| *seq > read_at && *id == person.id) {
            None => Ok(person),
            Some((_, _, Some(later))) => Ok(later.clone()),
            Some((_, _, None)) => Err(()),
        }
    }

    fn remember(&mut self, seq: u64, id: Uuid, person: Option<Person>) {
        if self.staff.len() == REMEMBERED
            && let Some((oldest, ..)) = self.staff.pop_front()
        {
            self.complete_after = oldest;
        }
        self.staff.push_back((seq, id, person));
    }
}
