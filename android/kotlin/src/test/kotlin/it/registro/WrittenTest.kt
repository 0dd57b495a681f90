package it.registro

import kotlinx.coroutines.runBlocking
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue

/** What was written, what became of it, and what a person is told. */
class WrittenTest {
    @Test
    fun `a refused entry says of whom, what and why, to its author and to the office`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { school ->
                Folder().use { secretariat ->
                    open(school, hub.address).use { tablet ->
                        open(secretariat, hub.address).use { desk -> refused(tablet, desk) }
                    }
                }
            }
        }
    }

    private suspend fun refused(tablet: Registro, desk: Registro) {
        val third = tablet.logInForDevelopment("D035")
        tablet.sync()
        val teacher = tablet.teacher()
        val pupil = teacher.classView("3A", DAY).pupils.first()
        val left = teacher.markExit("3A", pupil.pupil, DAY, 3u, "10:30", "Zia Alfa")

        desk.logInForDevelopment("P003")
        desk.sync()
        desk.office().endAssignment(third.person, "3A", DAY)
        assertEquals(1u, tablet.sync().notAccepted)

        val written = tablet.written().single()
        assertEquals(Triple(left, Capacity.LESSON, null), Triple(written.command, written.capacity, written.insteadOf))
        val refusal = assertIs<DeliveryState.Refused>(written.delivery)
        assertEquals("not-assigned", refusal.reason)
        val fact = written.facts.single()
        assertEquals(About.Pupil(pupil.pupil, pupil.name), fact.about)
        assertEquals(Triple(DAY, 3u.toUByte(), true), Triple(fact.date, fact.slot, fact.isCause))
        assertEquals("uscita alle 10:30, ritira Zia Alfa", fact.says.italian)

        val kept = desk.office().kept().single()
        assertEquals(third.person to third.name, kept.person to kept.name)
        assertEquals(refusal.italian, kept.italian)
        assertEquals("attendance" to fact.key, kept.facts.single().let { it.section to it.key })
        assertTrue(kept.received > 0)

        // The app offers the other capacity.
        tablet.teacherWritingAs(Capacity.SUBSTITUTE).markExit("3A", pupil.pupil, DAY, 3u, "10:30", null)
        assertEquals(1u, tablet.sync().confirmed)
    }

    @Test
    fun `a roll that cannot be so names the pupil, and what was entered by mistake is annulled`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { folder ->
                open(folder, hub.address).use { tablet -> mistakes(tablet) }
            }
        }
    }

    private suspend fun mistakes(tablet: Registro) {
        tablet.logInForDevelopment("D020")
        tablet.sync()
        val teacher = tablet.teacher()
        val pupil = teacher.classView("3A", DAY).pupils.first().pupil
        val both = RollCall(absent = listOf(pupil), late = listOf(TimedPupil(pupil, "08:40")))
        val failure = failureOf { teacher.callRoll("3A", DAY, 1u, both) }
        assertEquals(ErrorKind.RULE to pupil, failure.kind to failure.pupil)

        teacher.markOut("3A", pupil, DAY, 1u, OutOfClass(OutKind.EXTERNAL, null, null))
        val absent = failureOf { teacher.markAbsent("3A", pupil, DAY, 1u) }
        assertContains(absent.italian, "fuori classe")
        val shown = teacher.classView("3A", DAY).pupils.first { it.pupil == pupil }.day!!
        assertTrue(shown.slots.isEmpty() && shown.collectedBy == null)
        teacher.annul("3A", pupil, DAY, 1u, shown.facts.single().key, "altro alunno")
        teacher.markAbsent("3A", pupil, DAY, 1u)
        teacher.markPresent("3A", pupil, DAY, 1u, "era in classe")
        assertTrue(teacher.classView("3A", DAY).pupils.first { it.pupil == pupil }.day!!.facts.isEmpty())
        assertEquals(4u, tablet.sync().confirmed)
    }
}
