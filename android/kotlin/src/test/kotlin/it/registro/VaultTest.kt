package it.registro

import kotlinx.coroutines.runBlocking
import kotlin.experimental.xor
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** A vault that the app implements. */
class VaultTest {
    /** Hides nothing: it shows only that the store's key goes through it. */
    private class AppVault : KeyVault {
        var locked = false
        var broken = false
        var calls = 0

        override fun wrap(alias: String, secret: ByteArray) = turned(secret)

        override fun unwrap(alias: String, wrapped: ByteArray) = turned(wrapped)

        override fun forget(alias: String) = Unit

        private fun turned(bytes: ByteArray): ByteArray {
            calls += 1
            if (broken) error("not declared")
            if (locked) throw VaultException.NeedsUser()
            return ByteArray(bytes.size) { bytes[it] xor 0x5a }
        }
    }

    @Test
    fun `the key of the store goes through the vault of the app`() = runBlocking {
        Folder().use { folder ->
            val options = OpenOptions(folder.path.resolve("store").toString(), "https://registro.example.it")
            val vault = AppVault()
            Registro.open(options, vault, folder.keys, folder.secrets).close()
            assertTrue(vault.calls > 0)

            vault.locked = true
            val locked = failureOf { Registro.open(options, vault, folder.keys, folder.secrets).close() }
            assertEquals(ErrorKind.NEEDS_USER to NextStep.UNLOCK, locked.kind to locked.nextStep)

            vault.broken = true
            val broken = failureOf { Registro.open(options, vault, folder.keys, folder.secrets).close() }
            assertEquals(ErrorKind.STORAGE, broken.kind)
            assertFalse(broken.debug.contains("not declared"))

            vault.locked = false
            vault.broken = false
            Registro.open(options, vault, folder.keys, folder.secrets).close()
        }
    }

    @Test
    fun `another vault does not open the store`() = runBlocking {
        Folder().use { folder ->
            val options = OpenOptions(folder.path.resolve("store").toString(), "https://registro.example.it")
            Registro.open(options, memoryVault(), folder.keys, folder.secrets).close()
            assertEquals(ErrorKind.STORAGE, failureOf { Registro.open(options, memoryVault(), folder.keys, folder.secrets).close() }.kind)
        }
    }
}
