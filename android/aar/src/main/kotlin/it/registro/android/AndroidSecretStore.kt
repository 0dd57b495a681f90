package it.registro.android

import android.content.Context
import android.util.AtomicFile
import it.registro.SecretStore
import it.registro.StorageException
import it.registro.VaultException
import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.MessageDigest
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.spec.GCMParameterSpec
import javax.crypto.spec.SecretKeySpec

/**
 * The small secrets of logins, in files that no backup takes, sealed with AES-256-GCM under a key that a key of the
 * Keystore wraps: tokens are longer than a security chip cares to encrypt. One serves all accounts of an app.
 */
class AndroidSecretStore(context: Context, protection: Protection = Protection()) : SecretStore {
    private val folder = File(context.noBackupFilesDir, "registro-secrets")
    private val vault = AndroidKeystoreVault(context, protection)

    override fun put(name: String, secret: ByteArray) = sealed {
        if (secret.size > MAX_BYTES) throw StorageException.Unavailable("longer than a secret may be")
        val key = try {
            key()
        } catch (e: VaultException.Invalidated) {
            // What the lost key sealed is lost; a new login must be possible all the same.
            deleteAll()
            key()
        }
        val nonce = ByteArray(NONCE_BYTES).also(RANDOM::nextBytes)
        val cipher = cipher(Cipher.ENCRYPT_MODE, key, nonce, name)
        write(file(name), byteArrayOf(FORMAT) + nonce + cipher.doFinal(secret))
    }

    override fun get(name: String): ByteArray? = sealed {
        val sealed = read(file(name)) ?: return@sealed null
        if (sealed.size <= 1 + NONCE_BYTES || sealed[0] != FORMAT) {
            throw StorageException.Unavailable("not in this store's format")
        }
        val cipher = cipher(Cipher.DECRYPT_MODE, key(), sealed.copyOfRange(1, 1 + NONCE_BYTES), name)
        cipher.doFinal(sealed, 1 + NONCE_BYTES, sealed.size - 1 - NONCE_BYTES)
    }

    override fun delete(name: String) = sealed { AtomicFile(file(name)).delete() }

    override fun deleteAll() = sealed {
        folder.deleteRecursively()
        vault.forget(ALIAS)
    }

    /** The key of all files; the first time it is drawn. */
    private fun key(): SecretKeySpec = synchronized(DRAWING) {
        val wrapped = read(File(folder, KEY))
        val bytes = if (wrapped == null) {
            ByteArray(KEY_BYTES).also(RANDOM::nextBytes).also { write(File(folder, KEY), vault.wrap(ALIAS, it)) }
        } else {
            vault.unwrap(ALIAS, wrapped)
        }
        SecretKeySpec(bytes, "AES")
    }

    private fun cipher(mode: Int, key: SecretKeySpec, nonce: ByteArray, name: String) =
        Cipher.getInstance("AES/GCM/NoPadding").apply {
            init(mode, key, GCMParameterSpec(TAG_BITS, nonce))
            updateAAD("registro/secret/$FORMAT/$name".toByteArray())
        }

    // A name says whose login it is; the folder does not.
    private fun file(name: String): File {
        val digest = MessageDigest.getInstance("SHA-256").digest(name.toByteArray())
        return File(folder, digest.joinToString("") { "%02x".format(it) })
    }

    private fun read(file: File): ByteArray? =
        if (file.exists() || File(file.path + ".new").exists()) AtomicFile(file).readFully() else null

    /** Whole or not at all, also when the device loses its power. */
    private fun write(file: File, bytes: ByteArray) {
        if (!folder.isDirectory && !folder.mkdirs()) throw IOException()
        val atomic = AtomicFile(file)
        val stream = atomic.startWrite()
        try {
            stream.write(bytes)
            atomic.finishWrite(stream)
        } catch (e: IOException) {
            atomic.failWrite(stream)
            throw e
        }
    }

    /** What can go wrong, as the login knows it. */
    private fun <T> sealed(work: () -> T): T = try {
        work()
    } catch (e: VaultException.NeedsUser) {
        throw StorageException.NeedsUser()
    } catch (e: VaultException.Locked) {
        throw StorageException.Locked()
    } catch (e: VaultException.Invalidated) {
        throw StorageException.Invalidated()
    } catch (e: VaultException.Unavailable) {
        throw StorageException.Unavailable(e.reason)
    } catch (e: GeneralSecurityException) {
        throw StorageException.Unavailable("altered, or sealed under another key")
    } catch (e: IOException) {
        throw StorageException.Unavailable("the files cannot be read or written")
    }

    private companion object {
        const val ALIAS = "secrets"
        const val KEY = "key"
        const val FORMAT: Byte = 1
        const val KEY_BYTES = 32
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
        /** `SecretStore.put`. */
        const val MAX_BYTES = 64 * 1024
        val RANDOM = SecureRandom()
        val DRAWING = Any()
    }
}
