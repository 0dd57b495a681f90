package it.registro.android

import android.app.KeyguardManager
import android.content.Context
import it.registro.HubProcess
import it.registro.Level
import it.registro.LoginMethod
import it.registro.LoginRequest
import it.registro.StorageException
import it.registro.android.KeystoreStandIn.Refusal
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.math.BigInteger
import java.security.Signature
import java.security.interfaces.ECPublicKey
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** A login's key and secrets on a phone, on a stand-in for its Keystore. */
@RunWith(RobolectricTestRunner::class)
class AndroidLoginTest {
    private val keystore = KeystoreStandIn()
    private val context: Context = RuntimeEnvironment.getApplication()

    @After
    fun close() = keystore.close()

    @Test
    fun `a key signs, shows its point, is replaced by one of its name, and is gone when deleted`() {
        val keys = AndroidSigningKeys(context)
        val first = keys.createKey("a", false)
        val point = keys.createKey("a", false)
        assertFalse(first.contentEquals(point))
        assertContentEquals(point, keys.publicKey("a"))
        val public = keystore.pairs.getValue("it.registro.login.a").pair.public as ECPublicKey
        assertEquals(65 to 4.toByte(), point.size to point[0])
        assertEquals(public.w.affineX, BigInteger(1, point.copyOfRange(1, 33)))
        assertEquals(public.w.affineY, BigInteger(1, point.copyOfRange(33, 65)))
        val data = "what is signed".toByteArray()
        val verifier = Signature.getInstance("SHA256withECDSA").apply { initVerify(public) }
        verifier.update(data)
        assertTrue(verifier.verify(keys.sign("a", data)))
        keys.deleteKey("a")
        keys.deleteKey("a")
        assertFailsWith<StorageException.Invalidated> { keys.sign("a", data) }
        assertFailsWith<StorageException.Invalidated> { keys.publicKey("a") }
    }

    @Test
    fun `a key for the background asks for nothing, one that needs the person is as the app wants`() {
        val keys = AndroidSigningKeys(context, Protection(authentication = Protection.Authentication(30)))
        keystore.strongBox = false
        keys.createKey("background", false)
        keys.createKey("person", true)
        val background = keystore.pairs.getValue("it.registro.login.background").specification
        val person = keystore.pairs.getValue("it.registro.login.person").specification
        assertFalse(background.isUserAuthenticationRequired || background.isUnlockedDeviceRequired)
        assertTrue(person.isUserAuthenticationRequired && person.isUnlockedDeviceRequired)
        keystore.refusal = Refusal.NEEDS_USER
        assertFailsWith<StorageException.NeedsUser> { keys.sign("person", ByteArray(1)) }
        keystore.refusal = Refusal.LOCKED_DEVICE
        assertFailsWith<StorageException.Unavailable> { keys.sign("person", ByteArray(1)) }
        shadowOf(context.getSystemService(KeyguardManager::class.java)).setIsDeviceLocked(true)
        assertFailsWith<StorageException.Locked> { keys.sign("person", ByteArray(1)) }
    }

    @Test
    fun `secrets survive the process, sealed and without their names, until they are deleted`() {
        val long = ByteArray(64 * 1024) { it.toByte() }
        AndroidSecretStore(context).run {
            assertNull(get("nothing"))
            put("school/teacher", "first".toByteArray())
            put("school/teacher", "token".toByteArray())
            put("long", long)
            assertFailsWith<StorageException.Unavailable> { put("long", long + 1) }
        }
        val secrets = AndroidSecretStore(context)
        assertContentEquals("token".toByteArray(), secrets.get("school/teacher"))
        assertContentEquals(long, secrets.get("long"))
        val files = File(context.noBackupFilesDir, "registro-secrets").walk().filter { it.isFile }.toList()
        assertEquals(3, files.size)
        assertTrue(files.none { "teacher" in it.name || "token" in it.readText(Charsets.ISO_8859_1) })

        // One that takes the place of another does not pass for it.
        val (one, other) = files.filter { it.name != "key" }
        one.writeBytes(other.readBytes())
        val outcomes = listOf("school/teacher", "long").map { name -> runCatching { secrets.get(name) } }
        assertEquals(1, outcomes.count { it.exceptionOrNull() is StorageException.Unavailable })

        secrets.delete("long")
        secrets.delete("long")
        assertNull(secrets.get("long"))
        secrets.deleteAll()
        assertNull(secrets.get("school/teacher"))
        secrets.put("again", byteArrayOf(1))
        assertContentEquals(byteArrayOf(1), secrets.get("again"))
    }

    @Test
    fun `secrets whose key is gone are gone, and new ones are kept`() {
        val secrets = AndroidSecretStore(context)
        secrets.put("a", byteArrayOf(1))
        keystore.made.clear()
        assertFailsWith<StorageException.Invalidated> { secrets.get("a") }
        secrets.put("b", byteArrayOf(2))
        assertContentEquals(byteArrayOf(2), secrets.get("b"))
        assertNull(secrets.get("a"))
    }

    @Test
    fun `a hub takes what the phone signs, and a login under way survives the end of the app`() = runBlocking<Unit> {
        HubProcess().use { hub ->
            open(hub.address).use { register ->
                val address = register.beginLogin(LoginRequest(LoginMethod.SCHOOL, Level.L1))
                assertTrue(address.startsWith(hub.address))
            }
            assertEquals(1, keystore.pairs.size)
            open(hub.address).use { register ->
                assertNotNull(register.pendingLogin())
            }
        }
    }

    private suspend fun open(hub: String) = context.openRegistro("login", hub) { it.copy(development = true) }
}
