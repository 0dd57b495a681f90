package it.registro.android

import android.content.Context
import it.registro.KeyVault
import it.registro.OpenOptions
import it.registro.Registro
import it.registro.SecretStore
import it.registro.SigningKeys
import java.io.File
import java.security.MessageDigest

/** Where the stores of an app's accounts are: in its own storage, where no backup looks. */
object RegistroStorage {
    /**
     * The folder of one account's store. [account] is what the app calls it, such as the school and the person's id;
     * the folder's name does not say it.
     */
    fun folder(context: Context, account: String): File {
        val digest = MessageDigest.getInstance("SHA-256").digest(account.toByteArray())
        val name = digest.take(16).joinToString("") { "%02x".format(it) }
        return File(context.noBackupFilesDir, "registro/$name")
    }
}

/**
 * Opens the register of one account on this device, without a connection.
 *
 * @param account what the app calls it: one store for each.
 * @param hub address of the school's hub, such as `https://registro.example.it`.
 * @param options what else there is to say of it: `{ it.copy(deviceLabel = "Tablet 3A") }`.
 * @throws it.registro.RegistroException as `Registro.open` does.
 */
suspend fun Context.openRegistro(
    account: String,
    hub: String,
    vault: KeyVault = AndroidKeystoreVault(this),
    keys: SigningKeys = AndroidSigningKeys(this),
    secrets: SecretStore = AndroidSecretStore(this),
    options: (OpenOptions) -> OpenOptions = { it },
): Registro = Registro.open(options(OpenOptions(RegistroStorage.folder(this, account).path, hub)), vault, keys, secrets)
