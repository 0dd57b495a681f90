package it.registro

import java.net.URI
import java.net.URLEncoder
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse

/**
 * The browser part of a login, by HTTP: cookies, redirects, forms. On a phone it is a Custom Tab; the pages themselves
 * are tested in a real browser elsewhere (`cargo xtask peers`).
 *
 * @property callback where the app's redirect address begins: what goes there is not opened.
 */
class LoginBrowser(private val callback: String) {
    private val client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build()

    // By hand: the JDK's own would send cookies with a Max-Age in the quoted form of RFC 2965.
    private val cookies = mutableMapOf<String, String>()

    /** Where it stands: the last page's address and text. */
    var page = ""
        private set
    private var address: URI = URI("about:blank")

    /** Opens an address; gives the app's address once the browser is sent there. */
    fun open(url: String): String? = go(HttpRequest.newBuilder(URI(url)).GET())

    /**
     * Fills in the form of the page that has all these fields, presses the button that has this value (the first one if
     * null), and goes on as `open` does.
     */
    fun submit(fields: Map<String, String>, button: String? = null): String? {
        val form = forms().firstOrNull { form ->
            fields.keys.all { it in form.fields } && (button == null || form.buttons.any { it.second == button })
        } ?: error("no form with ${fields.keys} and $button at $address:\n$page")
        val pressed = form.buttons.firstOrNull { button == null || it.second == button }
        val all = form.fields + fields + listOfNotNull(pressed)
        val body = all.entries.joinToString("&") { (name, value) -> "${encoded(name)}=${encoded(value)}" }
        val request = HttpRequest.newBuilder(address.resolve(form.action))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Origin", "${address.scheme}://${address.authority}")
            .POST(HttpRequest.BodyPublishers.ofString(body))
        return go(request)
    }

    private fun go(first: HttpRequest.Builder): String? {
        var builder = first
        repeat(20) {
            builder.header("Accept-Language", "it")
            if (cookies.isNotEmpty()) {
                builder.header("Cookie", cookies.entries.joinToString("; ") { (name, value) -> "$name=$value" })
            }
            val request = builder.build()
            val response = client.send(request, HttpResponse.BodyHandlers.ofString())
            for (cookie in response.headers().allValues("Set-Cookie")) {
                val (name, value) = cookie.substringBefore(';').split('=', limit = 2)
                if (value.isEmpty() || "max-age=0" in cookie.lowercase()) cookies.remove(name) else cookies[name] = value
            }
            address = request.uri()
            page = response.body()
            val next = response.headers().firstValue("Location").orElse(null) ?: return null
            if (callback.isNotEmpty() && next.startsWith(callback)) return next
            builder = HttpRequest.newBuilder(address.resolve(next)).GET()
        }
        error("the redirects do not end")
    }

    private class Form(
        val action: String,
        val fields: Map<String, String>,
        val buttons: List<Pair<String, String>>,
    )

    private fun forms(): List<Form> = Regex("<form\\b([^>]*)>(.*?)</form>", RegexOption.DOT_MATCHES_ALL)
        .findAll(page)
        .map { match ->
            val (head, inside) = match.destructured
            val inputs = Regex("<input\\b([^>]*)>").findAll(inside).map { it.groupValues[1] }
                .filter { attribute(it, "type") !in setOf("checkbox", "radio", "submit") || it.contains("checked") }
                .mapNotNull { tag -> attribute(tag, "name")?.let { it to attribute(tag, "value").orEmpty() } }
            val buttons = Regex("<button\\b([^>]*)>").findAll(inside).map { it.groupValues[1] }
                .mapNotNull { tag -> attribute(tag, "name")?.let { it to attribute(tag, "value").orEmpty() } }
            Form(attribute(head, "action").orEmpty(), inputs.toMap(), buttons.toList())
        }.toList()

    private fun attribute(tag: String, name: String): String? =
        Regex("""(?:^|\s)$name="([^"]*)"""").find(tag)?.groupValues?.get(1)
            ?.replace("&#38;", "&")?.replace("&amp;", "&")?.replace("&#x2F;", "/")

    private fun encoded(text: String) = URLEncoder.encode(text, Charsets.UTF_8)
}
