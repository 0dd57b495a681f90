package it.registro.android

import android.app.Activity
import android.app.Application
import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.content.Context
import it.registro.Awake
import it.registro.DAY
import it.registro.ErrorKind
import it.registro.Failure
import it.registro.HubProcess
import it.registro.Registro
import it.registro.RegistroException
import it.registro.SyncReport
import it.registro.failure
import it.registro.failureOf
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.After
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadow.api.Shadow
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlin.time.Duration

/** A register in an app's life: in the foreground, behind it, and synced by the system. */
@RunWith(RobolectricTestRunner::class)
class LifecycleTest {
    private val keystore = KeystoreStandIn()
    private val context: Application = RuntimeEnvironment.getApplication()

    @After
    fun close() {
        keystore.close()
        TestSyncService.awake = listOf()
    }

    @Test
    fun `a register is resumed with the first activity and suspended after the last`() = runBlocking {
        val scope = CoroutineScope(Dispatchers.Default)
        open("lifecycle", "https://registro.example.it").use { register ->
            val failures = mutableListOf<RegistroException>()
            val bound = AwakeInForeground(Awake(register), scope, linger = Duration.ZERO) { failures += it }
            context.registerActivityLifecycleCallbacks(bound)
            val first = Robolectric.buildActivity(Activity::class.java).setup()
            val second = Robolectric.buildActivity(Activity::class.java).setup()
            first.pause().stop()
            assertFalse(isSuspended(register))
            second.pause().stop()
            until { isSuspended(register) }
            first.restart().start()
            until { !isSuspended(register) }
            assertTrue(failures.isEmpty())
            context.unregisterActivityLifecycleCallbacks(bound)
        }
        scope.cancel()
    }

    @Test
    fun `a job syncs what waits, suspends the register, and is tried again without a connection`() = runBlocking {
        HubProcess().use { hub ->
            open("job", hub.address).use { register ->
                register.logInForDevelopment("D020")
                register.sync()
                register.teacher().use { teacher ->
                    val pupil = teacher.classView("3A", DAY).pupils.first().pupil
                    teacher.markAbsent("3A", pupil, DAY, 1u)
                }
                TestSyncService.awake = listOf(Awake(register))
                hub.stop()
                val offline = run()
                assertTrue(shadowOf(offline).isRescheduleNeeded)
                assertEquals(ErrorKind.OFFLINE, offline.failure?.kind)
                assertTrue(isSuspended(register))

                hub.start()
                register.setHub(hub.address)
                val online = run()
                assertFalse(shadowOf(online).isRescheduleNeeded)
                assertEquals(1u, online.report?.confirmed)

                // Nobody is logged in: only a person can go on.
                open("other", hub.address).use { other ->
                    TestSyncService.awake = listOf(Awake(other))
                    val stranger = run()
                    assertFalse(shadowOf(stranger).isRescheduleNeeded)
                    assertEquals(ErrorKind.NOT_LOGGED_IN, stranger.failure?.kind)
                }
            }
        }
    }

    @Test
    fun `jobs wait for a network and outlive a restart`() {
        assertTrue(RegistroSyncService.every(6, context, TestSyncService::class.java, 1))
        assertTrue(RegistroSyncService.soon(context, TestSyncService::class.java, 2))
        val jobs = context.getSystemService(JobScheduler::class.java)!!
        val (often, once) = listOf(jobs.getPendingJob(1)!!, jobs.getPendingJob(2)!!)
        assertEquals(6 * 60 * 60 * 1000L, often.intervalMillis)
        assertTrue(often.isPeriodic && often.isPersisted && !once.isPeriodic && once.isPersisted)
        assertTrue(listOf(often, once).all { it.networkType == JobInfo.NETWORK_TYPE_ANY })
    }

    private suspend fun open(account: String, hub: String) = context.openRegistro(account, hub) { it.copy(development = true) }

    private suspend fun run(): TestSyncService {
        val service = Robolectric.setupService(TestSyncService::class.java)
        assertTrue(service.onStartJob(Shadow.newInstanceOf(JobParameters::class.java)))
        until { shadowOf(service).isJobFinished }
        return service
    }

    private suspend fun isSuspended(register: Registro) = try {
        register.written()
        false
    } catch (e: RegistroException) {
        e.failure.kind == ErrorKind.SUSPENDED
    }

    private suspend fun until(holds: suspend () -> Boolean) = withTimeout(20_000) {
        while (!holds()) delay(10)
    }
}

/** What an app writes. */
class TestSyncService : RegistroSyncService() {
    var report: SyncReport? = null
    var failure: Failure? = null

    override suspend fun registers(): List<Awake> = awake

    override fun synced(register: Awake, report: SyncReport) {
        this.report = report
    }

    override fun failed(register: Awake?, failure: Failure) {
        this.failure = failure
    }

    companion object {
        var awake = listOf<Awake>()
    }
}
