package it.registro

import kotlinx.coroutines.runBlocking
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

private const val CALLBACK = "it.registro.app:/callback"

/** A whole login against a real hub, with the school's credentials; the browser's part by HTTP. */
class LoginTest {
    private val bySchool = LoginRequest(level = Level.L1, method = LoginMethod.SCHOOL)

    /** The browser's part: the school's page, then consent to this device. */
    private fun throughThePages(address: String, who: HubProcess.Credentials): String {
        val browser = LoginBrowser(CALLBACK)
        browser.open(address)
        browser.submit(mapOf("username" to who.username, "password" to who.password))
        return assertNotNull(browser.submit(emptyMap(), button = "allow"), browser.page)
    }

    @Test
    fun `a teacher logs in, works, signs out, and logs in again`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { folder ->
                val credentials = hub.firstAccess("D020")
                val written = open(folder, hub.address).use { register ->
                    assertNull(register.session())
                    val address = register.beginLogin(bySchool)
                    assertNotNull(register.pendingLogin())
                    val profile = register.completeLogin(throughThePages(address, credentials))
                    assertEquals(Level.L1, profile.level)
                    assertTrue("teacher" in profile.roles && "guardian" in profile.roles)
                    assertNull(register.pendingLogin())
                    register.sync()
                    register.teacher().use { teacher ->
                        val pupil = teacher.classView("3A", DAY).pupils.first().pupil
                        teacher.markAbsent("3A", pupil, DAY, 1u)
                    }
                }
                // The app is started again: the session is there, and sends.
                open(folder, hub.address).use { register ->
                    assertEquals(SessionView(level = Level.L1, ended = false), register.session())
                    register.sync()
                    val entry = register.written().single { it.command == written }
                    assertIs<DeliveryState.Confirmed>(entry.delivery)
                    assertTrue(register.sessions().single().`this`)

                    assertEquals(LogoutReport(unsent = 0u, told = true), register.logout())
                    assertNull(register.session())
                    assertEquals(ErrorKind.NOT_FOUND, failureOf { register.teacher().classView("3A", DAY) }.kind)
                    assertEquals(ErrorKind.NOT_LOGGED_IN, failureOf { register.sync() }.kind)
                    register.completeLogin(throughThePages(register.beginLogin(bySchool), credentials))
                    register.sync()
                    assertFalse(register.teacher().classView("3A", DAY).pupils.isEmpty())
                }
            }
        }
    }

    @Test
    fun `an address that is of no login that is open is refused, and the login stays open`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { folder ->
                val credentials = hub.firstAccess("D020")
                open(folder, hub.address).use { register ->
                    val callback = throughThePages(register.beginLogin(bySchool), credentials)
                    register.abortLogin()
                    val forged = callback.replace("state=", "state=x")
                    val failure = failureOf { register.completeLogin(forged) }
                    assertEquals(ErrorKind.UNTRUSTED, failure.kind)
                    assertFalse("state=" in failure.debug || "code=" in failure.debug)
                    register.completeLogin(callback)
                    assertEquals(ErrorKind.UNTRUSTED, failureOf { register.completeLogin(callback) }.kind)
                }
            }
        }
    }

    @Test
    fun `what the platform cannot keep is a typed error`() = runBlocking {
        HubProcess().use { hub ->
            Folder().use { folder ->
                val locked = object : SigningKeys by folder.keys {
                    override fun createKey(alias: String, needsUnlock: Boolean): ByteArray =
                        throw StorageException.NeedsUser()
                }
                val broken = object : SecretStore by folder.secrets {
                    override fun put(name: String, secret: ByteArray): Unit = error("not declared")
                }
                val options = OpenOptions(folder.path.resolve("store").toString(), hub.address, development = true)
                val vault = fileVault(folder.path.resolve("keys").toString())
                Registro.open(options, vault, locked, folder.secrets).use { register ->
                    val failure = failureOf { register.beginLogin(bySchool) }
                    assertEquals(ErrorKind.LOCKED to NextStep.UNLOCK, failure.kind to failure.nextStep)
                }
                Registro.open(options, vault, folder.keys, broken).use { register ->
                    val failure = failureOf { register.beginLogin(bySchool) }
                    assertEquals(ErrorKind.STORAGE, failure.kind)
                    assertFalse("not declared" in failure.debug)
                }
            }
        }
    }
}
