package dev.echodb

import dev.echodb.ffi.FfiConverterTypeLiveListener
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Live queries: collected, called back, ended. */
class LiveTest {
    private val byRank = Query("Task", order = listOf(field("rank").ascending()))

    @Test
    fun `each kind of change comes and applies`() = testSpace { _, space ->
        val first = space.create("Task", mapOf("rank" to 1))
        val batches = Channel<LiveBatch>(Channel.UNLIMITED)
        val collector = launch { space.live(byRank, Duration.ZERO).collect(batches::send) }
        val results = mutableListOf<EchoObject>()
        suspend fun next(): LiveBatch = batches.receive().also { it.applyTo(results) }
        val initial = next()
        assertTrue(initial.initial)
        assertEquals(space.id to 1L, initial.space to initial.total)
        assertEquals(listOf(first), results.map { it.id })
        val second = space.create("Task", mapOf("rank" to 2))
        val added = next()
        assertEquals(LiveChange(LiveChangeKind.ADDED, second, null, 1, space.get(second)), added.changes.single())
        space.update(first, mapOf("rank" to 3))
        assertEquals(LiveChangeKind.MOVED, next().changes.single { it.id == first || it.id == second }.kind)
        assertEquals(listOf(second, first), results.map { it.id })
        space.update(first, mapOf("note" to "x"))
        assertEquals(LiveChangeKind.CHANGED, next().changes.single().kind)
        assertEquals("x", results[1]["note"])
        space.delete(second)
        assertEquals(LiveChange(LiveChangeKind.REMOVED, second, 0, null, null), next().changes.single())
        assertEquals(space.query(byRank), results)
        collector.cancelAndJoin()
    }

    @Test
    fun `whatever happens, the results are those of the query`() = testSpace { _, space ->
        val random = Random(7)
        val query = byRank.copy(limit = 10)
        val writer = launch {
            val ids = mutableListOf<String>()
            repeat(150) {
                when (random.nextInt(4)) {
                    0, 1 -> ids += space.create("Task", mapOf("rank" to random.nextInt(50)))
                    2 -> ids.randomOrNull(random)?.let { space.update(it, mapOf("rank" to random.nextInt(50))) }
                    else -> ids.removeFirstOrNull()?.let { space.delete(it) }
                }
            }
            space.create("Task", mapOf("rank" to -1, "last" to true))
        }
        val last = space.liveResults(query, 1.milliseconds).first { it.firstOrNull()?.get("last") == true }
        writer.join()
        assertEquals(space.query(query), last)
    }

    @Test
    fun `a slow collector gets fewer and larger batches`() = testSpace { _, space ->
        var initial = true
        val sizes = mutableListOf<Int>()
        space.live(byRank, Duration.ZERO).first {
            if (initial) repeat(50) { n -> space.create("Task", mapOf("rank" to n)) }
            initial = false
            sizes += it.changes.size
            it.total == 50L
        }
        assertEquals(listOf(0, 50), sizes)
    }

    @Test
    fun `listeners are called until cancelled`() = testSpace { _, space ->
        val calls = Channel<LiveBatch>(Channel.UNLIMITED)
        space.live(byRank) { calls.trySend(it) }.use { live ->
            assertEquals(0L, calls.receive().total)
            space.create("Task", mapOf("rank" to 1))
            assertEquals(1L, calls.receive().total)
            live.cancel()
            live.cancel()
        }
        space.create("Task", mapOf("rank" to 2))
        delay(100.milliseconds)
        assertTrue(calls.tryReceive().isFailure)
        until { FfiConverterTypeLiveListener.handleMap.size == 0 }
    }

    @Test
    fun `one that throws is called again with everything`() = testSpace { _, space ->
        space.create("Task", mapOf("rank" to 1))
        val failures = AtomicInteger()
        val calls = Channel<LiveBatch>(Channel.UNLIMITED)
        val live = space.live(byRank) {
            if (failures.incrementAndGet() == 1) throw AssertionError("on purpose")
            calls.trySend(it)
        }
        val again = calls.receive()
        assertEquals(true to 1, again.initial to again.changes.size)
        live.cancel()
    }

    @Test
    fun `wrong queries and intervals are refused`() = testSpace { _, space ->
        val wrong = Query(where = Filter.fromJson("""{"nonsense": 1}"""))
        thrown<EchoException.InvalidArgument> { space.live(wrong).first() }
        thrown<EchoException.InvalidArgument> { space.live(wrong) { }.close() }
        for (interval in listOf(2.minutes, (-1).milliseconds, Duration.INFINITE)) {
            thrown<EchoException.InvalidArgument> { space.live(byRank, interval).first() }
        }
        space.close()
        assertEquals(Status.INVALID_STATE, thrown<EchoException.InvalidState> { space.live(byRank).first() }.status)
    }

    @Test
    fun `the client's end ends the flow`() = testSpace { client, space ->
        val started = Channel<Unit>(Channel.UNLIMITED)
        val reader = async { space.live(byRank).also { started.send(Unit) }.toList() }
        started.receive()
        delay(50.milliseconds)
        client.close()
        assertTrue(reader.await().size <= 1)
    }

    @Test
    fun `hundreds begun and left`() = testSpace { _, space ->
        space.create("Task", mapOf("rank" to 1))
        repeat(300) { assertEquals(1, space.liveResults(byRank).first().size) }
        repeat(300) { n ->
            val collector = launch { space.live(byRank, Duration.ZERO).collect { } }
            delay((n % 3).milliseconds)
            collector.cancelAndJoin()
        }
        repeat(300) { space.live(byRank) { }.close() }
        until { FfiConverterTypeLiveListener.handleMap.size == 0 }
        assertEquals(1, space.query(byRank).size)
    }
}
