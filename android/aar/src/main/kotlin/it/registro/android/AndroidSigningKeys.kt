package it.registro.android

import android.content.Context
import android.security.keystore.KeyProperties
import it.registro.SigningKeys
import it.registro.StorageException
import it.registro.android.KeystoreRefusal.State
import java.math.BigInteger
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.Signature
import java.security.interfaces.ECPublicKey

/**
 * P-256 keys of the Android Keystore, to which a login's tokens are bound (DPoP, RFC 9449): a token that was copied
 * from the device is worth nothing elsewhere. Never shows a prompt; refusals are those of [AndroidKeystoreVault].
 *
 * @property protection what new keys ask for. A key that must work in the background asks for nothing but what
 *   [Protection.strongBox] says.
 */
class AndroidSigningKeys(context: Context, private val protection: Protection = Protection()) : SigningKeys {
    private val keystore = Keystore(context)

    override fun createKey(alias: String, needsUnlock: Boolean): ByteArray = typed {
        val asked = if (needsUnlock) protection.copy(unlockedDevice = true) else Protection(protection.strongBox)
        val pair = keystore.made(asked) { strongBox ->
            KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, Keystore.PROVIDER).run {
                initialize(asked.ofSigning(PREFIX + alias, strongBox))
                generateKeyPair()
            }
        }
        point(pair.public as ECPublicKey)
    }

    override fun publicKey(alias: String): ByteArray = typed { keys ->
        val certificate = keys.getCertificate(PREFIX + alias) ?: throw KeystoreRefusal(State.INVALIDATED)
        point(certificate.publicKey as ECPublicKey)
    }

    override fun sign(alias: String, data: ByteArray): ByteArray = typed { keys ->
        val key = keys.getKey(PREFIX + alias, null) as PrivateKey? ?: throw KeystoreRefusal(State.INVALIDATED)
        Signature.getInstance("SHA256withECDSA").run {
            initSign(key)
            update(data)
            sign()
        }
    }

    override fun deleteKey(alias: String) = typed { it.deleteEntry(PREFIX + alias) }

    // A key may have been made with either: whether the device is locked is looked at when a key has failed.
    private fun <T> typed(work: (KeyStore) -> T): T = storage { keystore.asking(unlockedDevice = true, work) }

    private companion object {
        const val PREFIX = "it.registro.login."
        const val COORDINATE_BYTES = 32

        /** `04 ‖ x ‖ y` (X9.63, uncompressed). */
        fun point(key: ECPublicKey): ByteArray =
            byteArrayOf(4) + padded(key.w.affineX) + padded(key.w.affineY)

        /** Java's numbers leave out leading zeros, and put one before a high bit. */
        fun padded(number: BigInteger): ByteArray {
            val bytes = number.toByteArray().takeLast(COORDINATE_BYTES).toByteArray()
            return ByteArray(COORDINATE_BYTES - bytes.size) + bytes
        }
    }
}

/** A refusal of the Keystore, as the login knows it. */
internal fun <T> storage(work: () -> T): T = try {
    work()
} catch (e: KeystoreRefusal) {
    throw when (e.state) {
        State.NEEDS_USER -> StorageException.NeedsUser()
        State.LOCKED -> StorageException.Locked()
        State.INVALIDATED -> StorageException.Invalidated()
        State.UNAVAILABLE -> StorageException.Unavailable(e.reason)
    }
}
