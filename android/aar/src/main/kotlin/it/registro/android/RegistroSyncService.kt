package it.registro.android

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import it.registro.Awake
import it.registro.Failure
import it.registro.NextStep
import it.registro.RegistroException
import it.registro.SyncReport
import it.registro.failure
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import java.util.concurrent.TimeUnit

/**
 * Syncs in the background, when the system finds it convenient. An app extends it, and names it in its manifest:
 *
 * ```
 * <service android:name=".SyncService" android:exported="false"
 *     android:permission="android.permission.BIND_JOB_SERVICE" />
 * ```
 */
abstract class RegistroSyncService : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    // By the job's id. Only the main thread, on which the system calls, touches it.
    private val running = mutableMapOf<Int, Job>()

    /**
     * The registers to sync, logged in: those that the app has open, or opened now. An empty list ends the job.
     * Called in the background.
     */
    protected abstract suspend fun registers(): List<Awake>

    /** A sync is done: the place for a notification. Called in the background. */
    protected open fun synced(register: Awake, report: SyncReport) = Unit

    /** A sync failed. What can be tried later is tried later, whatever this does. Called in the background. */
    protected open fun failed(register: Awake?, failure: Failure) = Unit

    final override fun onStartJob(parameters: JobParameters): Boolean {
        running[parameters.jobId] = scope.launch {
            val again = sync()
            jobFinished(parameters, again)
        }
        return true
    }

    /** The system takes its permission back: what is under way ends in the library, the rest is tried later. */
    final override fun onStopJob(parameters: JobParameters): Boolean {
        running.remove(parameters.jobId)?.cancel()
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** Syncs all of them, and says whether something is to be tried again. */
    private suspend fun sync(): Boolean {
        var again = false
        val registers = try {
            registers()
        } catch (e: RegistroException) {
            failed(null, e.failure)
            return later(e.failure)
        }
        for (awake in registers) {
            try {
                synced(awake, awake.whileNeeded { it.sync() })
            } catch (e: RegistroException) {
                again = again || later(e.failure)
                failed(awake, e.failure)
            }
        }
        return again
    }

    // The other steps need a person: trying again would only cost battery.
    private fun later(failure: Failure) = failure.nextStep in setOf(NextStep.RETRY_ONLINE, NextStep.CLOSE_OTHER)

    companion object {
        /**
         * Syncs every few [hours], whenever there is a connection, also after a restart of the device. Scheduling
         * again under the same id replaces it.
         *
         * @return whether the system took the job.
         */
        fun every(hours: Long, context: Context, service: Class<out RegistroSyncService>, jobId: Int): Boolean =
            schedule(context, job(context, service, jobId).setPeriodic(TimeUnit.HOURS.toMillis(hours)))

        /**
         * Syncs once, as soon as there is a connection: after something was written that is not sent yet. Scheduling
         * again under the same id replaces it.
         *
         * @return whether the system took the job.
         */
        fun soon(context: Context, service: Class<out RegistroSyncService>, jobId: Int): Boolean =
            schedule(context, job(context, service, jobId))

        private fun job(context: Context, service: Class<out RegistroSyncService>, jobId: Int) =
            JobInfo.Builder(jobId, ComponentName(context, service))
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setPersisted(true)
                .setBackoffCriteria(TimeUnit.SECONDS.toMillis(30), JobInfo.BACKOFF_POLICY_EXPONENTIAL)

        private fun schedule(context: Context, job: JobInfo.Builder): Boolean =
            context.getSystemService(JobScheduler::class.java)?.schedule(job.build()) == JobScheduler.RESULT_SUCCESS
    }
}
