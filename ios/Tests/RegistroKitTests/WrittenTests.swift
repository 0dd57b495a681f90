import RegistroKit
import Testing

/// What was written, what became of it, and what a person is told.
@Suite struct WrittenTests {
    @Test func aRefusedEntrySaysOfWhomWhatAndWhyToItsAuthorAndToTheOffice() async throws {
        let hub = try HubProcess()
        let folders = (Folder(), Folder())
        let tablet = try await open(folders.0, hub.address)
        let desk = try await open(folders.1, hub.address)
        let third = try await tablet.logInForDevelopment(person: "D035")
        _ = try await tablet.sync()
        let pupil = try tablet.teacher().classView(classCode: "3A", date: day).pupils[0]
        let left = try await tablet.teacher().markExit(
            classCode: "3A", pupil: pupil.pupil, date: day, slot: 3, time: "10:30", collectedBy: "Zia Alfa")

        _ = try await desk.logInForDevelopment(person: "P003")
        _ = try await desk.sync()
        try await desk.office().endAssignment(teacher: third.person, classCode: "3A", from: day)
        #expect(try await tablet.sync().notAccepted == 1)

        let written = try #require(try tablet.written().first)
        #expect(written.command == left && written.capacity == .lesson && written.insteadOf == nil)
        guard case .refused(let reason, let italian, _) = written.delivery else {
            Issue.record("\(written.delivery)")
            return
        }
        #expect(reason == "not-assigned")
        let fact = try #require(written.facts.first)
        #expect(fact.about == .pupil(pupil: pupil.pupil, name: pupil.name))
        #expect(fact.date == day && fact.slot == 3 && fact.isCause)
        #expect(fact.says.italian == "uscita alle 10:30, ritira Zia Alfa")

        let kept = try #require(try await desk.office().kept().first)
        #expect(kept.person == third.person && kept.name == third.name && kept.italian == italian)
        #expect(kept.facts.map(\.key) == [fact.key] && kept.received > 0)

        // The app offers the other capacity.
        let substitute = tablet.teacherWritingAs(capacity: .substitute)
        _ = try await substitute.markExit(
            classCode: "3A", pupil: pupil.pupil, date: day, slot: 3, time: "10:30", collectedBy: nil)
        #expect(try await tablet.sync().confirmed == 1)
    }

    @Test func aRollThatCannotBeSoNamesThePupilAndWhatWasEnteredByMistakeIsAnnulled() async throws {
        let hub = try HubProcess()
        let folder = Folder()
        let tablet = try await open(folder, hub.address)
        _ = try await tablet.logInForDevelopment(person: "D020")
        _ = try await tablet.sync()
        let teacher = tablet.teacher()
        let pupil = try teacher.classView(classCode: "3A", date: day).pupils[0].pupil
        let both = RollCall(absent: [pupil], late: [TimedPupil(pupil: pupil, time: "08:40")])
        let mistake = try await failure {
            _ = try await teacher.callRoll(classCode: "3A", date: day, slot: 1, roll: both)
        }
        #expect(mistake.kind == .rule && mistake.pupil == pupil)

        let out = OutOfClass(kind: .external, from: nil, to: nil)
        _ = try await teacher.markOut(classCode: "3A", pupil: pupil, date: day, slot: 1, out: out)
        let absent = try await failure {
            _ = try await teacher.markAbsent(classCode: "3A", pupil: pupil, date: day, slot: 1)
        }
        #expect(absent.italian.contains("fuori classe"))
        let shown = try #require(try teacher.classView(classCode: "3A", date: day).pupils[0].day)
        #expect(shown.slots.isEmpty && shown.collectedBy == nil)
        let key = try #require(shown.facts.first).key
        _ = try await teacher.annul(classCode: "3A", pupil: pupil, date: day, slot: 1, key: key, why: "altro alunno")
        _ = try await teacher.markAbsent(classCode: "3A", pupil: pupil, date: day, slot: 1)
        _ = try await teacher.markPresent(classCode: "3A", pupil: pupil, date: day, slot: 1, why: "era in classe")
        #expect(try teacher.classView(classCode: "3A", date: day).pupils[0].day?.facts.isEmpty == true)
        #expect(try await tablet.sync().confirmed == 4)
    }
}
