package it.registro.android

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.security.spec.ECGenParameterSpec

/**
 * What a key of the Keystore asks for before it works.
 *
 * @property strongBox keeps it in the device's separate security chip (API 28) where there is one; otherwise in the
 *   processor's secure environment.
 * @property unlockedDevice works only while the device is unlocked (API 28). Then a sync in the background cannot open
 *   the store of a locked phone: it says `Locked`, and the next one in the foreground catches up. Without it the key
 *   works from the first unlock after a restart on.
 * @property authentication works only after the person has shown themselves; null: whoever unlocks the device.
 */
data class Protection(
    val strongBox: Boolean = true,
    val unlockedDevice: Boolean = false,
    val authentication: Authentication? = null,
) {
    /**
     * @property validSeconds for how long the key works after the person has shown themselves; at least one second.
     * @property biometricsOnly takes no PIN, pattern or password in their place (API 30). New fingerprints or faces
     *   then destroy the key: what was not sent yet is lost with it.
     */
    data class Authentication(val validSeconds: Int, val biometricsOnly: Boolean = false) {
        init {
            require(validSeconds >= 1) { "a key for a single use needs its prompt inside the call" }
        }
    }

    /** A key that wraps secrets. */
    internal fun ofWrapping(name: String, strongBox: Boolean): KeyGenParameterSpec =
        KeyGenParameterSpec.Builder(name, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setKeySize(256)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setRandomizedEncryptionRequired(true)
            .protected(strongBox)

    /** A key that signs: ECDSA on P-256 with SHA-256, `ES256` of RFC 7518 §3.4. */
    internal fun ofSigning(name: String, strongBox: Boolean): KeyGenParameterSpec =
        KeyGenParameterSpec.Builder(name, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
            .setDigests(KeyProperties.DIGEST_SHA256)
            .protected(strongBox)

    private fun KeyGenParameterSpec.Builder.protected(strongBox: Boolean): KeyGenParameterSpec {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
            setIsStrongBoxBacked(strongBox).setUnlockedDeviceRequired(unlockedDevice)
        }
        authentication?.let { askFor(it) }
        return build()
    }

    private fun KeyGenParameterSpec.Builder.askFor(asked: Authentication) {
        setUserAuthenticationRequired(true)
        setInvalidatedByBiometricEnrollment(true)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            val credential = if (asked.biometricsOnly) 0 else KeyProperties.AUTH_DEVICE_CREDENTIAL
            setUserAuthenticationParameters(asked.validSeconds, KeyProperties.AUTH_BIOMETRIC_STRONG or credential)
        } else {
            @Suppress("DEPRECATION")
            setUserAuthenticationValidityDurationSeconds(asked.validSeconds)
        }
    }
}
