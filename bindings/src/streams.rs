//! Streams that the shell pulls, each with a batch of its own, since generics do not cross the border.
//!
//! `batch(n)` gives what follows batch number `n` (0 at first) and gives it again until a later call acknowledges it, so
//! that a cancelled call loses nothing. `stop()` ends a waiting call at once, from any thread.

use std::sync::Arc;

use innsync_client::Stream;

use crate::conflicts::Conflicts;
use crate::errors::{InnSyncError, caught_async};
use crate::mirror::ToShell;
use crate::news::{Effect, Event};
use crate::outbox::Receipt;
use crate::queries::Update;
use crate::screens::{Dashboard, Inbox, MyTasks, SuiteBoard, Unassigned, Urgent};
use crate::status::{ConnectionState, SyncLine, SyncStatus};

macro_rules! streams {
    ($($(#[$doc:meta])* $stream:ident of $batch:ident { $item:ident = $core:ty })+) => {$(
        $(#[$doc])*
        #[derive(uniffi::Object)]
        pub struct $stream {
            stream: Stream<$core>,
        }

        /// Some items, in order.
        #[derive(Debug, Clone, PartialEq, uniffi::Record)]
        pub struct $batch {
            /// To be given to the next call once the items were taken over.
            pub number: u64,
            /// The items; never none.
            pub items: Vec<$item>,
        }

        impl From<Stream<$core>> for $stream {
            fn from(stream: Stream<$core>) -> Self {
                Self { stream }
            }
        }

        impl $stream {
            pub(crate) fn new(stream: Stream<$core>) -> Arc<Self> {
                Arc::new(stream.into())
            }
        }

        #[uniffi::export]
        impl $stream {
            /// The items after that batch, as soon as there are any; none at the end.
            pub async fn batch(&self, acknowledged: u64) -> Result<Option<$batch>, InnSyncError> {
                caught_async(async {
                    let batch = self.stream.batch(acknowledged).await;
                    Ok(batch.map(|it| $batch { number: it.number, items: it.items.to_shell() }))
                })
                .await
            }

            /// Ends the stream. Does not wait, may be called twice.
            pub fn stop(&self) {
                self.stream.stop();
            }
        }
    )+};
}
streams! {
    /// Connection states, the present one first.
    ConnectionStream of ConnectionBatch { ConnectionState = innsync_client::ConnectionState }
    /// Sync statuses, the present one first.
    StatusStream of StatusBatch { SyncStatus = innsync_client::SyncStatus }
    /// Changes of operations' states.
    OperationStream of OperationBatch { Receipt = innsync_client::Receipt }
    /// What happened.
    EventStream of EventBatch { Event = innsync_client::ClientEvent }
    /// What must be shown or sounded.
    EffectStream of EffectBatch { Effect = innsync_client::Effect }
    /// A query's result as it changes.
    UpdateStream of UpdateBatch { Update = innsync_client::Update }
    /// My open tasks.
    MyTasksStream of MyTasksBatch { MyTasks = innsync_client::MyTasks }
    /// Tasks to be taken.
    UnassignedStream of UnassignedBatch { Unassigned = innsync_client::Unassigned }
    /// Urgent tasks and emergencies.
    UrgentStream of UrgentBatch { Urgent = innsync_client::Urgent }
    /// Suites by floor.
    SuiteBoardStream of SuiteBoardBatch { SuiteBoard = innsync_client::SuiteBoard }
    /// Figures.
    DashboardStream of DashboardBatch { Dashboard = innsync_client::Dashboard }
    /// News for me.
    InboxStream of InboxBatch { Inbox = innsync_client::Inbox }
    /// Conflicts.
    ConflictsStream of ConflictsBatch { Conflicts = innsync_client::Conflicts }
    /// The line about sync.
    SyncLineStream of SyncLineBatch { SyncLine = innsync_client::SyncLine }
}
