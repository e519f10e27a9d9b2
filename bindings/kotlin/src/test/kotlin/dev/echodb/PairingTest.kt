package dev.echodb

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import java.time.Duration
import java.time.Instant
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Two clients over a real signalling server: paired, in step, offline and back. */
class PairingTest {
    private class Pair(val ada: Client, val bob: Client, val space: Space) {
        /** Both sides up to where the authorization code is asked for. */
        suspend fun meet(): Triple<Invitation, Invitation, String> = coroutineScope {
            val host = space.invite()
            val guest = bob.join(host.code)
            val asked = async { guest.awaitState(InvitationState.READY_FOR_AUTHENTICATION) }
            val authCode = host.awaitAuthCode()
            assertTrue(Regex("\\d{6}").matches(authCode))
            assertEquals(authCode, host.authCode)
            assertEquals("Ada", asked.await().peerName)
            Triple(host, guest, authCode)
        }

        /** Bob's copy of the space. */
        suspend fun pair(): Space = coroutineScope {
            val (host, guest, authCode) = meet()
            guest.authenticate(authCode)
            val ends = listOf(async { host.await() }, async { guest.await() }).awaitAll()
            assertEquals(listOf(space.id, space.id), ends)
            assertEquals(InvitationState.SUCCESS, guest.state)
            bob.space(ends[1])
        }
    }

    private fun testPair(block: suspend kotlinx.coroutines.CoroutineScope.(Pair) -> Unit) = test {
        open("Ada").use { ada ->
            open("Bob").use { bob -> block(Pair(ada, bob, ada.createSpace("Notes"))) }
        }
    }

    private suspend fun open(name: String): Client =
        Client.open(signaling = listOf(server.url), bind = listOf("127.0.0.1:0")).also { it.createIdentity(name) }

    private suspend fun same(one: Space, other: Space) = until { one.digest() == other.digest() }

    @Test
    fun `live both ways`() = testPair { people ->
        val space = people.space
        val id = space.create("Note", mapOf("t" to Text("h😀llo")))
        val copy = people.pair()
        same(space, copy)
        assertEquals(Text("h😀llo"), copy.get(id)!!["t"])
        val change = space.changes(onListening = { copy.spliceText(id, "t", 1, 2, "e👩\u200d👧") }).first().changes.single()
        assertEquals(Change(id, "Note", ChangeKind.UPDATED, ChangeOrigin.REMOTE), change)
        assertEquals("he👩\u200d👧llo", space.text(id, "t"))
        assertEquals(setOf("Ada", "Bob"), copy.members().map { it.displayName }.toSet())
        until { space.status().peers.map { it.name to it.inSync } == listOf("Bob" to true) }
        val status = people.ada.status()
        assertEquals(1, status.peers)
        assertTrue(status.bytesSent > 0 && status.bytesReceived > 0)
        assertTrue(status.signaling.single().connected)
    }

    @Test
    fun `offline edits merge`() = testPair { people ->
        val space = people.space
        val id = space.create("Note", mapOf("t" to Text("ab"), "n" to Counter(0), "who" to "nobody"))
        val copy = people.pair()
        same(space, copy)
        people.bob.setOnline(false)
        space.spliceText(id, "t", 0, insert = "<")
        copy.spliceText(id, "t", 2, insert = ">")
        space.transact { increment(id, "n", 2) }
        copy.transact { increment(id, "n", 3) }
        copy.create("Note", mapOf("t" to "made offline"))
        space.flush()
        copy.flush()
        assertNotEquals(space.digest(), copy.digest())
        people.bob.setOnline(true)
        same(space, copy)
        val here = space.get(id)!!
        assertEquals(here, copy.get(id))
        assertEquals(Text("<ab>") to Counter(5), here["t"] to here["n"])
        assertEquals(2, space.query().size)
    }

    @Test
    fun `wrong codes are refused`() = testPair { people ->
        val (host, guest, authCode) = people.meet()
        thrown<EchoException.InvalidArgument> { guest.authenticate("12") }
        thrown<EchoException.InvalidState> { host.authenticate("123456") }
        val attempts = host.update().attemptsLeft
        guest.authenticate("%06d".format((authCode.toInt() + 1) % 1_000_000))
        until { host.update().let { it.attemptsLeft < attempts || it.state.isFinal } }
        assertEquals(1, people.space.members().size)
        guest.cancel()
        host.cancel()
        thrown<EchoException> { guest.await() }
        thrown<EchoException> { guest.awaitAuthCode() }
        val update = guest.update()
        assertTrue(update.state.isFinal && update.state != InvitationState.SUCCESS)
    }

    @Test
    fun `every state is told`() = testPair { people ->
        val host = people.space.invite()
        val hosts = async(start = CoroutineStart.UNDISPATCHED) { host.updates().toList() }
        val guest = people.bob.join(host.url)
        val guests = async(start = CoroutineStart.UNDISPATCHED) { guest.updates().toList() }
        val authCode = host.awaitAuthCode()
        guest.awaitState(InvitationState.READY_FOR_AUTHENTICATION)
        guest.authenticate("${authCode.take(3)}-${authCode.drop(3)}")
        for (updates in listOf(hosts.await(), guests.await())) {
            val states = updates.map { it.state }
            assertEquals(states.sorted(), states, "states go forward")
            assertEquals(InvitationState.SUCCESS, states.last())
            assertTrue(InvitationState.READY_FOR_AUTHENTICATION in states, states.toString())
            assertEquals(people.space.id, updates.last().space)
            assertNull(updates.last().status)
        }
        assertEquals(listOf(host.update()), host.updates().toList())
    }

    @Test
    fun `cancelled by the host`() = testPair { people ->
        val host = people.space.invite(expires = 1.minutes, includeSignaling = false)
        assertTrue(host.url.startsWith("echodb://join/"))
        assertTrue(host.state in listOf(InvitationState.INIT, InvitationState.CONNECTING))
        val following = async(start = CoroutineStart.UNDISPATCHED) { host.updates().toList() }
        val heard = CompletableDeferred<InvitationUpdate>()
        val subscription = host.subscribe { if (it.state.isFinal) heard.complete(it) }
        val waiting = async { runCatching { host.await() } }
        yield()
        host.cancel()
        assertTrue(waiting.await().exceptionOrNull() is EchoException.Cancelled)
        assertEquals(InvitationState.CANCELLED, following.await().last().state)
        assertEquals(Status.CANCELLED, heard.await().status ?: Status.CANCELLED)
        subscription.cancel()
        assertNull(host.authCode)
    }

    @Test
    fun `what is given up is cancelled`() = testPair { people ->
        val host = people.space.invite()
        val waiting = launch(start = CoroutineStart.UNDISPATCHED) { host.await() }
        waiting.cancelAndJoin()
        assertFalse(host.state.isFinal)
        val joining = launch(start = CoroutineStart.UNDISPATCHED) { people.bob.join(host.code) }
        joining.cancelAndJoin()
        delay(300.milliseconds)
        assertEquals(1, people.bob.spaces().size)
        val updates = async(start = CoroutineStart.UNDISPATCHED) { host.updates().toList() }
        people.ada.close()
        assertTrue(updates.await().size <= 3)
    }

    @Test
    fun `the log goes where it is told`() = test {
        suspend fun open(level: LogLevel, log: LogSink): Client =
            Client.open(signaling = listOf(server.url), bind = listOf("127.0.0.1:0"), logLevel = level, log = log)
                .also { it.createIdentity("Ada") }
        val records = ConcurrentLinkedQueue<LogRecord>()
        open(LogLevel.TRACE, records::add).use { until { records.isNotEmpty() } }
        val record = records.first()
        assertTrue(record.target.isNotEmpty() && record.text.isNotEmpty())
        assertTrue(record.level in LogLevel.ERROR..LogLevel.TRACE)
        val age = Duration.between(record.time, Instant.now())
        assertTrue(age.abs() < Duration.ofHours(1), "the record is $age old")
        for (level in listOf(LogLevel.OFF, LogLevel.ERROR)) {
            val others = ConcurrentLinkedQueue<LogRecord>()
            open(level, others::add).use { client -> until { client.status().signaling.all { it.connected } } }
            assertEquals(emptyList<LogRecord>(), others.toList())
        }
        val called = AtomicInteger()
        val failing = LogSink {
            called.incrementAndGet()
            throw AssertionError("on purpose")
        }
        open(LogLevel.TRACE, failing).use { client ->
            until { called.get() > 0 && client.status().signaling.all { it.connected } }
        }
    }

    companion object {
        private lateinit var server: SignalingServer

        @BeforeAll
        @JvmStatic
        fun start() {
            server = SignalingServer()
        }

        @AfterAll
        @JvmStatic
        fun stop() {
            server.close()
        }
    }
}
