//! The records.

use innsync_domain::text::Span;
use innsync_domain::{
    Alert, Conflict, Employee, EntityRef, Suite, SuiteStatus, Task, TaskStatus, Timestamp, Uuid,
};
use serde_json::Value;

/// A task as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCard {
    /// The task.
    pub task: Task,
    /// Its suite's number.
    pub suite_number: Option<String>,
    /// Its suite's floor.
    pub floor: Option<i32>,
    /// The name of who is to do it.
    pub assignee: Option<String>,
    /// Whether something of it is not yet confirmed by the server.
    pub unsent: bool,
    /// The operation about it that waits for this person to settle a conflict ([`crate::Conflicts`]).
    pub conflict: Option<Uuid>,
    /// Whether it is open and its time is over.
    pub overdue: bool,
}

/// My open tasks: the most urgent first, then by floor and suite.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MyTasks {
    /// The tasks.
    pub tasks: Vec<TaskCard>,
}

/// Open tasks that nobody has taken and that I could take (supervisors and managers: all of them), ordered as mine.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unassigned {
    /// The tasks.
    pub tasks: Vec<TaskCard>,
}

/// Open tasks of priority URGENT or EMERGENCY, and open alerts, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Urgent {
    /// The tasks, emergencies first.
    pub tasks: Vec<TaskCard>,
    /// Alerts not yet resolved, the newest first.
    pub alerts: Vec<Alert>,
}

/// A suite as the board shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct SuiteCard {
    /// The suite.
    pub suite: Suite,
    /// How many open tasks it has, of those that I may see.
    pub open_tasks: u32,
    /// Whether something of it is not yet confirmed by the server.
    pub unsent: bool,
    /// The operation about it that waits for this person to settle a conflict ([`crate::Conflicts`]).
    pub conflict: Option<Uuid>,
}

/// The suites by floor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SuiteBoard {
    /// The floors, lowest first.
    pub floors: Vec<Floor>,
}

/// One floor of the board.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// The floor.
    pub floor: i32,
    /// Its suites, by number.
    pub suites: Vec<SuiteCard>,
}

/// Figures for supervisors and managers (others: of what they may see).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dashboard {
    /// How many suites are in each status; every known status, zeros too, then unknown ones.
    pub suites: Vec<(SuiteStatus, u32)>,
    /// How many tasks are in each status.
    pub tasks: Vec<(TaskStatus, u32)>,
    /// Open tasks whose time is over.
    pub overdue: u32,
    /// Open tasks that nobody has taken.
    pub unassigned: u32,
    /// Who is on duty, by name.
    pub on_duty: Vec<Employee>,
    /// Emergencies not yet resolved, the newest first.
    pub emergencies: Vec<Emergency>,
}

/// An emergency, and whom it has reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Emergency {
    /// The alert.
    pub alert: Alert,
    /// Names of who has acknowledged, in the server's order.
    pub acknowledged: Vec<String>,
    /// Names of who is on duty and has not.
    pub not_yet: Vec<String>,
}

/// News for me.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inbox {
    /// What is unread and announcements that have not expired, the newest first; then what was read.
    pub items: Vec<InboxItem>,
    /// How many notifications I have not read.
    pub unread_count: u32,
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxItem {
    /// The notification's or announcement's id.
    pub id: Uuid,
    /// Whether it is an announcement to all (which has no read mark).
    pub is_announcement: bool,
    /// Its heading.
    pub title: String,
    /// Its text.
    pub message: String,
    /// `LOW`, `NORMAL`, `HIGH` or `URGENT`.
    pub priority: String,
    /// The task (or other entity) that it is about.
    pub related_entity_id: Option<Uuid>,
    /// When it was last changed on the server.
    pub at: Timestamp,
    /// Whether I have read it.
    pub read: bool,
}

/// The one honest line about sync.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncLine {
    /// What to say.
    pub state: SyncState,
    /// Changes saved on the phone, not yet confirmed.
    pub pending: u32,
    /// Changes that need a person.
    pub parked: u32,
    /// The server's time of which the phone last knew that it had everything.
    pub up_to_date_as_of: Option<Timestamp>,
}

/// What the sync line says, the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// "Update the app. Until then nothing can be changed or sent; nothing is lost." A newer release wrote the database.
    UpdateRequired,
    /// "Sign in to send your changes."
    SignInRequired,
    /// "{parked} change(s) need you."
    NeedsYou,
    /// "Offline. {pending} change(s) saved on the phone."
    Offline,
    /// "Fetching the property's data."
    FirstSync,
    /// "Sending {pending} change(s)."
    Syncing,
    /// "Up to date."
    UpToDate,
}

/// Conflicts: those that wait for this person's decision, and the values of theirs that lost in the last 30 days.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Conflicts {
    /// To be settled ([`crate::InnSync::settle`]), in the order of the outbox.
    pub open: Vec<ConflictSheet>,
    /// What lost, the newest first. It can be restored ([`crate::InnSync::restore`]).
    pub lost: Vec<LostValue>,
    /// How many of those the person has not put aside yet.
    pub unseen: u32,
}

/// Everything that a conflict sheet shows. It follows what others do meanwhile: `theirs` and `version` are what is there now.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictSheet {
    /// The operation that waits.
    pub operation: Uuid,
    /// What the person did, `EDIT_TASK`.
    pub command: String,
    /// What it is about.
    pub entity: EntityRef,
    /// What that is called; empty where it is gone.
    pub title: String,
    /// Its version as shown, for [`crate::InnSync::settle`]; `None`: it is gone.
    pub version: Option<u64>,
    /// Who changed (or deleted) it last.
    pub updated_by: Option<Uuid>,
    /// Their name, for "This will overwrite changes made by …".
    pub updated_by_name: Option<String>,
    /// When that was.
    pub updated_at: Option<Timestamp>,
    /// Whether it is gone.
    pub deleted: bool,
    /// Why what the person wanted was not possible when it arrived, in English.
    pub explanation: Option<String>,
    /// The fields in conflict.
    pub fields: Vec<SheetField>,
    /// What can be chosen, in the order of display.
    pub choices: Vec<SheetChoice>,
}

/// One field in conflict. Values are JSON; `null`: empty.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetField {
    /// Its wire name.
    pub field: String,
    /// Its name's key in the shell's texts, `field.task.title`.
    pub label_key: String,
    /// What the person saw before.
    pub base: Value,
    /// What they wanted.
    pub mine: Value,
    /// What it is now.
    pub theirs: Value,
    /// Who made it so, where that is known.
    pub by_name: Option<String>,
    /// When they meant that.
    pub at: Option<Timestamp>,
    /// Whether another value can be written by hand.
    pub editable: bool,
    /// Both edits in one text, where they are at different places.
    pub suggestion: Option<Value>,
    /// Word by word, of texts alone: from what the person saw to what they wanted,
    pub base_to_mine: Vec<Span>,
    /// from what they saw to what it is now,
    pub base_to_theirs: Vec<Span>,
    /// and from what they wanted to what it is now.
    pub mine_to_theirs: Vec<Span>,
}

/// One of the choices of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetChoice {
    /// Which one.
    pub choice: Choice,
    /// Whether it is chosen at first.
    pub recommended: bool,
    /// Whether the rules allow it on what is there now, as far as the phone can tell.
    pub possible: bool,
    /// Why not, in English.
    pub refusal: Option<String>,
}

/// What can be done about a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Keep what is on the server; the person's values are kept as records.
    Theirs,
    /// Overwrite it with what the person wanted.
    Mine,
    /// Write each field by hand.
    Merged,
    /// Leave it for later.
    Later,
}

/// A value of this person's that lost.
#[derive(Debug, Clone, PartialEq)]
pub struct LostValue {
    /// The record.
    pub conflict: Conflict,
    /// What it is about; empty where that is gone.
    pub title: String,
    /// The field's key in the shell's texts, `field.task.title`.
    pub label_key: String,
    /// The name of whose value was kept.
    pub kept_by_name: Option<String>,
    /// Whether it can be restored: what it is about is here, and it was not restored before.
    pub restorable: bool,
}
