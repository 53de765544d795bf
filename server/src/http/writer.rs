//! The one thread that writes. What it commits reaches the hub in order, before the caller is answered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::driver::HubHandle;
use super::reply::Refused;
use crate::authority::{Authority, Committed};

/// Jobs that wait for the thread before callers are sent away.
const QUEUED_JOBS: usize = 512;

type Job = Box<dyn FnOnce(&mut Authority, &HubHandle) + Send>;

/// Where writes are handed in.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread; it ends when all handles are gone and what was handed in is done.
    pub(super) fn start(mut authority: Authority, hub: HubHandle) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUED_JOBS);
        let thread = std::thread::Builder::new().name("authority".to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                // A transaction that is dropped is rolled back, so the authority is whole after a panic, too.
                if catch_unwind(AssertUnwindSafe(|| job(&mut authority, &hub))).is_err() {
                    tracing::error!("a request made the authority panic; it was rolled back");
                }
            }
            if let Err(error) = authority.ledger().checkpoint() {
                tracing::warn!(%error, "the write-ahead log was not folded in; nothing is lost");
            }
        })?;
        Ok((Self { jobs }, thread))
    }

    /// Runs a job on the thread. It hands out what it committed, which is shown to everybody before this returns.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Authority) -> (T, Vec<Committed>) + Send + 'static,
    ) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |authority, hub| {
            let (value, committed) = job(authority);
            for commit in committed {
                hub.committed(commit);
            }
            let _ = reply.send(value);
        });
        self.jobs.try_send(job).map_err(|_| Refused::overloaded())?;
        answer.await.map_err(|_| Refused::internal())
    }
}
