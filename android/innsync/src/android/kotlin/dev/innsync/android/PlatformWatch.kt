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
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Tells an [InnSync] what Android knows: whether there is a network, and whether the app is in the foreground.
 *
 * In the background what was just done is sent and what is new fetched, for the [budget] at most, and then it is quiet: no
 * socket, no database open. Work that must go on in the background (a foreground service in an emergency) keeps it awake by
 * [InnSync.resume].
 *
 * @param lifecycle of the whole app, unless a test gives another.
 */
public class PlatformWatch(
    context: Context,
    private val innsync: InnSync,
    private val budget: Duration = 30.seconds,
    private val lifecycle: Lifecycle = ProcessLifecycleOwner.get().lifecycle,
) {
    private val connectivity =
        context.applicationContext.getSystemService(Context.CONNECTIVITY_SERVICE) as ConnectivityManager
    private val inForeground = MutableStateFlow<Boolean?>(null)
    private var following: Job? = null

    // What is told is a change: it costs the requests under way. The network that is there from the beginning is none.
    private var inUse: Network? = null

    private val network =
        object : ConnectivityManager.NetworkCallback() {
            // Called for the network in use at the beginning, and whenever another one becomes that.
            override fun onAvailable(network: Network) {
                if (network == inUse) return
                inUse = network
                innsync.networkChanged(true)
            }

            override fun onLost(network: Network) {
                if (network != inUse) return
                inUse = null
                innsync.networkChanged(false)
            }
        }

    private val observer =
        object : DefaultLifecycleObserver {
            override fun onStart(owner: LifecycleOwner) {
                inForeground.value = true
            }

            override fun onStop(owner: LifecycleOwner) {
                inForeground.value = false
            }
        }

    /** Begins, until [stop]; [scope] is that of the app. */
    @MainThread
    public fun start(scope: CoroutineScope) {
        if (following != null) return
        following = scope.launch { inForeground.filterNotNull().collect { follow(it) } }
        lifecycle.addObserver(observer)
        inUse = connectivity.activeNetwork
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
                leave()
            }
        } catch (_: InnSyncException) {
            // Closed, or the database cannot be opened just now: whoever uses it is told so by their own call, and the
            // next time in the foreground it is tried again.
        }
    }

    /** Goes to the background, unless somebody comes back meanwhile. */
    private suspend fun leave() {
        do {
            val calledOff = leaveUnlessCalledOff()
            // Seen for a moment, and gone again.
        } while (calledOff && inForeground.value == false)
    }

    /** Whether somebody came back. */
    private suspend fun leaveUnlessCalledOff(): Boolean =
        coroutineScope {
            var calledOff = false
            val callingOff = launch {
                inForeground.first { it == true }
                calledOff = true
                innsync.resume()
            }
            innsync.background(budget)
            callingOff.cancelAndJoin()
            calledOff
        }
}
