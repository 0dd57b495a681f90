import RegistroKit
import Testing

/// A roll called without a connection, until the family sees its justification approved.
@Suite struct SchoolDayTests {
    @Test func aRollCalledOfflineIsDeliveredJustifiedByTheFamilyAndApproved() async throws {
        let hub = try HubProcess()
        let (school, home) = (Folder(), Folder())
        let tablet = try await open(school, hub.address)
        let phone = try await open(home, hub.address)

        let profile = try await tablet.logInForDevelopment(person: "D020")
        #expect(try tablet.person() == profile.person)
        #expect(try await tablet.sync().changed > 0)
        _ = try await tablet.nextEvents()
        let teacher = tablet.teacher()
        let lesson = try #require(try teacher.myDay(date: day).first { $0.classCode == "3A" })
        let before = try teacher.classView(classCode: "3A", date: day)
        let (absent, late) = (before.pupils[0], before.pupils[1])
        #expect(absent.name == "Albanesi Federico")
        #expect(try teacher.capacity(classCode: "3A", date: day) == .lesson)

        // No connection: everything works, and says that it is pending.
        hub.stop()
        let roll = RollCall(absent: [absent.pupil], late: [TimedPupil(pupil: late.pupil, time: "08:40")])
        let called = try await teacher.callRoll(classCode: "3A", date: day, slot: lesson.slot, roll: roll)
        let signed = try await teacher.signLesson(
            classCode: "3A", date: day, slot: lesson.slot, subject: lesson.subject, topic: "Le equazioni")
        let offline = try teacher.classView(classCode: "3A", date: day)
        let absentDay = try shown(offline, absent)
        #expect(absentDay.absent && absentDay.pending)
        let lateDay = try shown(offline, late)
        #expect(lateDay.late && lateDay.entry == "08:40" && lateDay.pending)
        let shownRoll = try #require(offline.rolls.first)
        #expect(shownRoll.slot == lesson.slot && shownRoll.author == profile.person && !shownRoll.confirmed)
        let shownLesson = try #require(offline.lessons.first)
        #expect(shownLesson.topic == "Le equazioni" && shownLesson.kind == .lesson && shownLesson.group == nil)
        #expect(shownLesson.topicProvenance?.version == signed)
        #expect(offline.monthKnown && offline.pupils.allSatisfy { $0.notCalled.isEmpty })
        #expect(try tablet.written().map(\.command) == [called, signed])
        #expect(try tablet.written().allSatisfy { $0.delivery == .pending })
        let unreachable = try await failure { _ = try await tablet.sync() }
        #expect(unreachable.kind == .offline && unreachable.nextStep == .retryOnline)

        // The connection is back, at another address.
        try hub.start()
        try tablet.setHub(address: hub.address)
        let report = try await tablet.sync()
        #expect(report.confirmed == 2 && report.notAccepted == 0)
        for written in try tablet.written() {
            guard case .confirmed = written.delivery else {
                Issue.record("\(written.delivery)")
                continue
            }
        }
        let online = try teacher.classView(classCode: "3A", date: day)
        let confirmed = try shown(online, absent)
        #expect(confirmed.absent && !confirmed.pending && online.rolls.allSatisfy(\.confirmed))
        let fact = try #require(confirmed.facts.first)
        #expect(fact.says == Says(italian: "assente", english: "absent"))
        #expect(fact.provenance.version == called && fact.provenance.author == profile.person)
        #expect(fact.provenance.authorName == profile.name && fact.provenance.capacity == .lesson)
        #expect(fact.provenance.slot == lesson.slot && fact.provenance.device?.count == 16)
        guard case .confirmed = fact.provenance.delivery else {
            Issue.record("\(fact.provenance.delivery)")
            return
        }
        let events = try await tablet.nextEvents()
        #expect(events.contains(.confirmed(command: called)) && events.contains(.confirmed(command: signed)))

        // The family of the absent pupil.
        try phone.setHub(address: hub.address)
        _ = try await phone.logInForDevelopment(person: "BLLBBR78H51M395R")
        _ = try await phone.sync()
        let family = phone.family()
        let child = try #require(try family.children(today: day).first { $0.pupil == absent.pupil })
        #expect(child.classCode == "3A" && child.mayJustify)
        #expect(try family.day(pupil: child.pupil, date: day).absent)
        let absence = try #require(try family.absences(pupil: child.pupil, until: day).first)
        #expect(absence.run == Run(kind: .absence, days: [day]) && absence.state == .open)
        _ = try await family.justify(pupil: child.pupil, run: absence.run, reason: "health", text: "Influenza")
        guard case .requested = try family.absences(pupil: child.pupil, until: day)[0].state else {
            Issue.record("not requested")
            return
        }
        #expect(try await phone.sync().confirmed == 1)

        // The teacher approves, and the family sees it.
        _ = try await tablet.sync()
        let pending = try teacher.pendingJustifications(classCode: "3A", date: day)
        #expect(pending.map(\.pupil) == [child.pupil] && pending.map(\.reason) == ["health"])
        #expect(pending.map(\.text) == ["Influenza"] && pending.map(\.runs) == [[absence.run]])
        #expect(pending[0].provenance.capacity == .guardian)
        _ = try await teacher.decide(classCode: "3A", pending: pending[0], rejectedBecause: nil)
        #expect(try await tablet.sync().confirmed == 1)
        #expect(try teacher.pendingJustifications(classCode: "3A", date: day).isEmpty)
        _ = try await phone.sync()
        let approved = try #require(try family.absences(pupil: child.pupil, until: day).first)
        #expect(approved.state == .approved && approved.facts.map(\.provenance) == [fact.provenance])
        #expect(approved.justifications.map(\.text) == ["Influenza"])
        #expect(approved.decisions.map(\.approved) == [true])
        #expect(approved.decisions.map(\.provenance.authorName) == [profile.name])
        let hours = try family.hours(pupil: child.pupil, until: day)
        #expect(hours.absence >= 1 && hours.withinLimit && hours.level == .fine)
        #expect(hours.annualHours > 800 && hours.previousHours == 0 && hours.waivers.isEmpty)
    }

    @Test func twoRollsOfOneHourLeaveAConflictAndAReportThatTheTeacherEnds() async throws {
        let hub = try HubProcess()
        let folders = (Folder(), Folder())
        let a = try await open(folders.0, hub.address)
        let b = try await open(folders.1, hub.address)
        for tablet in [a, b] {
            _ = try await tablet.logInForDevelopment(person: "D020")
            _ = try await tablet.sync()
        }
        let (one, other) = (a.teacher(), b.teacher())
        let slot = try #require(try one.myDay(date: day).first { $0.classCode == "3A" }).slot
        let pupils = try one.classView(classCode: "3A", date: day).pupils.map(\.pupil)
        let first = RollCall(absent: [pupils[0]], late: [TimedPupil(pupil: pupils[1], time: "08:40")])
        _ = try await one.callRoll(classCode: "3A", date: day, slot: slot, roll: first)
        let second = RollCall(absent: [], late: [TimedPupil(pupil: pupils[1], time: "08:45")])
        _ = try await other.callRoll(classCode: "3A", date: day, slot: slot, roll: second)
        for tablet in [a, b, a] {
            _ = try await tablet.sync()
        }

        let conflicts = try one.conflicts(classCode: "3A", date: day)
        let conflict = try #require(conflicts.first)
        #expect(conflicts.count == 1 && conflict.pupil == pupils[1] && conflict.values.count == 2)
        #expect(conflict.section == "attendance")
        let chosen = try #require(conflict.values.first { $0.says.italian.contains("08:45") })
        #expect(try chosen.provenance.author == b.person())
        // Nothing is written over values that nobody was shown.
        let over = try await failure {
            _ = try await one.markEntry(classCode: "3A", pupil: pupils[1], date: day, slot: slot, time: "08:50")
        }
        #expect(over.kind == .rule)
        let partly = ConflictView(
            section: conflict.section, pupil: conflict.pupil, name: conflict.name, document: conflict.document,
            key: conflict.key, values: [chosen])
        let stale = try await failure {
            _ = try await one.resolve(classCode: "3A", conflict: partly, chosen: chosen.version, date: day)
        }
        #expect(stale.kind == .rule)
        _ = try await one.resolve(classCode: "3A", conflict: conflict, chosen: chosen.version, date: day)
        #expect(try one.conflicts(classCode: "3A", date: day).isEmpty)

        let report = try #require(try one.calledPresent(classCode: "3A", date: day).first)
        #expect(report.pupil == pupils[0] && report.rollProvenance.version == report.roll)
        #expect(report.absenceProvenance.capacity == .lesson)
        _ = try await one.settleCalledPresent(classCode: "3A", report: report, date: day, wasPresent: true)
        for tablet in [a, b] {
            _ = try await tablet.sync()
        }
        let seen = try other.classView(classCode: "3A", date: day)
        #expect(seen.pupils.first { $0.pupil == pupils[0] }?.day?.absent == false)
        #expect(seen.pupils.first { $0.pupil == pupils[1] }?.day?.entry == "08:45")
        #expect(try other.calledPresent(classCode: "3A", date: day).isEmpty)
    }

    private func shown(_ view: ClassView, _ pupil: PupilRow) throws -> PupilDay {
        try #require(view.pupils.first { $0.pupil == pupil.pupil }?.day)
    }
}
