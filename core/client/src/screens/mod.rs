//! What screens show, as plain records: computed here, so that a shell holds no rule.

mod boards;
mod conflicts;
mod glance;
mod lists;
mod news;
mod records;

pub(crate) use glance::Glance;
pub use records::{
    Choice, ConflictSheet, Conflicts, Dashboard, Emergency, Floor, Inbox, InboxItem, LostValue, MyTasks,
    SheetChoice, SheetField, SuiteBoard, SuiteCard, SyncLine, SyncState, TaskCard, Unassigned, Urgent,
};

/// A screen that can be read once ([`crate::InnSync::screen`]) or watched ([`crate::InnSync::watch`]).
pub trait Screen: sealed::Look + Clone + PartialEq + Send + 'static {}

pub(crate) mod sealed {
    use innsync_domain::EntityKind;
    use innsync_engine::StoreError;

    use super::Glance;

    /// How a screen is computed.
    pub trait Look: Sized {
        /// Whether it is computed anew when the sync status changes, or time goes by.
        const SHOWS_STATUS: bool;
        /// Whether rows of that kind are on it.
        fn shows(kind: &EntityKind) -> bool;
        /// Computes it.
        fn look(glance: &Glance<'_>) -> Result<Self, StoreError>;
    }
}

macro_rules! screens {
    ($($name:ident: $($kind:ident)|*, status: $status:literal, $look:path;)+) => {
        $(impl Screen for $name {}
        impl sealed::Look for $name {
            const SHOWS_STATUS: bool = $status;
            fn shows(kind: &innsync_domain::EntityKind) -> bool {
                [$(innsync_domain::EntityKind::$kind),*].contains(kind)
            }
            fn look(glance: &Glance<'_>) -> Result<Self, innsync_engine::StoreError> {
                $look(glance)
            }
        })+
    };
}
screens! {
    MyTasks: Task | Suite | Employee, status: true, lists::my_tasks;
    Unassigned: Task | Suite | Employee, status: true, lists::unassigned;
    Urgent: Task | Suite | Employee | Alert, status: true, lists::urgent;
    SuiteBoard: Suite | Task, status: false, boards::suite_board;
    Dashboard: Suite | Task | Employee | Alert, status: true, boards::dashboard;
    Inbox: Notification | Announcement, status: true, news::inbox;
    Conflicts: Suite | Task | Employee | Note | Conflict, status: true, conflicts::conflicts;
    SyncLine: , status: true, news::sync_line;
}
