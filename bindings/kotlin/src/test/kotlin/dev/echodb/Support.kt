package dev.echodb

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
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

/** A client in memory that looks for others at the server; without [name] it has no identity. */
suspend fun online(server: SignalingServer, name: String? = null): Client =
    Client.open(signaling = listOf(server.url), bind = listOf("127.0.0.1:0")).also { client ->
        name?.let { client.createIdentity(it) }
    }

/** Lets a guest in who has come with a host's code, and returns what both got. */
suspend fun letIn(host: Invitation, guest: Invitation): String {
    guest.awaitState(InvitationState.READY_FOR_AUTHENTICATION)
    guest.authenticate(host.awaitAuthCode())
    return guest.await().also { assertEquals(it, host.await()) }
}

/** Invites a client into a space; returns its copy. */
suspend fun pair(space: Space, guest: Client): Space {
    val host = space.invite()
    return guest.space(letIn(host, guest.join(host.code)))
}

/** Waits until two copies of a space hold the same. */
suspend fun converge(one: Space, other: Space): Unit = until { one.digest() == other.digest() }

/** A test with a space of one client, the copy of another, and that client. */
fun testPeers(block: suspend CoroutineScope.(Space, Space, Client) -> Unit) =
    test {
        SignalingServer().use { server ->
            online(server, "Ada").use { ada ->
                online(server, "Bob").use { bob ->
                    val space = ada.createSpace("Shared")
                    block(space, pair(space, bob), bob)
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
