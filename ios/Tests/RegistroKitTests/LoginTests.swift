import Foundation
import RegistroKit
import Testing

private let callbackScheme = "it.registro.app:/callback"

/// A whole login against a real hub, with the school's credentials; the browser's part by HTTP.
@Suite struct LoginTests {
    private let bySchool = LoginRequest(method: .school, level: .l1)

    /// The browser's part: the school's page, then consent to this device.
    private func throughThePages(_ address: String, _ who: (username: String, password: String)) async throws -> String {
        let browser = LoginBrowser(callback: callbackScheme)
        _ = try await browser.open(address)
        _ = try await browser.submit(["username": who.username, "password": who.password])
        return try #require(try await browser.submit([:], button: "allow"))
    }

    @Test func aTeacherLogsInWorksSignsOutAndLogsInAgain() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        let credentials = try await hub.firstAccess("D020")
        let written = try await writtenAfterALogin(folder, hub, credentials)

        // The app is started again: the session is there, and sends.
        let register = try await open(folder, hub.address)
        #expect(try await register.session() == SessionView(level: .l1, ended: false))
        _ = try await register.sync()
        let entry = try #require(try register.written().first { $0.command == written })
        guard case .confirmed = entry.delivery else {
            Issue.record("\(entry.delivery)")
            return
        }
        #expect(try await register.sessions().map(\.this) == [true])

        #expect(try await register.logout() == LogoutReport(unsent: 0, told: true))
        #expect(try await register.session() == nil)
        let gone = try await failure { _ = try register.teacher().classView(classCode: "3A", date: day) }
        #expect(gone.kind == .notFound)
        #expect(try await failure { _ = try await register.sync() }.kind == .notLoggedIn)
        let address = try await register.beginLogin(request: bySchool)
        _ = try await register.completeLogin(callback: try await throughThePages(address, credentials))
        _ = try await register.sync()
        #expect(try !register.teacher().classView(classCode: "3A", date: day).pupils.isEmpty)
    }

    /// The store is closed when this returns.
    private func writtenAfterALogin(
        _ folder: Folder, _ hub: HubProcess, _ credentials: (username: String, password: String)
    ) async throws -> String {
        let register = try await open(folder, hub.address)
        #expect(try await register.session() == nil)
        let address = try await register.beginLogin(request: bySchool)
        #expect(try await register.pendingLogin() != nil)
        let callback = try await throughThePages(address, credentials)
        let profile = try await register.completeLogin(callback: callback)
        #expect(profile.level == .l1 && profile.roles.contains("teacher") && profile.roles.contains("guardian"))
        #expect(try await register.pendingLogin() == nil)
        _ = try await register.sync()
        let teacher = register.teacher()
        let pupil = try teacher.classView(classCode: "3A", date: day).pupils[0].pupil
        return try await teacher.markAbsent(classCode: "3A", pupil: pupil, date: day, slot: 1)
    }

    @Test func anAddressThatIsOfNoLoginThatIsOpenIsRefusedAndTheLoginStaysOpen() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        let credentials = try await hub.firstAccess("D020")
        let register = try await open(folder, hub.address)
        let address = try await register.beginLogin(request: bySchool)
        let callback = try await throughThePages(address, credentials)
        try await register.abortLogin()
        let forged = callback.replacingOccurrences(of: "state=", with: "state=x")
        let refused = try await failure { _ = try await register.completeLogin(callback: forged) }
        #expect(refused.kind == .untrusted && !refused.debug.contains("code="))
        _ = try await register.completeLogin(callback: callback)
        #expect(try await failure { _ = try await register.completeLogin(callback: callback) }.kind == .untrusted)
    }

    @Test func whatThePlatformCannotKeepIsATypedError() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        let options = folder.options(hub.address)
        let vault = fileVault(directory: folder.url.appendingPathComponent("keys").path)
        let register = try await Registro.open(
            options: options, vault: vault, keys: LockedKeys(), secrets: folder.secrets
        )
        let locked = try await failure { _ = try await register.beginLogin(request: bySchool) }
        #expect(locked.kind == .locked && locked.nextStep == .unlock)
    }
}

/// Keys that wait for the person.
private final class LockedKeys: SigningKeys {
    func createKey(alias: String, needsUnlock: Bool) throws -> Data { throw StorageError.NeedsUser }
    func publicKey(alias: String) throws -> Data { throw StorageError.NeedsUser }
    func sign(alias: String, data: Data) throws -> Data { throw StorageError.NeedsUser }
    func deleteKey(alias: String) throws {}
}
