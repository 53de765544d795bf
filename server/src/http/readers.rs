//! A few connections that only read, each used by one request at a time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::reply::Refused;
use crate::ledger::{Ledger, LedgerError};
use crate::reader::Reader;

/// See the module.
#[derive(Clone)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Reader>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(ledger: &Ledger, connections: usize) -> Result<Self, LedgerError> {
        let idle = (0..connections).map(|_| ledger.reader()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), permits: Arc::new(Semaphore::new(connections)) })
    }

    /// Reads on a thread that may wait.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| Refused::internal())?;
        let idle = self.idle.clone();
        let task = tokio::task::spawn_blocking(move || {
            let lease = Lease { reader: take(&idle), idle };
            let value = lease.reader.as_ref().map(read);
            drop(lease);
            drop(permit);
            value
        });
        task.await.ok().flatten().ok_or_else(Refused::internal)
    }
}

/// Gives the reader back, also after a panic.
struct Lease {
    reader: Option<Reader>,
    idle: Arc<Mutex<Vec<Reader>>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.reader.take());
    }
}

fn take(idle: &Mutex<Vec<Reader>>) -> Option<Reader> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}
