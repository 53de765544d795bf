//! The closed sets. A value of a newer release is kept as it came.

use crate::mirror::closed_set;

closed_set!(
    /// What state a suite is in.
    SuiteStatus {
        /// Ready for a guest.
        VacantClean,
        /// A guest has left.
        VacantDirty,
        /// A guest stays in it.
        Occupied,
        /// Somebody cleans it.
        Cleaning,
        /// Cleaned, and looked at by a supervisor.
        Inspected,
        /// Not to be used.
        OutOfService,
    }
);
closed_set!(
    /// What kind of work a task is; it decides the department.
    TaskType {
        /// For housekeeping.
        Cleaning,
        /// For maintenance.
        Maintenance,
        /// For housekeeping.
        Inspection,
        /// For everybody, with an alert.
        Emergency,
        /// For everybody.
        General,
    }
);
closed_set!(
    /// How far a task has come.
    TaskStatus {
        /// To be done.
        Pending,
        /// Somebody is at it.
        InProgress,
        /// Done.
        Completed,
        /// Called off.
        Cancelled,
    }
);
closed_set!(
    /// How urgent a task is.
    Priority {
        /// When there is time.
        Low,
        /// As usual.
        Normal,
        /// Soon.
        High,
        /// Next.
        Urgent,
        /// Now.
        Emergency,
    }
);
closed_set!(
    /// What a person is doing just now.
    EmployeeStatus {
        /// Free for work.
        Available,
        /// At work on something.
        Busy,
        /// On a break.
        OnBreak,
        /// Not at work.
        OffDuty,
    }
);
closed_set!(
    /// What a person is allowed to do.
    Role {
        /// Cleans.
        Housekeeper,
        /// Repairs.
        Maintenance,
        /// Receives guests.
        FrontDesk,
        /// Directs the work.
        Supervisor,
        /// Directs the work and the staff.
        Manager,
    }
);
closed_set!(
    /// Where a person works.
    Department {
        /// Rooms.
        Housekeeping,
        /// House and machines.
        Maintenance,
        /// The desk.
        FrontDesk,
        /// The office.
        Management,
    }
);
closed_set!(
    /// How bad an emergency is.
    Severity {
        /// Hardly.
        Low,
        /// Somewhat.
        Medium,
        /// Very.
        High,
        /// As bad as can be.
        Critical,
    }
);
closed_set!(
    /// How prominently an announcement is shown.
    AnnouncementPriority {
        /// In the inbox.
        Low,
        /// As usual.
        Normal,
        /// As a warning.
        High,
    }
);
closed_set!(
    /// How prominently a notification is shown.
    NotificationPriority {
        /// In the inbox.
        Low,
        /// As usual.
        Normal,
        /// As a warning.
        High,
        /// As a warning.
        Urgent,
    }
);
closed_set!(
    /// Why somebody was notified.
    NotificationType {
        /// A task was assigned to the recipient.
        TaskAssigned,
        /// There is a task to be taken.
        TaskAvailable,
        /// An emergency was raised.
        Emergency,
    }
);
closed_set!(
    /// The kinds of entity.
    EntityKind {
        /// A room or suite.
        Suite,
        /// A piece of work.
        Task,
        /// Somebody who works here.
        Employee,
        /// Something written down.
        Note,
        /// News for one person.
        Notification,
        /// An emergency's alarm.
        Alert,
        /// Something told to all.
        Announcement,
        /// A change of shift.
        Shift,
        /// A value of the person's that lost to somebody else's.
        Conflict,
    }
);
closed_set!(
    /// What decides between two edits of one field that did not know of each other.
    Policy {
        /// The later one.
        LastWriteWins,
        /// Both, word by word, where they change different places; else a person.
        MergeText,
        /// What the life of the thing allows.
        Guarded,
        /// What is on the server already.
        ServerWins,
        /// Both stay.
        AppendOnly,
        /// The rules alone write it.
        Derived,
        /// A person.
        Manual,
    }
);
closed_set!(
    /// What to do about an operation that did not succeed.
    ErrorClass {
        /// It is tried again by itself.
        Transient,
        /// It waits until the person has signed in.
        Auth,
        /// Somebody else changed the same fields: the person decides.
        Conflict,
        /// It will never succeed as it is: the person edits or discards it.
        Permanent,
        /// The app must be updated.
        Incompatible,
        /// An operation that it depends on did not succeed.
        Dependency,
    }
);
closed_set!(
    /// Why a command was refused.
    Reason {
        /// The person may not do that.
        Forbidden,
        /// There is no such thing (any more).
        NotFound,
        /// The thing's state does not allow it.
        IllegalTransition,
        /// A field has a value that it must not have.
        InvalidField,
        /// The id or number is taken.
        AlreadyExists,
        /// Somebody else has taken the task.
        AlreadyTaken,
        /// Only for people on duty.
        NotOnDuty,
        /// The suite already has an open cleaning task.
        CleaningAlreadyOpen,
        /// Something still open refers to it.
        InUse,
        /// Of a newer release.
        UnknownCommand,
        /// Not the operation of who signed in.
        WrongAuthor,
        /// The operation's id was used before.
        IdReused,
        /// An operation that it depends on did not succeed.
        DependencyFailed,
        /// Somebody changed it since it was shown, or since it was done: look again.
        ChangedMeanwhile,
        /// The operation does not wait for a decision about a conflict.
        NotInConflict,
        /// There is nothing that could be taken back.
        NothingToUndo,
    }
);
