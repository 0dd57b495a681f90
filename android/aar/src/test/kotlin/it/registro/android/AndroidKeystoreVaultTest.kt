package it.registro.android

import android.app.KeyguardManager
import android.content.Context
import android.os.UserManager
import android.security.keystore.KeyProperties
import it.registro.DAY
import it.registro.DeliveryState
import it.registro.ErrorKind
import it.registro.HubProcess
import it.registro.NextStep
import it.registro.RollCall
import it.registro.TimedPupil
import it.registro.VaultException
import it.registro.android.KeystoreStandIn.Refusal
import it.registro.failureOf
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertTrue

/** The vault of a phone, on a stand-in for its Keystore: what it asks for, and what its refusals become. */
@RunWith(RobolectricTestRunner::class)
class AndroidKeystoreVaultTest {
    private val keystore = KeystoreStandIn()
    private val context: Context = RuntimeEnvironment.getApplication()
    private val secret = ByteArray(32) { it.toByte() }

    @After
    fun close() = keystore.close()

    @Test
    fun `what is wrapped unwraps, under its own alias and as it was alone`() {
        val vault = AndroidKeystoreVault(context)
        val wrapped = vault.wrap("a", secret)
        assertContentEquals(secret, vault.unwrap("a", wrapped))
        assertFalse(wrapped.contentEquals(vault.wrap("a", secret)), "a nonce is used once")
        assertFailsWith<VaultException.Invalidated> { vault.unwrap("b", wrapped) }
        vault.wrap("b", secret)
        assertFailsWith<VaultException.Unavailable> { vault.unwrap("b", wrapped) }
        for (index in wrapped.indices) {
            val altered = wrapped.clone().also { it[index] = (it[index] + 1).toByte() }
            assertFailsWith<VaultException.Unavailable>("byte $index") { vault.unwrap("a", altered) }
        }
        for (size in listOf(0, 1, 13, 29)) {
            assertFailsWith<VaultException.Unavailable> { vault.unwrap("a", wrapped.copyOf(size)) }
        }
    }

    @Test
    fun `what is forgotten is gone, and forgetting what is not there does nothing`() {
        val vault = AndroidKeystoreVault(context)
        val wrapped = vault.wrap("a", secret)
        vault.forget("a")
        vault.forget("a")
        assertFailsWith<VaultException.Invalidated> { vault.unwrap("a", wrapped) }
    }

    @Test
    fun `a key is of the strongest kind that the phone has`() {
        AndroidKeystoreVault(context).wrap("a", secret)
        val made = keystore.made.getValue("it.registro.vault.a").specification
        assertTrue(made.isStrongBoxBacked && made.isRandomizedEncryptionRequired)
        assertEquals(256, made.keySize)
        assertEquals(listOf(KeyProperties.BLOCK_MODE_GCM), made.blockModes.toList())
        assertFalse(made.isUserAuthenticationRequired || made.isUnlockedDeviceRequired)

        keystore.strongBox = false
        AndroidKeystoreVault(context).wrap("b", secret)
        assertFalse(keystore.made.getValue("it.registro.vault.b").specification.isStrongBoxBacked)
    }

    @Test
    fun `a key asks for the person and for an unlocked device where the app wants it`() {
        val authentication = Protection.Authentication(validSeconds = 60, biometricsOnly = true)
        val protection = Protection(unlockedDevice = true, authentication = authentication)
        AndroidKeystoreVault(context, protection).wrap("a", secret)
        val made = keystore.made.getValue("it.registro.vault.a").specification
        assertTrue(made.isUnlockedDeviceRequired && made.isUserAuthenticationRequired)
        assertTrue(made.isInvalidatedByBiometricEnrollment)
        assertEquals(60, made.userAuthenticationValidityDurationSeconds)
        assertEquals(KeyProperties.AUTH_BIOMETRIC_STRONG, made.userAuthenticationType)
        assertFailsWith<IllegalArgumentException> { Protection.Authentication(validSeconds = 0) }
    }

    @Test
    fun `a refusal of the system is a typed state, without the system's text`() {
        val vault = AndroidKeystoreVault(context, Protection(unlockedDevice = true))
        val wrapped = vault.wrap("a", secret)
        keystore.refusal = Refusal.NEEDS_USER
        assertFailsWith<VaultException.NeedsUser> { vault.unwrap("a", wrapped) }
        keystore.refusal = Refusal.INVALIDATED
        assertFailsWith<VaultException.Invalidated> { vault.unwrap("a", wrapped) }
        assertFailsWith<VaultException.Invalidated> { vault.wrap("a", secret) }

        keystore.refusal = Refusal.LOCKED_DEVICE
        val failure = assertFailsWith<VaultException.Unavailable> { vault.unwrap("a", wrapped) }
        assertFalse(failure.reason.contains("secret"))
        shadowOf(context.getSystemService(KeyguardManager::class.java)).setIsDeviceLocked(true)
        assertFailsWith<VaultException.Locked> { vault.unwrap("a", wrapped) }
        // Whoever did not ask for an unlocked device is not told that it is locked.
        assertFailsWith<VaultException.Unavailable> { AndroidKeystoreVault(context).unwrap("a", wrapped) }
        shadowOf(context.getSystemService(UserManager::class.java)).setUserUnlocked(false)
        assertFailsWith<VaultException.Locked> { AndroidKeystoreVault(context).unwrap("a", wrapped) }
    }

    private suspend fun open(hub: String) = context.openRegistro("school/teacher", hub) { it.copy(development = true) }

    @Test
    fun `a register is opened with it, used without a connection, and stays shut without its key`() = runBlocking {
        HubProcess().use { hub ->
            open(hub.address).use { register ->
                register.logInForDevelopment("D020")
                register.sync()
                hub.stop()
                register.teacher().use { teacher ->
                    val lesson = teacher.myDay(DAY).first { it.classCode == "3A" }
                    val (absent, late) = teacher.classView("3A", DAY).pupils.map { it.pupil }
                    teacher.callRoll("3A", DAY, lesson.slot, RollCall(listOf(absent), listOf(TimedPupil(late, "08:40"))))
                    assertEquals(absent, teacher.classView("3A", DAY).pupils.single { it.day?.absent == true }.pupil)
                }
            }
            hub.start()
            keystore.refusal = Refusal.NEEDS_USER
            val shut = failureOf { open(hub.address).close() }
            assertEquals(ErrorKind.NEEDS_USER to NextStep.UNLOCK, shut.kind to shut.nextStep)
            keystore.refusal = Refusal.NONE
            open(hub.address).use { register ->
                register.logInForDevelopment("D020")
                assertEquals(1u, register.sync().confirmed)
                assertIs<DeliveryState.Confirmed>(register.written().single().delivery)
            }
            keystore.refusal = Refusal.INVALIDATED
            val gone = failureOf { open(hub.address).close() }
            assertEquals(ErrorKind.STORAGE, gone.kind)
        }
        val folder = RegistroStorage.folder(context, "school/teacher")
        assertTrue(folder.startsWith(context.noBackupFilesDir) && folder.exists() && !folder.path.contains("teacher"))
    }
}
