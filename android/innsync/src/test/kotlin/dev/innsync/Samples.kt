package dev.innsync

import dev.innsync.core.Choice
import dev.innsync.core.Conflict
import dev.innsync.core.ConflictSheet
import dev.innsync.core.Conflicts
import dev.innsync.core.Entity
import dev.innsync.core.EntityKind
import dev.innsync.core.EntityRef
import dev.innsync.core.LostValue
import dev.innsync.core.MyTasks
import dev.innsync.core.ParkReason
import dev.innsync.core.Policy
import dev.innsync.core.Priority
import dev.innsync.core.SheetChoice
import dev.innsync.core.SheetField
import dev.innsync.core.Task
import dev.innsync.core.TaskCard
import dev.innsync.core.TaskPatch
import dev.innsync.core.TaskStatus
import dev.innsync.core.TaskType
import java.util.UUID
import kotlin.time.Instant

/** For tests with a [FakeInnSync]. */
internal object Samples {
    private val morning = Instant.fromEpochSeconds(1_790_000_000)
    private val maria = UUID(0x7000, 2)

    fun task(number: Int, title: String = "Clean suite 101", status: TaskStatus = TaskStatus.Pending) =
        Task(
            id = UUID(0x7001, number.toLong()),
            title = title,
            description = "",
            taskType = TaskType.Cleaning,
            priority = Priority.Normal,
            status = status,
            suiteId = null,
            assignedTo = FakeDefaults.account.employee,
            department = null,
            dueAt = null,
            createdBy = maria,
            createdAt = morning,
            version = 1UL,
            updatedAt = morning,
            updatedBy = maria,
        )

    val myTasks = MyTasks(listOf(TaskCard(task(1), "101", 1, "Ana", unsent = false, overdue = false)))

    val renamed = TaskPatch(title = "Clean suite 102")

    val parked = ParkReason.Conflict(current = null, fields = emptyList(), rejection = null, deleted = null)

    /** Ana renamed the first task, and maria did. */
    fun sheet(operation: UUID) =
        ConflictSheet(
            operation = operation,
            command = "EDIT_TASK",
            entity = EntityRef(EntityKind.Task, task(1).id),
            title = "Clean suite 103",
            version = 4u,
            updatedBy = maria,
            updatedByName = "Maria",
            updatedAt = morning,
            deleted = false,
            explanation = null,
            fields = listOf(renaming),
            choices = Choice.entries.map { SheetChoice(it, it == Choice.THEIRS, possible = true, refusal = null) },
        )

    private val renaming = SheetField(
        `field` = "title",
        labelKey = "field.task.title",
        base = "\"Clean suite 101\"",
        mine = "\"Clean suite 102\"",
        theirs = "\"Clean suite 103\"",
        byName = "Maria",
        at = morning,
        editable = true,
        suggestion = null,
        baseToMine = emptyList(),
        baseToTheirs = emptyList(),
        mineToTheirs = emptyList(),
    )

    /** A title and a description lost to maria's; both are new to ana. */
    val conflicts = Conflicts(open = emptyList(), lost = listOf(lost(1, "title"), lost(2, "description")), unseen = 2u)

    private fun lost(number: Int, name: String) =
        LostValue(
            conflict = Conflict(
                id = UUID(0x7003, number.toLong()),
                entityType = EntityKind.Task,
                entityId = task(1).id,
                `field` = name,
                base = "\"before\"",
                lost = "\"mine\"",
                kept = "\"theirs\"",
                lostBy = FakeDefaults.account.employee,
                keptBy = maria,
                meantAt = morning,
                decidedAt = morning,
                policy = Policy.Manual,
                certain = true,
                seenAt = null,
                restoredAt = null,
                version = 1UL,
                updatedAt = morning,
                updatedBy = maria,
            ),
            title = "Clean suite 101",
            labelKey = "field.task.$name",
            keptByName = "Maria",
            restorable = true,
        )

    val entities: List<Entity> =
        listOf(
            Entity.OfTask(task(1)),
            Entity.OfTask(task(2, "Towels for 203")),
            Entity.OfTask(task(3, "Bed for 204", TaskStatus.Completed)),
        )
}
