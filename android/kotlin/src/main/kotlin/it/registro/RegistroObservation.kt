package it.registro

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.launch

/**
 * The events of a register, one after the other, until `stopWaiting` or until the collector goes away.
 *
 * Each event is given once: one collector per register. Screens take an [RegistroObservation], which shares them.
 */
fun Registro.events(): Flow<Event> = flow {
    while (true) {
        val batch = nextEvents()
        if (batch.isEmpty()) return@flow
        batch.forEach { emit(it) }
    }
}

/**
 * What changes in a register, for any number of screens: one per register, as long as [scope] lives.
 *
 * ```
 * val observation = RegistroObservation(register, scope)
 * observation.screen { teacher.classView("3A", today) }.collect { show(it) }
 * observation.writing { teacher.callRoll("3A", today, slot, roll) }
 * ```
 *
 * @property register whose events these are.
 */
class RegistroObservation(
    val register: Registro,
    scope: CoroutineScope,
    private val reading: CoroutineDispatcher = Dispatchers.IO,
) {
    private val told = MutableSharedFlow<Event>(extraBufferCapacity = 64)
    // Screens read everything again, so that of several changes the last one is enough.
    private val changed = MutableSharedFlow<Unit>(extraBufferCapacity = 1, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    /** The events, for whoever listens now: messages to the person, not what a screen shows. */
    val events: SharedFlow<Event> = told.asSharedFlow()

    init {
        scope.launch {
            register.events().collect {
                changed.emit(Unit)
                told.emit(it)
            }
        }
    }

    /**
     * What [read] gives: now, and again whenever the register has changed and it gives something else. A screen that
     * is slow skips what is no longer true. What [read] throws ends the flow: collect again after `resume`.
     */
    fun <T> screen(read: () -> T): Flow<T> = changed
        .onSubscription { emit(Unit) }
        .conflate()
        .map { read() }
        .distinctUntilChanged()
        .flowOn(reading)

    /** Lets every screen read again: after writing something without [writing], or when a new day has begun. */
    fun refresh() {
        changed.tryEmit(Unit)
    }

    /** Writes, and lets every screen show it. */
    suspend fun <T> writing(write: suspend () -> T): T = write().also { refresh() }
}
