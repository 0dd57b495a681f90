package it.registro

import java.nio.file.Files
import java.nio.file.Path
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

/** A lesson day of the sample school. */
const val DAY: IsoDate = "2026-11-23"

/** A new folder for a store, removed with the test, and what the platform lends: it outlives a closed register. */
class Folder : AutoCloseable {
    val path: Path = Files.createTempDirectory("registro-store")
    val keys: SigningKeys = memorySigningKeys()
    val secrets: SecretStore = memorySecretStore()

    override fun close() {
        path.toFile().deleteRecursively()
    }
}

/** A register in this folder, at this hub, with its key in the folder beside the store. */
suspend fun open(folder: Folder, address: String): Registro = Registro.open(
    OpenOptions(directory = folder.path.resolve("store").toString(), hub = address, development = true),
    fileVault(folder.path.resolve("keys").toString()),
    folder.keys,
    folder.secrets,
)

/** The failure of a call that must fail: with both sentences and a text for the log. */
suspend fun failureOf(call: suspend () -> Unit): Failure {
    var failure: Failure? = null
    try {
        call()
    } catch (e: RegistroException.Failed) {
        failure = e.failure
    }
    assertNotNull(failure, "it did not fail")
    assertTrue(failure.italian.isNotBlank() && failure.english.isNotBlank() && failure.debug.isNotBlank())
    return failure
}
