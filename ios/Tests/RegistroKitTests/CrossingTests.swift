import RegistroKit
import Testing

/// What every call relies on: it crosses, and its errors arrive typed.
@Suite struct CrossingTests {
    @Test func theLibraryNamesItsVersion() {
        #expect(libraryVersion().split(separator: ".").count == 3)
    }

    @Test func aHubThatServesAnswers() async throws {
        let hub = try HubProcess()
        defer { hub.stop() }
        try await checkHub(address: hub.address)
    }

    @Test func anAddressThatIsNotHTTPSIsAnErrorOfItsKind() async throws {
        let failure = try await failureOfChecking("http://registro.example.it")
        #expect(failure == .Address)
    }

    @Test func aHubThatIsGoneIsOffline() async throws {
        let hub = try HubProcess()
        hub.stop()
        let failure = try await failureOfChecking(hub.address)
        #expect(failure == .Offline)
    }

    // Not `#expect { } throws: { }`: the compiler of Swift 6.0.3 crashes on an async body there (November 2026).
    private func failureOfChecking(_ address: String) async throws -> HubUnreachable? {
        do {
            try await checkHub(address: address)
            return nil
        } catch let failure as HubUnreachable {
            return failure
        }
    }
}
