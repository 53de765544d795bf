package dev.innsync

import dev.innsync.core.Account
import dev.innsync.core.Command
import dev.innsync.core.Condition
import dev.innsync.core.ConflictSheet
import dev.innsync.core.Conflicts
import dev.innsync.core.ConnectionState
import dev.innsync.core.Dashboard
import dev.innsync.core.Entity
import dev.innsync.core.EntityKind
import dev.innsync.core.EntityRef
import dev.innsync.core.ErrorClass
import dev.innsync.core.InnSyncException
import dev.innsync.core.OpState
import dev.innsync.core.QueuedOp
import dev.innsync.core.Reason
import dev.innsync.core.Rejection
import dev.innsync.core.Settlement
import dev.innsync.core.SyncLine
import dev.innsync.core.SyncState
import dev.innsync.core.SyncStatus
import dev.innsync.core.TaskStatus
import java.util.UUID

/** What a [FakeInnSync] begins with: all that must grow when the core's records do. */
internal object FakeDefaults {
    val account = Account(
        server = "https://sync.example.com",
        property = "seaside",
        person = "ana",
        employee = UUID(0x7000, 1),
        name = "Ana",
        device = "ana-phone",
    )

    val status = SyncStatus(
        connection = ConnectionState.DISCONNECTED,
        isOnline = false,
        pendingChanges = 0u,
        progress = null,
        parked = 0u,
        syncInProgress = false,
        lastSyncTime = null,
        upToDateAsOf = null,
        hasData = true,
        needsSignIn = false,
        reconnectAttempts = 0u,
        queuedMessages = 0u,
    )

    val syncLine = SyncLine(SyncState.UP_TO_DATE, pending = 0u, parked = 0u, upToDateAsOf = null)

    val dashboard = Dashboard(
        suites = emptyList(),
        tasks = emptyList(),
        overdue = 0u,
        unassigned = 0u,
        onDuty = emptyList(),
        emergencies = emptyList(),
    )

    val conflicts = Conflicts(open = emptyList(), lost = emptyList(), unseen = 0u)

    fun queued(id: UUID, command: Command, dependsOn: List<UUID>) =
        queued(id, name(command), command.entity, dependsOn)

    /** The operation that settles a conflict: others' values are kept by a command of its own. */
    fun settling(id: UUID, sheet: ConflictSheet, choice: Settlement) =
        when (choice) {
            is Settlement.Theirs -> queued(id, "KEEP_THEIRS", EntityRef(EntityKind.Conflict, sheet.operation))
            is Settlement.Mine, is Settlement.Merged -> queued(id, sheet.command, sheet.entity)
        }

    private fun queued(id: UUID, command: String, entity: EntityRef, dependsOn: List<UUID> = emptyList()) =
        QueuedOp(
            id = id,
            command = command,
            entity = entity,
            state = OpState.Queued,
            attempts = 0u,
            dependsOn = dependsOn,
            mayBeDiscarded = true,
        )

    /** Whether it can be taken back: not what was read, and not how a conflict was settled. */
    fun isDeed(op: QueuedOp) = op.command !in listOf("MARK_READ", "KEEP_THEIRS", "DISMISS_CONFLICTS")

    /** The sheet is not what the person looked at any more. */
    fun changedMeanwhile() =
        refused(Reason.ChangedMeanwhile, "It was changed again meanwhile; look at it once more, then choose.")

    /** Nothing was done, or all of it was taken back. */
    fun nothingToUndo() =
        refused(Reason.NothingToUndo, "There is nothing of yours that could be taken back.")

    private fun refused(reason: Reason, message: String) =
        InnSyncException.Rejected(Rejection(ErrorClass.Permanent, reason, message, entity = null, `field` = null))

    /** `COMPLETE_TASK` */
    fun name(command: Command): String =
        command.javaClass.simpleName.replace(Regex("(?<=[a-z])(?=[A-Z])"), "_").uppercase()

    fun matches(condition: Condition, entity: Entity): Boolean =
        when (entity) {
            is Entity.OfTask -> matches(condition, entity)
            is Entity.OfSuite -> matches(condition, entity)
            is Entity.OfEmployee -> matches(condition, entity)
            else -> unknown(condition)
        }

    private fun matches(condition: Condition, entity: Entity.OfTask): Boolean {
        val task = entity.value
        return when (condition) {
            is Condition.TaskStatusIn -> task.status in condition.anyOf
            is Condition.PriorityIn -> task.priority in condition.anyOf
            is Condition.AssignedTo -> task.assignedTo == condition.employeeId
            is Condition.NotAssigned -> task.assignedTo == null
            is Condition.AboutSuite -> task.suiteId == condition.suiteId
            is Condition.Open -> task.status in listOf(TaskStatus.Pending, TaskStatus.InProgress)
            is Condition.ForDepartment -> task.department == null || task.department == condition.department
            is Condition.DueBefore -> task.dueAt?.let { it < condition.moment } ?: false
            else -> unknown(condition)
        }
    }

    private fun matches(condition: Condition, entity: Entity.OfSuite): Boolean =
        when (condition) {
            is Condition.SuiteStatusIn -> entity.value.status in condition.anyOf
            is Condition.OnFloor -> entity.value.floor == condition.floor
            else -> unknown(condition)
        }

    private fun matches(condition: Condition, entity: Entity.OfEmployee): Boolean =
        when (condition) {
            is Condition.EmployeeStatusIn -> entity.value.status in condition.anyOf
            is Condition.ForDepartment -> entity.value.department == condition.department
            is Condition.OnDuty -> entity.value.isOnDuty
            else -> unknown(condition)
        }

    private fun unknown(condition: Condition): Nothing =
        throw UnsupportedOperationException("FakeInnSync does not know $condition here: set its `matches`")
}
