package it.registro.android

import android.app.Activity
import android.app.Application
import android.os.Bundle
import it.registro.Awake
import it.registro.RegistroException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Resumes a register while any activity of the app is on the screen and suspends it afterwards.
 *
 * ```
 * application.registerActivityLifecycleCallbacks(AwakeInForeground(awake, scope) { show(it.failure.sentence()) })
 * ```
 *
 * @param scope lives as long as the app.
 * @property linger how long after the last activity has left: a rotation or a quick look elsewhere closes nothing.
 * @property failed hears why the register could not be resumed or suspended; the next activity tries again.
 */
class AwakeInForeground(
    private val awake: Awake,
    scope: CoroutineScope,
    private val linger: Duration = 5.seconds,
    private val failed: (RegistroException) -> Unit,
) : Application.ActivityLifecycleCallbacks {
    // Only where it ends matters, not every step on the way.
    private val wanted = Channel<Boolean>(Channel.CONFLATED)
    private var shown = 0

    init {
        scope.launch {
            var held = false
            for (foreground in wanted) {
                if (!foreground) {
                    delay(linger)
                    if (wanted.tryReceive().getOrNull() == true) continue
                }
                if (foreground == held) continue
                try {
                    if (foreground) {
                        awake.hold()
                        held = true
                    } else {
                        held = false
                        awake.release()
                    }
                } catch (e: RegistroException) {
                    failed(e)
                }
            }
        }
    }

    override fun onActivityStarted(activity: Activity) {
        shown += 1
        wanted.trySend(true)
    }

    override fun onActivityStopped(activity: Activity) {
        shown -= 1
        if (shown == 0) wanted.trySend(false)
    }

    override fun onActivityCreated(activity: Activity, savedInstanceState: Bundle?) = Unit

    override fun onActivityResumed(activity: Activity) = Unit

    override fun onActivityPaused(activity: Activity) = Unit

    override fun onActivitySaveInstanceState(activity: Activity, outState: Bundle) = Unit

    override fun onActivityDestroyed(activity: Activity) = Unit
}
