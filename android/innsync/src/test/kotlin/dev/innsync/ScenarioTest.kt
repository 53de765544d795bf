package dev.innsync

import dev.innsync.core.Audience
import dev.innsync.core.Command
import dev.innsync.core.ConflictSheet
import dev.innsync.core.EffectBody
import dev.innsync.core.InnSyncException
import dev.innsync.core.LostValue
import dev.innsync.core.OpState
import dev.innsync.core.ParkReason
import dev.innsync.core.Priority
import dev.innsync.core.Reason
import dev.innsync.core.Settlement
import dev.innsync.core.Severity
import dev.innsync.core.SuiteStatus
import dev.innsync.core.Task
import dev.innsync.core.TaskPatch
import dev.innsync.core.TaskType
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.booleanOrNull
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.UUID
import kotlin.io.path.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.extension
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.nameWithoutExtension
import kotlin.io.path.readText
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.test.fail
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Plays `tests/scenarios`, as Rust and Swift do; its README says what each step means. */
internal class ScenarioTest {
    @TempDir
    lateinit var folder: Path

    @TestFactory
    fun scenarios(): List<DynamicTest> {
        val files = Path(System.getProperty("innsync.scenarios")).listDirectoryEntries("*.json").sorted()
        assertTrue(files.size >= 12, "the scenarios are not where they were")
        return files.map { file ->
            val scenario = Json.parseToJsonElement(file.readText()).jsonObject
            DynamicTest.dynamicTest("${file.nameWithoutExtension}: ${scenario.text("story")}") {
                story { Play(scenario, folder.resolve(file.nameWithoutExtension).createDirectory()).play() }
            }
        }
    }
}

private class Play(
    private val scenario: JsonObject,
    private val home: Path,
) {
    private val arguments = scenario.texts("serverArguments")
    private val tokenLife =
        Duration.parse(arguments.zipWithNext().find { it.first == "--token-ttl" }?.second ?: "0s")

    // When the last phone had signed in: no token is younger.
    private var signedIn = TimeSource.Monotonic.markNow()
    private val server = Server(home.resolve("ledger.sqlite"), arguments)
    private val phones = LinkedHashMap<String, Phone>()
    private val unread = HashMap<String, UInt>()

    suspend fun play(): Unit = server.use {
        scenario.texts("phones").forEach { signIn(it, home.resolve(it)) }
        scenario.texts("handset").forEach { signIn(it, home.resolve("handset")) }
        scenario.getValue("steps").jsonArray.forEachIndexed { index, step ->
            try {
                step(step.jsonObject)
            } catch (failure: InnSyncException) {
                fail("step ${index + 1}: $step: $failure", failure)
            } catch (failure: IllegalStateException) {
                fail("step ${index + 1}: $step: ${failure.message}", failure)
            }
        }
        phones.values.forEach { it.innsync.close() }
    }

    private suspend fun signIn(person: String, directory: Path) {
        val phone = Phone.signIn(person, server.url, directory)
        phone.goOnline()
        unread[person] = phone.innsync.inbox.first().unreadCount
        phones[person] = phone
        signedIn = TimeSource.Monotonic.markNow()
    }

    private suspend fun step(step: JsonObject) {
        when (step.text("server")) {
            "stops" -> return server.kill()
            "starts" -> return server.restart()
        }
        val who = checkNotNull(step.text("by"))
        step.text("cannotSignIn")?.let { password ->
            val settings = settings(who, server.url, home.resolve("wrong"))
            assertFailsWith<InnSyncException.SignInRequired> { InnSyncs.signIn(settings, password) }
            return
        }
        val phone = phones.getValue(who)
        when {
            step.says("outlivesToken") -> {
                delay(tokenLife + 1.seconds - signedIn.elapsedNow())
            }

            step.says("closes") -> {
                phone.innsync.close()
            }

            step.says("opens") -> {
                phones[who] = phone.openAgain(server.url)
            }

            step.says("goesOffline") -> {
                phone.innsync.disconnect()
            }

            step.says("goesOnline") -> {
                phone.goOnline()
            }

            step.says("discards") -> {
                phone.parked().forEach { phone.innsync.discard(it) }
            }

            "settles" in step -> {
                settle(phone, step.getValue("settles"))
            }

            "restores" in step -> {
                val lost = checkNotNull(phone.lost(step.text("restores"))) { "nothing of that field lost" }
                phone.innsync.restore(lost.conflict.id)
            }

            "undoes" in step -> {
                val last = phone.innsync.undoable()?.command
                check(last == step.text("undoes")) { "what was done last is $last" }
                attempt(step) { phone.innsync.undo() }
            }

            "sees" in step -> {
                val what = step.getValue("sees").jsonObject
                // What is not there must not be looked for before it could have come.
                val absence = "noTask" in what || "noMyTask" in what || what.count("times") == 0
                if (absence) phone.innsync.upToDate(PATIENCE)
                check(becomes { sees(phone, what) }) { "$who does not see it" }
            }

            else -> {
                val command = command(phone, step)
                attempt(step) { phone.innsync.execute(command) }
            }
        }
    }

    /** Does it; where the step says so, it is refused at once. */
    private suspend fun attempt(step: JsonObject, work: suspend () -> Unit) {
        val reason = step.text("isRefused")
        if (reason == null) {
            work()
        } else {
            val refused = assertFailsWith<InnSyncException.Rejected> { work() }
            check(wire(refused.rejection.reason) == reason) { "it was refused, but as ${refused.rejection}" }
        }
    }

    /** Settles the open conflict as its sheet is just then; one that has moved on is looked at again. */
    private suspend fun settle(phone: Phone, how: JsonElement) {
        while (true) {
            val shown = withTimeoutOrNull(PATIENCE) { phone.innsync.conflicts.first { it.open.size == 1 } }
            val sheet = checkNotNull(shown) { "there is not one open conflict" }.open.single()
            try {
                phone.innsync.settle(sheet.operation, sheet.version, settlement(how))
                return
            } catch (refused: InnSyncException.Rejected) {
                if (refused.rejection.reason != Reason.ChangedMeanwhile) throw refused
            }
        }
    }

    private fun settlement(how: JsonElement): Settlement =
        when {
            how is JsonObject -> Settlement.Merged(how.mapValues { "${it.value}" })
            how.jsonPrimitive.content == "THEIRS" -> Settlement.Theirs
            how.jsonPrimitive.content == "MINE" -> Settlement.Mine
            else -> fail("no such choice: $how")
        }

    private suspend fun command(phone: Phone, step: JsonObject): Command {
        val (verb, value) = checkNotNull(step.entries.find { it.key != "by" && it.key != "isRefused" })
        val new = phone.innsync.newId()
        return when (verb) {
            "createTask" -> {
                value.jsonObject.let {
                    Command.CreateTask(
                        taskId = new,
                        title = it.text("title").orEmpty(),
                        description = "",
                        taskType = TaskType.General,
                        priority = Priority.Normal,
                        suiteId = phone.suiteId(it.text("suite")),
                        assignedTo = it.text("assignTo")?.let { name -> phones.getValue(name).employee },
                        dueAt = null,
                        severity = null,
                    )
                }
            }

            "takeTask" -> {
                Command.TakeTask(phone.known(value.jsonPrimitive.content).id)
            }

            "startTask" -> {
                Command.StartTask(phone.known(value.jsonPrimitive.content).id)
            }

            "completeTask" -> {
                Command.CompleteTask(phone.known(value.jsonPrimitive.content).id)
            }

            "assignTask" -> {
                value.jsonObject.let {
                    val assignee = phones.getValue(checkNotNull(it.text("to"))).employee
                    Command.AssignTask(phone.known(checkNotNull(it.text("task"))).id, assignee)
                }
            }

            "renameTask" -> {
                value.jsonObject.let {
                    val task = phone.known(checkNotNull(it.text("task")))
                    Command.EditTask(task.id, TaskPatch(title = it.text("title")))
                }
            }

            "setSuiteStatus" -> {
                value.jsonObject.let {
                    val status = STATUSES.getValue(checkNotNull(it.text("status")))
                    Command.SetSuiteStatus(checkNotNull(phone.suiteId(it.text("suite"))), status)
                }
            }

            "createNote" -> {
                value.jsonObject.let {
                    val (title, content) = it.text("title").orEmpty() to it.text("content").orEmpty()
                    Command.CreateNote(new, title, content, null, null, Audience.AllStaff)
                }
            }

            "raiseEmergency" -> {
                value.jsonObject.let {
                    Command.RaiseEmergency(
                        taskId = new,
                        title = it.text("title").orEmpty(),
                        description = it.text("description").orEmpty(),
                        severity = Severity.Critical,
                        suiteId = phone.suiteId(it.text("suite")),
                    )
                }
            }

            "acknowledge" -> {
                val title = value.jsonPrimitive.content
                val alert = phone.innsync.urgent.first().alerts.find { it.title == title }
                Command.AcknowledgeAlert(checkNotNull(alert) { "there is no alert “$title”" }.id)
            }

            else -> {
                fail("no such step: $verb")
            }
        }
    }

    private suspend fun sees(phone: Phone, what: JsonObject): Boolean {
        val innsync = phone.innsync
        val (name, value) = what.entries.first()
        val text = value.jsonPrimitive.content
        val count = value.jsonPrimitive.intOrNull
        return when (name) {
            "myTask" -> {
                innsync.myTasks.first().tasks.any { it.task.title == text }
            }

            "noMyTask" -> {
                innsync.myTasks.first().tasks.none { it.task.title == text }
            }

            "unassigned" -> {
                innsync.unassigned.first().tasks.any { it.task.title == text }
            }

            "urgent" -> {
                innsync.urgent.first().tasks.any { it.task.title == text }
            }

            "noTask" -> {
                phone.task(text) == null
            }

            "task" -> {
                phone.task(text)?.let { wire(it.status) } == what.text("status")
            }

            "taskOf" -> {
                val assignee = what.text("assignee")?.let { phones.getValue(it).employee }
                phone.task(text)?.let { it.assignedTo == assignee } ?: false
            }

            "suite" -> {
                phone.suite(text)?.let { wire(it.status) } == what.text("status")
            }

            "note" -> {
                val author = what.text("author")?.let { phones.getValue(it).employee }
                phone.notes(text).count { author == null || it.createdBy == author } == what.count("times")
            }

            "moreUnread" -> {
                innsync.inbox.first().unreadCount > unread.getValue(phone.person)
            }

            "event" -> {
                phone.heard(text)
            }

            "toast" -> {
                phone.wasTold { it is EffectBody.Toast && it.key == text }
            }

            "sound" -> {
                phone.wasTold { it is EffectBody.Sound && it.name == text }
            }

            "fullScreen" -> {
                phone.wasTold { it is EffectBody.EmergencyModal && it.title == text }
            }

            "acknowledgements" -> {
                innsync.dashboard.first().emergencies.firstOrNull()?.acknowledged?.size == count
            }

            "emergencies" -> {
                innsync.dashboard.first().emergencies.size == count
            }

            "pending" -> {
                innsync.status.value.pendingChanges.toInt() == count
            }

            "parked" -> {
                innsync.status.value.parked.toInt() == count
            }

            "conflict" -> {
                phone.conflicts().any {
                    it.field == text && it.mine == what.text("mine") && it.theirs == what.text("theirs")
                }
            }

            "sheet" -> {
                innsync.conflicts
                    .first()
                    .open
                    .singleOrNull()
                    ?.shows(text, what) ?: false
            }

            "lost" -> {
                phone.lost(text)?.let {
                    it.conflict.lost == what.text("value") && it.keptByName == what.text("keptBy")
                } ?: false
            }

            "connection" -> {
                innsync.connection.value.name == text
            }

            "syncLine" -> {
                innsync.syncLine.first().state.name == text
            }

            else -> {
                fail("there is nothing to see in $what")
            }
        }
    }
}

private val STATUSES: Map<String, SuiteStatus> = listOf(
    SuiteStatus.VacantClean,
    SuiteStatus.VacantDirty,
    SuiteStatus.Occupied,
    SuiteStatus.Cleaning,
    SuiteStatus.Inspected,
    SuiteStatus.OutOfService,
).associateBy { wire(it) }

private suspend fun Phone.known(title: String): Task =
    checkNotNull(task(title)) { "$person has no task “$title”" }

private suspend fun Phone.suiteId(number: String?): UUID? =
    number?.let { checkNotNull(suite(it)) { "there is no suite $it" }.id }

private suspend fun Phone.parked(): List<UUID> =
    innsync.outbox().filter { it.state is OpState.Parked }.map { it.id }

private suspend fun Phone.conflicts() = innsync
    .outbox()
    .mapNotNull { (it.state as? OpState.Parked)?.reason as? ParkReason.Conflict }
    .flatMap { it.fields }

/** Whether the sheet has that field, and is as the step says. */
private fun ConflictSheet.shows(name: String, what: JsonObject): Boolean {
    val shown = fields.find { it.`field` == name } ?: return false
    val possible = choices.filter { it.possible }.map { it.choice.name }
    return ("theirs" !in what || shown.theirs == what.text("theirs")) &&
        ("overwrites" !in what || updatedByName == what.text("overwrites")) &&
        ("choices" !in what || possible == what.texts("choices"))
}

/** The newest value of that field that lost. */
private suspend fun Phone.lost(name: String?): LostValue? =
    innsync.conflicts
        .first()
        .lost
        .find { it.conflict.`field` == name }

private fun JsonObject.text(name: String): String? = get(name)?.jsonPrimitive?.content

private fun JsonObject.texts(name: String): List<String> = get(name)?.jsonArray.orEmpty().map {
    it.jsonPrimitive.content
}

private fun JsonObject.says(name: String): Boolean = get(name)?.jsonPrimitive?.booleanOrNull == true

private fun JsonObject.count(name: String): Int? = get(name)?.jsonPrimitive?.intOrNull
