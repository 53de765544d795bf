package dev.innsync

import dev.innsync.core.Change
import dev.innsync.core.Entity
import dev.innsync.core.Update
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** From what changed to the whole list. Each list is a new one, and none is changed after it was given out. */
internal fun Flow<List<Update>>.asLists(): Flow<List<Entity>> =
    flow {
        var rows = emptyList<Entity>()
        collect { updates ->
            rows = updates.fold(rows) { before, update -> before.after(update) }
            emit(rows)
        }
    }

private fun List<Entity>.after(update: Update): List<Entity> =
    when (update) {
        is Update.Reset -> update.rows
        is Update.Diff -> ArrayList(this).apply { update.changes.forEach { carryOut(it) } }
    }

private fun MutableList<Entity>.carryOut(change: Change) {
    when (change) {
        is Change.Insert -> add(change.at.toInt(), change.entity)
        is Change.Replace -> set(change.at.toInt(), change.entity)
        is Change.Remove -> removeAt(change.at.toInt())
    }
}
