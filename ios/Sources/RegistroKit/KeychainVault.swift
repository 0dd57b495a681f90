#if canImport(Security) && canImport(LocalAuthentication)
import Foundation
import LocalAuthentication
import Security

/// Wraps the keys of stores under a P-256 key of the Secure Enclave (ECIES with AES-GCM), which never leaves this
/// device, neither by a backup nor by synchronisation. In a simulator the key is in the Keychain instead.
///
/// Never shows a prompt. Where the person must show themselves first it throws `NeedsUser` (the register's error says
/// `.needsUser`, next step `.unlock`): evaluate an `LAContext`, hand it to ``unlocked(by:)``, and open again. A key that
/// the system has destroyed (the passcode was removed, or other biometrics) is `Invalidated`: that store stays shut, and
/// what was not sent yet is lost; so sync before asking for stricter protection.
public final class KeychainVault: KeyVault {
    private let keys: KeychainKeys

    /// - Parameters:
    ///   - protection: what new keys ask for; a key that exists keeps what it was made with.
    ///   - accessGroup: the Keychain group that the app shares with its extensions; the app's own without one.
    public init(protection: KeyProtection = .device, accessGroup: String? = nil) {
        keys = KeychainKeys(prefix: "it.registro.vault", protection: protection, accessGroup: accessGroup)
    }

    /// Takes over what the person has shown: an `LAContext` that was evaluated with success.
    public func unlocked(by evaluated: LAContext) {
        keys.unlocked(by: evaluated)
    }

    /// Destroys the keys and secrets that an earlier installation of the app left: the Keychain outlives it, its stores
    /// do not. Call it before the first `open`; from the second time on it does nothing.
    public static func purgeAtFirstRun(defaults: UserDefaults = .standard, accessGroup: String? = nil) throws {
        let mark = "it.registro.keychain.purged"
        if defaults.bool(forKey: mark) { return }
        try typed { try KeychainKeys.deleteEverything(accessGroup: accessGroup) }
        defaults.set(true, forKey: mark)
    }

    public func wrap(alias: String, secret: Data) throws -> Data {
        try Self.typed {
            let key = try keys.find(alias) ?? keys.make(alias)
            guard let open = SecKeyCopyPublicKey(key) else { throw KeychainRefusal.invalidated }
            var error: Unmanaged<CFError>?
            guard let sealed = SecKeyCreateEncryptedData(open, Self.algorithm, secret as CFData, &error) else {
                throw keys.refusal(error)
            }
            return Data([Self.format]) + (sealed as Data)
        }
    }

    public func unwrap(alias: String, wrapped: Data) throws -> Data {
        try Self.typed {
            guard wrapped.first == Self.format else { throw KeychainRefusal.unavailable("not in this vault's format") }
            guard let key = try keys.find(alias) else { throw KeychainRefusal.invalidated }
            var error: Unmanaged<CFError>?
            let sealed = Data(wrapped.dropFirst())
            guard let secret = SecKeyCreateDecryptedData(key, Self.algorithm, sealed as CFData, &error) else {
                throw keys.refusal(error)
            }
            return secret as Data
        }
    }

    public func forget(alias: String) throws {
        try Self.typed { try keys.delete(alias) }
    }

    private static func typed<Result>(_ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch let refusal as KeychainRefusal {
            throw switch refusal {
            case .needsUser: VaultError.NeedsUser
            case .locked: VaultError.Locked
            case .invalidated: VaultError.Invalidated
            case .unavailable(let reason): VaultError.Unavailable(reason: reason)
            }
        }
    }

    private static let format: UInt8 = 1
    private static var algorithm: SecKeyAlgorithm { .eciesEncryptionCofactorVariableIVX963SHA256AESGCM }
}
#endif
