import Foundation
import RegistroKit
import Testing

/// A vault that the app implements.
@Suite struct VaultTests {
    /// Hides nothing: it shows only that the store's key goes through it.
    private final class AppVault: KeyVault, @unchecked Sendable {
        // The library calls it on any thread.
        private let lock = NSLock()
        private var state = (locked: false, broken: false, calls: 0)

        var calls: Int { lock.withLock { state.calls } }

        func set(locked: Bool = false, broken: Bool = false) {
            lock.withLock {
                state.locked = locked
                state.broken = broken
            }
        }

        func wrap(alias: String, secret: Data) throws -> Data { try turned(secret) }

        func unwrap(alias: String, wrapped: Data) throws -> Data { try turned(wrapped) }

        func forget(alias: String) throws {}

        private func turned(_ bytes: Data) throws -> Data {
            let (locked, broken) = lock.withLock {
                state.calls += 1
                return (state.locked, state.broken)
            }
            if broken { throw NotDeclared() }
            if locked { throw VaultError.NeedsUser }
            return Data(bytes.map { $0 ^ 0x5a })
        }
    }

    private struct NotDeclared: Error {}

    @Test func theKeyOfTheStoreGoesThroughTheVaultOfTheApp() async throws {
        let folder = Folder()
        let options = folder.options("https://registro.example.it")
        let vault = AppVault()
        _ = try await Registro.open(options: options, vault: vault, keys: folder.keys, secrets: folder.secrets)
        #expect(vault.calls > 0)

        vault.set(locked: true)
        let locked = try await failure { _ = try await Registro.open(options: options, vault: vault, keys: folder.keys, secrets: folder.secrets) }
        #expect(locked.kind == .needsUser && locked.nextStep == .unlock)

        vault.set(broken: true)
        let broken = try await failure { _ = try await Registro.open(options: options, vault: vault, keys: folder.keys, secrets: folder.secrets) }
        #expect(broken.kind == .storage && !broken.debug.contains("NotDeclared"))

        vault.set()
        _ = try await Registro.open(options: options, vault: vault, keys: folder.keys, secrets: folder.secrets)
    }

    @Test func anotherVaultDoesNotOpenTheStore() async throws {
        let folder = Folder()
        let options = folder.options("https://registro.example.it")
        _ = try await Registro.open(options: options, vault: memoryVault(), keys: folder.keys, secrets: folder.secrets)
        let other = try await failure { _ = try await Registro.open(options: options, vault: memoryVault(), keys: folder.keys, secrets: folder.secrets) }
        #expect(other.kind == .storage)
    }
}
