package dev.echodb

import dev.echodb.ffi.FfiConverterTypeChangeListener
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledOnOs
import org.junit.jupiter.api.condition.OS
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.minutes

/**
 * Many of everything, used and let go: nothing grows, nothing crashes, nothing hangs. [leavesNothing]
 * does its work twice, so each says half of what it is named for.
 */
@EnabledOnOs(OS.LINUX)
class LifetimeTest {
    @TempDir
    lateinit var folder: Path

    /** As long as the whole of a test may take on a slow machine. */
    private fun testLong(block: suspend CoroutineScope.() -> Unit) {
        runBlocking { withTimeout(5.minutes) { block() } }
    }

    private suspend fun withSpace(block: suspend (Client, Space) -> Unit) {
        // Listeners that fail on purpose fill the log.
        Client.open(online = false, log = { }).use { client ->
            client.createIdentity("Ada")
            block(client, client.createSpace("Notes"))
        }
    }

    @Test
    fun `a hundred thousand calls`() = testLong {
        withSpace { client, space ->
            val id = space.create("Note", mapOf("n" to 1, "t" to Text("hello")))
            leavesNothing(megabytes = 48) {
                repeat(20_000) { check(space.id.length == 52) }
                repeat(5_000) { client.status() }
                coroutineScope {
                    List(10) {
                        launch(Dispatchers.Default) {
                            repeat(1_000) {
                                check(space.get(id)?.get("n") == 1L)
                                check(space.text(id, "t") == "hello")
                            }
                            repeat(500) { runCatching { space.get("short") } }
                        }
                    }.joinAll()
                }
            }
            nothingIsHeldButLog()
        }
        nothingIsHeld()
    }

    @Test
    fun `ten thousand subscriptions`() = testLong {
        withSpace { _, space ->
            val calls = AtomicInteger()
            leavesNothing(megabytes = 48) {
                repeat(1_700) { space.subscribe { calls.incrementAndGet() }.cancel() }
                repeat(1_700) { space.subscribe { calls.incrementAndGet() } }
                repeat(100) { round ->
                    val jobs = List(16) { launch(Dispatchers.Default) { space.changes().collect { } } }
                    if (round % 2 == 0) space.create(null, mapOf("n" to round))
                    jobs.forEach { it.cancelAndJoin() }
                }
            }
            nothingIsHeldButLog()
            val before = calls.get()
            space.create(null, emptyMap())
            space.flush()
            assertEquals(before, calls.get(), "the dropped ones are silent")
        }
        nothingIsHeld()
    }

    @Test
    fun `a thousand clients`() = testLong {
        val number = AtomicInteger()
        leavesNothing(megabytes = 96) {
            coroutineScope {
                List(4) { worker ->
                    launch(Dispatchers.Default) {
                        repeat(125) { round ->
                            // Most in memory; some on disk, and some dropped without being shut down.
                            val profile = if (round % 25 == 0) folder.resolve("p${number.incrementAndGet()}") else null
                            val client = Client.open(profile, online = false)
                            client.createIdentity("Ada")
                            val space = client.defaultSpace()
                            if (worker == 0) space.subscribe { }
                            space.create("Note", mapOf("n" to round))
                            if (round % 10 != 9) client.shutdown()
                        }
                    }
                }.joinAll()
            }
            nothingIsHeld()
        }
    }

    @Test
    fun `listeners that throw`() = testLong {
        withSpace { _, space ->
            leavesNothing(megabytes = 32) {
                val told = Channel<Unit>(Channel.UNLIMITED)
                val subscription = space.subscribe {
                    told.trySend(Unit)
                    throw if (it.changes.size % 2 == 0) IllegalStateException("on purpose") else StackOverflowError()
                }
                repeat(500) {
                    space.create(null, emptyMap())
                    told.receive()
                }
                subscription.cancel()
            }
        }
    }

    @Test
    fun `listeners that outlive their client and refer to everything`() = testLong {
        leavesNothing(megabytes = 64) {
            repeat(50) {
                withSpace { client, space ->
                    lateinit var subscription: Subscription
                    val told = Channel<String>(Channel.UNLIMITED)
                    // A circle through the library, which only the end of the client can break.
                    subscription = space.subscribe { batch ->
                        told.trySend("${batch.changes.size} ${client.status().online} ${subscription.hashCode()}")
                    }
                    space.create(null, emptyMap())
                    told.receive()
                }
            }
            nothingIsHeld()
        }
    }

    @Test
    fun `listeners that call the library`() = testLong {
        withSpace { _, space ->
            val made = Channel<String>(Channel.UNLIMITED)
            val subscription = space.subscribe(field("depth") lt 50) { batch ->
                runBlocking {
                    for (change in batch.changes) {
                        val depth = space.get(change.id)!!["depth"] as Long
                        made.send(space.create(null, mapOf("depth" to depth + 1)))
                        space.subscribe { }.cancel()
                        space.changes(onListening = { space.create("Poke", emptyMap()) }).first()
                    }
                }
            }
            space.create(null, mapOf("depth" to 0))
            repeat(50) { made.receive() }
            subscription.cancel()
            assertEquals(51, space.query(where = field("depth").exists()).size)
            nothingIsHeldButLog()
        }
    }

    @Test
    fun `cancellation at each place where a call waits`() = testLong {
        withSpace { client, space ->
            val id = space.create("Note", mapOf("t" to Text("hello"), "n" to Counter(0)))
            val calls: List<suspend () -> Unit> = listOf(
                { Client.open(online = false).shutdown() },
                { client.spaces() },
                { client.space(space.id) },
                { client.defaultSpace() },
                { client.createSpace("More").close() },
                { client.setOnline(false) },
                { space.info() },
                { space.open() },
                { space.properties() },
                { space.setProperties(mapOf("a" to 1)) },
                { space.create(null, mapOf("a" to 1)) },
                { space.update(id, mapOf("a" to 1)) },
                { space.delete(space.create(null, emptyMap())) },
                { space.transact { repeat(3) { create("Three", emptyMap()) } } },
                { space.get(id) },
                { space.query() },
                { space.text(id, "t") },
                { space.spliceText(id, "t", 0, 0, "x") },
                { space.history(id) },
                { space.flush() },
                { space.digest() },
                { space.subscribe { } },
                { space.changes().collect { } },
                { space.members() },
                { space.status() },
                { space.quarantined() },
                { space.exportJson() },
                { space.importJson(space.exportJson()) },
            )
            leavesNothing(megabytes = 64) {
                for (call in calls) {
                    cancelledAtOnce(call)
                    for (patience in listOf(0, 20, 50, 100, 200, 500, 2000)) cancelledAfter(patience, call)
                }
                nothingIsHeldButLog()
            }
            assertEquals(0, space.query("Three").size % 3)
            assertTrue(space.get(id) != null)
        }
        nothingIsHeld()
    }

    @Test
    fun `a client that was being opened in vain lets go of its profile`() = testLong {
        val profile = folder.resolve("vain")
        Client.open(profile, online = false).close()
        for (patience in 0..150) {
            cancelledAfter(patience * 100) { Client.open(profile, online = false).shutdown() }
            until {
                try {
                    Client.open(profile, online = false).close()
                    true
                } catch (_: EchoException.InvalidState) {
                    // Still being opened or closed, by nobody's wish.
                    false
                }
            }
        }
        nothingIsHeld()
    }

    @Test
    fun `cancellation while an invitation waits`() = testLong {
        Client.open(bind = listOf("127.0.0.1:0")).use { client ->
            client.createIdentity("Ada")
            val space = client.defaultSpace()
            val invitation = space.invite()
            val calls: List<suspend () -> Unit> = listOf(
                { space.invite().cancel() },
                { invitation.await() },
                { invitation.awaitAuthCode() },
                { invitation.awaitState(InvitationState.SUCCESS) },
                { invitation.updates().collect { } },
            )
            leavesNothing(megabytes = 32) {
                for (call in calls) {
                    cancelledAtOnce(call)
                    for (patience in listOf(0, 100, 1000, 5000)) cancelledAfter(patience, call)
                }
            }
            assertTrue(!invitation.state.isFinal)
        }
        nothingIsHeld()
    }

    @Test
    fun `handles used while they are closed`() = testLong {
        leavesNothing(megabytes = 64) {
            repeat(40) {
                withSpace { client, space ->
                    val id = space.create(null, mapOf("n" to 1))
                    val transaction = space.transaction()
                    val subscription = space.subscribe { }
                    val outcomes = List(8) { worker ->
                        async(Dispatchers.Default) {
                            runCatching {
                                while (true) {
                                    space.get(id)
                                    client.status()
                                    if (worker % 2 == 0) transaction.update(id, mapOf("n" to 2)) else subscription.cancel()
                                }
                            }.exceptionOrNull()
                        }
                    }
                    delay(it.toLong() / 4)
                    transaction.close()
                    client.close()
                    outcomes.awaitAll().forEach { end -> assertTrue(end is EchoException.InvalidState, "$end") }
                }
            }
            nothingIsHeld()
        }
    }

    private suspend fun cancelledAtOnce(call: suspend () -> Unit) = withContext(Dispatchers.Default) {
        launch(start = CoroutineStart.UNDISPATCHED) { call() }.cancelAndJoin()
    }

    private suspend fun cancelledAfter(patience: Int, call: suspend () -> Unit) = withContext(Dispatchers.Default) {
        val job: Job = launch { call() }
        val end = System.nanoTime() + patience.microseconds.inWholeNanoseconds
        while (System.nanoTime() < end) Thread.onSpinWait()
        job.cancelAndJoin()
    }

    /** A client that is still open keeps its log. */
    private suspend fun nothingIsHeldButLog() {
        repeat(200) {
            if (FfiConverterTypeChangeListener.handleMap.size == 0) return
            System.gc()
            delay(20)
        }
        assertEquals(0, FfiConverterTypeChangeListener.handleMap.size, "change listeners")
    }
}
