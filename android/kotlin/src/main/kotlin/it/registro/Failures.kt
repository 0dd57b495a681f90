package it.registro

import java.util.Locale

/** What went wrong: for the app, for the person and for the developer. */
val RegistroException.failure: Failure
    get() = when (this) {
        is RegistroException.Failed -> failure
    }

/** The sentence for the person: in Italian where the device speaks Italian, otherwise in English. */
fun Failure.sentence(locale: Locale = Locale.getDefault()): String =
    if (locale.language == Locale.ITALIAN.language) italian else english

/** What a fact says, in the language of the device: Italian, otherwise English. */
fun Says.text(locale: Locale = Locale.getDefault()): String =
    if (locale.language == Locale.ITALIAN.language) italian else english
