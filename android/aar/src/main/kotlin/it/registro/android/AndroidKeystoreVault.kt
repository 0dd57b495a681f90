package it.registro.android

import android.content.Context
import android.security.keystore.KeyProperties
import it.registro.KeyVault
import it.registro.VaultException
import it.registro.android.KeystoreRefusal.State
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Wraps the keys of stores with AES-256-GCM under a key of the Android Keystore, which never leaves the device's
 * secure hardware.
 *
 * Never shows a prompt. Where the person must show themselves first it throws `NeedsUser` (the register's error says
 * `NEEDS_USER`, next step `UNLOCK`): show a `BiometricPrompt` or `createConfirmDeviceCredentialIntent`, then open
 * again. A key that the system has destroyed (the screen lock was removed, or new fingerprints with
 * [Protection.Authentication.biometricsOnly]) is `Invalidated`: that store stays shut, another one is opened for the
 * same person, and what was not sent yet is lost; so sync before asking for stricter protection.
 *
 * @property protection what new keys ask for; a key that exists keeps what it was made with.
 */
class AndroidKeystoreVault(context: Context, private val protection: Protection = Protection()) : KeyVault {
    private val keystore = Keystore(context)

    override fun wrap(alias: String, secret: ByteArray): ByteArray = typed { keys ->
        val cipher = Cipher.getInstance(TRANSFORMATION)
        // The Keystore draws the nonce: it takes none from an app.
        cipher.init(Cipher.ENCRYPT_MODE, keys.of(alias) ?: made(keys, alias))
        cipher.updateAAD(bound(alias))
        byteArrayOf(FORMAT) + cipher.iv + cipher.doFinal(secret)
    }

    override fun unwrap(alias: String, wrapped: ByteArray): ByteArray = typed { keys ->
        if (wrapped.size <= 1 + NONCE_BYTES + TAG_BYTES || wrapped[0] != FORMAT) {
            throw KeystoreRefusal(State.UNAVAILABLE, "not in this vault's format")
        }
        val key = keys.of(alias) ?: throw KeystoreRefusal(State.INVALIDATED)
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(8 * TAG_BYTES, wrapped, 1, NONCE_BYTES))
        cipher.updateAAD(bound(alias))
        cipher.doFinal(wrapped, 1 + NONCE_BYTES, wrapped.size - 1 - NONCE_BYTES)
    }

    override fun forget(alias: String) = typed { it.deleteEntry(PREFIX + alias) }

    private fun KeyStore.of(alias: String): SecretKey? = getKey(PREFIX + alias, null) as SecretKey?

    private fun made(keys: KeyStore, alias: String): SecretKey = synchronized(MAKING) {
        // Of two threads that find none, the second takes what the first has made.
        keys.of(alias) ?: keystore.made(protection) { strongBox ->
            KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, Keystore.PROVIDER).run {
                init(protection.ofWrapping(PREFIX + alias, strongBox))
                generateKey()
            }
        }
    }

    private fun <T> typed(work: (KeyStore) -> T): T = try {
        keystore.asking(protection.unlockedDevice, work)
    } catch (e: KeystoreRefusal) {
        throw when (e.state) {
            State.NEEDS_USER -> VaultException.NeedsUser()
            State.LOCKED -> VaultException.Locked()
            State.INVALIDATED -> VaultException.Invalidated()
            State.UNAVAILABLE -> VaultException.Unavailable(e.reason)
        }
    }

    private companion object {
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        /** Other keys of the app have other names. */
        const val PREFIX = "it.registro.vault."
        const val FORMAT: Byte = 1
        /** The only nonce and tag sizes that the Keystore takes for GCM. */
        const val NONCE_BYTES = 12
        const val TAG_BYTES = 16
        val MAKING = Any()

        /** A wrapped key is of its alias and of this format, and unwraps as nothing else. */
        fun bound(alias: String): ByteArray = "registro/vault/$FORMAT/$alias".toByteArray()
    }
}
