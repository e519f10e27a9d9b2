package dev.echodb

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How long anything may take on a slow machine before a test calls it stuck. */
val PATIENCE = 60.seconds

/** A test of coroutines, which may not hang. */
fun test(block: suspend CoroutineScope.() -> Unit) {
    runBlocking { withTimeout(PATIENCE) { block() } }
}

/** A test with a client in memory, an identity and a space. */
fun testSpace(block: suspend CoroutineScope.(Client, Space) -> Unit) =
    test {
        Client.open(online = false).use { client ->
            client.createIdentity("Ada")
            block(client, client.createSpace("Notes"))
        }
    }

/** A test with a space of one client, the copy of another, and that client. */
fun testPeers(block: suspend CoroutineScope.(Space, Space, Client) -> Unit) =
    test {
        SignalingServer().use { server ->
            suspend fun open(name: String): Client =
                Client.open(signaling = listOf(server.url), bind = listOf("127.0.0.1:0")).also { it.createIdentity(name) }
            open("Ada").use { ada ->
                open("Bob").use { bob ->
                    val space = ada.createSpace("Shared")
                    val host = space.invite()
                    val guest = bob.join(host.code)
                    guest.awaitState(InvitationState.READY_FOR_AUTHENTICATION)
                    guest.authenticate(host.awaitAuthCode())
                    block(space, bob.space(guest.await()), bob)
                }
            }
        }
    }

/** Waits until something holds. */
suspend fun until(check: suspend () -> Boolean) {
    while (!check()) delay(20.milliseconds)
}

/** What a block throws, which must be of the type. */
suspend inline fun <reified E : Throwable> thrown(block: suspend () -> Unit): E {
    try {
        block()
    } catch (error: Throwable) {
        if (error is E) return error
        throw AssertionError("expected ${E::class.simpleName}, not this", error)
    }
    throw AssertionError("expected ${E::class.simpleName}, but nothing was thrown")
}

/** What the tests are told about their surroundings. */
object Surroundings {
    val signal: String get() = property("echodb.signal")
    val jar: Path get() = Path.of(property("echodb.jar"))
    val dependencies: Path get() = Path.of(property("echodb.dependencies"))
    val testClasses: Path get() = Path.of(property("echodb.testClasses"))
    val sources: Path get() = Path.of(property("echodb.sources"))

    private fun property(name: String): String =
        System.getProperty(name).orEmpty().ifEmpty { error("the system property $name is not set: use cargo xtask kotlin test") }
}

/** A running `echodb-signal`. */
class SignalingServer : AutoCloseable {
    private val process = ProcessBuilder(Surroundings.signal, "--listen", "127.0.0.1:0")
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()

    val url: String

    init {
        val line = process.inputStream.bufferedReader().readLine().orEmpty()
        if (!line.startsWith(SAYS)) {
            close()
            error("the signalling server says \"$line\"")
        }
        url = line.removePrefix(SAYS)
    }

    override fun close() {
        process.destroy()
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly()
    }

    private companion object {
        const val SAYS = "listening on "
    }
}
