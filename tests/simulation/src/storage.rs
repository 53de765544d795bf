//! Where a phone's database is: in memory, or a file on a disk that fails. And what may be in it after a death: what was
//! committed, and of what could not be, perhaps one.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use innsync_engine::{Batch, StoreError, Write};
use innsync_faulty_disk::{Disk, DiskError, Fault, Planned, Strike, seed_sqlite};
use innsync_store::{OpenError, Store, WriteSet};

use crate::failure::{Checked, Violation};
use crate::plan::{DiskPlan, Trouble};
use crate::shadow::Shadow;
use crate::watch::Choice;

/// See the module.
#[derive(Debug)]
pub(crate) struct Storage {
    /// `None`: closed, as the app is.
    store: Option<Store>,
    disk: Option<Own>,
    pub(crate) doubt: Doubt,
}

/// A phone's own disk.
#[derive(Debug)]
struct Own {
    disk: Disk,
    path: PathBuf,
    /// Deaths that were planned and have not come yet, in order of their operations.
    deaths: Vec<Trouble>,
}

/// What may have happened to the database, besides what was committed.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    /// Commits that need not outlive a power loss, and what was there before them: rows of a snapshot on their way in
    /// (docs/adr/0007), which come again.
    pub(crate) soon: Option<(Box<Shadow>, Vec<Batch>)>,
    /// Batches that could not be committed since the last that could. A log that was written but not synced may still be
    /// found whole after a death: then the last of them that was written did happen. The next commit takes its place.
    pub(crate) failed: Vec<(Batch, Choice)>,
}

/// How the app ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its process dies.
    Death,
    /// The phone goes off; the seed says what is left of what was not synced.
    PowerLoss(u64),
}

fn broken(error: &DiskError) -> Violation {
    Violation::new("RUN", format!("a disk: {error}"))
}

/// Databases in memory that earlier runs are done with.
static USED: Mutex<Vec<Store>> = Mutex::new(Vec::new());

/// An empty database in memory: a used one, where there is one, since making the tables anew takes longer than a run does
/// things in them.
fn in_memory() -> Checked<Store> {
    let used = USED.lock().unwrap_or_else(PoisonError::into_inner).pop();
    if let Some(mut used) = used
        && used.clear().is_ok()
    {
        return Ok(used);
    }
    Store::open_in_memory().map_err(|error| Violation::new("RUN", error.to_string()))
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let (Some(store), None) = (self.store.take(), &self.disk) {
            USED.lock().unwrap_or_else(PoisonError::into_inner).push(store);
        }
    }
}

impl Storage {
    /// In memory, or on a disk.
    pub(crate) fn new(plan: Option<&DiskPlan>, seed: u64, lies: bool) -> Checked<Self> {
        let Some(plan) = plan else {
            let store = in_memory()?;
            return Ok(Self { store: Some(store), disk: None, doubt: Doubt::default() });
        };
        let disk = Disk::temporary(seed).map_err(|error| broken(&error))?;
        seed_sqlite(seed);
        if lies {
            disk.lie();
        }
        let mut deaths = Vec::new();
        for fault in &plan.faults {
            let operation = fault.operation;
            let (fault, times) = match fault.fault {
                Trouble::Crash { .. } | Trouble::PowerLoss { .. } => {
                    deaths.push((operation, fault.fault));
                    (Fault::Crash, 1)
                }
                Trouble::Io { times } => (Fault::Io, times),
                Trouble::Full { times } => (Fault::Full, times),
                Trouble::Busy { times } => (Fault::Busy, times),
            };
            disk.plan(Planned { operation, times, fault });
        }
        deaths.sort_by_key(|(operation, _)| *operation);
        let deaths = deaths.into_iter().map(|(_, death)| death).collect();
        let path = disk.folder().join("motel.sqlite");
        Ok(Self { store: None, disk: Some(Own { disk, path, deaths }), doubt: Doubt::default() })
    }

    /// Opens the database, if it is not open.
    pub(crate) fn open(&mut self) -> Result<(), OpenError> {
        if let (None, Some(own)) = (&self.store, &self.disk) {
            self.store = Some(Store::open(&own.path)?);
        }
        Ok(())
    }

    /// The database, while the app runs.
    pub(crate) fn store(&self) -> Checked<&Store> {
        self.store.as_ref().ok_or_else(|| Violation::new("RUN", "a database that is closed is used"))
    }

    pub(crate) fn commit(&mut self, batch: &Batch) -> Checked<Result<WriteSet, StoreError>> {
        let store = self.store.as_mut();
        let store = store.ok_or_else(|| Violation::new("RUN", "a database that is closed is used"))?;
        Ok(store.commit(batch))
    }

    /// Looks at the database without being part of the story.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Store) -> Checked<T>) -> Checked<T> {
        let store = self.store()?;
        match &self.disk {
            Some(own) => own.disk.aside(|| look(store)),
            None => look(store),
        }
    }

    /// Closes the database in order. In memory it stays open: it would be gone.
    pub(crate) fn close(&mut self) {
        if self.disk.is_some() {
            self.store = None;
        }
    }

    /// The app is gone, however.
    pub(crate) fn end(&mut self, end: End) -> Checked {
        let Some(own) = &self.disk else { return Ok(()) };
        own.disk.crash();
        self.store = None;
        match end {
            End::Death => own.disk.restart(),
            End::PowerLoss(seed) => own.disk.power_loss(seed),
        }
        .map_err(|error| broken(&error))
    }

    /// The death that the app has died by a failing disk, if it has.
    pub(crate) fn death(&mut self) -> Option<Trouble> {
        let own = self.disk.as_mut().filter(|own| own.disk.is_crashed())?;
        (!own.deaths.is_empty()).then(|| own.deaths.remove(0))
    }

    /// The faults that have come since this was last asked.
    pub(crate) fn strikes(&self) -> Vec<Strike> {
        self.disk.as_ref().map_or_else(Vec::new, |own| own.disk.strikes())
    }

    /// Nothing goes wrong with it any more.
    pub(crate) fn heal(&mut self) {
        if let Some(own) = &mut self.disk {
            own.disk.heal();
            own.deaths.clear();
        }
    }

    /// An error without the folder's name, which is another in each run.
    pub(crate) fn reason(&self, error: &OpenError) -> String {
        let folder = self.disk.as_ref().map(|own| own.disk.folder().display().to_string());
        folder.map_or_else(|| error.to_string(), |folder| error.to_string().replace(&folder, ""))
    }

    pub(crate) fn is_on_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Those of SQLite's operations so far that changed something on its disk, if it is on one.
    pub(crate) fn changes(&self) -> Option<Vec<u64>> {
        self.disk.as_ref().map(|own| own.disk.changes())
    }

    /// SQLite's operations so far, and a hash over them.
    pub(crate) fn operations(&self) -> (u64, u64) {
        self.disk.as_ref().map_or((0, 0), |own| (own.disk.operations(), own.disk.digest()))
    }
}

impl Doubt {
    /// That batch was committed over what `before` says.
    pub(crate) fn committed(&mut self, before: &Shadow, batch: &Batch) {
        // An effect that was presented before is nothing to write: then the log stays as it is, and is not synced.
        if batch.writes.iter().all(|write| matches!(write, Write::EffectPresented(_))) {
            return;
        }
        self.failed.clear();
        if comes_again(batch) {
            let (_, soon) = self.soon.get_or_insert_with(|| (Box::new(before.clone()), Vec::new()));
            soon.push(batch.clone());
        } else {
            self.soon = None;
        }
    }

    /// What a power loss may have left of the commits that need not outlive one, the most first.
    pub(crate) fn left(&self) -> Vec<Shadow> {
        let Some((before, soon)) = &self.soon else { return Vec::new() };
        let mut left = vec![before.as_ref().clone()];
        for batch in soon {
            if let Some(last) = left.last() {
                let mut next = last.clone();
                next.apply(batch);
                left.push(next);
            }
        }
        left.reverse();
        left
    }
}

/// Nothing but rows of a snapshot on their way in: nobody was told that these are saved.
fn comes_again(batch: &Batch) -> bool {
    batch.writes.iter().all(|write| matches!(write, Write::Show(_) | Write::Stage(_) | Write::ClearStage))
}
