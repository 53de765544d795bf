package dev.innsync.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import androidx.annotation.MainThread
import androidx.lifecycle.DefaultLifecycleObserver
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.ProcessLifecycleOwner
import dev.innsync.InnSync
import dev.innsync.core.InnSyncException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Tells an [InnSync] what Android knows: whether there is a network, and whether the app is in the foreground.
 *
 * In the background it goes on for [grace], so that what was just done is sent, and then is quiet: no socket, no database
 * open. Work that must go on in the background (a foreground service in an emergency) keeps it awake by [InnSync.resume].
 *
 * @param lifecycle of the whole app, unless a test gives another.
 */
public class PlatformWatch(
    context: Context,
    private val innsync: InnSync,
    private val grace: Duration = 30.seconds,
    private val lifecycle: Lifecycle = ProcessLifecycleOwner.get().lifecycle,
) {
    private val connectivity =
        context.applicationContext.getSystemService(Context.CONNECTIVITY_SERVICE) as ConnectivityManager
    private val inForeground = Channel<Boolean>(Channel.CONFLATED)
    private var following: Job? = null

    private val network =
        object : ConnectivityManager.NetworkCallback() {
            // Also called when another network becomes the one in use.
            override fun onAvailable(network: Network): Unit = innsync.networkChanged(true)

            override fun onLost(network: Network): Unit = innsync.networkChanged(false)
        }

    private val observer =
        object : DefaultLifecycleObserver {
            override fun onStart(owner: LifecycleOwner) {
                inForeground.trySend(true)
            }

            override fun onStop(owner: LifecycleOwner) {
                inForeground.trySend(false)
            }
        }

    /** Begins, until [stop]; [scope] is that of the app. */
    @MainThread
    public fun start(scope: CoroutineScope) {
        if (following != null) return
        following = scope.launch { inForeground.receiveAsFlow().collectLatest { follow(it) } }
        lifecycle.addObserver(observer)
        connectivity.registerDefaultNetworkCallback(network)
    }

    /** Ends. */
    @MainThread
    public fun stop() {
        following?.cancel() ?: return
        following = null
        lifecycle.removeObserver(observer)
        connectivity.unregisterNetworkCallback(network)
    }

    private suspend fun follow(foreground: Boolean) {
        try {
            if (foreground) {
                innsync.resume()
                innsync.foreground()
            } else {
                delay(grace)
                innsync.quiesce()
            }
        } catch (_: InnSyncException) {
            // Closed, or the database cannot be opened just now: whoever uses it is told so by their own call, and the
            // next time in the foreground it is tried again.
        }
    }
}
