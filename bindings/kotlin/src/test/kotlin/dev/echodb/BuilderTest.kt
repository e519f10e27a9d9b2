package dev.echodb

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.time.Instant
import kotlin.io.path.readText

/** What is built is what `tests/golden/queries.json` says, on which all languages agree. */
class BuilderTest {
    private val object1 = "00000000000000000000000001"
    private val object2 = "00000000000000000000000002"
    private val foreign = Ref(object1, "a".repeat(52))
    private val blob = BlobRef("aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq", 3)

    private fun at(millis: Long) = Instant.ofEpochMilli(millis)

    private fun anyOf(filters: List<Filter>): Filter = filters.reduce { one, other -> one or other }

    private fun filters(): Map<String, Filter> = mapOf(
        "everything" to Filter.ALL,
        "type" to ofType("Note", "Task"),
        "no type" to ofType(null),
        "id" to withId(object1, object2),
        "tag" to tagged("red", "blue"),
        "key" to withKey("github", "42"),
        "any key" to withKey("github"),
        "deleted" to deleted(),
        "no branch" to isBranch(false),
        "relation" to isRelation(),
        "created" to ((created ge at(1700000000000)) and (created lt at(1800000000000))),
        "updated" to ((updated gt at(1700000000001)) and (updated le at(1800000000001))),
        "search" to search("\"red rose\" OR ros* -thorn"),
        "search in" to search("rose", listOf("title", "/body")),
        "and, or, not" to (
            (
                ((field("a") eq 1) and (field("b") eq 2) and (field("c") eq 3)) or
                    (field("d") eq 4) or (field("e") eq 5)
            ) and !(field("f") eq 6)
        ),
    )

    private fun comparisons(): Map<String, Filter> {
        val n = field("n")
        return mapOf(
            "equal" to (field("done") eq false),
            "equal to null" to (field("/a/b") eq null),
            "different" to (field("a/~ \"b\"") ne "say \"hi\"\\\n\t\u0001 Zürich 😀"),
            "less" to (n lt 2.5),
            "at most" to (n le -9223372036854775807),
            "greater" to (n gt "x"),
            "at least" to (n ge 9223372036854775807),
            "between" to n.between(0.1, 10),
            "in" to (n isIn listOf("a", 1, null, true)),
            "contains" to (field("tags") contains "home"),
            "contains any" to (field("tags") containsAny listOf("a", "b")),
            "contains all" to (field("tags") containsAll listOf("a", "b")),
            "prefix" to (n startsWith "ro"),
            "kinds" to anyOf(FieldKind.entries.map { n.isKind(it) }),
            "there" to n.exists(),
            "missing" to n.exists(false),
            "kinds of values" to (
                (field("raw") eq byteArrayOf(0, -1)) and (field("due") lt at(1780272000000)) and
                    (field("owner") eq Ref(object1)) and (field("author") eq foreign) and (field("file") eq blob)
            ),
        )
    }

    private fun links(): Map<String, Filter> {
        val all = listOf(
            Link.PARENT, Link.CHILD, Link.ANCESTOR, Link.DESCENDANT, Link.refersTo(), Link.referredBy(),
            Link.SOURCE, Link.TARGET, Link.SOURCE_OF, Link.TARGET_OF, Link.related(),
        )
        val ada = ofType("Person") and (field("name") eq "Ada")
        val friends = Link.related("Knows", "Likes", direction = RelationDirection.OUT, via = tagged("old"))
        return mapOf(
            "linked" to anyOf(all.map { it.exists() }),
            "linked to" to (
                Link.PARENT.to(object1, object2) or Link.ANCESTOR.to(object1) or
                    Link.refersTo().to(foreign.toString()) or Link.refersTo("/author").to(object1)
            ),
            "child of" to childOf(object1),
            "no link" to (Link.PARENT.isNone() or Link.SOURCE.isNone() or Link.TARGET.isNone()),
            "references" to (
                Link.refersTo("/author").where(ada).exists() and Link.referredBy("by").where(deleted()).exists()
            ),
            "related" to (
                friends.where(tagged("friend")).exists() and
                    Link.related(direction = RelationDirection.IN).exists()
            ),
        )
    }

    private fun queries(): Map<String, Query> = mapOf(
        "steps" to Query(
            "Project",
            follow = listOf(
                Link.DESCENDANT.where(ofType("Task")),
                Link.refersTo("/assignee"),
                Link.related("Knows", direction = RelationDirection.IN),
                Link.CHILD,
            ),
        ),
        "order" to Query(
            order = listOf(
                created.ascending(),
                updated.descending(),
                BY_ID,
                BY_TYPE,
                BY_PARENT.reversed(),
                field("due").descending(),
                field("rank").ascending(),
                field("a/~b").ascending(),
            ),
        ),
        "by rank" to Query(where = search("rose"), order = listOf(BY_RANK)),
        "window" to Query(limit = 10, skip = 20),
        "no results" to Query(limit = 0),
    )

    private fun aggregations(): Map<String, Aggregation> = mapOf(
        "aggregation" to Aggregation(
            "Order",
            follow = listOf(Link.CHILD),
            group = listOf(GroupKey.field("status"), GroupKey.TAG, GroupKey.TYPE, GroupKey.PARENT),
            measures = mapOf(
                "n" to Measure.COUNT,
                "filled" to Measure.count("price"),
                "low" to Measure.min("price"),
                "high" to Measure.max("price"),
                "first" to Measure.min(created),
                "latest" to Measure.max(updated),
                "total" to Measure.sum("price"),
                "mean \"x\"" to Measure.avg("price"),
            ),
            order = listOf(MeasureOrder.descending("total"), MeasureOrder.ascending("n")),
            limit = 10,
            skip = 1,
        ),
        "groups of relations" to Aggregation(
            where = isRelation(),
            group = listOf(GroupKey.SOURCE, GroupKey.TARGET),
        ),
        "one group" to Aggregation(measures = mapOf("n" to Measure.COUNT)),
    )

    @Test
    fun `what is built is what all languages build`() {
        val file = Surroundings.sources.resolve("../../tests/golden/queries.json")
        val expected = (parseJson(file.readText()) as JsonArray).associate {
            val entry = it as JsonObject
            (entry.getValue("name") as JsonPrimitive).content to entry.getValue("query")
        }
        val filters = (filters() + comparisons() + links()).mapValues { Query(where = it.value).toJson() }
        val built = filters + queries().mapValues { it.value.toJson() } + aggregations().mapValues { it.value.toJson() }
        assertEquals(expected.keys, built.keys)
        for ((name, json) in built) assertEquals(expected[name], parseJson(json), name)
    }

    @Test
    fun `words are searched by a filter, and results sorted by rank and parent`() = testSpace { _, space ->
        val parent = space.create("Note", mapOf("title" to "rose rose"))
        val child = space.create("Note", mapOf("title" to "a garden", "body" to "with one rose in it"))
        space.transact { setParent(child, parent) }
        suspend fun found(where: Filter, order: Order) =
            space.query(Query(where = where, order = listOf(order))).map { it.id }
        assertEquals(listOf(parent, child), found(search("rose"), BY_RANK))
        assertEquals(listOf(child, parent), found(search("rose"), BY_RANK.reversed()))
        assertEquals(listOf(child), found(search("rose", listOf("body")), BY_PARENT))
        assertEquals(listOf(parent, child), found(Filter.ALL, BY_PARENT))
        thrown<EchoException.InvalidArgument> { found(Filter.ALL, BY_RANK) }
    }
}
