import Foundation
import RegistroKit
import Testing

/// The layer that is written by hand: sequences of events and of screens, a register held awake, sentences.
@Suite struct ObservationTests {
    @Test func aScreenShowsWhatThisDeviceWritesAndWhatAnotherOneSent() async throws {
        let hub = try HubProcess()
        let folders = (Folder(), Folder())
        let a = try await open(folders.0, hub.address)
        let b = try await open(folders.1, hub.address)
        for register in [a, b] {
            _ = try await register.logInForDevelopment(person: "D020")
            _ = try await register.sync()
        }
        let observation = RegistroObservation(a)
        let teacher = a.teacher()
        let absent = observation.screen {
            try teacher.classView(classCode: "3A", date: day).pupils.filter { $0.day?.absent == true }.map(\.pupil)
        }
        var screens = absent.makeAsyncIterator()
        #expect(try await screens.next() == [])
        let pupils = try teacher.classView(classCode: "3A", date: day).pupils.map(\.pupil)
        _ = try await observation.writing {
            try await teacher.markAbsent(classCode: "3A", pupil: pupils[0], date: day, slot: 1)
        }
        #expect(try await screens.next() == [pupils[0]])

        _ = try await b.teacher().markAbsent(classCode: "3A", pupil: pupils[1], date: day, slot: 1)
        _ = try await b.sync()
        let events = await observation.events()
        _ = try await a.sync()
        #expect(try await screens.next() == [pupils[0], pupils[1]])
        var confirmed = false
        for await event in events {
            if case .confirmed = event { confirmed = true }
            if confirmed { break }
        }
        #expect(confirmed)
    }

    @Test func whoListensEndsWhenItsTaskIsCancelled() async throws {
        let folder = Folder()
        let register = try await open(folder, "https://registro.example.it")
        let listening = Task {
            for try await _ in register.events {}
            return true
        }
        // It may not have begun to wait when it is cancelled; both ways it ends.
        try await Task.sleep(for: .milliseconds(50))
        listening.cancel()
        #expect(try await listening.value)
    }

    @Test func aRegisterIsKeptInStepThroughALostConnectionUntilItsTaskIsCancelled() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        let register = try await open(folder, hub.address)
        let stranger = try await failure { try await register.keepInStep() }
        #expect(stranger.kind == .notLoggedIn)
        _ = try await register.logInForDevelopment(person: "D020")
        hub.stop()
        let (reports, continuation) = AsyncStream.makeStream(of: SyncReport.self)
        let keeping = Task {
            try await register.keepInStep(first: .milliseconds(20), longest: .milliseconds(100)) {
                continuation.yield($0)
            }
        }
        try hub.start()
        try register.setHub(address: hub.address)
        var arrived = reports.makeAsyncIterator()
        let report = try #require(await arrived.next())
        #expect(report.changed > 0)
        keeping.cancel()
        try await keeping.value
    }

    @Test func aRegisterIsAwakeWhileSomebodyNeedsIt() async throws {
        let folder = Folder()
        let register = try await open(folder, "https://registro.example.it")
        let awake = Awake(register)
        try await awake.whileNeeded { outer in
            try await awake.whileNeeded { _ = try $0.written() }
            // The one around it still needs it.
            #expect(try outer.written().isEmpty)
        }
        let afterwards = try await failure { _ = try register.written() }
        #expect(afterwards.kind == .suspended)
        try await awake.release()
        do {
            try await awake.whileNeeded { _ in throw NothingFailed() }
            Issue.record("it did not fail")
        } catch is NothingFailed {}
        let again = try await failure { _ = try register.written() }
        #expect(again.kind == .suspended)
        // In the order of the calls, however close together.
        async let first: Void = awake.hold()
        async let second: Void = awake.hold()
        _ = try await (first, second)
        try await awake.release()
        #expect(try register.written().isEmpty)
    }

    @Test func aFailureSpeaksTheLanguageOfTheDevice() throws {
        let failure = Failure(
            kind: .offline, italian: "Nessuna connessione.", english: "No connection.", nextStep: .retryOnline,
            debug: "", pupil: nil)
        #expect(RegistroError.Failed(failure: failure).failure == failure)
        #expect(failure.sentence(Locale(identifier: "it_IT")) == "Nessuna connessione.")
        #expect(failure.sentence(Locale(identifier: "de")) == "No connection.")
        #expect(Says(italian: "assente", english: "absent").text(Locale(identifier: "it")) == "assente")
    }
}
