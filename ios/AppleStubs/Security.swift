// For type-checking on Linux alone: see README.md.
import Foundation

// Bridged on Apple's systems; here the same.
public typealias CFString = String
public typealias CFDictionary = [String: Any]
public typealias CFData = Data
public typealias CFTypeRef = AnyObject
public typealias CFError = NSError
public typealias CFAllocator = NSObject
public typealias OSStatus = Int32

public final class SecKey {}
public final class SecAccessControl {}

public struct SecAccessControlCreateFlags: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
    public static let userPresence = Self(rawValue: 1)
    public static let biometryCurrentSet = Self(rawValue: 8)
    public static let privateKeyUsage = Self(rawValue: 1 << 30)
}

public struct SecKeyAlgorithm: Sendable {
    public static let eciesEncryptionCofactorVariableIVX963SHA256AESGCM = Self()
    public static let ecdsaSignatureMessageX962SHA256 = Self()
}

public let kSecClass: CFString = "stub"
public let kSecClassKey: CFString = "stub"
public let kSecAttrAccessControl: CFString = "stub"
public let kSecAttrAccessGroup: CFString = "stub"
public let kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly: CFString = "stub"
public let kSecAttrApplicationTag: CFString = "stub"
public let kSecAttrIsPermanent: CFString = "stub"
public let kSecAttrKeySizeInBits: CFString = "stub"
public let kSecAttrKeyType: CFString = "stub"
public let kSecAttrKeyTypeECSECPrimeRandom: CFString = "stub"
public let kSecAttrLabel: CFString = "stub"
public let kSecAttrTokenID: CFString = "stub"
public let kSecAttrTokenIDSecureEnclave: CFString = "stub"
public let kSecPrivateKeyAttrs: CFString = "stub"
public let kSecClassGenericPassword: CFString = "stub"
public let kSecAttrService: CFString = "stub"
public let kSecAttrAccount: CFString = "stub"
public let kSecAttrAccessible: CFString = "stub"
public let kSecReturnData: CFString = "stub"
public let kSecValueData: CFString = "stub"
public let kSecReturnRef: CFString = "stub"
public let kSecUseAuthenticationContext: CFString = "stub"

public let errSecSuccess: OSStatus = 0
public let errSecParam: OSStatus = -50
public let errSecUserCanceled: OSStatus = -128
public let errSecAuthFailed: OSStatus = -25293
public let errSecItemNotFound: OSStatus = -25300
public let errSecInteractionNotAllowed: OSStatus = -25308
public let errSecDecode: OSStatus = -26275

public func SecItemCopyMatching(_ query: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus {
    errSecItemNotFound
}

public func SecItemAdd(_ attributes: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus {
    errSecSuccess
}

public func SecItemUpdate(_ query: CFDictionary, _ attributes: CFDictionary) -> OSStatus { errSecSuccess }

public func SecItemDelete(_ query: CFDictionary) -> OSStatus { errSecItemNotFound }

public func SecAccessControlCreateWithFlags(
    _ allocator: CFAllocator?, _ protection: CFString, _ flags: SecAccessControlCreateFlags,
    _ error: UnsafeMutablePointer<Unmanaged<CFError>?>?
) -> SecAccessControl? { nil }

public func SecKeyCreateRandomKey(
    _ parameters: CFDictionary, _ error: UnsafeMutablePointer<Unmanaged<CFError>?>?
) -> SecKey? { nil }

public func SecKeyCopyPublicKey(_ key: SecKey) -> SecKey? { nil }

public func SecKeyCreateEncryptedData(
    _ key: SecKey, _ algorithm: SecKeyAlgorithm, _ plaintext: CFData,
    _ error: UnsafeMutablePointer<Unmanaged<CFError>?>?
) -> CFData? { nil }

public func SecKeyCreateDecryptedData(
    _ key: SecKey, _ algorithm: SecKeyAlgorithm, _ ciphertext: CFData,
    _ error: UnsafeMutablePointer<Unmanaged<CFError>?>?
) -> CFData? { nil }

public func SecKeyCreateSignature(
    _ key: SecKey, _ algorithm: SecKeyAlgorithm, _ data: CFData,
    _ error: UnsafeMutablePointer<Unmanaged<CFError>?>?
) -> CFData? { nil }

public func SecKeyCopyExternalRepresentation(
    _ key: SecKey, _ error: UnsafeMutablePointer<Unmanaged<CFError>?>?
) -> CFData? { nil }
