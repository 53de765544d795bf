package dev.innsync

import dev.innsync.core.Entity
import dev.innsync.core.MyTasks
import dev.innsync.core.Priority
import dev.innsync.core.Task
import dev.innsync.core.TaskCard
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

    val entities: List<Entity> =
        listOf(
            Entity.OfTask(task(1)),
            Entity.OfTask(task(2, "Towels for 203")),
            Entity.OfTask(task(3, "Bed for 204", TaskStatus.Completed)),
        )
}
