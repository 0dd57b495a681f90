import Foundation
import RegistroKit
import Testing

/// A lesson day of the sample school.
let day: IsoDate = "2026-11-23"

/// A new folder for a store, removed with this object, and what the platform lends: it outlives a closed register.
final class Folder {
    let keys = memorySigningKeys()
    let secrets = memorySecretStore()
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("registro-store-\(UUID().uuidString)")

    /// The store in it, at this address.
    func options(_ hub: String) -> OpenOptions {
        OpenOptions(directory: url.appendingPathComponent("store").path, hub: hub, development: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}

/// A register in this folder, at this hub, with its key in the folder beside the store.
func open(_ folder: Folder, _ hub: String) async throws -> Registro {
    try await Registro.open(
        options: folder.options(hub),
        vault: fileVault(directory: folder.url.appendingPathComponent("keys").path),
        keys: folder.keys,
        secrets: folder.secrets
    )
}

/// The failure of a call that must fail: with both sentences and a text for the log.
// Not `#expect(throws:)`: the compiler of Swift 6.0.3 crashes on an async body there (November 2026).
func failure(of call: () async throws -> Void) async throws -> Failure {
    do {
        try await call()
    } catch RegistroError.Failed(let failure) {
        #expect(!failure.italian.isEmpty && !failure.english.isEmpty && !failure.debug.isEmpty)
        return failure
    }
    throw NothingFailed()
}

/// A call that must fail did not.
struct NothingFailed: Error {}
