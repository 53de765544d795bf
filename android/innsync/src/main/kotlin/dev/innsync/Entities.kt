package dev.innsync

import dev.innsync.core.Command
import dev.innsync.core.Entity
import dev.innsync.core.EntityKind
import dev.innsync.core.EntityRef
import java.util.UUID

/** Which entity it is. */
public val Entity.ref: EntityRef
    get() = when (this) {
        is Entity.OfSuite -> EntityRef(EntityKind.Suite, value.id)
        is Entity.OfTask -> EntityRef(EntityKind.Task, value.id)
        is Entity.OfEmployee -> EntityRef(EntityKind.Employee, value.id)
        is Entity.OfNote -> EntityRef(EntityKind.Note, value.id)
        is Entity.OfNotification -> EntityRef(EntityKind.Notification, value.id)
        is Entity.OfAlert -> EntityRef(EntityKind.Alert, value.id)
        is Entity.OfAnnouncement -> EntityRef(EntityKind.Announcement, value.id)
        is Entity.OfShift -> EntityRef(EntityKind.Shift, value.id)
        is Entity.OfConflict -> EntityRef(EntityKind.Conflict, value.id)
    }

/** Which entity a command is about; of what is given up, whose record the core names, the operation's id. */
internal val Command.entity: EntityRef
    get() = when (this) {
        is Command.CreateSuite -> EntityRef(EntityKind.Suite, suiteId)
        is Command.EditSuite -> EntityRef(EntityKind.Suite, suiteId)
        is Command.SetSuiteStatus -> EntityRef(EntityKind.Suite, suiteId)
        is Command.DeleteSuite -> EntityRef(EntityKind.Suite, suiteId)
        is Command.CreateTask -> EntityRef(EntityKind.Task, taskId)
        is Command.EditTask -> EntityRef(EntityKind.Task, taskId)
        is Command.AssignTask -> EntityRef(EntityKind.Task, taskId)
        is Command.TakeTask -> EntityRef(EntityKind.Task, taskId)
        is Command.StartTask -> EntityRef(EntityKind.Task, taskId)
        is Command.CompleteTask -> EntityRef(EntityKind.Task, taskId)
        is Command.ReleaseTask -> EntityRef(EntityKind.Task, taskId)
        is Command.ReopenTask -> EntityRef(EntityKind.Task, taskId)
        is Command.CancelTask -> EntityRef(EntityKind.Task, taskId)
        is Command.DeleteTask -> EntityRef(EntityKind.Task, taskId)
        is Command.RaiseEmergency -> EntityRef(EntityKind.Task, taskId)
        is Command.CreateNote -> EntityRef(EntityKind.Note, noteId)
        is Command.EditNote -> EntityRef(EntityKind.Note, noteId)
        is Command.DeleteNote -> EntityRef(EntityKind.Note, noteId)
        is Command.AddComment -> EntityRef(EntityKind.Note, noteId)
        is Command.CreateEmployee -> EntityRef(EntityKind.Employee, employeeId)
        is Command.EditEmployee -> EntityRef(EntityKind.Employee, employeeId)
        is Command.DeleteEmployee -> EntityRef(EntityKind.Employee, employeeId)
        is Command.SetDuty -> EntityRef(EntityKind.Employee, employeeId)
        is Command.SetEmployeeStatus -> EntityRef(EntityKind.Employee, employeeId)
        is Command.AcknowledgeAlert -> EntityRef(EntityKind.Alert, alertId)
        is Command.ResolveAlert -> EntityRef(EntityKind.Alert, alertId)
        is Command.Announce -> EntityRef(EntityKind.Announcement, announcementId)
        is Command.ChangeShift -> EntityRef(EntityKind.Shift, shiftId)
        is Command.MarkRead -> EntityRef(EntityKind.Notification, notificationIds.firstOrNull() ?: UUID(0, 0))
        is Command.RestoreValue -> EntityRef(entityType, entityId)
        is Command.KeepTheirs -> EntityRef(EntityKind.Conflict, operation)
        is Command.DismissConflicts -> EntityRef(EntityKind.Conflict, conflictIds.firstOrNull() ?: UUID(0, 0))
    }
