package it.registro.android

import android.app.KeyguardManager
import android.content.Context
import android.os.Build
import android.os.UserManager
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.UserNotAuthenticatedException
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import javax.crypto.AEADBadTagException

/** Why the Keystore does not do something: the few states that an app acts on, and none of the system's texts. */
internal class KeystoreRefusal(val state: State, val reason: String = "") : Exception(reason, null, false, false) {
    enum class State { NEEDS_USER, LOCKED, INVALIDATED, UNAVAILABLE }
}

/** The system's store of keys. */
internal class Keystore(context: Context) {
    private val context = context.applicationContext

    /**
     * Does something with it, and turns what the system throws into a [KeystoreRefusal].
     *
     * @param unlockedDevice whether the key works only while the device is unlocked.
     */
    fun <T> asking(unlockedDevice: Boolean, work: (KeyStore) -> T): T = try {
        work(KeyStore.getInstance(PROVIDER).apply { load(null) })
    } catch (e: KeyPermanentlyInvalidatedException) {
        throw KeystoreRefusal(KeystoreRefusal.State.INVALIDATED)
    } catch (e: UnrecoverableKeyException) {
        throw KeystoreRefusal(KeystoreRefusal.State.INVALIDATED)
    } catch (e: AEADBadTagException) {
        throw KeystoreRefusal(KeystoreRefusal.State.UNAVAILABLE, "altered, or wrapped under another key")
    } catch (e: UserNotAuthenticatedException) {
        val state = if (isLocked(false)) KeystoreRefusal.State.LOCKED else KeystoreRefusal.State.NEEDS_USER
        throw KeystoreRefusal(state)
    } catch (e: GeneralSecurityException) {
        throw unavailable(unlockedDevice)
    } catch (e: ProviderException) {
        throw unavailable(unlockedDevice)
    } catch (e: IllegalStateException) {
        throw unavailable(unlockedDevice)
    }

    /** Makes a key in the StrongBox if that is asked for and there is one that can. */
    fun <T> made(protection: Protection, make: (strongBox: Boolean) -> T): T {
        val strongBox = protection.strongBox && Build.VERSION.SDK_INT >= Build.VERSION_CODES.P
        return try {
            make(strongBox)
        } catch (e: ProviderException) {
            // A StrongBox may be missing, full, or too old for what is asked: the phone's own secure environment has
            // no such limits.
            if (strongBox) make(false) else throw e
        }
    }

    // The system has no type of its own for a key that waits for the device to be unlocked.
    private fun unavailable(unlockedDevice: Boolean) = if (isLocked(unlockedDevice)) {
        KeystoreRefusal(KeystoreRefusal.State.LOCKED)
    } else {
        KeystoreRefusal(KeystoreRefusal.State.UNAVAILABLE, "the Keystore failed")
    }

    /** Whether it was not unlocked since it started; with [now], also whether it is locked now. */
    private fun isLocked(now: Boolean): Boolean =
        context.getSystemService(UserManager::class.java)?.isUserUnlocked == false ||
            (now && context.getSystemService(KeyguardManager::class.java)?.isDeviceLocked == true)

    companion object {
        const val PROVIDER = "AndroidKeyStore"
    }
}
