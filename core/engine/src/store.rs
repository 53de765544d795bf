//! What the engine reads from the phone's store, and what it asks to be written.

use std::collections::BTreeMap;

use innsync_domain::{Entity, EntityKind, EntityRef, Timestamp, Uuid};
use innsync_protocol::{Cursor, Digest, PropertyInfo};
use serde::{Deserialize, Serialize};

use crate::outbox::{Discarded, QueuedOp};
use crate::output::Effect;

/// The phone's store as the engine reads it: a consistent picture, the last committed one.
///
/// A row is *shown*; where operations are pending for it, its *base* (the server's state) is kept beside it.
pub trait StoreRead {
    /// The entity as a person sees it.
    fn shown(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError>;
    /// The entity as the server had it at the cursor.
    fn mirror(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError>;
    /// Whether a base row is kept (operations are pending).
    fn has_base(&self, kind: &EntityKind, id: Uuid) -> Result<bool, StoreError>;
    /// The entity in the staging area, as the snapshot under way has it. It is what [`Write::SwapStage`] will show, and the
    /// engine reads it to put the outbox over it in the same batch.
    fn staged(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError>;
    /// Every base row's reference, in order of kind and id.
    fn bases(&self) -> Result<Vec<EntityRef>, StoreError>;
    /// A digest over every row as the server had it at the cursor. Reads everything.
    fn digest(&self) -> Result<Digest, StoreError>;
    /// The outbox in order.
    fn outbox(&self) -> Result<Vec<QueuedOp>, StoreError>;
    /// The few facts that stand by themselves.
    fn meta(&self) -> Result<Meta, StoreError>;
    /// Whether that effect was ever recorded (also when presented since).
    fn knows_effect(&self, id: Uuid) -> Result<bool, StoreError>;
    /// Effects not yet presented, oldest first.
    fn effects(&self) -> Result<Vec<Effect>, StoreError>;
}

/// The few facts that stand by themselves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// Where the mirror stands.
    pub cursor: Cursor,
    /// Whether a whole snapshot is in the mirror, and nothing of it was cleared since.
    pub has_data: bool,
    /// The property.
    pub property: Option<PropertyInfo>,
    /// The next operation's place in the order.
    pub next_order: u64,
    /// When the outbox was last drained, by the phone's clock.
    pub last_sync_time: Option<Timestamp>,
    /// The server's time of which the mirror was last known to be whole.
    pub up_to_date_as_of: Option<Timestamp>,
    /// Alerts that rang here and still concern the person, and the place in the feed (`epoch:seq`) where that began.
    pub ringing: BTreeMap<Uuid, String>,
    /// The server's history is another one than the cursor's: what it had confirmed may be gone, until the next snapshot.
    pub other_history: bool,
    /// Where the mirror stood when it was cleared, until it is whole again.
    pub cleared_at: Cursor,
    /// The release that passed over something that it did not know, since the last snapshot that it knew all of. A newer
    /// one fetches everything anew.
    pub passed_over: Option<String>,
    /// How often the rows here were found to differ from the server's by a digest, and were fetched anew.
    pub healed: u64,
}

/// What one step writes, in one transaction, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The writes.
    pub writes: Vec<Write>,
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Shows this row (inserts or replaces).
    Show(Entity),
    /// Shows no such row any more.
    Hide(EntityRef),
    /// Keeps the server's state of an entity with pending operations; `None`: the server has none (or shows none).
    PutBase(EntityRef, Option<Entity>),
    /// No operation is pending for it any more.
    DropBase(EntityRef),
    /// Adds or replaces an operation, by its id.
    PutOp(QueuedOp),
    /// Removes an operation.
    DeleteOp(Uuid),
    /// Keeps an operation that the person discarded.
    PutDiscarded(Discarded),
    /// Forgets those that were discarded before then.
    ForgetDiscarded {
        /// By the server's clock.
        before: Timestamp,
    },
    /// Replaces the facts.
    PutMeta(Meta),
    /// Records an effect to be presented.
    PutEffect(Effect),
    /// An effect was presented; its id is remembered for a while.
    EffectPresented(Uuid),
    /// Empties the staging area.
    ClearStage,
    /// Puts a row of a snapshot into the staging area.
    Stage(Entity),
    /// Shows exactly what is staged, and forgets all bases and the stage. (The engine puts the outbox over it in the
    /// same batch.)
    SwapStage,
    /// Forgets all rows and bases.
    ClearMirror,
    /// Forgets the rows and bases of one kind.
    ClearKind(EntityKind),
}

/// The store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full: nothing was written.
    #[error("the phone's storage is full; free some space, nothing was lost")]
    Full,
    /// The file is damaged.
    #[error("the phone's database is damaged: {0}")]
    Corrupt(String),
    /// A newer release of the app has written it: update the app. Nothing was written.
    #[error(
        "the phone's database was written by a newer release; update the app, what is in it is untouched"
    )]
    ReadOnly,
    /// Anything else.
    #[error("the phone's database failed: {0}")]
    Other(String),
}
