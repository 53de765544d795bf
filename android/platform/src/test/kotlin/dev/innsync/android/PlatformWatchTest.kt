package dev.innsync.android

import android.net.ConnectivityManager
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.LifecycleRegistry
import dev.innsync.FakeInnSync
import dev.innsync.InnSync
import dev.innsync.core.InnSyncException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
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
import kotlin.time.Duration.Companion.hours
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

    private fun watch(grace: Duration) =
        PlatformWatch(RuntimeEnvironment.getApplication(), innsync, grace, app.lifecycle).apply { start(scope) }

    @After
    fun end(): Unit = scope.cancel()

    @Test
    fun `networks come and go`() = runBlocking {
        val watch = watch(grace = 1.hours)
        val wifi = ShadowNetwork.newInstance(5)
        shadowOf(connectivity).networkCallbacks.forEach {
            it.onAvailable(wifi)
            it.onLost(wifi)
        }
        assertEquals(listOf("network true", "network false"), listOf(innsync.next(), innsync.next()))
        watch.stop()
        watch.stop()
        assertTrue(shadowOf(connectivity).networkCallbacks.isEmpty())
    }

    @Test
    fun `seen, quiet after a while, and seen again`() = runBlocking {
        val watch = watch(grace = 0.seconds)
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        assertEquals(listOf("resume", "foreground"), listOf(innsync.next(), innsync.next()))
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_STOP)
        assertEquals("quiesce", innsync.next())
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        assertEquals(listOf("resume", "foreground"), listOf(innsync.next(), innsync.next()))
        watch.stop()
    }

    @Test
    fun `seen again at once, it was never quiet`() = runBlocking {
        watch(grace = 1.hours)
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        assertEquals(listOf("resume", "foreground"), listOf(innsync.next(), innsync.next()))
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_STOP)
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        assertEquals(listOf("resume", "foreground"), listOf(innsync.next(), innsync.next()))
    }

    @Test
    fun `an error does not end it`() = runBlocking {
        watch(grace = 0.seconds)
        innsync.fake.failure = InnSyncException.StorageFull()
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_START)
        assertEquals("resume", innsync.next())
        innsync.fake.failure = null
        app.lifecycle.handleLifecycleEvent(Lifecycle.Event.ON_STOP)
        assertEquals("quiesce", innsync.next())
    }
}

/** Writes down what it is told. */
private class Told(
    val fake: FakeInnSync,
) : InnSync by fake {
    private val told = Channel<String>(Channel.UNLIMITED)

    suspend fun next(): String = withTimeout(20.seconds) { told.receive() }

    override fun networkChanged(available: Boolean) {
        told.trySend("network $available")
    }

    override fun foreground() {
        told.trySend("foreground")
    }

    override suspend fun resume() {
        told.trySend("resume")
        fake.resume()
    }

    override suspend fun quiesce() {
        told.trySend("quiesce")
        fake.quiesce()
    }
}
