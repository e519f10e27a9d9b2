package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration
import java.time.Instant

/** Filters, orders and windows. */
class QueryTest {
    private val due = Instant.parse("2026-06-01T00:00:00Z")

    private fun testTasks(block: suspend (Space, Map<String, String>) -> Unit) = testSpace { _, space ->
        val ids = space.transact {
            val made = mapOf(
                "tea" to create("Task", mapOf("n" to "tea", "rank" to 1, "done" to false, "tags" to listOf("home", "hot"))),
                "code" to create(
                    "Task",
                    mapOf("n" to "code", "rank" to 2.5, "done" to true, "due" to due, "raw" to byteArrayOf(-1)),
                ),
                "call" to create("Task", mapOf("n" to Text("call"), "rank" to 3, "at" to mapOf("city" to "Zürich"))),
                "note" to create("Note", mapOf("n" to "note", "votes" to Counter(4))),
            )
            setParent(made.getValue("note"), made.getValue("tea"))
            made
        }
        block(space, ids)
    }

    private suspend fun Space.names(query: Query): List<String> = query(query).map { it["n"].toString() }

    @Test
    fun `every operator`() = testTasks { space, ids ->
        val cases = listOf(
            (field("done") eq false) to "tea",
            (field("done") ne false) to "call code note",
            (field("rank") lt 2.5) to "tea",
            (field("rank") le 2.5) to "code tea",
            (field("rank") gt 1) to "call code",
            (field("rank") ge 2.5) to "call code",
            (field("rank") isIn listOf(1, 3)) to "call tea",
            (field("tags") contains "hot") to "tea",
            (field("n") contains "od") to "code",
            (field("n") startsWith "c") to "call code",
            field("done").exists() to "code tea",
            field("done").exists(false) to "call note",
            (field("due") eq due) to "code",
            (field("due") gt due.minus(Duration.ofDays(1))) to "code",
            (field("raw") eq byteArrayOf(-1)) to "code",
            (field("votes") eq 4) to "note",
            (field("n") eq Text("call")) to "call",
            (field("/at/city") eq "Zürich") to "call",
            (field("/tags/0") eq "home") to "tea",
            (field("rank") eq "1") to "",
            (field("done") eq null) to "",
            ofType("Note") to "note",
            ofType("Note", "Task") to "call code note tea",
            ofType(null) to "",
            withId(ids.getValue("tea"), ids.getValue("code")) to "code tea",
            childOf(ids.getValue("tea")) to "note",
            childOf(null) to "call code tea",
            (created gt Instant.now().plus(Duration.ofDays(1))) to "",
            (created le Instant.now().plus(Duration.ofDays(1))) to "call code note tea",
            (updated ge due.minus(Duration.ofDays(9999))) to "call code note tea",
            (updated lt due.minus(Duration.ofDays(9999))) to "",
            ((field("rank") gt 1) and (field("rank") lt 3)) to "code",
            ((field("n") eq "tea") or (field("n") eq "note")) to "note tea",
            !(field("done") eq false) to "call code note",
            Filter.fromJson("""{"field": "n", "op": "eq", "value": "tea"}""") to "tea",
            Filter.ALL to "call code note tea",
            deleted() to "",
        )
        for ((filter, expected) in cases) {
            assertEquals(expected, space.names(Query(where = filter)).sorted().joinToString(" "), filter.toString())
        }
        assertEquals(emptyList<String>(), space.names(Query("Note", field("done").exists())))
        assertEquals(listOf("call", "code", "tea"), space.names(Query("Task")).sorted())
    }

    @Test
    fun `order, limit and skip`() = testTasks { space, _ ->
        val rank = field("rank")
        val ranked = rank.exists()
        assertEquals(listOf("tea", "code", "call"), space.names(Query(where = ranked, order = listOf(rank.ascending()))))
        assertEquals(listOf("call", "code", "tea"), space.names(Query(where = ranked, order = listOf(rank.descending()))))
        assertEquals(listOf("code"), space.names(Query("Task", order = listOf(rank.ascending()), limit = 1, skip = 1)))
        val byType = listOf(BY_TYPE, rank.descending())
        assertEquals(listOf("note", "call", "code", "tea"), space.names(Query(order = byType)))
        assertEquals(emptyList<String>(), space.names(Query(order = listOf(created.ascending(), BY_ID), limit = 0)))
        assertEquals(4, space.names(Query(order = listOf(updated.descending()))).size)
        assertEquals(listOf("tea"), space.query(type = "Task", where = field("done") eq false).map { it["n"] })
    }

    @Test
    fun `deleted ones are asked for`() = testTasks { space, ids ->
        space.delete(ids.getValue("code"))
        assertEquals(listOf("call", "tea"), space.names(Query("Task")).sorted())
        assertEquals(listOf("code"), space.names(Query(where = deleted())))
        assertEquals(4, space.names(Query(where = deleted() or deleted(false))).size)
    }

    @Test
    fun `malformed queries`() = testTasks { space, _ ->
        for (filter in listOf("""{"nonsense": 1}""", """{"field": "a", "op": "like", "value": 1}""")) {
            thrown<EchoException.InvalidArgument> { space.query(where = Filter.fromJson(filter)) }
            thrown<EchoException.InvalidArgument> { space.subscribe(Filter.fromJson(filter)) { } }
        }
        for (text in listOf("", "[]", "{", "1")) thrown<EchoException.InvalidArgument> { Filter.fromJson(text) }
        thrown<EchoException.InvalidArgument> { space.query(limit = -1) }
        thrown<EchoException.InvalidArgument> { space.query(skip = -1) }
        thrown<EchoException.InvalidArgument> { space.query(where = field("") eq 1) }
        thrown<EchoException.InvalidArgument> { field("a") eq Double.NaN }
        thrown<EchoException.InvalidArgument> { field("a") eq Any() }
    }

    @Test
    fun `chains stay flat`() {
        val (a, b, c) = listOf("a", "b", "c").map { field(it) eq 1 }
        assertEquals(3, Regex("\"field\"").findAll((a and b and c).toJson()).count())
        assertEquals(1, Regex("\"and\"").findAll((a and b and c).toJson()).count())
        assertEquals(1, Regex("\"or\"").findAll((a or (b or c)).toJson()).count())
        assertEquals(a and b, a and b)
        assertTrue("/a~1~0b" in Query(order = listOf(field("a/~b").ascending())).toJson())
    }
}
