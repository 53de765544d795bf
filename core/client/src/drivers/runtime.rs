//! The runtime that sockets and HTTP of all handles of the process share.
//!
//! It is the crate's own, so that a handle works under any executor, and under none: behind a foreign-function
//! interface futures are polled on threads that know no tokio.

use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::error::Error;

/// Threads that drive sockets and HTTP.
const WORKERS: usize = 2;

/// The runtime, made at first use.
pub(crate) fn runtime() -> Result<&'static Runtime, Error> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(WORKERS).thread_name("innsync-net").enable_all();
        builder.build().map_err(|error| error.to_string())
    });
    made.as_ref().map_err(|error| Error::bug("the system gives no threads", error))
}

/// A task that ends when nobody holds this any more.
pub(crate) struct AbortOnDrop(pub(crate) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The future's result, or `None` when it takes longer. Works under any executor.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Result<Option<T>, Error> {
    let sleep = {
        let _timer = runtime()?.enter();
        tokio::time::sleep(limit)
    };
    match select(pin!(future), pin!(sleep)).await {
        Either::Left((value, _)) => Ok(Some(value)),
        Either::Right(_) => Ok(None),
    }
}
