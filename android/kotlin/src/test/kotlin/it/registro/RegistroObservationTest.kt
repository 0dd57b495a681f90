package it.registro

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.util.Locale
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds

/** The layer that is written by hand: flows, a register held awake, a register kept in step. */
class RegistroObservationTest {
    @Test
    fun `a screen shows what this device writes and what another one sent`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { one ->
                Folder().use { other ->
                    open(one, hub.address).use { a -> open(other, hub.address).use { b -> screens(a, b) } }
                }
            }
        }
    }

    private suspend fun screens(a: Registro, b: Registro) = withTimeout(60_000) {
        for (register in listOf(a, b)) {
            register.logInForDevelopment("D020")
            register.sync()
        }
        val scope = CoroutineScope(Dispatchers.Default)
        val observation = RegistroObservation(a, scope)
        val absent = Channel<List<PersonId>>(Channel.UNLIMITED)
        val teacher = a.teacher()
        scope.launch {
            observation.screen {
                teacher.classView("3A", DAY).pupils.filter { it.day?.absent == true }.map { it.pupil }
            }.collect { absent.send(it) }
        }
        assertTrue(absent.receive().isEmpty())
        val (first, second) = teacher.classView("3A", DAY).pupils.map { it.pupil }
        observation.writing { teacher.markAbsent("3A", first, DAY, 1u) }
        assertEquals(listOf(first), absent.receive())

        b.teacher().markAbsent("3A", second, DAY, 1u)
        b.sync()
        val confirmed = scope.async {
            observation.events.onSubscription { a.sync() }.first { it is Event.Confirmed }
        }
        assertEquals(listOf(first, second), absent.receive())
        assertIs<Event.Confirmed>(confirmed.await())
        scope.cancel()
    }

    @Test
    fun `events end when nobody is to wait any more`() = runBlocking {
        Folder().use { folder ->
            open(folder, "https://registro.example.it").use { register ->
                withTimeout(20_000) {
                    val all = async(Dispatchers.Default) { register.events().toList() }
                    while (!all.isCompleted) register.stopWaiting()
                    assertTrue(all.await().isEmpty())
                }
            }
        }
    }

    @Test
    fun `a register is awake while somebody needs it`() = runBlocking {
        Folder().use { folder ->
            open(folder, "https://registro.example.it").use { register ->
                val awake = Awake(register)
                awake.whileNeeded { outer ->
                    awake.whileNeeded { it.written() }
                    // The one around it still needs it.
                    assertTrue(outer.written().isEmpty())
                }
                assertEquals(ErrorKind.SUSPENDED, failureOf { register.written() }.kind)
                awake.release()
                assertFailsWith<IllegalStateException> { awake.whileNeeded { error("a mistake of the app's") } }
                assertEquals(ErrorKind.SUSPENDED, failureOf { register.written() }.kind)
                awake.hold()
                assertTrue(register.written().isEmpty())
            }
        }
    }

    @Test
    fun `a register is kept in step through a lost connection, until a person is needed`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { folder ->
                open(folder, hub.address).use { register ->
                    assertEquals(ErrorKind.NOT_LOGGED_IN, failureOf { register.keepInStep() }.kind)
                    register.logInForDevelopment("D020")
                    hub.stop()
                    val reports = Channel<SyncReport>(Channel.UNLIMITED)
                    val keeping = launch(Dispatchers.Default) {
                        register.keepInStep(first = 20.milliseconds, longest = 100.milliseconds) { reports.send(it) }
                    }
                    hub.start()
                    register.setHub(hub.address)
                    withTimeout(30_000) { assertTrue(reports.receive().changed > 0u) }
                    keeping.cancelAndJoin()
                }
            }
        }
    }

    @Test
    fun `a failure speaks the language of the device`() {
        val failure = Failure(ErrorKind.OFFLINE, "Nessuna connessione.", "No connection.", NextStep.RETRY_ONLINE, "", null)
        assertEquals(failure, (RegistroException.Failed(failure) as RegistroException).failure)
        assertEquals("Nessuna connessione.", failure.sentence(Locale.ITALY))
        assertEquals("No connection.", failure.sentence(Locale.GERMANY))
        assertEquals("assente", Says("assente", "absent").text(Locale.ITALIAN))
    }
}
