package dev.innsync.core

// `cargo xtask bindings` makes the generated exceptions take their messages from here.

internal fun messageOf(error: InnSyncException): String =
    when (error) {
        is InnSyncException.SignInRequired -> "a person must sign in"
        is InnSyncException.Offline -> "the server cannot be reached"
        is InnSyncException.ServerNotTrusted -> notTrusted(error.detail)
        is InnSyncException.UpdateRequired -> UPDATE_REQUIRED
        is InnSyncException.StorageFull -> "the phone's storage is full"
        is InnSyncException.StorageCorrupt -> "the database on the phone is damaged"
        is InnSyncException.AlreadyOpen -> "the database is already open"
        is InnSyncException.Rejected -> error.rejection.message
        is InnSyncException.InvalidInput -> "invalid input: ${error.detail}"
        is InnSyncException.AlreadySent -> "the operation has left the phone and can't be taken back"
        is InnSyncException.TokenStoreFailed -> keyStoreFailed(error.detail)
        is InnSyncException.Timeout -> "it did not happen in time"
        is InnSyncException.Closed -> "this InnSync is closed"
        is InnSyncException.Bug -> "a bug in InnSync, told to the log as ${error.id}"
    }

private const val UPDATE_REQUIRED =
    "this release of the app is too old; update the app, nothing on the phone is lost"

private fun notTrusted(detail: String) =
    "the server's certificate is not trusted ($detail): check the phone's date and whether the Wi-Fi wants a " +
        "sign-in; a server with its own certificate needs its root given to the app"

private fun keyStoreFailed(detail: String) = "the phone's key store failed ($detail): unlock the phone and try again"

internal fun messageOf(error: TokenStoreException): String =
    when (error) {
        is TokenStoreException.Failed -> error.detail
    }
