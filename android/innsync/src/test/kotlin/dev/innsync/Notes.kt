package dev.innsync

import dev.innsync.core.Audience
import dev.innsync.core.Command
import dev.innsync.core.Priority
import dev.innsync.core.TaskType
import java.util.UUID

/** Writes a note for all staff. */
internal fun InnSync.note(title: String): Command =
    Command.CreateNote(newId(), title, "", null, null, Audience.AllStaff)

/** Gives somebody a task. */
internal fun InnSync.task(title: String, assignee: UUID?): Command = Command.CreateTask(
    taskId = newId(),
    title = title,
    description = "",
    taskType = TaskType.General,
    priority = Priority.Normal,
    suiteId = null,
    assignedTo = assignee,
    dueAt = null,
    severity = null,
)
