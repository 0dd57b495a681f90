#if canImport(Security) && canImport(LocalAuthentication)
import Foundation
import LocalAuthentication
import Security

/// What a key asks for before it works. It always works on this device alone, from its first unlock after a restart on:
/// a sync in the background needs it.
public enum KeyProtection: Sendable {
    /// Nothing more.
    case device
    /// The person: biometrics or the passcode.
    case person
    /// The person, by the biometrics that are enrolled now. Others destroy the key, and what was not sent yet is lost.
    case biometricsOnly
}

/// Why the Keychain does not do something: the few states that an app acts on, and none of the system's texts.
enum KeychainRefusal: Error {
    case needsUser
    case locked
    case invalidated
    case unavailable(String)

    init(_ status: OSStatus, asksForPerson: Bool) {
        switch status {
        // The device was not unlocked since it started, or the key asks for the person.
        case errSecInteractionNotAllowed, errSecAuthFailed, errSecUserCanceled:
            self = asksForPerson ? .needsUser : .locked
        case errSecItemNotFound: self = .invalidated
        case errSecDecode, errSecParam: self = .unavailable("altered, or made under another key")
        default: self = .unavailable("the Keychain failed")
        }
    }

    init(_ error: Unmanaged<CFError>?, asksForPerson: Bool) {
        guard let failure = error?.takeRetainedValue() as Error? as NSError? else {
            self = .unavailable("the Keychain failed")
            return
        }
        // LocalAuthentication and the Keychain speak of the same in two ways.
        if failure.domain == LAError.errorDomain {
            self = asksForPerson ? .needsUser : .unavailable("the Keychain failed")
        } else {
            self.init(OSStatus(truncatingIfNeeded: failure.code), asksForPerson: asksForPerson)
        }
    }
}

/// P-256 keys by name: in the Secure Enclave, and in a simulator, which has none, in the Keychain.
final class KeychainKeys: @unchecked Sendable {
    private let prefix: String
    private let protection: KeyProtection
    private let accessGroup: String?
    // The library calls on any thread.
    private let lock = NSLock()
    private var context: LAContext

    init(prefix: String, protection: KeyProtection, accessGroup: String?) {
        self.prefix = prefix
        self.protection = protection
        self.accessGroup = accessGroup
        context = Self.silent(LAContext())
    }

    func unlocked(by evaluated: LAContext) {
        lock.withLock { context = Self.silent(evaluated) }
    }

    func find(_ name: String) throws -> SecKey? {
        var query = query(name)
        query[kSecReturnRef as String] = true
        query[kSecUseAuthenticationContext as String] = lock.withLock { context }
        var found: CFTypeRef?
        switch SecItemCopyMatching(query as CFDictionary, &found) {
        case errSecSuccess: return (found as! SecKey)
        case errSecItemNotFound: return nil
        case let status: throw KeychainRefusal(status, asksForPerson: asksForPerson)
        }
    }

    /// - Parameter protection: the one that all keys have, unless a key is made with another.
    func make(_ name: String, protection: KeyProtection? = nil) throws -> SecKey {
        var flags: SecAccessControlCreateFlags = []
        if Self.hasEnclave { flags.insert(.privateKeyUsage) }
        switch protection ?? self.protection {
        case .device: break
        case .person: flags.insert(.userPresence)
        case .biometricsOnly: flags.insert(.biometryCurrentSet)
        }
        var error: Unmanaged<CFError>?
        let access = SecAccessControlCreateWithFlags(
            nil, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, flags, &error)
        guard let access else { throw refusal(error) }
        var attributes = query(name)
        attributes[kSecAttrKeySizeInBits as String] = 256
        if Self.hasEnclave { attributes[kSecAttrTokenID as String] = kSecAttrTokenIDSecureEnclave }
        let lasting: [String: Any] = [
            kSecAttrIsPermanent as String: true,
            kSecAttrAccessControl as String: access,
        ]
        attributes[kSecPrivateKeyAttrs as String] = lasting
        guard let key = SecKeyCreateRandomKey(attributes as CFDictionary, &error) else { throw refusal(error) }
        return key
    }

    func delete(_ name: String) throws {
        try Self.delete(query(name), asksForPerson: asksForPerson)
    }

    func refusal(_ error: Unmanaged<CFError>?) -> KeychainRefusal {
        KeychainRefusal(error, asksForPerson: asksForPerson)
    }

    /// Destroys all keys and secrets of the register.
    static func deleteEverything(accessGroup: String?) throws {
        for (itemClass, attribute) in [(kSecClassKey, kSecAttrLabel), (kSecClassGenericPassword, kSecAttrService)] {
            var query: [String: Any] = [kSecClass as String: itemClass, attribute as String: label]
            if let accessGroup { query[kSecAttrAccessGroup as String] = accessGroup }
            try delete(query, asksForPerson: false)
        }
    }

    static func delete(_ query: [String: Any], asksForPerson: Bool) throws {
        let status = SecItemDelete(query as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else {
            throw KeychainRefusal(status, asksForPerson: asksForPerson)
        }
    }

    /// What all items of the register are labelled with.
    static let label = "it.registro"

    private func query(_ name: String) -> [String: Any] {
        var query: [String: Any] = [
            kSecClass as String: kSecClassKey,
            kSecAttrKeyType as String: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrLabel as String: Self.label,
            kSecAttrApplicationTag as String: Data("\(prefix).\(name)".utf8),
        ]
        if let accessGroup { query[kSecAttrAccessGroup as String] = accessGroup }
        return query
    }

    // Keys that ask for nothing never meet a refusal that a person could answer.
    private var asksForPerson: Bool {
        if case .device = protection { false } else { true }
    }

    private static func silent(_ context: LAContext) -> LAContext {
        context.interactionNotAllowed = true
        return context
    }

    #if targetEnvironment(simulator)
    private static let hasEnclave = false
    #else
    private static let hasEnclave = true
    #endif
}
#endif
