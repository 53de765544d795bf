//! Data: queries, screens, stores.

use std::sync::Arc;

use innsync_domain::{Entity, EntityKind, EntityRef};
use innsync_engine::{Input, StoreRead};
use innsync_store::Query;

use super::InnSync;
use crate::actor::{LiveWatch, Observer, ScreenWatch};
use crate::error::Error;
use crate::live::LiveQuery;
use crate::mailbox::Letter;
use crate::screens::{
    Conflicts, Dashboard, Glance, Inbox, MyTasks, Screen, SuiteBoard, SyncLine, Unassigned, Urgent,
};
use crate::stores::Stores;
use crate::stream::{Queue, Stream};

/// Updates of a live query that wait for its consumer; one that lags more gets the whole.
const UPDATES_WAITING: usize = 64;

/// Data.
impl InnSync {
    /// The entities that match, as they are shown now.
    pub async fn query(&self, query: Query) -> Result<Vec<Entity>, Error> {
        self.ask(move |actor| Ok(actor.store().query(&query)?)).await
    }

    /// One entity as it is shown now, if there is one that this person may see.
    pub async fn get(&self, entity: EntityRef) -> Result<Option<Entity>, Error> {
        self.ask(move |actor| Ok(actor.store().shown(&entity.kind, entity.id)?)).await
    }

    /// The entities that match, now and as they change. One diff may tell of several commits in a row.
    pub fn live(&self, query: Query) -> LiveQuery {
        let queue = Queue::new(UPDATES_WAITING);
        self.observe(Box::new(LiveWatch::new(query, Arc::clone(&queue))));
        Stream::new(queue)
    }

    /// The seed's four stores.
    pub fn stores(&self) -> Stores {
        Stores::new(self.clone())
    }

    /// A screen's content now.
    pub async fn screen<S: Screen>(&self) -> Result<S, Error> {
        self.ask(|actor| Ok(S::look(&Glance::new(actor.store(), actor.shared()))?)).await
    }

    /// A screen's content, now and whenever it changes; a consumer that lags gets the newest alone.
    pub fn watch<S: Screen>(&self) -> Stream<S> {
        let queue = Queue::new(1);
        self.observe(Box::new(ScreenWatch::<S>::new(Arc::clone(&queue))));
        Stream::new(queue)
    }

    /// My open tasks.
    pub async fn my_tasks(&self) -> Result<MyTasks, Error> {
        self.screen().await
    }

    /// Tasks to be taken.
    pub async fn unassigned(&self) -> Result<Unassigned, Error> {
        self.screen().await
    }

    /// Urgent tasks and emergencies.
    pub async fn urgent(&self) -> Result<Urgent, Error> {
        self.screen().await
    }

    /// Suites by floor.
    pub async fn suite_board(&self) -> Result<SuiteBoard, Error> {
        self.screen().await
    }

    /// Figures.
    pub async fn dashboard(&self) -> Result<Dashboard, Error> {
        self.screen().await
    }

    /// News for me.
    pub async fn inbox(&self) -> Result<Inbox, Error> {
        self.screen().await
    }

    /// What waits for my decision, and what of mine lost.
    pub async fn conflicts(&self) -> Result<Conflicts, Error> {
        self.screen().await
    }

    /// The one honest line about sync.
    pub async fn sync_line(&self) -> Result<SyncLine, Error> {
        self.screen().await
    }

    /// Asks for everything but the outbox to be fetched anew; see [`Stores::refresh`].
    pub async fn refresh(&self) -> Result<(), Error> {
        self.writable()?;
        self.ask(|actor| {
            actor.input(Input::Refetch);
            Ok(())
        })
        .await
    }

    /// Empties the cache; see [`Stores::clear`].
    pub async fn clear_cache(&self) -> Result<(), Error> {
        self.writable()?;
        self.ask(|actor| {
            actor.input(Input::ClearCache);
            Ok(())
        })
        .await
    }

    /// Forgets what the phone holds of a kind; see [`crate::Store::clear`].
    pub async fn clear_kind(&self, kind: EntityKind) -> Result<(), Error> {
        self.writable()?;
        self.ask(|actor| {
            actor.input(Input::ClearKind { kind });
            Ok(())
        })
        .await
    }

    fn observe(&self, observer: Box<dyn Observer>) {
        // Where the handle is closed, the letter is dropped, and the observer ends its stream.
        let _ = self.post(Letter::job(move |actor| actor.observe(observer)));
    }
}
