package dev.innsync.android

import android.net.ConnectivityManager
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.LifecycleRegistry
import dev.innsync.FakeInnSync
import dev.innsync.InnSync
import dev.innsync.core.Backgrounded
import dev.innsync.core.InnSyncException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowNetwork
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

@RunWith(RobolectricTestRunner::class)
internal class PlatformWatchTest {
    private val scope = CoroutineScope(Dispatchers.Default)
    private val app = object : LifecycleOwner {
        override val lifecycle: LifecycleRegistry = LifecycleRegistry.createUnsafe(this)
    }
    private val innsync = Told(FakeInnSync())
    private val connectivity =
        RuntimeEnvironment.getApplication().getSystemService(ConnectivityManager::class.java)

    private fun watch() =
        PlatformWatch(RuntimeEnvironment.getApplication(), innsync, 20.seconds, app.lifecycle).apply { start(scope) }

    private suspend fun told(vararg expected: String) = expected.forEach { assertEquals(it, innsync.next()) }

    @After
    fun end(): Unit = scope.cancel()

    @Test
    fun `networks come and go`() = runBlocking {
        val watch = watch()
        val wifi = ShadowNetwork.newInstance(5)
        shadowOf(connectivity).networkCallbacks.forEach {
            it.onAvailable(wifi)
            it.onLost(wifi)
        }
        told("network true", "network false")
        watch.stop()
        watch.stop()
        assertTrue(shadowOf(connectivity).networkCallbacks.isEmpty())
    }

    @Test
    fun `what is no change of the network is not told`() = runBlocking {
        val inUse = checkNotNull(connectivity?.activeNetwork)
        watch()
        val (wifi, mobile) = ShadowNetwork.newInstance(5) to ShadowNetwork.newInstance(6)
        shadowOf(connectivity).networkCallbacks.forEach {
            it.onAvailable(inUse)
            it.onAvailable(wifi)
            it.onAvailable(wifi)
            it.onAvailable(mobile)
            // The phone has left it long ago.
            it.onLost(wifi)
            it.onLost(mobile)
        }
        told("network true", "network true", "network false")
        assertEquals(null, innsync.nextAtOnce())
    }

    @Test
    fun `seen, quiet when all is sent, and seen again`() = runBlocking {
        val watch = watch()
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        told("resume", "foreground")
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_STOP)
        told("background 20s")
        innsync.leaves.send(Unit)
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        // The former has told nobody yet that it has ended.
        assertEquals("resume", innsync.next())
        while (innsync.next() != "foreground") continue
        watch.stop()
    }

    @Test
    fun `seen again at once, it was never quiet`() = runBlocking {
        watch()
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        told("resume", "foreground")
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_STOP)
        told("background 20s")
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        // Called off, and then as whenever it is seen.
        told("resume", "resume", "foreground")
    }

    @Test
    fun `seen for a moment while it leaves, it leaves all the same`() = runBlocking {
        watch()
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        told("resume", "foreground")
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_STOP)
        told("background 20s")
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        told("resume")
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_STOP)
        var last = innsync.next()
        while (last != "background 20s") last = innsync.next()
        innsync.leaves.send(Unit)
        assertEquals(null, innsync.nextAtOnce())
    }

    @Test
    fun `an error does not end it`() = runBlocking {
        watch()
        innsync.fake.failure = InnSyncException.StorageFull()
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        told("resume")
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_STOP)
        told("background 20s")
        innsync.fake.failure = null
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        told("resume", "foreground")
    }
}

/** Writes down what it is told. */
private class Told(
    val fake: FakeInnSync,
) : InnSync by fake {
    private val told = Channel<String>(Channel.UNLIMITED)

    /** One for each time that it may be quiet now. */
    val leaves = Channel<Unit>(Channel.UNLIMITED)
    private val comesBack = Channel<Unit>(Channel.CONFLATED)

    suspend fun next(): String = withTimeout(20.seconds) { told.receive() }

    /** What is told within a moment, if anything. */
    suspend fun nextAtOnce(): String? = withTimeoutOrNull(200.milliseconds) { told.receive() }

    override fun networkChanged(available: Boolean) {
        told.trySend("network $available")
    }

    override fun foreground() {
        told.trySend("foreground")
    }

    override suspend fun resume() {
        told.trySend("resume")
        comesBack.trySend(Unit)
        fake.resume()
    }

    /** As the real one: until it is called off, or nothing is left to do. */
    override suspend fun background(budget: Duration): Backgrounded {
        comesBack.tryReceive()
        told.trySend("background $budget")
        fake.background(budget)
        return select {
            comesBack.onReceive { Backgrounded.CalledOff }
            leaves.onReceive { Backgrounded.Done }
        }
    }
}
