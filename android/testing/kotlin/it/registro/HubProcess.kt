package it.registro

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/**
 * A real hub with the sample school, in a process of its own that ends with this one.
 *
 * `REGISTRO_HUB_BIN` names the program, `REGISTRO_TEST_DATA` the folder of the school's files.
 *
 * @property clock where the hub's clock stands, an RFC 3339 instant.
 */
class HubProcess(private val clock: String = "2026-11-23T07:30:00+01:00") : AutoCloseable {
    private val data: Path = Files.createTempDirectory("registro-hub")
    private val program = variable("REGISTRO_HUB_BIN")
    private var process: Process? = null

    /** Where it listens, such as `http://127.0.0.1:40123`. Another one after each `start`. */
    var address = ""
        private set

    init {
        val imported = ProcessBuilder(program, "import", variable("REGISTRO_TEST_DATA"), "--data", data.toString())
            .redirectErrorStream(true)
            .redirectOutput(data.resolve("import.log").toFile())
            .start()
        check(imported.waitFor(120, TimeUnit.SECONDS) && imported.exitValue() == 0) {
            "the import failed: ${data.resolve("import.log").toFile().readText()}"
        }
        start()
    }

    /** Serves what was imported, and what devices sent before `stop`. */
    fun start() {
        // Its standard input is a pipe of ours: it closes when this process ends, however it ends.
        val started = ProcessBuilder(
            program, "serve", "--data", data.toString(), "--listen", "127.0.0.1:0",
            "--dev-login", "--clock", clock, "--until-stdin-closes",
        ).redirectError(data.resolve("serve.log").toFile()).start()
        process = started
        val line = started.inputStream.bufferedReader().readLine().orEmpty()
        address = line.substringAfter("listening on ", "")
        if (address.isEmpty()) {
            val said = data.resolve("serve.log").toFile().readText()
            close()
            error("the hub does not serve: $line\n$said")
        }
    }

    /** A user name and a password. */
    class Credentials(val username: String, val password: String)

    /** The office issues the school's credentials to the person of this code, who sets a password on the hub's page. */
    fun firstAccess(code: String): Credentials {
        command("credentials", "until", "2027-06-30")
        val issued = command("credentials", "issue", "--person", code).lines()[1].split(';')
        val password = "sette gatti verdi $code"
        val browser = LoginBrowser("")
        browser.open("$address/first-access")
        browser.submit(mapOf("code" to issued[2]))
        val email = variable("REGISTRO_TEST_DATA").let { files ->
            File(files, "docenti.csv").readLines().first { it.startsWith("$code;") }.split(';')[6]
        }
        browser.submit(mapOf("password" to password, "again" to password, "email" to email))
        return Credentials(issued[1], password)
    }

    private fun command(vararg arguments: String): String {
        val started = ProcessBuilder(
            listOf(program, *arguments, "--data", data.toString(), "--clock", clock),
        ).redirectError(data.resolve("command.log").toFile()).start()
        val said = started.inputStream.bufferedReader().readText()
        check(started.waitFor() == 0) { data.resolve("command.log").toFile().readText() }
        return said
    }

    /** Nobody reaches it any more, until `start`. */
    fun stop() {
        val running = process ?: return
        process = null
        running.outputStream.close()
        if (!running.waitFor(20, TimeUnit.SECONDS)) running.destroyForcibly().waitFor()
    }

    override fun close() {
        stop()
        data.toFile().deleteRecursively()
    }

    private fun variable(name: String): String {
        val value = System.getenv(name).orEmpty()
        check(File(value).exists()) { "$name names nothing: run `cargo xtask kotlin`" }
        return value
    }
}
