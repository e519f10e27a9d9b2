@file:JvmName("Queries")

package dev.echodb

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import java.time.Instant

/**
 * What objects must satisfy. Combined with [and], [or] and `!`:
 * `(field("done") eq false) and !childOf(null)`.
 */
public class Filter internal constructor(private val json: JsonObject) {
    /** Both hold. */
    public infix fun and(other: Filter): Filter = combine("and", other)

    /** One of them holds, or both. */
    public infix fun or(other: Filter): Filter = combine("or", other)

    /** This one does not hold. */
    public operator fun not(): Filter = of("not", json)

    /** The filter in the library's JSON form. */
    public fun toJson(): String = json.toString()

    override fun equals(other: Any?): Boolean = other is Filter && other.json == json

    override fun hashCode(): Int = json.hashCode()

    override fun toString(): String = "Filter($json)"

    internal fun element(): JsonObject = json

    // a and b and c is one list, not a tree.
    private fun combine(name: String, other: Filter): Filter =
        of(name, JsonArray(operands(name) + other.operands(name)))

    private fun operands(name: String): List<JsonElement> =
        (json[name] as? JsonArray)?.takeIf { json.size == 1 } ?: listOf(json)

    public companion object {
        /** Holds for everything, except deleted objects in a query. */
        @JvmField
        public val ALL: Filter = Filter(JsonObject(emptyMap()))

        /**
         * A filter in the library's JSON form, which the library checks when it is used.
         *
         * @throws EchoException.InvalidArgument if it is not a JSON object.
         */
        @JvmStatic
        public fun fromJson(text: String): Filter = Filter(givenObject(text, "a filter"))

        internal fun of(name: String, value: JsonElement): Filter = Filter(JsonObject(mapOf(name to value)))

        internal fun of(vararg entries: Pair<String, JsonElement>): Filter = Filter(JsonObject(mapOf(*entries)))
    }
}

/** A sort key; see [Field.ascending], [Clock.ascending], [BY_ID], [BY_TYPE], [BY_PARENT] and [BY_RANK]. */
public class Order internal constructor(internal val by: String, internal val descending: Boolean) {
    /** The same key the other way round. */
    public fun reversed(): Order = Order(by, !descending)

    override fun equals(other: Any?): Boolean =
        other is Order && other.by == by && other.descending == descending

    override fun hashCode(): Int = by.hashCode() + descending.hashCode()

    override fun toString(): String = "Order($by${if (descending) ", descending" else ""})"

    internal fun element(): JsonObject =
        JsonObject(mapOf("by" to JsonPrimitive(by), "desc" to JsonPrimitive(descending)))
}

/**
 * A place in an object to compare with; made by [field].
 *
 * Values of different kinds are never equal and never ordered, and a missing field matches only
 * [ne], `!` and `exists(false)`. Texts compare as strings, counters and times as numbers, bytes by
 * their hexadecimal form; a list or map equals nothing.
 *
 * @property path The field's name, or a JSON Pointer.
 */
public class Field internal constructor(public val path: String) {
    /** Equals the value. */
    public infix fun eq(value: Any?): Filter = compare("eq", value)

    /** Does not equal the value: another value, another kind, or no field at all. */
    public infix fun ne(value: Any?): Filter = compare("ne", value)

    /** Is less than the value. */
    public infix fun lt(value: Any): Filter = compare("lt", value)

    /** Is the value or less. */
    public infix fun le(value: Any): Filter = compare("le", value)

    /** Is greater than the value. */
    public infix fun gt(value: Any): Filter = compare("gt", value)

    /** Is the value or greater. */
    public infix fun ge(value: Any): Filter = compare("ge", value)

    /** Equals one of the values. */
    public infix fun isIn(values: Collection<Any?>): Filter = compare("in", values)

    /** Is a list that has the value as an element, or a string or text that has it as a part. */
    public infix fun contains(value: Any?): Filter = compare("contains", value)

    /** Holds [contains] for one of the values. */
    public infix fun containsAny(values: Collection<Any?>): Filter = compare("contains_any", values)

    /** Holds [contains] for each of the values. */
    public infix fun containsAll(values: Collection<Any?>): Filter = compare("contains_all", values)

    /** Is the first value or greater, and the last or less. */
    public fun between(first: Any, last: Any): Filter = compare("between", listOf(first, last))

    /** Holds a value of that kind. */
    public fun isKind(kind: FieldKind): Filter = compare("kind", kind.name.lowercase())

    /** Is a string or text that begins so. */
    public infix fun startsWith(prefix: String): Filter = compare("prefix", prefix)

    /** Is there at all; or is not. */
    @JvmOverloads
    public fun exists(present: Boolean = true): Filter = compare("exists", present)

    /** Sorts by this field, the smallest first. */
    public fun ascending(): Order = Order(pointer(), false)

    /** Sorts by this field, the largest first. */
    public fun descending(): Order = Order(pointer(), true)

    override fun toString(): String = "field($path)"

    private fun compare(operator: String, value: Any?): Filter =
        Filter.of("field" to JsonPrimitive(path), "op" to JsonPrimitive(operator), "value" to plain(value))

    // A bare name could be taken for one of the keys that every object has.
    internal fun pointer(): String =
        if (path.startsWith("/")) path else "/" + path.replace("~", "~0").replace("/", "~1")
}

/** The kinds of values that queries tell apart; see [Field.isKind]. */
public enum class FieldKind {
    /** Null. */
    NULL,

    /** Booleans. */
    BOOLEAN,

    /** Numbers, counters and points in time. */
    NUMBER,

    /** Strings, texts, bytes, references and blobs. */
    STRING,

    /** Lists. */
    LIST,

    /** Maps. */
    MAP,
}

/** One of the times of an object, to compare with and to sort by; see [created] and [updated]. */
public class Clock internal constructor(internal val name: String) {
    /** Is before the moment. */
    public infix fun lt(moment: Instant): Filter = compare("lt", moment)

    /** Is the moment or before it. */
    public infix fun le(moment: Instant): Filter = compare("le", moment)

    /** Is after the moment. */
    public infix fun gt(moment: Instant): Filter = compare("gt", moment)

    /** Is the moment or after it. */
    public infix fun ge(moment: Instant): Filter = compare("ge", moment)

    /** Sorts by this time, the oldest first. */
    public fun ascending(): Order = Order(name, false)

    /** Sorts by this time, the newest first. */
    public fun descending(): Order = Order(name, true)

    override fun toString(): String = name

    private fun compare(operator: String, moment: Instant): Filter =
        Filter.of(name, JsonObject(mapOf(operator to JsonPrimitive(millis(moment)))))
}

/** When objects were created, by the clock of the device that did. */
@JvmField
public val created: Clock = Clock("created")

/** When objects were last changed, by the clock of the device that did. */
@JvmField
public val updated: Clock = Clock("updated")

/** Sorts by id: in the order of creation, roughly. */
@JvmField
public val BY_ID: Order = Order("id", false)

/** Sorts by the name of the type. */
@JvmField
public val BY_TYPE: Order = Order("type", false)

/** Sorts by the parent's id, those without one first. */
@JvmField
public val BY_PARENT: Order = Order("parent", false)

/** Sorts by how well objects fit the [search] that all results satisfy, the best first. */
@JvmField
public val BY_RANK: Order = Order("rank", false)

/** A field by its name, or a place inside one by its JSON Pointer (`"/address/city"`). */
public fun field(path: String): Field = Field(path)

/** Objects of one of these types; `null` for those without. */
public fun ofType(vararg names: String?): Filter = Filter.of("type", JsonArray(names.map(::nameOrNull)))

/** The objects of these ids. */
public fun withId(vararg ids: String): Filter = Filter.of("id", JsonArray(ids.map(::JsonPrimitive)))

/** The objects whose parent is the one of this id; `null` for those without one. */
public fun childOf(parent: String?): Filter = Filter.of("parent", nameOrNull(parent))

/** Deleted objects, or the others; a query whose filter does not say this leaves deleted ones out. */
@JvmOverloads
public fun deleted(value: Boolean = true): Filter = Filter.of("deleted", JsonPrimitive(value))

/** Objects with one of these tags. */
public fun tagged(vararg tags: String): Filter = Filter.of("tag", JsonArray(tags.map(::JsonPrimitive)))

/**
 * Objects with this name in another system, or with any of that system; that of natural keys is
 * `natural`.
 */
@JvmOverloads
public fun withKey(source: String, key: String? = null): Filter {
    val names = mapOf("source" to source, "key" to key).filterValues { it != null }
    return Filter.of("key", JsonObject(names.mapValues { JsonPrimitive(it.value) }))
}

/** Branches of other objects, or the others; a query whose filter does not say this leaves branches out. */
@JvmOverloads
public fun isBranch(value: Boolean = true): Filter = Filter.of("branch", JsonPrimitive(value))

/** Relations, objects with a source or a target; or the others. */
@JvmOverloads
public fun isRelation(value: Boolean = true): Filter = Filter.of("relation", JsonPrimitive(value))

/**
 * Objects in whose strings and texts the words occur; [Space.search] says what may be typed.
 *
 * @param words The words.
 * @param paths The fields or JSON Pointers to look at, with what is below them, at most 8; of none,
 *   everything is looked at.
 */
@JvmOverloads
public fun search(words: String, paths: List<String> = emptyList()): Filter {
    val typed = "search" to JsonPrimitive(words)
    return if (paths.isEmpty()) Filter.of(typed) else Filter.of(typed, "in" to JsonArray(paths.map(::JsonPrimitive)))
}

private fun nameOrNull(name: String?): JsonElement = if (name == null) JsonNull else JsonPrimitive(name)

/**
 * What to look for: the objects of a type that satisfy a filter, or those to which the steps lead
 * from them, sorted by the keys and then by id.
 *
 * @property type The name of the type; `null` for objects of every type, and of none.
 * @property where The filter. Deleted objects are left out unless it says [dev.echodb.deleted].
 * @property order The sort keys.
 * @property limit The most objects to return; `null` for all.
 * @property skip How many to leave out at the beginning.
 * @property follow Steps: each leads from what was found so far to the objects that are linked with
 *   it so, each once. The result is where the last one ends.
 */
public data class Query @JvmOverloads constructor(
    public val type: String? = null,
    public val where: Filter = Filter.ALL,
    public val order: List<Order> = emptyList(),
    public val limit: Int? = null,
    public val skip: Int = 0,
    public val follow: List<Link> = emptyList(),
) {
    /** The query in the library's JSON form. */
    public fun toJson(): String {
        val entries = linkedMapOf<String, JsonElement>("where" to filter(type, where).element())
        if (follow.isNotEmpty()) entries["follow"] = JsonArray(follow.map { it.element() })
        if (order.isNotEmpty()) entries["order"] = JsonArray(order.map { it.element() })
        if (limit != null) entries["limit"] = JsonPrimitive(limit)
        if (skip != 0) entries["skip"] = JsonPrimitive(skip)
        return JsonObject(entries).toString()
    }

    public companion object {
        /**
         * A query in the library's JSON form; what is in it, the library checks when it is used.
         *
         * @throws EchoException.InvalidArgument if it is not laid out as a query.
         */
        @JvmStatic
        public fun fromJson(text: String): Query {
            val given = GivenQuery(text, "a query", setOf("where", "follow", "order", "limit", "skip"))
            return Query(
                where = given.where(),
                order = given.list("order") { Order(word(it["by"]), flag(it["desc"])) },
                limit = given.count("limit"),
                skip = given.count("skip") ?: 0,
                follow = given.list("follow") { Link(it) },
            )
        }
    }
}

/** A filter that also asks for a type. */
internal fun filter(type: String?, where: Filter): Filter =
    when {
        type == null -> where
        where == Filter.ALL -> ofType(type)
        else -> ofType(type) and where
    }
