package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Undo, the log, earlier versions, branches, and what transactions take for granted. */
class HistoryTest {
    @Test
    fun `undone and redone`() = testSpace { _, space ->
        assertNull(space.redo())
        val id = space.create("Note", mapOf("n" to 1))
        space.transact {
            update(id, mapOf("n" to 2))
            message("counted")
        }
        val undone = space.undo()!!
        assertEquals("counted" to emptyList<SkippedUndo>(), undone.label to undone.skipped)
        assertTrue(id in undone.committed.heads)
        assertEquals(1L, space.get(id)!!["n"])
        assertEquals("counted", space.redo()!!.label)
        assertEquals(2L, space.get(id)!!["n"])
        assertNull(space.redo())
        repeat(2) { n ->
            space.transact {
                group("pair")
                update(id, mapOf("n" to n + 10))
            }
        }
        space.undo()
        assertEquals(2L, space.get(id)!!["n"])
    }

    @Test
    fun `what others changed is skipped`() = testPeers { space, copy, _ ->
        val id = space.create("Note", mapOf("n" to 1))
        space.update(id, mapOf("n" to 2))
        until { copy.get(id)?.get("n") == 2L }
        copy.update(id, mapOf("n" to 3))
        until { space.get(id)!!["n"] == 3L }
        val skipped = space.undo()!!.skipped.single()
        assertEquals(id to "/n", skipped.id to skipped.path)
        assertTrue(skipped.reason.isNotEmpty())
        assertEquals(3L, space.get(id)!!["n"])
    }

    @Test
    fun `the log`() = testSpace { client, space ->
        val first = space.create("Note", mapOf("n" to 1))
        val done = space.transaction().use {
            it.update(first, mapOf("n" to 2))
            it.message("two")
            it.commit()
        }
        val (last, before) = space.log(2)
        assertEquals(listOf(done.entry, "two", listOf(first)), listOf(last.entry, last.message, last.objects))
        assertEquals(client.identity!!.let { it.identity to it.device }, last.identity to last.device)
        val (made, changed) = space.history(first)
        assertEquals(mapOf(first to listOf(changed.hash)), last.versions)
        assertEquals(listOf(made.hash), before.versions[first])
        assertEquals(last.identity to last.device, changed.identity to changed.device)
        assertEquals(1L, space.getAt(first, before.versions.getValue(first))["n"])
        assertEquals(before, space.log(1, last.entry).single())
        thrown<EchoException.InvalidArgument> { space.log(-1) }
        thrown<EchoException> { space.log(1, "nonsense") }
    }

    @Test
    fun `earlier versions`() = testSpace { _, space ->
        val id = space.create("Note", mapOf("t" to Text("abc"), "c" to Counter(1), "l" to listOf(1), "x" to 1))
        val old = space.get(id)!!
        space.transact {
            spliceText(id, "t", 1, 1, "😀")
            mark(id, "t", 0, 1, "bold")
            increment(id, "c", 2)
            insert(id, "/l/1", 2)
            remove(id, "x")
            set(id, "y", true)
        }
        val new = space.get(id)!!
        assertEquals(old, space.getAt(id, old.heads))
        val steps = space.diff(id, old.heads, new.heads)
        assertTrue(DiffStep.Splice("/t", 1, 1, "😀") in steps, steps.toString())
        assertTrue(DiffStep.Mark("/t", 0, 1, "bold", true) in steps, steps.toString())
        assertTrue(DiffStep.Increment("/c", 2) in steps, steps.toString())
        assertTrue(DiffStep.Insert("/l/1", listOf(2L)) in steps, steps.toString())
        assertTrue(DiffStep.Remove("/x", 1) in steps, steps.toString())
        assertTrue(DiffStep.Set("/y", true) in steps, steps.toString())
        space.restoreVersion(id, old.heads)
        assertEquals(old.fields, space.get(id)!!.fields)
        thrown<EchoException.NotFound> { space.getAt(id, listOf("0".repeat(64))) }
        thrown<EchoException.InvalidArgument> { space.diff(id, listOf("nonsense"), new.heads) }
    }

    @Test
    fun `branches`() = testSpace { _, space ->
        val id = space.create("Note", mapOf("t" to Text("abc")))
        val branch = space.branch(id, "draft")
        thrown<EchoException.AlreadyExists> { space.branch(id, "draft") }
        space.spliceText(branch, "t", 3, insert = "d")
        space.flush()
        val info = space.branches(id).single()
        assertEquals(listOf(branch, id, "draft"), listOf(info.id, info.of, info.name))
        assertEquals(space.get(id)!!.heads, info.heads)
        assertTrue(info.updated >= info.created)
        assertEquals(id, space.get(branch)!!.branchOf)
        assertEquals(listOf(id), space.query("Note").map { it.id })
        assertEquals(listOf(branch), space.query(where = isBranch()).map { it.id })
        space.spliceText(id, "t", 0, insert = "_")
        assertTrue(id in space.mergeBranch(branch).heads)
        assertEquals("_abcd", space.text(id, "t"))
        thrown<EchoException.InvalidArgument> { space.mergeBranch(id) }
    }

    @Test
    fun `only if nothing has changed`() = testSpace { _, space ->
        val id = space.create("Note", mapOf("n" to 1))
        val heads = space.get(id)!!.heads
        space.transact {
            onlyIf(id, heads)
            update(id, mapOf("n" to 2))
        }
        val refused = thrown<EchoException.InvalidState> {
            space.transact {
                onlyIf(id, heads)
                update(id, mapOf("n" to 3))
            }
        }
        assertEquals(Status.CONFLICT, refused.status)
        assertEquals(2L, space.get(id)!!["n"])
    }
}
