package dev.echodb

import com.sun.jna.Callback
import dev.echodb.ffi.generatedCallbacks
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.jar.JarFile
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import dev.echodb.ffi.FfiConverterTypeChangeListener as Listeners

/** Changes: collected, called back, filtered, ended. */
class ChangesTest {
    private companion object {
        const val THREADS = 48
    }

    @Test
    fun `collected as they come`() = testSpace { _, space ->
        val batches = Channel<ChangeBatch>(Channel.UNLIMITED)
        val listening = CompletableDeferred<Unit>()
        val collector = launch { space.changes { listening.complete(Unit) }.collect(batches::send) }
        listening.await()
        val id = space.create("Task", mapOf("n" to 1))
        assertEquals(
            ChangeBatch(space.id, listOf(Change(id, "Task", ChangeKind.ADDED, ChangeOrigin.LOCAL))),
            batches.receive(),
        )
        space.update(id, mapOf("n" to 2))
        assertEquals(ChangeKind.UPDATED, batches.receive().changes.single().kind)
        space.delete(id)
        assertEquals(ChangeKind.REMOVED, batches.receive().changes.single().kind)
        collector.cancelAndJoin()
        until { Listeners.handleMap.size == 0 }
    }

    @Test
    fun `filtered`() = testSpace { _, space ->
        val batches = Channel<ChangeBatch>(Channel.UNLIMITED)
        val listening = CompletableDeferred<Unit>()
        val collector = launch {
            space.changes(field("done") eq true, "Task") { listening.complete(Unit) }.collect(batches::send)
        }
        listening.await()
        val id = space.create("Task", mapOf("done" to false))
        space.create("Note", mapOf("done" to true))
        val other = space.create("Task", mapOf("done" to true))
        assertEquals(other, batches.receive().changes.single().id)
        space.update(id, mapOf("done" to true))
        assertEquals(id to ChangeKind.ADDED, batches.receive().changes.single().let { it.id to it.kind })
        collector.cancelAndJoin()
        thrown<EchoException.InvalidArgument> { space.changes(Filter.fromJson("""{"nonsense": 1}""")).collect { } }
    }

    @Test
    fun `nothing is missed between a query and what follows`() = testSpace { _, space ->
        val writer = launch(Dispatchers.Default) { repeat(100) { space.create("Task", mapOf("n" to it)) } }
        val seen = mutableSetOf<String>()
        space.changes(onListening = { space.query().mapTo(seen) { it.id } }).first { batch ->
            batch.changes.mapTo(seen) { it.id }
            seen.size == 100
        }
        writer.join()
    }

    @Test
    fun `the client's end ends the flow`() = testSpace { client, space ->
        val listening = CompletableDeferred<Unit>()
        val seen = Channel<ChangeBatch>(Channel.UNLIMITED)
        val reader = async { space.changes { listening.complete(Unit) }.onEach(seen::send).toList() }
        listening.await()
        space.create("Task", emptyMap())
        seen.receive()
        val called = AtomicInteger()
        space.subscribe { called.incrementAndGet() }
        client.close()
        assertEquals(1, reader.await().size)
        until {
            System.gc()
            Listeners.handleMap.size == 0
        }
        assertEquals(0, called.get())
    }

    @Test
    fun `leaving ends the listening`() = testSpace { _, space ->
        repeat(2) {
            val writer = launch(Dispatchers.Default) {
                while (true) {
                    space.create("Task", emptyMap())
                    delay(5.milliseconds)
                }
            }
            space.changes().first()
            writer.cancelAndJoin()
            until { Listeners.handleMap.size == 0 }
        }
        val collector = launch { space.changes().collect { } }
        until { Listeners.handleMap.size == 1 }
        collector.cancelAndJoin()
        until { Listeners.handleMap.size == 0 }
    }

    @Test
    fun `listeners are called on the library's threads`() = testSpace { _, space ->
        val seen = Channel<Pair<ChangeBatch, Thread>>(Channel.UNLIMITED)
        // Cancelled also if something fails here: other tests count what is left.
        space.subscribe(type = "Task") { seen.trySend(it to Thread.currentThread()) }.use { subscription ->
            val id = space.create("Task", emptyMap())
            val (batch, caller) = seen.receive()
            assertEquals(listOf(id), batch.changes.map { it.id })
            assertTrue(isOfLibrary(caller), caller.toString())
            subscription.cancel()
            subscription.cancel()
        }
        space.create("Task", emptyMap())
        space.flush()
        assertTrue(seen.tryReceive().isFailure)
    }

    @Test
    fun `whatever a thread calls first, it is attached as a daemon of our name`() = testSpace { _, space ->
        // So many threads at once that most have called nothing before.
        val all = CountDownLatch(THREADS)
        val callers = Channel<Thread>(Channel.UNLIMITED)
        val subscriptions = List(THREADS) {
            space.subscribe {
                all.countDown()
                all.await(PATIENCE.inWholeSeconds, TimeUnit.SECONDS)
                callers.trySend(Thread.currentThread())
            }
        }
        try {
            space.create("Task", emptyMap())
            val strange = List(THREADS) { callers.receive() }.filterNot(::isOfLibrary)
            assertEquals(emptyList<Thread>(), strange)
        } finally {
            subscriptions.forEach { it.close() }
        }
    }

    @Test
    fun `no generated callback is forgotten`() {
        val callbacks = JarFile(Surroundings.jar.toFile()).use { jar ->
            jar.entries().asSequence().map { it.name }
                .filter { it.startsWith("dev/echodb/ffi/") && it.endsWith(".class") }
                .map { Class.forName(it.removeSuffix(".class").replace('/', '.'), false, Client::class.java.classLoader) }
                .filter { Callback::class.java.isAssignableFrom(it) }
                .mapNotNull { type -> type.declaredFields.find { it.name == "INSTANCE" }?.get(null) }
                .toSet()
        }
        assertTrue(callbacks.size > 3)
        assertEquals(callbacks, generatedCallbacks().toSet())
    }

    private fun isOfLibrary(thread: Thread): Boolean = thread.isDaemon && thread.name == THREAD

    @Test
    fun `one that throws is logged and kept`() = test {
        val log = Channel<LogRecord>(Channel.UNLIMITED)
        Client.open(online = false, log = { log.trySend(it) }).use { client ->
            client.createIdentity("Ada")
            val space = client.defaultSpace()
            val calls = Channel<Int>(Channel.UNLIMITED)
            for (problem in listOf(ArithmeticException("on purpose"), AssertionError("on purpose"))) {
                space.subscribe {
                    calls.trySend(it.changes.size)
                    throw problem
                }.use {
                    repeat(2) {
                        space.create("Task", emptyMap())
                        assertEquals(1, calls.receive())
                        assertTrue("on purpose" in log.receive().text)
                    }
                }
            }
        }
    }

    @Test
    fun `one that calls the library, cancels itself, and closes the client`() = testSpace { client, space ->
        val done = Channel<Any?>(Channel.UNLIMITED)
        lateinit var subscription: Subscription
        val calls = AtomicInteger()
        subscription = space.subscribe { batch ->
            calls.incrementAndGet()
            val id = batch.changes.single().id
            val found = runBlocking { space.get(id) }
            subscription.cancel()
            done.trySend(found?.get("n"))
        }
        space.create("Task", mapOf("n" to 7))
        assertEquals(7L, done.receive())
        space.create("Task", emptyMap())
        space.flush()
        assertEquals(1, calls.get())
        val last = space.subscribe {
            client.close()
            done.trySend("closed")
        }
        space.create("Task", emptyMap())
        assertEquals("closed", done.receive())
        thrown<EchoException.InvalidState> { space.create("Task", emptyMap()) }
        last.cancel()
    }

    private fun batch(vararg kinds: Pair<String, ChangeKind>): ChangeBatch =
        ChangeBatch("s", kinds.map { (id, kind) -> Change(id, "T", kind, ChangeOrigin.LOCAL) })

    @Test
    fun `two batches as one`() {
        val (added, updated, removed) = ChangeKind.entries
        val table = listOf(
            Triple(added, updated, added),
            Triple(added, removed, null),
            Triple(updated, updated, updated),
            Triple(updated, removed, removed),
            Triple(removed, added, updated),
            Triple(null, removed, removed),
        )
        for ((old, new, expected) in table) {
            val before = if (old == null) batch() else batch("b" to old)
            val gathered = gather(before, batch("b" to new, "a" to added)).changes
            assertEquals(expected, gathered.find { it.id == "b" }?.kind)
            assertEquals("a", gathered.first().id)
        }
    }

    @Test
    fun `a slow collector costs bounded memory`() = test {
        val mailbox = Mailbox(4, ::gather)
        val threads = List(4) {
            thread { repeat(1000) { n -> mailbox.put(batch("o${n % 10}" to ChangeKind.UPDATED)) } }
        }
        threads.forEach { it.join() }
        mailbox.end()
        mailbox.put(batch("late" to ChangeKind.ADDED))
        val batches = generateSequence { runBlocking { mailbox.take() } }.toList()
        assertEquals(4, batches.size)
        assertEquals(10, batches.last().changes.size)
    }
}
