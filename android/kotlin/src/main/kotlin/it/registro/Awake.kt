package it.registro

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * Keeps a register resumed while somebody needs it, and suspended while nobody does: a screen in the foreground, a
 * sync in the background. One per register; suspending and resuming go through it alone.
 *
 * @property register starts as it was opened: resumed, and held by nobody.
 */
class Awake(val register: Registro) {
    // One queue: a suspend that overtakes a resume would leave a screen without its register.
    private val queue = Mutex()
    private var holders = 0

    /**
     * Resumes the register for one more who needs it. Each `hold` has its [release].
     *
     * @throws RegistroException as `resume` does; then nothing is held.
     */
    suspend fun hold() = withContext(NonCancellable) {
        queue.withLock {
            // Harmless when it is resumed already.
            register.resume()
            holders += 1
        }
    }

    /**
     * One less needs it; the last one suspends it. More releases than holds do nothing.
     *
     * @throws RegistroException as `suspend` does; it is suspended all the same.
     */
    suspend fun release() = withContext(NonCancellable) {
        queue.withLock {
            if (holders > 0) {
                holders -= 1
                if (holders == 0) register.suspend()
            }
        }
    }

    /** Does something with the register resumed, and lets go of it however that ends. */
    suspend fun <T> whileNeeded(work: suspend (Registro) -> T): T {
        hold()
        try {
            return work(register)
        } finally {
            release()
        }
    }
}
