package dev.innsync

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.Path
import kotlin.io.path.isExecutable

/** A server process with the demo property, that can be killed and started again where it was. */
internal class Server(
    private val data: Path,
    private val arguments: List<String> = emptyList(),
) : AutoCloseable {
    lateinit var url: String
        private set
    private var process: Process? = null

    init {
        start("127.0.0.1:0")
    }

    private fun start(listen: String) {
        val command = listOf("$program", "serve", "--demo", "--listen", listen, "--data", "$data") + arguments
        val started = ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .apply { environment()["RUST_LOG"] = "error" }
            .start()
        process = started
        val first = started.inputStream.bufferedReader().readLine().orEmpty()
        url = checkNotNull(Regex("http://\\S+").find(first)) { "the server did not start: “$first”" }.value
    }

    /** Killed as by a power cut. */
    fun kill() {
        process?.destroyForcibly()?.waitFor(30, TimeUnit.SECONDS)
        process = null
    }

    /** From now on it takes what it is sent, and answers nobody. */
    fun pause() {
        val pid = checkNotNull(process).pid()
        check(ProcessBuilder("kill", "-STOP", "$pid").start().waitFor() == 0)
    }

    fun restart(): Unit = start(url.removePrefix("http://"))

    override fun close(): Unit = kill()

    private companion object {
        val program: Path by lazy {
            val path = Path(System.getenv("INNSYNC_SERVER") ?: System.getProperty("innsync.server"))
            check(path.isExecutable()) { "there is no server at $path: build it, or say where with INNSYNC_SERVER" }
            path
        }
    }
}
