import Foundation
import RegistroKit
import Testing

/// Opening, closing, waiting, and what is said when something cannot be done.
@Suite struct RegisterTests {
    @Test func whatCannotBeDoneIsATypedErrorWithItsSentences() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        let register = try await open(folder, hub.address)
        #expect(try await failure { _ = try register.person() }.kind == .notLoggedIn)
        #expect(try await failure { _ = try await register.sync() }.nextStep == .logIn)
        _ = try await register.logInForDevelopment(person: "D020")
        _ = try await register.sync()
        let teacher = register.teacher()

        #expect(try await failure { _ = try teacher.classView(classCode: "9Z", date: day) }.kind == .notFound)
        let bad = try await failure { _ = try teacher.classView(classCode: "3A", date: "23/11/2026") }
        #expect(bad.kind == .invalidInput && bad.nextStep == .correct && bad.debug.contains("date"))
        // Also where it crosses inside a record of an asynchronous call.
        let pupil = try teacher.classView(classCode: "3A", date: day).pupils[0].pupil
        for late in [TimedPupil(pupil: pupil, time: "25:00"), TimedPupil(pupil: "nobody", time: "08:40")] {
            let roll = RollCall(absent: [], late: [late])
            let kind = try await failure {
                _ = try await teacher.callRoll(classCode: "3A", date: day, slot: 1, roll: roll)
            }.kind
            #expect(kind == .invalidInput)
        }
        let rule = try await failure {
            _ = try await teacher.markEntry(classCode: "3A", pupil: pupil, date: day, slot: 1, time: "07:00")
        }
        #expect(rule.kind == .rule && rule.italian.contains("entrata"))
        #expect(try register.written().isEmpty)

        let other = try await failure { _ = try await register.logInForDevelopment(person: "D025") }
        #expect(other.kind == .notAllowed)
    }

    @Test func aStoreIsOpenOnceAndOpensAgainWithTheSameVault() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        var person: String?
        do {
            let register = try await open(folder, hub.address)
            let busy = try await failure { _ = try await open(folder, hub.address) }
            #expect(busy.kind == .inUse && busy.nextStep == .closeOther)
            person = try await register.logInForDevelopment(person: "D020").person
        }
        let again = try await open(folder, hub.address)
        #expect(try again.person() == person)
    }

    @Test func aSuspendedRegisterSaysSoUntilItIsResumed() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        let register = try await open(folder, hub.address)
        _ = try await register.logInForDevelopment(person: "D020")
        _ = try await register.sync()
        try await register.suspend()
        let suspended = try await failure { _ = try register.written() }
        #expect(suspended.kind == .suspended && suspended.nextStep == .resume)
        try await register.resume()
        #expect(try register.written().isEmpty)
        #expect(try !register.teacher().myDay(date: day).isEmpty)
    }

    @Test func aDamagedStoreIsMendedSaysSoAndWhatWasWrittenIsSent() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        let written = try await writtenOffline(folder, hub.address)
        let database = folder.url.appendingPathComponent("store/db.sqlite")
        let file = try FileHandle(forWritingTo: database)
        try file.write(contentsOf: Data(count: 4096))
        try file.close()

        let register = try await open(folder, hub.address)
        let events = try await register.nextEvents()
        #expect(events.contains(.mended(entriesKept: 1, entriesLost: 0, everything: true)))
        _ = try await register.logInForDevelopment(person: "D020")
        _ = try await register.sync()
        let entry = try #require(try register.written().first)
        #expect(entry.command == written)
        guard case .confirmed = entry.delivery else {
            Issue.record("\(entry.delivery)")
            return
        }
    }

    /// The store is closed when this returns.
    private func writtenOffline(_ folder: Folder, _ address: String) async throws -> String {
        let register = try await open(folder, address)
        _ = try await register.logInForDevelopment(person: "D020")
        _ = try await register.sync()
        let teacher = register.teacher()
        let pupil = try teacher.classView(classCode: "3A", date: day).pupils[0].pupil
        return try await teacher.markAbsent(classCode: "3A", pupil: pupil, date: day, slot: 1)
    }

    @Test(.timeLimit(.minutes(1))) func whoWaitsForEventsEndsWhenAskedTo() async throws {
        let folder = Folder()
        let register = try await open(folder, "https://registro.example.it")
        let waiting = Task { try await register.nextEvents() }
        let asking = Task {
            while !Task.isCancelled {
                register.stopWaiting()
                await Task.yield()
            }
        }
        #expect(try await waiting.value.isEmpty)
        asking.cancel()
    }
}
