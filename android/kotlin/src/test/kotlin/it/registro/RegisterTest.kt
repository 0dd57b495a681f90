package it.registro

import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import java.io.RandomAccessFile
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue

/** Opening, closing, waiting, and what is said when something cannot be done. */
class RegisterTest {
    @Test
    fun `what cannot be done is a typed error with its sentences`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { folder ->
                open(folder, hub.address).use { register ->
                    assertEquals(ErrorKind.NOT_LOGGED_IN, failureOf { register.person() }.kind)
                    assertEquals(NextStep.LOG_IN, failureOf { register.sync() }.nextStep)
                    register.logInForDevelopment("D020")
                    register.sync()
                    val teacher = register.teacher()

                    assertEquals(ErrorKind.NOT_FOUND, failureOf { teacher.classView("9Z", DAY) }.kind)
                    val bad = failureOf { teacher.classView("3A", "23/11/2026") }
                    assertEquals(ErrorKind.INVALID_INPUT to NextStep.CORRECT, bad.kind to bad.nextStep)
                    assertContains(bad.debug, "date")
                    // Also where it crosses inside a record of an asynchronous call.
                    val pupil = teacher.classView("3A", DAY).pupils.first().pupil
                    for (late in listOf(TimedPupil(pupil, "25:00"), TimedPupil("nobody", "08:40"))) {
                        val roll = RollCall(absent = listOf(), late = listOf(late))
                        val failure = failureOf { teacher.callRoll("3A", DAY, 1u, roll) }
                        assertEquals(ErrorKind.INVALID_INPUT, failure.kind)
                    }
                    val rule = failureOf { teacher.markEntry("3A", pupil, DAY, 1u, "07:00") }
                    assertEquals(ErrorKind.RULE, rule.kind)
                    assertContains(rule.italian, "entrata")
                    assertTrue(register.written().isEmpty())

                    val other = failureOf { register.logInForDevelopment("D025") }
                    assertEquals(ErrorKind.NOT_ALLOWED, other.kind)
                }
            }
        }
    }

    @Test
    fun `a store is open once, and opens again with the same vault`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { folder ->
                val person = open(folder, hub.address).use { register ->
                    val busy = failureOf { open(folder, hub.address).close() }
                    assertEquals(ErrorKind.IN_USE to NextStep.CLOSE_OTHER, busy.kind to busy.nextStep)
                    register.logInForDevelopment("D020").person
                }
                open(folder, hub.address).use { assertEquals(person, it.person()) }
            }
        }
    }

    @Test
    fun `a suspended register says so until it is resumed`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { folder ->
                open(folder, hub.address).use { register ->
                    register.logInForDevelopment("D020")
                    register.sync()
                    register.suspend()
                    val failure = failureOf { register.written() }
                    assertEquals(ErrorKind.SUSPENDED to NextStep.RESUME, failure.kind to failure.nextStep)
                    register.resume()
                    assertTrue(register.written().isEmpty())
                    assertTrue(register.teacher().myDay(DAY).isNotEmpty())
                }
            }
        }
    }

    @Test
    fun `a damaged store is mended, says so, and what was written is sent`() = runBlocking<Unit> {
        HubProcess().use { hub ->
            Folder().use { folder ->
                val written = open(folder, hub.address).use { register ->
                    register.logInForDevelopment("D020")
                    register.sync()
                    register.teacher().use { teacher ->
                        val pupil = teacher.classView("3A", DAY).pupils.first().pupil
                        teacher.markAbsent("3A", pupil, DAY, 1u)
                    }
                }
                RandomAccessFile(folder.path.resolve("store/db.sqlite").toFile(), "rw").use { it.write(ByteArray(4096)) }
                open(folder, hub.address).use { register ->
                    val mended = register.nextEvents().filterIsInstance<Event.Mended>().single()
                    assertEquals(1u to 0u, mended.entriesKept to mended.entriesLost)
                    assertTrue(mended.everything)
                    register.logInForDevelopment("D020")
                    register.sync()
                    val entry = register.written().single()
                    assertIs<DeliveryState.Confirmed>(entry.delivery)
                    assertEquals(written, entry.command)
                }
            }
        }
    }

    @Test
    fun `who waits for events ends when asked to, or when cancelled`() = runBlocking {
        Folder().use { folder ->
            open(folder, "https://registro.example.it").use { register ->
                withTimeout(20_000) {
                    val waiting = async { register.nextEvents() }
                    while (!waiting.isCompleted) {
                        register.stopWaiting()
                        yield()
                    }
                    assertTrue(waiting.await().isEmpty())
                    val cancelled = launch { register.nextEvents() }
                    yield()
                    cancelled.cancelAndJoin()
                }
            }
        }
    }
}
