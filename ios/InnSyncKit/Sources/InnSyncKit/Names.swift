// The core's types under the names that apps know them by. They are generated; their fields are documented in `InnSyncCore`.

import InnSyncCore

// MARK: Who and where

/// A person who has signed in on this phone.
public typealias Account = InnSyncCore.Account
/// Which database to open, and by whom.
public typealias InnSyncSettings = InnSyncCore.Settings
/// Where the platform keeps tokens.
public typealias TokenStore = InnSyncCore.TokenStore
/// Tokens could not be read or kept.
public typealias TokenStoreError = InnSyncCore.TokenStoreError

// MARK: Connection and sync

/// The connection's state.
public typealias ConnectionState = InnSyncCore.ConnectionState
/// What a person is told of sync.
public typealias SyncStatus = InnSyncCore.SyncStatus
/// The one honest line about sync.
public typealias SyncLine = InnSyncCore.SyncLine
/// What the sync line says.
public typealias SyncState = InnSyncCore.SyncState

/// What going to the background came to.
public typealias Backgrounded = InnSyncCore.Backgrounded
/// What a push came to.
public typealias PushOutcome = InnSyncCore.PushOutcome
/// Why not everything was sent and fetched.
public typealias Unfinished = InnSyncCore.Unfinished

// MARK: Commands and the outbox

/// Everything that a person can do.
public typealias Command = InnSyncCore.Command
/// What to change of a suite; what is left out stays.
public typealias SuitePatch = InnSyncCore.SuitePatch
/// What to change of a task; what is left out stays.
public typealias TaskPatch = InnSyncCore.TaskPatch
/// What to change of a note; what is left out stays.
public typealias NotePatch = InnSyncCore.NotePatch
/// What to change of an employee; what is left out stays.
public typealias EmployeePatch = InnSyncCore.EmployeePatch
/// What to do with a reference that may be empty.
public typealias IdEdit = InnSyncCore.IdEdit
/// What to do with a time that may be empty.
public typealias TimeEdit = InnSyncCore.TimeEdit
/// What the app holds of a command that it gave.
public typealias Receipt = InnSyncCore.Receipt
/// An operation in the outbox.
public typealias QueuedOp = InnSyncCore.QueuedOp
/// How far an operation is.
public typealias OpState = InnSyncCore.OpState
/// Why an operation is parked.
public typealias ParkReason = InnSyncCore.ParkReason
/// Why a command was refused.
public typealias Rejection = InnSyncCore.Rejection
/// One field that somebody else changed meanwhile.
public typealias FieldConflict = InnSyncCore.FieldConflict
/// What could be taken back.
public typealias Undoable = InnSyncCore.Undoable
/// What became of an operation.
public typealias Outcome = InnSyncCore.Outcome
/// What becomes of unsent work at sign-out.
public typealias PendingWork = InnSyncCore.PendingWork
/// What to do about an operation that did not succeed.
public typealias ErrorClass = InnSyncCore.ErrorClass
/// Why a command was refused, for programs.
public typealias Reason = InnSyncCore.Reason

// MARK: Conflicts

/// What waits for a person's decision, and what of theirs lost.
public typealias Conflicts = InnSyncCore.Conflicts
/// Everything that a conflict sheet shows.
public typealias ConflictSheet = InnSyncCore.ConflictSheet
/// One field in conflict.
public typealias SheetField = InnSyncCore.SheetField
/// One of the choices of a sheet.
public typealias SheetChoice = InnSyncCore.SheetChoice
/// What can be done about a conflict.
public typealias Choice = InnSyncCore.Choice
/// What a person chose in a conflict.
public typealias Settlement = InnSyncCore.Settlement
/// A piece of a text beside another. Not `Span`, which is Swift's own.
public typealias TextSpan = InnSyncCore.TextSpan
/// Which of two texts has a piece.
public typealias SpanKind = InnSyncCore.SpanKind
/// A value that lost, as it is shown.
public typealias LostValue = InnSyncCore.LostValue
/// A value of one person's that lost to another's.
public typealias Conflict = InnSyncCore.Conflict
/// What decides between two edits of one field.
public typealias Policy = InnSyncCore.Policy
/// A value as JSON.
public typealias JsonValue = InnSyncCore.JsonValue

// MARK: Things of a motel

/// An entity of any kind.
public typealias Entity = InnSyncCore.Entity
/// One entity by kind and id.
public typealias EntityRef = InnSyncCore.EntityRef
/// The kinds of entity.
public typealias EntityKind = InnSyncCore.EntityKind
/// A room or suite that guests stay in.
public typealias Suite = InnSyncCore.Suite
/// A piece of work. Not `Task`, which is Swift's own.
public typealias MotelTask = InnSyncCore.MotelTask
/// Somebody who works here.
public typealias Employee = InnSyncCore.Employee
/// Something written down for others.
public typealias Note = InnSyncCore.Note
/// What one person said to a note.
public typealias Comment = InnSyncCore.Comment
/// News for one person. Not `Notification`, which is Foundation's.
public typealias MotelNotification = InnSyncCore.MotelNotification
/// An emergency's alarm.
public typealias Alert = InnSyncCore.Alert
/// One person's acknowledgement of an alert.
public typealias Acknowledgement = InnSyncCore.Acknowledgement
/// Something that all staff are told.
public typealias Announcement = InnSyncCore.Announcement
/// A change of shift, as it was announced.
public typealias Shift = InnSyncCore.Shift
/// Who may see a note.
public typealias Audience = InnSyncCore.Audience

// MARK: Closed sets

/// What state a suite is in.
public typealias SuiteStatus = InnSyncCore.SuiteStatus
/// What kind of work a task is.
public typealias TaskType = InnSyncCore.TaskType
/// How far a task has come.
public typealias TaskStatus = InnSyncCore.TaskStatus
/// How urgent a task is.
public typealias Priority = InnSyncCore.Priority
/// What a person is doing just now.
public typealias EmployeeStatus = InnSyncCore.EmployeeStatus
/// What a person is allowed to do.
public typealias Role = InnSyncCore.Role
/// Where a person works.
public typealias Department = InnSyncCore.Department
/// How bad an emergency is.
public typealias Severity = InnSyncCore.Severity
/// How prominently an announcement is shown.
public typealias AnnouncementPriority = InnSyncCore.AnnouncementPriority
/// How prominently a notification is shown.
public typealias NotificationPriority = InnSyncCore.NotificationPriority
/// Why somebody was notified.
public typealias NotificationType = InnSyncCore.NotificationType

// MARK: Queries

/// Which entities, and in which order.
public typealias Query = InnSyncCore.Query
/// One condition of a query.
public typealias Condition = InnSyncCore.Condition
/// An order.
public typealias Order = InnSyncCore.Order
/// What happened to a live query's result.
public typealias Update = InnSyncCore.Update
/// One change of a list.
public typealias Change = InnSyncCore.Change

// MARK: Screens

/// A task as lists show it.
public typealias TaskCard = InnSyncCore.TaskCard
/// My open tasks.
public typealias MyTasks = InnSyncCore.MyTasks
/// Tasks to be taken.
public typealias Unassigned = InnSyncCore.Unassigned
/// Urgent tasks and emergencies.
public typealias Urgent = InnSyncCore.Urgent
/// A suite as the board shows it.
public typealias SuiteCard = InnSyncCore.SuiteCard
/// One floor of the board.
public typealias Floor = InnSyncCore.Floor
/// The suites by floor.
public typealias SuiteBoard = InnSyncCore.SuiteBoard
/// Figures.
public typealias Dashboard = InnSyncCore.Dashboard
/// How many suites are in a status.
public typealias SuiteFigure = InnSyncCore.SuiteFigure
/// How many tasks are in a status.
public typealias TaskFigure = InnSyncCore.TaskFigure
/// An emergency, and whom it has reached.
public typealias Emergency = InnSyncCore.Emergency
/// News for me.
public typealias Inbox = InnSyncCore.Inbox
/// One piece of news.
public typealias InboxItem = InnSyncCore.InboxItem

// MARK: What happened

/// Something that the app shows or sounds, once.
public typealias Effect = InnSyncCore.Effect
/// What to show or sound.
public typealias EffectBody = InnSyncCore.EffectBody
/// How a toast looks.
public typealias ToastLevel = InnSyncCore.ToastLevel
/// Something that happened.
public typealias Event = InnSyncCore.Event
/// What happened.
public typealias EventBody = InnSyncCore.EventBody
/// How much a line of the log matters.
public typealias LogLevel = InnSyncCore.LogLevel
/// A line of the log.
public typealias LogLine = InnSyncCore.LogLine
