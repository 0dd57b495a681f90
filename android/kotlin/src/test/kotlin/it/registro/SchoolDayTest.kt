package it.registro

import kotlinx.coroutines.runBlocking
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

/** A roll called without a connection, until the family sees its justification approved. */
class SchoolDayTest {
    @Test
    fun `a roll called offline is delivered, justified by the family and approved`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { school ->
                Folder().use { home ->
                    open(school, hub.address).use { tablet ->
                        open(home, hub.address).use { phone -> day(hub, tablet, phone) }
                    }
                }
            }
        }
    }

    private suspend fun day(hub: HubProcess, tablet: Registro, phone: Registro) {
        val profile = tablet.logInForDevelopment("D020")
        assertEquals(profile.person, tablet.person())
        assertTrue(tablet.sync().changed > 0u)
        tablet.nextEvents()
        val teacher = tablet.teacher()
        val lesson = teacher.myDay(DAY).first { it.classCode == "3A" }
        val before = teacher.classView("3A", DAY)
        val (absent, late) = before.pupils
        assertEquals("Albanesi Federico", absent.name)
        assertEquals(Capacity.LESSON, teacher.capacity("3A", DAY))

        // No connection: everything works, and says that it is pending.
        hub.stop()
        val roll = RollCall(absent = listOf(absent.pupil), late = listOf(TimedPupil(late.pupil, "08:40")))
        val called = teacher.callRoll("3A", DAY, lesson.slot, roll)
        val signed = teacher.signLesson("3A", DAY, lesson.slot, lesson.subject, "Le equazioni")
        val offline = teacher.classView("3A", DAY)
        assertDay(offline, absent) { it.absent && it.pending }
        assertDay(offline, late) { it.late && it.entry == "08:40" && it.pending }
        val shownRoll = offline.rolls.single()
        assertEquals(Triple(lesson.slot, profile.person, false), Triple(shownRoll.slot, shownRoll.author, shownRoll.confirmed))
        val shownLesson = offline.lessons.single()
        assertEquals(lesson.slot to profile.person, shownLesson.slot to shownLesson.teacher)
        assertEquals(Triple(lesson.subject, null, LessonKind.LESSON), Triple(shownLesson.subject, shownLesson.group, shownLesson.kind))
        assertEquals("Le equazioni" to signed, shownLesson.topic to shownLesson.topicProvenance?.version)
        assertTrue(offline.monthKnown && offline.pupils.all { it.notCalled.isEmpty() })
        assertEquals(listOf(called, signed), tablet.written().map { it.command })
        assertTrue(tablet.written().all { it.delivery == DeliveryState.Pending })
        val failure = failureOf { tablet.sync() }
        assertEquals(ErrorKind.OFFLINE to NextStep.RETRY_ONLINE, failure.kind to failure.nextStep)

        // The connection is back, at another address.
        hub.start()
        tablet.setHub(hub.address)
        val report = tablet.sync()
        assertEquals(2u to 0u, report.confirmed to report.notAccepted)
        tablet.written().forEach { assertIs<DeliveryState.Confirmed>(it.delivery) }
        val online = teacher.classView("3A", DAY)
        assertDay(online, absent) { it.absent && !it.pending }
        val fact = online.pupils.first { it.pupil == absent.pupil }.day!!.facts.single()
        assertEquals("assente" to "absent", fact.says.italian to fact.says.english)
        assertEquals(Triple(called, profile.person, profile.name), fact.provenance.let { Triple(it.version, it.author, it.authorName) })
        assertEquals(Triple(Capacity.LESSON, lesson.slot, 16), fact.provenance.let { Triple(it.capacity, it.slot, it.device?.length) })
        assertIs<DeliveryState.Confirmed>(fact.provenance.delivery)
        assertTrue(online.rolls.single().confirmed)
        val events = tablet.nextEvents()
        assertTrue(events.containsAll(listOf(Event.Confirmed(called), Event.Confirmed(signed))))

        // The family of the absent pupil.
        phone.setHub(hub.address)
        phone.logInForDevelopment("BLLBBR78H51M395R")
        phone.sync()
        val family = phone.family()
        val child = family.children(DAY).single { it.pupil == absent.pupil }
        assertEquals("3A" to true, child.classCode to child.mayJustify)
        assertTrue(family.day(child.pupil, DAY).absent)
        val absence = family.absences(child.pupil, DAY).single()
        assertEquals(Run(JustificationKind.ABSENCE, listOf(DAY)) to RunState.Open, absence.run to absence.state)
        family.justify(child.pupil, absence.run, "health", "Influenza")
        assertIs<RunState.Requested>(family.absences(child.pupil, DAY).single().state)
        assertEquals(1u, phone.sync().confirmed)

        // The teacher approves, and the family sees it.
        tablet.sync()
        val row = teacher.classView("3A", DAY).pupils.first { it.pupil == child.pupil }
        assertEquals(1u, row.pendingJustifications)
        val pending = teacher.pendingJustifications("3A", DAY).single()
        assertEquals(Triple(child.pupil, "health", "Influenza"), Triple(pending.pupil, pending.reason, pending.text))
        assertEquals(listOf(absence.run), pending.runs)
        assertEquals(Capacity.GUARDIAN, pending.provenance.capacity)
        teacher.decide("3A", pending, null)
        assertEquals(1u, tablet.sync().confirmed)
        assertTrue(teacher.pendingJustifications("3A", DAY).isEmpty())
        phone.sync()
        val approved = family.absences(child.pupil, DAY).single()
        assertEquals(RunState.Approved, approved.state)
        assertEquals(fact.provenance, approved.facts.single().provenance)
        assertEquals("Influenza", approved.justifications.single().text)
        assertEquals(true to profile.name, approved.decisions.single().let { it.approved to it.provenance.authorName })
        val hours = family.hours(child.pupil, DAY)
        assertTrue(hours.absence >= 1u && hours.withinLimit && hours.level == AbsenceLevel.FINE)
        assertTrue(hours.annualHours > 800u && hours.previousHours == 0u && hours.waivers.isEmpty())
    }

    @Test
    fun `two rolls of one hour leave a conflict and a report that the teacher ends`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { first ->
                Folder().use { second ->
                    open(first, hub.address).use { a -> open(second, hub.address).use { b -> rolls(a, b) } }
                }
            }
        }
    }

    private suspend fun rolls(a: Registro, b: Registro) {
        for (tablet in listOf(a, b)) {
            tablet.logInForDevelopment("D020")
            tablet.sync()
        }
        val (one, other) = a.teacher() to b.teacher()
        val slot = one.myDay(DAY).first { it.classCode == "3A" }.slot
        val (p1, p2) = one.classView("3A", DAY).pupils.map { it.pupil }
        one.callRoll("3A", DAY, slot, RollCall(listOf(p1), listOf(TimedPupil(p2, "08:40"))))
        other.callRoll("3A", DAY, slot, RollCall(listOf(), listOf(TimedPupil(p2, "08:45"))))
        a.sync()
        b.sync()
        a.sync()

        val conflict = one.conflicts("3A", DAY).single()
        assertEquals(Triple("attendance", p2, 2), Triple(conflict.section, conflict.pupil, conflict.values.size))
        val chosen = conflict.values.first { it.says.italian.contains("08:45") }
        assertEquals(b.person(), chosen.provenance.author)
        // Nothing is written over values that nobody was shown.
        assertEquals(ErrorKind.RULE, failureOf { one.markEntry("3A", p2, DAY, slot, "08:50") }.kind)
        val partly = conflict.copy(values = conflict.values.take(1))
        assertEquals(ErrorKind.RULE, failureOf { one.resolve("3A", partly, chosen.version, DAY) }.kind)
        one.resolve("3A", conflict, chosen.version, DAY)
        assertTrue(one.conflicts("3A", DAY).isEmpty())

        val report = one.calledPresent("3A", DAY).single()
        assertEquals(p1, report.pupil)
        assertEquals(report.roll, report.rollProvenance.version)
        assertEquals(Capacity.LESSON, report.absenceProvenance.capacity)
        one.settleCalledPresent("3A", report, DAY, wasPresent = true)
        a.sync()
        b.sync()
        val seen = other.classView("3A", DAY).pupils
        assertFalse(assertNotNull(seen.first { it.pupil == p1 }.day).absent)
        assertEquals("08:45", seen.first { it.pupil == p2 }.day?.entry)
        assertTrue(other.calledPresent("3A", DAY).isEmpty())
    }

    private fun assertDay(view: ClassView, pupil: PupilRow, holds: (PupilDay) -> Boolean) {
        val day = view.pupils.single { it.pupil == pupil.pupil }.day
        assertTrue(day != null && holds(day), "${pupil.name}: $day")
    }
}
