#if canImport(Security) && canImport(LocalAuthentication)
import Foundation
import LocalAuthentication
import Security

/// P-256 keys of the Secure Enclave, to which a login's tokens are bound (DPoP, RFC 9449): a token that was copied from
/// the device is worth nothing elsewhere. Never shows a prompt, as ``KeychainVault``.
public final class KeychainSigningKeys: SigningKeys {
    private let keys: KeychainKeys

    /// - Parameters:
    ///   - protection: what keys ask for that must be unlocked; those for the background ask for nothing.
    ///   - accessGroup: the Keychain group that the app shares with its extensions; the app's own without one.
    public init(protection: KeyProtection = .person, accessGroup: String? = nil) {
        keys = KeychainKeys(prefix: "it.registro.login", protection: protection, accessGroup: accessGroup)
    }

    /// Takes over what the person has shown: an `LAContext` that was evaluated with success.
    public func unlocked(by evaluated: LAContext) {
        keys.unlocked(by: evaluated)
    }

    public func createKey(alias: String, needsUnlock: Bool) throws -> Data {
        try storage {
            try keys.delete(alias)
            return try point(keys.make(alias, protection: needsUnlock ? nil : .device))
        }
    }

    public func publicKey(alias: String) throws -> Data {
        try storage { try point(found(alias)) }
    }

    public func sign(alias: String, data: Data) throws -> Data {
        try storage {
            var error: Unmanaged<CFError>?
            let signature = SecKeyCreateSignature(
                try found(alias), .ecdsaSignatureMessageX962SHA256, data as CFData, &error)
            guard let signature else { throw keys.refusal(error) }
            return signature as Data
        }
    }

    public func deleteKey(alias: String) throws {
        try storage { try keys.delete(alias) }
    }

    private func found(_ alias: String) throws -> SecKey {
        guard let key = try keys.find(alias) else { throw KeychainRefusal.invalidated }
        return key
    }

    /// `04 ‖ x ‖ y` (X9.63, uncompressed), as the system gives it.
    private func point(_ key: SecKey) throws -> Data {
        var error: Unmanaged<CFError>?
        guard let open = SecKeyCopyPublicKey(key), let point = SecKeyCopyExternalRepresentation(open, &error) else {
            throw keys.refusal(error)
        }
        return point as Data
    }
}

/// The small secrets of logins, in the Keychain of this device alone. One serves all accounts of an app.
public final class KeychainSecretStore: SecretStore {
    private let accessGroup: String?

    /// - Parameter accessGroup: the Keychain group that the app shares with its extensions; the app's own without one.
    public init(accessGroup: String? = nil) {
        self.accessGroup = accessGroup
    }

    public func put(name: String, secret: Data) throws {
        try storage {
            let kept: [String: Any] = [kSecValueData as String: secret]
            var status = SecItemUpdate(query(name) as CFDictionary, kept as CFDictionary)
            if status == errSecItemNotFound {
                var added = query(name)
                added[kSecValueData as String] = secret
                added[kSecAttrAccessible as String] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
                status = SecItemAdd(added as CFDictionary, nil)
            }
            guard status == errSecSuccess else { throw KeychainRefusal(status, asksForPerson: false) }
        }
    }

    public func get(name: String) throws -> Data? {
        try storage {
            var query = query(name)
            query[kSecReturnData as String] = true
            var found: CFTypeRef?
            switch SecItemCopyMatching(query as CFDictionary, &found) {
            case errSecSuccess: return found as? Data
            case errSecItemNotFound: return nil
            case let status: throw KeychainRefusal(status, asksForPerson: false)
            }
        }
    }

    public func delete(name: String) throws {
        try storage { try KeychainKeys.delete(query(name), asksForPerson: false) }
    }

    public func deleteAll() throws {
        try storage { try KeychainKeys.delete(query(nil), asksForPerson: false) }
    }

    private func query(_ name: String?) -> [String: Any] {
        var query: [String: Any] = [
            kSecClass as String: kSecClassGenericPassword,
            kSecAttrService as String: KeychainKeys.label,
        ]
        if let name { query[kSecAttrAccount as String] = name }
        if let accessGroup { query[kSecAttrAccessGroup as String] = accessGroup }
        return query
    }
}

/// A refusal of the Keychain, as the login knows it.
private func storage<Result>(_ work: () throws -> Result) throws -> Result {
    do {
        return try work()
    } catch let refusal as KeychainRefusal {
        throw switch refusal {
        case .needsUser: StorageError.NeedsUser
        case .locked: StorageError.Locked
        case .invalidated: StorageError.Invalidated
        case .unavailable(let reason): StorageError.Unavailable(reason: reason)
        }
    }
}
#endif
