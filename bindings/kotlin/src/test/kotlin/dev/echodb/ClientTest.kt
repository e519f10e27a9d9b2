package dev.echodb

import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.jar.JarFile
import java.util.logging.Handler
import java.util.logging.Level
import java.util.logging.Logger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import java.util.logging.LogRecord as JavaRecord

/** Clients: opened, closed, locked; errors; the log. */
class ClientTest {
    @TempDir
    lateinit var folder: Path

    private val profile: Path get() = folder.resolve("profile")

    @Test
    fun `a profile lasts`() = test {
        val made: IdentityInfo
        val space: Space
        val id: String
        Client.open(profile, online = false).use { client ->
            assertNull(client.identity)
            made = client.createIdentity("Ada")
            assertEquals(made, client.identity)
            assertEquals("Ada", made.displayName)
            space = client.createSpace("Notes", mapOf("icon" to "📓"))
            assertEquals(mapOf("name" to "Notes", "icon" to "📓"), space.properties())
            id = space.create("Note", mapOf("t" to "kept"))
            assertNotEquals(space.id, client.defaultSpace().id)
        }
        thrown<EchoException.InvalidState> { space.create("Note", emptyMap()) }
        Client.open(profile, online = false).use { client ->
            assertEquals(made, client.identity)
            val infos = client.spaces()
            assertEquals(listOf(true, false), infos.map { it.isDefault })
            assertEquals("Notes", infos[1].name)
            val again = client.space(space.id)
            assertEquals("kept", again.get(id)?.get("t"))
            assertTrue(space.id in again.toString())
            client.deleteSpace(again.id)
            assertEquals(1, client.spaces().size)
            thrown<EchoException.NotFound> { client.space(infos[1].id) }
            thrown<EchoException> { client.deleteSpace(client.defaultSpace().id) }
        }
    }

    @Test
    fun `a profile is locked`() = test {
        Client.open(profile, online = false).use {
            val error = thrown<EchoException.InvalidState> { Client.open(profile, online = false) }
            assertEquals(Status.PROFILE_LOCKED, error.status)
            assertTrue(error.retryable)
        }
        Client.open(profile, online = false).close()
    }

    @Test
    fun `errors are typed`() = test {
        Client.open(online = false).use { client ->
            thrown<EchoException.InvalidState> { client.createSpace("early") }
            client.createIdentity("Ada")
            val error = thrown<EchoException.AlreadyExists> { client.createIdentity("Ada") }
            assertEquals(Status.ALREADY_EXISTS, error.status)
            assertFalse(error.retryable)
            assertTrue(error.message.orEmpty().length > 10)
            val space = client.defaultSpace()
            val malformed = thrown<EchoException.InvalidArgument> { space.get("short") }
            assertTrue("object id" in malformed.message.orEmpty())
            thrown<EchoException.InvalidArgument> { space.create("x".repeat(257), emptyMap()) }
            thrown<EchoException.NotFound> { space.update("0".repeat(26), emptyMap()) }
            thrown<EchoException> { client.join("not a code") }
            thrown<EchoException.InvalidArgument> { client.join("not a code", (-1).seconds) }
            thrown<EchoException.InvalidArgument> { space.invite((-1).seconds) }
            thrown<EchoException.InvalidArgument> { space.invite(0.seconds) }
        }
        thrown<EchoException.InvalidArgument> { Client.open(coalesce = (-1).milliseconds) }
        thrown<EchoException.InvalidArgument> { Client.open(coalesce = 2.seconds) }
        thrown<EchoException.InvalidArgument> { Client.open(signaling = listOf("http://no")) }
    }

    @Test
    fun `every call after the end is an error`() = test {
        val client = Client.open(bind = listOf("127.0.0.1:0"))
        client.createIdentity("Ada")
        val space = client.defaultSpace()
        val transaction = space.transaction()
        val invitation = space.invite()
        client.close()
        client.close()
        client.shutdown()
        val calls: List<suspend () -> Any?> = listOf(
            { client.identity },
            { client.status() },
            { client.createIdentity("Bob") },
            { client.createSpace() },
            { client.spaces() },
            { client.space(space.id) },
            { client.defaultSpace() },
            { client.deleteSpace(space.id) },
            { client.join("code") },
            { client.setOnline(true) },
            { space.info() },
            { space.open() },
            { space.close() },
            { space.properties() },
            { space.setProperties(emptyMap()) },
            { space.create(null, emptyMap()) },
            { space.update("0".repeat(26), emptyMap()) },
            { space.delete("0".repeat(26)) },
            { space.transact { create(null, emptyMap()) } },
            { space.get("0".repeat(26)) },
            { space.query() },
            { space.text("0".repeat(26), "t") },
            { space.spliceText("0".repeat(26), "t", 0) },
            { space.history("0".repeat(26)) },
            { space.flush() },
            { space.digest() },
            { space.subscribe { } },
            { space.changes().collect { } },
            { space.invite() },
            { space.members() },
            { space.status() },
            { space.quarantined() },
            { space.exportJson() },
            { space.importJson(ByteArray(0)) },
            { transaction.apply { create(null, emptyMap()) }.commit() },
            { invitation.authenticate("123456") },
        )
        for ((number, call) in calls.withIndex()) {
            try {
                thrown<EchoException.InvalidState> { call() }
            } catch (wrong: AssertionError) {
                throw AssertionError("call $number", wrong)
            }
        }
        assertTrue(invitation.state.isFinal)
        invitation.cancel()
    }

    @Test
    fun `status and going offline`() = test {
        Client.open().use { client ->
            assertTrue(client.status().online)
            client.setOnline(false)
            val status = client.status()
            assertFalse(status.online)
            assertEquals(0, status.peers)
            assertEquals(emptyList<SignalingStatus>(), status.signaling)
        }
    }

    @Test
    fun `many calls at once`() = testSpace { _, space ->
        val ids = (0 until 100).map { n -> async { space.create("Note", mapOf("n" to n)) } }.awaitAll()
        assertEquals(100, ids.toSet().size)
        assertEquals(ids.toSet(), space.query().map { it.id }.toSet())
    }

    @Test
    fun `damaged profiles are refused untouched`() = test {
        Files.createDirectories(profile)
        val damaged = profile.resolve("profile.sqlite")
        val before = "not a database, but long enough to have had a header once".repeat(9).toByteArray()
        Files.write(damaged, before)
        val error = thrown<EchoException.Storage> { Client.open(profile, online = false) }
        assertEquals(Status.CORRUPT, error.status)
        assertArrayEquals(before, Files.readAllBytes(damaged))
    }

    @Test
    fun `the system's log is used by default`() {
        val logger = Logger.getLogger("echodb")
        val heard = ConcurrentLinkedQueue<JavaRecord>()
        val handler = object : Handler() {
            override fun publish(record: JavaRecord) {
                heard.add(record)
            }

            override fun flush() = Unit

            override fun close() = Unit
        }
        logger.useParentHandlers = false
        logger.addHandler(handler)
        try {
            LogSink.system().log(LogRecord(LogLevel.WARN, "swarm", "100% of {0}", Instant.EPOCH))
        } finally {
            logger.removeHandler(handler)
            logger.useParentHandlers = true
        }
        val record = heard.single()
        assertEquals("echodb.swarm", record.loggerName)
        assertEquals(Level.WARNING, record.level)
        assertEquals("100% of {0}", record.message)
    }

    @Test
    fun `the jar's version is the library's`() {
        val version = JarFile(Surroundings.jar.toFile()).use { it.manifest.mainAttributes.getValue("Implementation-Version") }
        assertEquals(version, libraryVersion)
    }

    @Test
    fun `an interrupted thread closes all the same`() = test {
        val client = Client.open(profile, online = false)
        Thread.currentThread().interrupt()
        client.close()
        assertTrue(Thread.interrupted())
        Client.open(profile, online = false).close()
    }
}
