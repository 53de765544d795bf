//! Live queries and watched screens: told what a commit changed of them, and of nothing else.

use std::sync::Arc;

use innsync_domain::Entity;
use innsync_engine::StoreError;
use innsync_store::{Query, Store, WriteSet};

use crate::diff::difference;
use crate::live::Update;
use crate::screens::{Glance, Screen};
use crate::shared::Shared;
use crate::stream::Queue;

/// Something that watches the database.
pub(crate) trait Observer: Send {
    /// A commit was made. Returns whether it is of concern.
    fn note(&mut self, written: &WriteSet) -> bool;
    /// The sync status changed, or time went by. Returns whether it is of concern.
    fn status_changed(&self) -> bool;
    /// Reads anew, and tells the consumer if something is different.
    fn refresh(&mut self, store: &Store, shared: &Shared) -> Result<(), StoreError>;
    /// Whether the consumer has gone.
    fn is_stopped(&self) -> bool;
}

/// All observers of a handle.
#[derive(Default)]
pub(super) struct Observers {
    all: Vec<Watched>,
}

struct Watched {
    observer: Box<dyn Observer>,
    stale: bool,
}

impl Observers {
    pub(super) fn add(&mut self, observer: Box<dyn Observer>) {
        self.all.push(Watched { observer, stale: true });
    }

    /// Whether some are to be told something.
    pub(super) fn wait(&self) -> bool {
        self.all.iter().any(|watched| watched.stale)
    }

    pub(super) fn note(&mut self, written: &WriteSet) {
        self.all.retain(|watched| !watched.observer.is_stopped());
        for watched in &mut self.all {
            watched.stale |= watched.observer.note(written);
        }
    }

    pub(super) fn status_changed(&mut self) {
        for watched in &mut self.all {
            watched.stale |= watched.observer.status_changed();
        }
    }

    pub(super) fn everything_changed(&mut self) {
        self.all.iter_mut().for_each(|watched| watched.stale = true);
    }

    pub(super) fn flush(&mut self, store: &Store, shared: &Shared) {
        for watched in self.all.iter_mut().filter(|watched| watched.stale) {
            watched.stale = false;
            if let Err(error) = watched.observer.refresh(store, shared) {
                // The next commit that concerns it tries again.
                tracing::warn!(%error, "a live query could not be read");
            }
        }
    }
}

/// One live query.
pub(crate) struct LiveWatch {
    query: Query,
    // Rows before the window move what is in it, without being in it.
    windowed: bool,
    shown: Option<Vec<Entity>>,
    queue: Ending<Update>,
}

impl LiveWatch {
    pub(crate) fn new(query: Query, queue: Arc<Queue<Update>>) -> Self {
        let windowed = query.clone().offset(0) != query;
        Self { query, windowed, shown: None, queue: Ending(queue) }
    }

    fn shows(&self, id: innsync_domain::Uuid) -> bool {
        self.shown.iter().flatten().any(|entity| entity.id() == id)
    }
}

impl Observer for LiveWatch {
    fn note(&mut self, written: &WriteSet) -> bool {
        let concerns = |(row, now): &(innsync_domain::EntityRef, Option<Entity>)| {
            row.kind == *self.query.kind()
                && (self.windowed
                    || now.as_ref().is_some_and(|now| self.query.matches(now))
                    || self.shows(row.id))
        };
        written.everything || written.rows.iter().any(concerns)
    }

    fn status_changed(&self) -> bool {
        false
    }

    fn refresh(&mut self, store: &Store, _: &Shared) -> Result<(), StoreError> {
        let rows = store.query(&self.query)?;
        let update = match &self.shown {
            Some(shown) if *shown == rows => return Ok(()),
            Some(shown) => difference(shown, &rows).map(Update::Diff),
            None => None,
        };
        let told = update.is_some_and(|diff| self.queue.offer(diff));
        if !told {
            // The first item, a change too large to be told step by step, or a consumer that lags.
            self.queue.replace(Update::Reset(rows.clone()));
        }
        self.shown = Some(rows);
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.queue.is_stopped()
    }
}

/// One watched screen.
pub(crate) struct ScreenWatch<S> {
    shown: Option<S>,
    queue: Ending<S>,
}

impl<S> ScreenWatch<S> {
    pub(crate) fn new(queue: Arc<Queue<S>>) -> Self {
        Self { shown: None, queue: Ending(queue) }
    }
}

impl<S: Screen> Observer for ScreenWatch<S> {
    fn note(&mut self, written: &WriteSet) -> bool {
        written.everything || written.outbox || written.rows.iter().any(|(row, _)| S::shows(&row.kind))
    }

    fn status_changed(&self) -> bool {
        S::SHOWS_STATUS
    }

    fn refresh(&mut self, store: &Store, shared: &Shared) -> Result<(), StoreError> {
        let screen = S::look(&Glance::new(store, shared))?;
        if self.shown.as_ref() != Some(&screen) {
            self.queue.replace(screen.clone());
            self.shown = Some(screen);
        }
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.queue.is_stopped()
    }
}

/// A queue that ends when its producer goes, however that comes about.
struct Ending<T>(Arc<Queue<T>>);

impl<T> std::ops::Deref for Ending<T> {
    type Target = Queue<T>;
    fn deref(&self) -> &Queue<T> {
        &self.0
    }
}

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.end();
    }
}
