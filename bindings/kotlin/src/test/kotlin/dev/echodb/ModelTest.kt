package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Natural keys, tags, foreign keys, relations, trees, marks, cursors, moves and conflicts. */
class ModelTest {
    @Test
    fun `labels and relations`() = testSpace { _, space ->
        lateinit var ada: String
        lateinit var bob: String
        lateinit var knows: String
        space.transact {
            ada = create("Person", mapOf("name" to "Ada"))
            bob = create("Person", mapOf("name" to "Bob"))
            knows = create("Knows", emptyMap())
            relate(knows, ada, bob)
            tag(ada, "friend")
            tag(ada, "gone")
            untag(ada, "gone")
            setKey(ada, "github", "42")
            thrown<EchoException.InvalidArgument> { tag(ada, "") }
            thrown<EchoException.InvalidArgument> { setKey(ada, "@x", "1") }
        }
        val found = space.get(ada)!!
        assertEquals(listOf("friend"), found.tags)
        assertEquals(mapOf("github" to "42"), found.keys)
        val link = space.query("Knows").single()
        assertEquals(listOf(knows, ada, bob), listOf(link.id, link.source, link.target))
        space.transact { setKey(ada, "github", null) }
        assertTrue(space.query("Person").first().keys.isEmpty())
    }

    @Test
    fun `natural keys`() = testSpace { _, space ->
        val first = space.transact { createWithKey("Book", "isbn:1", mapOf("title" to "One", "pages" to 1)) }
        val second = space.transact { createWithKey("Book", "isbn:1", mapOf("title" to "Two")) }
        assertEquals(first, second)
        val book = space.query("Book").single()
        assertEquals(mapOf("title" to "Two", "pages" to 1L), book.fields)
        assertEquals(mapOf("natural" to "isbn:1"), book.keys)
    }

    @Test
    fun `what is below a deleted object is hidden`() = testSpace { _, space ->
        val (root, child) = space.transact {
            val root = create("Node", emptyMap())
            val child = create("Node", emptyMap())
            setParent(child, root)
            root to child
        }
        space.delete(root)
        assertTrue(space.query("Node").isEmpty())
        val below = space.get(child)!!
        assertEquals(false to true, below.deleted to below.hidden)
    }

    @Test
    fun `texts and lists`() = testSpace { _, space ->
        val note = space.create("Note", mapOf("t" to Text("a😀bc"), "l" to listOf(1, 2, 3)))
        space.transact {
            mark(note, "t", 1, 4, "bold")
            mark(note, "t", 4, 5, "link", "https://example.org", MarkExpand.NONE)
            moveItem(note, "/l/0", 2)
        }
        assertEquals(
            listOf(TextMark(1, 4, "bold", true), TextMark(4, 5, "link", "https://example.org")),
            space.marks(note, "t"),
        )
        val cursor = space.cursor(note, "t", 3)
        space.spliceText(note, "t", 0, 0, "é")
        assertEquals(4, space.cursorPosition(note, "t", cursor))
        thrown<EchoException.InvalidArgument> { space.cursorPosition(note, "t", "nonsense") }
        space.transact { mark(note, "t", 0, 6, "bold", null) }
        assertEquals(listOf("link"), space.marks(note, "t").map { it.name })
        assertEquals(listOf(2L, 3L, 1L), space.get(note)!!["l"])
    }

    @Test
    fun `conflicts`() = testSpace { _, space ->
        val note = space.create("Note", mapOf("n" to 1))
        val before = space.get(note)!!.heads
        space.update(note, mapOf("n" to 2))
        space.transact {
            at(before)
            set(note, "n", 3)
        }
        val values = space.conflicts(note, "n")
        assertEquals(setOf(2L, 3L), values.toSet())
        assertEquals(space.get(note)!!["n"], values.last())
        thrown<EchoException.NotFound> { space.conflicts(note, "none") }
    }
}
