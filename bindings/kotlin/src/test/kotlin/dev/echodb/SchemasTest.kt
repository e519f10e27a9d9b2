package dev.echodb

import dev.echodb.ffi.FfiConverterTypeMigration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger

/** Schemas: in force, broken, migrated. */
class SchemasTest {
    private val first = """{"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}"""
    private val second = """{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}"""

    @Test
    fun `writes are checked`() = testSpace { _, space ->
        assertNull(space.schema("Task"))
        assertEquals(1 to 1, space.registerSchema("Task", first) to space.registerSchema("Task", first))
        val id = space.create("Task", mapOf("title" to "Water"))
        assertEquals(1L, space.get(id)!!.schemaVersion)
        val refused = thrown<EchoException.InvalidArgument> { space.create("Task", emptyMap()) }
        assertEquals(Status.SCHEMA_VIOLATION, refused.status)
        thrown<EchoException.AlreadyExists> { space.registerSchema("Task", second, 1) }
        assertEquals(2, space.registerSchema("Task", second, 2))
        val (old, new) = space.schemas()
        assertEquals(listOf("Task" to 1, "Task" to 2), listOf(old.type to old.version, new.type to new.version))
        assertEquals(new, space.schema("Task"))
        assertTrue(!new.withdrawn && new.problem == null && !new.conflict)
        space.delete(new.id)
        assertTrue(space.schemas()[1].withdrawn)
        thrown<EchoException.InvalidArgument> { space.registerSchema("Task", "{") }
        thrown<EchoException.InvalidArgument> { space.registerSchema("Task", first, -1) }
    }

    @Test
    fun `what a merge breaks is told`() = testPeers { space, copy, bob ->
        space.registerSchema("Task", """{"properties": {"list": {"maxItems": 2}}}""")
        val id = space.create("Task", mapOf("list" to listOf("a")))
        until { copy.digest() == space.digest() && copy.get(id) != null }
        assertEquals(emptyList<Violation>(), space.violations())
        bob.setOnline(false)
        space.transact { insert(id, "/list/1", "b") }
        copy.transact { insert(id, "/list/1", "c") }
        bob.setOnline(true)
        until { copy.digest() == space.digest() && space.get(id)!!["list"].let { it is List<*> && it.size == 3 } }
        val broken = space.violations().single()
        assertEquals(listOf(id, "Task", 1, "/list"), listOf(broken.id, broken.type, broken.version, broken.path))
        assertTrue(broken.reason.startsWith("maxItems: "))
        assertEquals(listOf(broken), copy.violations())
        assertEquals(1L to false, space.status().let { it.violations to it.checking })
    }

    @Test
    fun `migrated, left and failed`() = testSpace { _, space ->
        space.registerSchema("Task", first)
        val ids = List(4) { space.create("Task", mapOf("title" to "t$it")) }
        space.registerSchema("Task", second)
        val report = space.migrate("Task", 2) { id, version, fields ->
            assertEquals(1, version)
            when (id) {
                ids[1] -> null
                ids[2] -> throw ArithmeticException("on purpose")
                ids[3] -> mapOf("name" to 3)
                else -> mapOf("name" to fields["title"])
            }
        }
        assertEquals(listOf(1L, 1L, 2L), listOf(report.migrated, report.left, report.failed))
        assertEquals(setOf(ids[2], ids[3]), report.failures.map { it.id }.toSet())
        assertTrue("on purpose" in report.failures.single { it.id == ids[2] }.reason)
        val moved = space.get(ids[0])!!
        assertEquals(mapOf("name" to "t0") to 2L, moved.fields to moved.schemaVersion)
        thrown<EchoException.NotFound> { space.migrate("Task", 9) { _, _, _ -> null } }
        until { FfiConverterTypeMigration.handleMap.size == 0 }
    }

    @Test
    fun `ended by the program, or by its cancellation`() = testSpace { _, space ->
        space.registerSchema("Task", first)
        repeat(5) { space.create("Task", mapOf("title" to "t$it")) }
        space.registerSchema("Task", second)
        val calls = AtomicInteger()
        thrown<EchoException.Cancelled> {
            space.migrate("Task", 2) { _, _, _ ->
                if (calls.incrementAndGet() == 2) throw CancellationException("enough")
                null
            }
        }
        assertEquals(2, calls.get())
        val begun = CompletableDeferred<Unit>()
        val go = CountDownLatch(1)
        val migration = launch {
            space.migrate("Task", 2) { _, _, _ ->
                calls.incrementAndGet()
                begun.complete(Unit)
                go.await(PATIENCE.inWholeSeconds, TimeUnit.SECONDS)
                null
            }
        }
        begun.await()
        migration.cancelAndJoin()
        go.countDown()
        until { FfiConverterTypeMigration.handleMap.size == 0 }
        assertEquals(3, calls.get())
    }
}
