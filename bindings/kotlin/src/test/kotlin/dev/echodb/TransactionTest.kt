package dev.echodb

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Transactions: all or nothing. */
class TransactionTest {
    @Test
    fun `all steps`() = testSpace { _, space ->
        val transaction = space.transaction()
        val (parent, child) = with(transaction) {
            val parent = create("List", mapOf("items" to listOf(1, 3), "votes" to Counter(1)))
            val child = create("Item", mapOf("t" to Text("a😀c"), "gone" to 1, "map" to mapOf("a" to 1)))
            insert(parent, "/items/1", 2)
            increment(parent, "votes", 4)
            increment(parent, "votes")
            set(parent, "/items/0", mapOf("deep" to listOf(true)))
            remove(child, "gone")
            remove(child, "/map/a")
            spliceText(child, "t", 1, 2, "éé")
            update(child, mapOf("new" to null))
            setParent(child, parent)
            parent to child
        }
        assertNull(space.get(parent))
        val done = transaction.commit()
        assertSame(done, transaction.commit())
        assertSame(done, transaction.committed)
        assertEquals(
            mapOf("items" to listOf(mapOf("deep" to listOf(true)), 2L, 3L), "votes" to Counter(6)),
            space.get(parent)!!.fields,
        )
        val found = space.get(child)!!
        assertEquals(mapOf("t" to Text("aééc"), "map" to emptyMap<String, Any?>(), "new" to null), found.fields)
        assertEquals(parent, found.parent)
        assertNotNull(done.entry)
        assertEquals(found.heads, done.heads[child])
        thrown<EchoException.InvalidState> { transaction.delete(parent) }
        space.transact {
            delete(parent)
            setParent(child, null)
        }
        assertTrue(space.get(parent)!!.deleted)
        assertNull(space.get(child)!!.parent)
    }

    @Test
    fun `an exception throws the steps away`() = testSpace { _, space ->
        val digest = space.digest()
        lateinit var leaked: Transaction
        thrown<ArithmeticException> {
            space.transact {
                leaked = this
                create("Task", emptyMap())
                throw ArithmeticException("on purpose")
            }
        }
        assertEquals(digest, space.digest())
        thrown<EchoException.InvalidState> { leaked.create("Task", emptyMap()) }
        thrown<EchoException.InvalidState> { leaked.commit() }
    }

    @Test
    fun `a step that does not fit fails the whole`() = testSpace { _, space ->
        val id = space.create(null, mapOf("t" to Text("abc")))
        val digest = space.digest()
        thrown<EchoException.InvalidArgument> {
            space.transact {
                update(id, mapOf("a" to 1))
                spliceText(id, "t", 99, 0, "x")
            }
        }
        thrown<EchoException.NotFound> {
            space.transact {
                update(id, mapOf("a" to 1))
                update("0".repeat(26), mapOf("a" to 1))
            }
        }
        thrown<EchoException.InvalidArgument> { space.transact { message("x".repeat(257)) } }
        assertEquals(digest, space.digest())
    }

    @Test
    fun `own ids, old versions and explicit ends`() = testSpace { _, space ->
        val id = space.create(null, mapOf("n" to 1))
        val old = space.get(id)!!.heads
        space.update(id, mapOf("n" to 2))
        space.transact {
            at(old)
            update(id, mapOf("m" to 1))
        }
        assertEquals(mapOf("n" to 2L, "m" to 1L), space.get(id)!!.fields)
        val mine = "01" + "z".repeat(24)
        val done = space.transact {
            assertEquals(mine, create("Own", emptyMap(), mine))
            commit()
        }
        assertEquals(setOf(mine), done.heads.keys)
        assertEquals("Own", space.get(mine)!!.type)
        space.transact {
            create("Never", emptyMap())
            cancel()
        }
        space.transaction().use { it.create("Never", emptyMap()) }
        assertEquals(emptyList<EchoObject>(), space.query("Never"))
        assertNull(space.transact { commit() }.entry)
    }

    @Test
    fun `cancelled coroutines commit everything or nothing`() = testSpace { _, space ->
        for (patience in 0 until 12) {
            val work = launch {
                space.transact { repeat(20) { create("Bulk", mapOf("mark" to patience, "n" to it)) } }
            }
            delay(patience.toLong())
            work.cancelAndJoin()
        }
        space.flush()
        for (patience in 0 until 12) {
            val found = space.query(where = field("mark") eq patience).size
            assertTrue(found == 0 || found == 20, "$found of 20 objects")
        }
    }

    @Test
    fun `a cancelled block throws the steps away`() = testSpace { _, space ->
        val entered = CompletableDeferred<Unit>()
        val work = launch {
            space.transact {
                create("Never", emptyMap())
                entered.complete(Unit)
                awaitCancellation()
            }
        }
        entered.await()
        work.cancelAndJoin()
        assertEquals(emptyList<EchoObject>(), space.query("Never"))
    }
}
