package dev.echodb

import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Links, steps, pages, aggregation, explanation, several spaces. */
class LinksTest {
    private class People(val ada: String, val bob: String, val knows: String, val book: String, val chapter: String)

    private suspend fun people(space: Space): People =
        space.transact {
            val ada = create("Person", mapOf("name" to "Ada"))
            val bob = create("Person", mapOf("name" to "Bob"))
            val knows = create("Knows", mapOf("since" to 1840))
            relate(knows, ada, bob)
            tag(ada, "friend")
            setKey(bob, "github", "42")
            val book = create("Book", mapOf("by" to listOf(Ref(ada)), "pages" to 10))
            val chapter = create("Chapter", mapOf("pages" to 5))
            setParent(chapter, book)
            People(ada, bob, knows, book, chapter)
        }

    @Test
    fun `filters by links`() = testSpace { _, space ->
        val all = people(space)
        suspend fun found(filter: Filter) = space.query(where = filter).map { it.id }
        assertEquals(listOf(all.book), found(Link.refersTo("by").to(all.ada)))
        assertEquals(listOf(all.book), found(Link.refersTo().where(field("name") eq "Ada").exists()))
        assertEquals(listOf(all.ada), found(Link.referredBy().exists()))
        assertEquals(listOf(all.chapter), found(Link.ANCESTOR.to(all.book)))
        assertEquals(listOf(all.book), found(Link.DESCENDANT.exists()))
        assertEquals(listOf(all.book), found(Link.CHILD.where(ofType("Chapter")).exists()))
        assertEquals(setOf(all.book, all.chapter), found(!Link.SOURCE_OF.exists() and (field("pages") gt 1)).toSet())
        assertFalse(all.chapter in found(Link.PARENT.isNone()))
        assertEquals(listOf(all.knows), found(Link.SOURCE.to(all.ada)))
        assertEquals(listOf(all.knows), found(isRelation()))
        assertEquals(listOf(all.bob), found(Link.TARGET_OF.exists()))
        assertEquals(listOf(all.bob), found(Link.related("Knows", direction = RelationDirection.IN).exists()))
        assertEquals(
            setOf(all.ada, all.bob),
            found(Link.related("Knows", "Hates", via = field("since") lt 1900).exists()).toSet(),
        )
        assertEquals(listOf(all.ada) to listOf(all.bob), found(tagged("friend", "foe")) to found(withKey("github", "42")))
        assertEquals(listOf(all.bob) to emptyList<String>(), found(withKey("github")) to found(isBranch()))
        thrown<EchoException.InvalidArgument> { found(Link.CHILD.isNone()) }
        thrown<EchoException.InvalidArgument> { found(Link.fromJson("""{"nonsense": true}""").exists()) }
    }

    @Test
    fun `steps lead on`() = testSpace { _, space ->
        val all = people(space)
        val friends = Link.related(direction = RelationDirection.OUT)
        val steps = listOf(Link.PARENT, Link.refersTo("/by").where(ofType("Person")), friends)
        assertEquals(listOf(all.bob), space.query("Chapter", follow = steps).map { it.id })
        val query = Query.fromJson("""{"where": {"type": "Chapter"}, "follow": [{"parent": true}], "limit": 1}""")
        assertEquals(listOf(all.book), space.query(query).map { it.id })
        assertEquals(query, Query(where = Filter.fromJson("""{"type": "Chapter"}"""), limit = 1, follow = listOf(Link.PARENT)))
        for (wrong in listOf("[]", "{", """{"typ": 1}""", """{"order": [1]}""", """{"order": [{"by": 1}]}""", """{"limit": "1"}""")) {
            thrown<EchoException.InvalidArgument> { Query.fromJson(wrong) }
        }
    }

    @Test
    fun `more comparisons`() = testSpace { _, space ->
        space.create("A", mapOf("n" to 1, "l" to listOf("a", "b")))
        space.create("B", mapOf("n" to 5, "l" to "ab"))
        suspend fun types(filter: Filter) = space.query(where = filter).map { it.type }
        assertEquals(listOf("A"), types(field("n").between(0, 1)))
        assertEquals(listOf("A", "B"), types(field("l") containsAny listOf("b", "z")))
        assertEquals(listOf("A"), types(field("l") containsAll listOf("a", "b") and field("l").isKind(FieldKind.LIST)))
        assertEquals(listOf("B"), types(field("l").isKind(FieldKind.STRING)))
    }

    @Test
    fun `pages`() = testSpace { _, space ->
        space.transact { repeat(25) { create("Task", mapOf("n" to it)) } }
        val query = Query("Task", order = listOf(field("n").descending()), limit = 10)
        val first = space.queryPage(query)
        assertEquals((24L downTo 15L).toList(), first.objects.map { it["n"] })
        space.create("Task", mapOf("n" to 100))
        assertEquals(14L, space.queryPage(query, first.next).objects.first()["n"])
        val pages = space.pages(query).toList()
        assertEquals(listOf(10, 10, 6), pages.map { it.size })
        assertEquals(10, space.pages(query).first().size)
        assertNull(space.queryPage(query.copy(limit = 100)).next)
        thrown<EchoException.InvalidArgument> { space.queryPage(query, "nonsense") }
        thrown<EchoException.InvalidArgument> { space.queryPage(query.copy(skip = 1)) }
    }

    @Test
    fun `aggregation`() = testSpace { _, space ->
        space.transact {
            create("Order", mapOf("status" to "open", "price" to 2))
            create("Order", mapOf("status" to "open", "price" to 4))
            create("Order", mapOf("status" to "done", "price" to 10))
        }
        val asked = Aggregation(
            "Order",
            group = listOf(GroupKey.field("status")),
            measures = mapOf(
                "n" to Measure.COUNT, "total" to Measure.sum("price"), "mean" to Measure.avg("price"),
                "least" to Measure.min("price"), "most" to Measure.max("price"), "last" to Measure.max(updated),
            ),
            order = listOf(MeasureOrder.descending("total")),
        )
        val (done, open) = space.aggregate(asked)
        assertEquals(listOf("done") to 10L, done.keys to done["total"])
        assertEquals(listOf(2L, 6L, 3.0, 2L, 4L), listOf("n", "total", "mean", "least", "most").map { open[it] })
        assertTrue(open["last"] is Long)
        assertEquals(listOf(Group(emptyList(), mapOf("count" to 3L))), space.aggregate(Aggregation()))
        assertEquals(asked, Aggregation.fromJson(asked.toJson()).copy(type = "Order", where = Filter.ALL))
        thrown<EchoException.InvalidArgument> { space.aggregate(asked.copy(order = listOf(MeasureOrder.ascending("no")))) }
    }

    @Test
    fun `explained`() = testSpace { _, space ->
        val said = space.explain(Query("Task", field("n") eq 1))
        assertTrue("SELECT" in said.sql && said.plan.isNotEmpty() && said.words.isNotEmpty(), said.toString())
        assertTrue(space.explain(Aggregation("Task")).sql.isNotEmpty())
        assertTrue(space.explain(Query(order = listOf(field("n").ascending()))).scans)
    }

    @Test
    fun `several spaces`() = testSpace { client, space ->
        val other = client.createSpace("Other")
        space.create("Task", mapOf("n" to 1))
        other.create("Task", mapOf("n" to 2))
        val query = Query("Task", order = listOf(field("n").descending()))
        assertEquals(listOf(other.id to 2L, space.id to 1L), client.query(query).map { it.space to it.value["n"] })
        assertEquals(listOf(space.id), client.query(query, listOf(space.id)).map { it.space })
        assertEquals(1L, client.query(query.copy(limit = 1, skip = 1)).single().value["n"])
        other.close()
        assertEquals(1, client.query(query).size)
        thrown<EchoException.InvalidState> { client.query(query, listOf(other.id)) }
        thrown<EchoException.InvalidArgument> { client.query(query, listOf("nonsense")) }
    }
}
