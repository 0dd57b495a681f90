package it.example

import it.registro.OpenOptions
import it.registro.Registro
import it.registro.RegistroException
import it.registro.RollCall
import it.registro.failure
import it.registro.fileVault
import it.registro.memorySecretStore
import it.registro.memorySigningKeys
import it.registro.sentence
import kotlinx.coroutines.runBlocking
import java.nio.file.Files

/** A teacher calls the roll without a connection, and it is delivered when there is one. */
fun main(arguments: Array<String>) = runBlocking {
    val hub = arguments.first()
    val today = "2026-11-23"
    val folder = Files.createTempDirectory("roll")
    // `development` lets a hub on this very machine do without https; the keys of a login are the platform's in an app.
    val options = OpenOptions("$folder/store", hub, development = true)
    Registro.open(options, fileVault("$folder/keys"), memorySigningKeys(), memorySecretStore()).use { register ->
        register.logInForDevelopment("D020")
        register.sync()
        register.teacher().use { teacher ->
            // Nobody answers there: the classroom without Wi-Fi.
            register.setHub("https://127.0.0.1:9")
            val lesson = teacher.myDay(today).first { it.classCode == "3A" }
            val absent = teacher.classView("3A", today).pupils.first()
            teacher.callRoll("3A", today, lesson.slot, RollCall(absent = listOf(absent.pupil)))
            val shown = teacher.classView("3A", today).pupils.single { it.day?.absent == true }
            check(shown.pupil == absent.pupil && shown.day?.pending == true) { "the roll does not show" }
            println("assente: ${shown.name}")
            try {
                register.sync()
                error("somebody answers")
            } catch (e: RegistroException) {
                println(e.failure.sentence())
            }

            register.setHub(hub)
            check(register.sync().confirmed == 1u) { "the roll is not delivered" }
            println("consegnato")
        }
    }
    folder.toFile().deleteRecursively()
    Unit
}
