package it.registro.android

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import java.io.InputStream
import java.io.OutputStream
import java.security.AlgorithmParameters
import java.security.InvalidAlgorithmParameterException
import java.security.InvalidKeyException
import java.security.Key
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.KeyPairGeneratorSpi
import java.security.KeyStoreSpi
import java.security.PrivateKey
import java.security.Provider
import java.security.PublicKey
import java.security.SecureRandom
import java.security.Security
import java.security.Signature
import java.security.SignatureSpi
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.Cipher
import javax.crypto.CipherSpi
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

/**
 * Test only: stands in for the provider `AndroidKeyStore`, which Robolectric does not have. Keys are in memory and
 * never leave it; it refuses what a phone refuses. What only a phone can show (hardware, real prompts) it does not.
 */
class KeystoreStandIn : Provider("AndroidKeyStore", "1", "test only"), AutoCloseable {
    /** Why keys do not work now. */
    enum class Refusal { NONE, NEEDS_USER, INVALIDATED, LOCKED_DEVICE }

    /** What the phone says when a key is used. */
    var refusal = Refusal.NONE

    /** Whether there is a StrongBox. */
    var strongBox = true

    /** The keys, and what they were made with. */
    val made = Collections.synchronizedMap(mutableMapOf<String, StandInKey>())

    /** The pairs of keys that sign, and what they were made with. */
    val pairs: MutableMap<String, StandInPair> = Collections.synchronizedMap(mutableMapOf())

    init {
        serve("KeyStore", "AndroidKeyStore") { Keys() }
        serve("KeyPairGenerator", "EC") { PairGenerator() }
        val signing = mapOf("SupportedKeyClasses" to StandInPair::class.java.name)
        serve("Signature", "SHA256withECDSA", signing) { Ecdsa() }
        serve("KeyGenerator", "AES") { Generator() }
        serve("Cipher", "AES/GCM/NoPadding", mapOf("SupportedKeyClasses" to StandInKey::class.java.name)) { Gcm() }
        Security.insertProviderAt(this, 1)
    }

    override fun close() = Security.removeProvider(name)

    private fun serve(type: String, algorithm: String, attributes: Map<String, String> = mapOf(), make: () -> Any) {
        putService(object : Service(this, type, algorithm, "stand-in", null, attributes) {
            override fun newInstance(parameter: Any?): Any = make()
        })
    }

    /** A key that shows nothing of itself. */
    class StandInKey(val specification: KeyGenParameterSpec, internal val bytes: ByteArray) : SecretKey {
        override fun getAlgorithm() = "AES"

        override fun getFormat(): String? = null

        override fun getEncoded(): ByteArray? = null
    }

    /** A private key that shows nothing of itself. */
    class StandInPair(val specification: KeyGenParameterSpec, internal val pair: KeyPair) : PrivateKey {
        override fun getAlgorithm() = "EC"

        override fun getFormat(): String? = null

        override fun getEncoded(): ByteArray? = null
    }

    private fun refuse() = when (refusal) {
        Refusal.NONE -> Unit
        Refusal.NEEDS_USER -> throw UserNotAuthenticatedException("secret of the system")
        Refusal.INVALIDATED -> throw KeyPermanentlyInvalidatedException("secret of the system")
        Refusal.LOCKED_DEVICE -> throw InvalidKeyException("secret of the system")
    }

    /** Who does the real work: one that does not turn to another for its curves, as Java's own does. */
    private fun other(type: String, algorithm: String): Provider =
        Security.getProviders().first { it !== this && it.getService(type, algorithm) != null }

    private inner class PairGenerator : KeyPairGeneratorSpi() {
        private lateinit var specification: KeyGenParameterSpec

        override fun initialize(size: Int, random: SecureRandom?) = throw UnsupportedOperationException()

        override fun initialize(parameters: AlgorithmParameterSpec, random: SecureRandom?) {
            specification = parameters as KeyGenParameterSpec
        }

        override fun generateKeyPair(): KeyPair {
            if (specification.isStrongBoxBacked && !strongBox) throw StrongBoxUnavailableException("no chip")
            val real = KeyPairGenerator.getInstance("EC", other("KeyPairGenerator", "EC"))
            real.initialize(specification.algorithmParameterSpec)
            val key = StandInPair(specification, real.generateKeyPair())
            pairs[specification.keystoreAlias] = key
            return KeyPair(key.pair.public, key)
        }
    }

    private inner class Ecdsa : SignatureSpi() {
        private val real = Signature.getInstance("SHA256withECDSA", other("KeyPairGenerator", "EC"))

        override fun engineInitSign(key: PrivateKey) {
            if (key !is StandInPair) throw InvalidKeyException("not of this store")
            refuse()
            real.initSign(key.pair.private)
        }

        override fun engineInitVerify(key: PublicKey) = throw InvalidKeyException("not here")

        override fun engineUpdate(byte: Byte) = real.update(byte)

        override fun engineUpdate(bytes: ByteArray, offset: Int, length: Int) = real.update(bytes, offset, length)

        override fun engineSign(): ByteArray = real.sign()

        override fun engineVerify(signature: ByteArray) = throw UnsupportedOperationException()

        @Deprecated("Deprecated in Java")
        override fun engineSetParameter(name: String, value: Any?) = Unit

        @Deprecated("Deprecated in Java")
        override fun engineGetParameter(name: String): Any? = null
    }

    /** What a phone makes of a public key for its own use: a certificate by the key itself. */
    private class OwnCertificate(private val key: PublicKey) : Certificate("stand-in") {
        override fun getEncoded() = ByteArray(0)

        override fun verify(key: PublicKey) = Unit

        override fun verify(key: PublicKey, provider: String) = Unit

        override fun toString() = "stand-in"

        override fun getPublicKey() = key
    }

    private inner class Generator : KeyGeneratorSpi() {
        private lateinit var specification: KeyGenParameterSpec

        override fun engineInit(parameters: AlgorithmParameterSpec, random: SecureRandom?) {
            specification = parameters as KeyGenParameterSpec
        }

        override fun engineInit(random: SecureRandom?) = throw UnsupportedOperationException()

        override fun engineInit(size: Int, random: SecureRandom?) = throw UnsupportedOperationException()

        override fun engineGenerateKey(): SecretKey {
            if (specification.isStrongBoxBacked && !strongBox) throw StrongBoxUnavailableException("no chip")
            val bytes = ByteArray(specification.keySize / 8).also { SecureRandom().nextBytes(it) }
            return StandInKey(specification, bytes).also { made[specification.keystoreAlias] = it }
        }
    }

    private inner class Gcm : CipherSpi() {
        private val real = Cipher.getInstance("AES/GCM/NoPadding", "SunJCE")

        private fun allowed(key: Key): SecretKeySpec {
            if (key !is StandInKey) throw InvalidKeyException("not of this store")
            refuse()
            return SecretKeySpec(key.bytes, "AES")
        }

        override fun engineInit(mode: Int, key: Key, random: SecureRandom?) = real.init(mode, allowed(key))

        override fun engineInit(mode: Int, key: Key, parameters: AlgorithmParameterSpec, random: SecureRandom?) {
            // As on a phone, unless a key says otherwise.
            if (mode == Cipher.ENCRYPT_MODE) throw InvalidAlgorithmParameterException("the store draws the nonce")
            real.init(mode, allowed(key), parameters)
        }

        override fun engineInit(mode: Int, key: Key, parameters: AlgorithmParameters?, random: SecureRandom?) =
            throw InvalidAlgorithmParameterException("not as parameters")

        override fun engineUpdateAAD(bytes: ByteArray, offset: Int, length: Int) = real.updateAAD(bytes, offset, length)

        override fun engineUpdate(bytes: ByteArray, offset: Int, length: Int): ByteArray? =
            real.update(bytes, offset, length)

        override fun engineUpdate(bytes: ByteArray, offset: Int, length: Int, to: ByteArray, at: Int) =
            real.update(bytes, offset, length, to, at)

        override fun engineDoFinal(bytes: ByteArray, offset: Int, length: Int): ByteArray =
            real.doFinal(bytes, offset, length)

        override fun engineDoFinal(bytes: ByteArray, offset: Int, length: Int, to: ByteArray, at: Int) =
            real.doFinal(bytes, offset, length, to, at)

        override fun engineGetIV(): ByteArray = real.iv

        override fun engineGetParameters(): AlgorithmParameters = real.parameters

        override fun engineGetBlockSize() = real.blockSize

        override fun engineGetOutputSize(length: Int) = real.getOutputSize(length)

        override fun engineSetMode(mode: String) = Unit

        override fun engineSetPadding(padding: String) = Unit
    }

    private inner class Keys : KeyStoreSpi() {
        override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit

        override fun engineGetKey(alias: String, password: CharArray?): Key? = made[alias] ?: pairs[alias]

        override fun engineDeleteEntry(alias: String) {
            made.remove(alias)
            pairs.remove(alias)
        }

        override fun engineContainsAlias(alias: String) = alias in made

        override fun engineIsKeyEntry(alias: String) = alias in made

        override fun engineAliases(): Enumeration<String> = Collections.enumeration(made.keys.toList())

        override fun engineSize() = made.size

        override fun engineGetCertificateChain(alias: String): Array<Certificate>? = null

        override fun engineGetCertificate(alias: String): Certificate? =
            pairs[alias]?.let { OwnCertificate(it.pair.public) }

        override fun engineGetCreationDate(alias: String): Date? = null

        override fun engineIsCertificateEntry(alias: String) = false

        override fun engineGetCertificateAlias(certificate: Certificate): String? = null

        override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?) =
            throw UnsupportedOperationException()

        override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?) =
            throw UnsupportedOperationException()

        override fun engineSetCertificateEntry(alias: String, certificate: Certificate) =
            throw UnsupportedOperationException()

        override fun engineStore(stream: OutputStream?, password: CharArray?) = Unit
    }
}
