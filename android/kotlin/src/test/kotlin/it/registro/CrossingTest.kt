package it.registro

import kotlinx.coroutines.runBlocking
import kotlin.test.Test
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** What every call relies on: it crosses, and its errors arrive typed. */
class CrossingTest {
    @Test
    fun `the library names its version`() {
        assertTrue(Regex("""\d+\.\d+\.\d+""").matches(libraryVersion()))
    }

    @Test
    fun `a hub that serves answers`() = runBlocking {
        HubProcess().use { hub -> checkHub(hub.address) }
    }

    @Test
    fun `an address that is not https is an error of its kind`() {
        assertFailsWith<HubUnreachable.Address> { runBlocking { checkHub("http://registro.example.it") } }
    }

    @Test
    fun `a hub that is gone is offline`() {
        val address = HubProcess().use { it.address }
        assertFailsWith<HubUnreachable.Offline> { runBlocking { checkHub(address) } }
    }
}
