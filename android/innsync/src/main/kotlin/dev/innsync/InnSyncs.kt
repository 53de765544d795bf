package dev.innsync

import dev.innsync.core.Account
import dev.innsync.core.Command
import dev.innsync.core.InnSyncHandle
import dev.innsync.core.LogLevel
import dev.innsync.core.LogLine
import dev.innsync.core.NativeLibrary
import dev.innsync.core.Settings
import dev.innsync.core.TokenStore
import dev.innsync.core.commandFromJson
import dev.innsync.core.commandToJson
import dev.innsync.core.openAccount
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext

/** Where an [InnSync] comes from. */
public object InnSyncs {
    /**
     * Signs in with a password and opens the person's database. Not yet connected: call [InnSync.connect].
     *
     * Throws `SignInRequired` (property, name or password wrong), `Offline`, `ServerNotTrusted`, `UpdateRequired`,
     * `TokenStoreFailed` (the tokens could not be kept: nobody is signed in, what is on the phone stays), and what [open]
     * throws.
     *
     * @param tokens where tokens are kept; null: in a file that only the app may read.
     */
    public suspend fun signIn(settings: Settings, password: String, tokens: TokenStore? = null): InnSync =
        opening { dev.innsync.core.signIn(settings, password, tokens) }

    /**
     * Opens the database of a person who has signed in on this phone before. Needs no network.
     *
     * One that a newer release of the app has written is opened for reading alone: the sync line is `UPDATE_REQUIRED`, and
     * whatever would write throws `UpdateRequired`.
     *
     * Throws `SignInRequired` (never signed in here), `AlreadyOpen`, `UpdateRequired`, `StorageCorrupt`, `StorageFull`,
     * `InvalidInput`.
     *
     * @param tokens where tokens are kept; null: in a file that only the app may read.
     */
    public suspend fun open(settings: Settings, tokens: TokenStore? = null): InnSync =
        opening { openAccount(settings, tokens) }

    /** Everybody who has signed in on this phone, by property and name. */
    public suspend fun accounts(directory: String): List<Account> =
        native { dev.innsync.core.accounts(directory) }

    /** Panics in the core, so that an app can try its reporting of bugs: throws `Bug`, and the next call works. */
    public suspend fun raiseTestBug(): Unit = native { dev.innsync.core.raiseTestBug() }

    /**
     * What the core writes to its log from now on, for all accounts of this process, up to that [level]: no token, no
     * password, nothing that people wrote. Goes on until its collector is cancelled. The oldest lines are dropped when
     * the collector lags by 1,000, and a line says how many.
     */
    public fun logLines(level: LogLevel = LogLevel.INFO): Flow<LogLine> = logFlow {
        NativeLibrary.load()
        dev.innsync.core.logLines(level)
    }.flowOn(Dispatchers.IO)

    /** A command as JSON, as the wire writes it: for logs and links. Loads the core. */
    public fun json(command: Command): String {
        NativeLibrary.load()
        return commandToJson(command)
    }

    /** A command from JSON. Throws `InvalidInput`, which says where the text is wrong. Loads the core. */
    public fun command(json: String): Command {
        NativeLibrary.load()
        return commandFromJson(json)
    }

    private suspend fun opening(open: suspend () -> InnSyncHandle): InnSync {
        var opened: LiveInnSync? = null
        try {
            return native { LiveInnSync(open()).also { opened = it } }
        } catch (cancelled: CancellationException) {
            // Nobody has it: it must not keep the database.
            withContext(NonCancellable) { opened?.close() }
            throw cancelled
        }
    }

    /** The first call loads the library, and some read files. */
    private suspend fun <T> native(call: suspend () -> T): T =
        withContext(Dispatchers.IO) {
            NativeLibrary.load()
            call()
        }
}
