package it.registro

import kotlinx.coroutines.delay
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * Keeps a register in step with its hub while a screen shows it: syncs, waits for news, syncs again. Without a
 * connection it tries again after [first], then twice as long each time, up to [longest]. Runs until it is cancelled.
 *
 * @param synced hears of each sync.
 * @throws RegistroException when only a person can go on: a login, an update, a device to unlock.
 */
suspend fun Registro.keepInStep(
    first: Duration = 5.seconds,
    longest: Duration = 5.minutes,
    synced: suspend (SyncReport) -> Unit = {},
) {
    var pause = first
    while (true) {
        try {
            synced(sync())
            pause = first
            // Whatever ends the wait, a sync is the answer: it finds out what there is.
            waitForNews()
        } catch (e: RegistroException) {
            if (e.failure.nextStep != NextStep.RETRY_ONLINE) throw e
            delay(pause)
            pause = minOf(pause * 2, longest)
        }
    }
}
