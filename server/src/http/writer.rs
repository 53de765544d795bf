//! The one thread that writes. What it commits reaches the hub in order, before the caller is answered.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::{mpsc, oneshot};

use super::driver::HubHandle;
use super::reply::Refused;
use crate::authority::{Authority, Committed};

/// Jobs that wait for the thread before callers are sent away.
const QUEUED_JOBS: usize = 512;

type Job = Box<dyn FnOnce(&mut Authority, &HubHandle) + Send>;

enum Message {
    Run(Job),
    Stop,
}

/// Where writes are handed in.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

impl Writer {
    /// Starts the thread; the receiver hears of its end.
    pub(super) fn start(
        mut authority: Authority,
        hub: HubHandle,
    ) -> std::io::Result<(Self, oneshot::Receiver<()>)> {
        let (queue, mut jobs) = mpsc::channel(QUEUED_JOBS);
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new().name("authority".to_owned()).spawn(move || {
            while let Some(Message::Run(job)) = jobs.blocking_recv() {
                // A transaction that is dropped is rolled back, so the authority is whole after a panic, too.
                if catch_unwind(AssertUnwindSafe(|| job(&mut authority, &hub))).is_err() {
                    tracing::error!("a request made the authority panic; it was rolled back");
                }
            }
            // Who is still there is answered at once that nothing more is written.
            drop(jobs);
            if let Err(error) = authority.ledger().checkpoint() {
                tracing::warn!(%error, "the write-ahead log was not folded in; nothing is lost");
            }
            let _ = end.send(());
        })?;
        Ok((Self { queue }, ended))
    }

    /// Ends the thread after what was handed in before, however many handles there still are.
    pub(super) async fn stop(&self) {
        let _ = self.queue.send(Message::Stop).await;
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
        self.queue.try_send(Message::Run(job)).map_err(|_| Refused::overloaded())?;
        answer.await.map_err(|_| Refused::internal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::driver;
    use crate::ledger::Ledger;

    #[tokio::test]
    async fn it_ends_after_what_was_handed_in_although_there_are_handles() {
        let (hub, _queue) = driver::channel();
        let authority = Authority::new(Ledger::in_memory().unwrap(), 1);
        let (writer, ended) = Writer::start(authority, hub).unwrap();
        let (before, (), ended) = tokio::join!(writer.run(|_| (7, Vec::new())), writer.stop(), ended);
        assert!(matches!(before, Ok(7)));
        assert_eq!(ended, Ok(()));
        assert!(writer.run(|_| ((), Vec::new())).await.is_err());
    }
}
