package dev.innsync

// What the README shows, compiled and run: ReadmeTest compares the two.

// README: open
import dev.innsync.core.Command
import dev.innsync.core.ConflictSheet
import dev.innsync.core.Effect
import dev.innsync.core.InnSyncException
import dev.innsync.core.LostValue
import dev.innsync.core.Reason
import dev.innsync.core.Settings
import dev.innsync.core.Settlement
import dev.innsync.core.TaskCard
import dev.innsync.core.TaskStatus
import dev.innsync.core.TokenStore
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch

/** Opens what is on the phone; asks for the password where there is nothing yet. */
suspend fun openOrSignIn(settings: Settings, tokens: TokenStore?, askPassword: suspend () -> String): InnSync =
    try {
        InnSyncs.open(settings, tokens)
    } catch (_: InnSyncException.SignInRequired) {
        InnSyncs.signIn(settings, askPassword(), tokens)
    }
// README: end

// README: model

/** What the screen of my tasks needs. */
class MyTasksModel(
    private val innsync: InnSync,
    private val scope: CoroutineScope,
    private val show: suspend (Effect) -> Unit,
) {
    val tasks: Flow<List<TaskCard>> = innsync.myTasks.map { it.tasks }

    fun begin() {
        innsync.connect()
        // Toasts, sounds and the emergency screen: each comes again until `show` has returned once.
        scope.launch { innsync.present(show) }
    }

    /** Returns when it is saved on the phone; there need not be a network. */
    suspend fun complete(card: TaskCard) {
        val id = card.task.id
        if (card.task.status == TaskStatus.Pending) innsync.execute(Command.StartTask(id))
        innsync.execute(Command.CompleteTask(id))
    }
}
// README: end

// README: undo

/** For the bar that is shown after a tap: [ask] says whether its "Undo" was tapped. Returns why it cannot be undone. */
suspend fun offerUndo(innsync: InnSync, ask: suspend (command: String) -> Boolean): String? {
    val last = innsync.undoable() ?: return null
    val meant = ask(last.command) && innsync.undoable()?.operation == last.operation
    return try {
        if (meant) innsync.undo()
        null
    } catch (refused: InnSyncException.Rejected) {
        refused.rejection.message
    }
}
// README: end

// README: conflicts

/** What the screen of conflicts needs. */
class ConflictsModel(
    private val innsync: InnSync,
) {
    /** Each sheet follows what others do, as long as it is shown. */
    val sheets: Flow<List<ConflictSheet>> = innsync.conflicts.map { it.open }
    val lost: Flow<List<LostValue>> = innsync.conflicts.map { it.lost }

    /** Needs no network. False: somebody changed it once more, and the person must look again. */
    suspend fun choose(sheet: ConflictSheet, choice: Settlement): Boolean =
        try {
            innsync.settle(sheet.operation, sheet.version, choice)
            true
        } catch (refused: InnSyncException.Rejected) {
            if (refused.rejection.reason != Reason.ChangedMeanwhile) throw refused
            false
        }

    /** Writes the value after all, as an edit would. */
    suspend fun restore(value: LostValue) {
        innsync.restore(value.conflict.id)
    }
}
// README: end
