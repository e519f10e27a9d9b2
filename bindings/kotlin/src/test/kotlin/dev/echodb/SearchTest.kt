package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Searching for words, and indexes. */
class SearchTest {
    @Test
    fun `words are found`() = testSpace { _, space ->
        val id = space.create("Note", mapOf("title" to "😀 Crème brûlée", "body" to Text("A dessert of cream")))
        space.create("Task", mapOf("title" to "Buy cream"))
        val best = space.search("creme").single()
        assertEquals(id, best.value.id)
        val snippet = best.snippet!!
        assertEquals("/title" to listOf("Crème"), snippet.path to snippet.ranges.map { snippet.text.substring(it) })
        assertEquals(0 to false, snippet.start to snippet.more)
        assertEquals(2, space.search("cream").size)
        assertEquals(listOf(id), space.search("cream", where = ofType("Note")).map { it.value.id })
        assertEquals(listOf("Task"), space.search("cream", paths = listOf("title")).map { it.value.type })
        assertEquals(1, space.search("cream", limit = 1, skip = 1).size)
        assertNull(space.search("crem*", snippetChars = 0).firstOrNull()?.snippet)
        assertEquals(listOf(id), space.search("cream -buy").map { it.value.id })
        val ranks = space.search("cream OR creme").map { it.rank }
        assertEquals(ranks.sorted(), ranks)
        assertTrue(space.search("").isEmpty())
        thrown<EchoException.LimitExceeded> { space.search("x".repeat(5000)) }
        thrown<EchoException.InvalidArgument> { space.search("x", where = Filter.fromJson("""{"nonsense": 1}""")) }
        thrown<EchoException.InvalidArgument> { space.search("x", limit = -1) }
    }

    @Test
    fun `indexes are used`() = testSpace { _, space ->
        val query = Query("Task", field("rank") eq 7)
        space.createIndex("rank", "Task")
        space.createIndex("rank", "Task")
        space.createIndex("updated")
        space.createIndex("/updated")
        assertEquals(setOf(IndexInfo("Task", "/rank"), IndexInfo(null, "updated"), IndexInfo(null, "/updated")), space.indexes().toSet())
        assertTrue(space.explain(query).indexes.isNotEmpty())
        space.dropIndex("rank", "Task")
        assertEquals(2, space.indexes().size)
        thrown<EchoException.NotFound> { space.dropIndex("rank", "Task") }
    }
}
