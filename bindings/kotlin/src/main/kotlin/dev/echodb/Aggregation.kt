package dev.echodb

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** What objects are grouped by. */
public class GroupKey private constructor(internal val key: String) {
    override fun equals(other: Any?): Boolean = other is GroupKey && other.key == key

    override fun hashCode(): Int = key.hashCode()

    override fun toString(): String = "GroupKey($key)"

    public companion object {
        /** By the name of the type. */
        @JvmField
        public val TYPE: GroupKey = GroupKey("type")

        /** By the parent. */
        @JvmField
        public val PARENT: GroupKey = GroupKey("parent")

        /** By where a relation begins. */
        @JvmField
        public val SOURCE: GroupKey = GroupKey("source")

        /** By where a relation ends. */
        @JvmField
        public val TARGET: GroupKey = GroupKey("target")

        /** By each tag: an object counts in the group of each of its tags, one without in that of `null`. */
        @JvmField
        public val TAG: GroupKey = GroupKey("tag")

        /** By a field, a name or JSON Pointer. Missing and `null` are one group. */
        @JvmStatic
        public fun field(path: String): GroupKey = GroupKey(dev.echodb.field(path).pointer())

        internal fun of(key: String): GroupKey = GroupKey(key)
    }
}

/** What is measured of a group. */
public class Measure private constructor(private val json: JsonElement) {
    internal fun element(): JsonElement = json

    override fun equals(other: Any?): Boolean = other is Measure && other.json == json

    override fun hashCode(): Int = json.hashCode()

    override fun toString(): String = "Measure($json)"

    public companion object {
        /** The number of objects. */
        @JvmField
        public val COUNT: Measure = Measure(JsonPrimitive("count"))

        /** The number of objects that have the field, `null` left out. */
        @JvmStatic
        public fun count(field: String): Measure = of("count", pointer(field))

        /** The smallest number or string; `null` of none. */
        @JvmStatic
        public fun min(field: String): Measure = of("min", pointer(field))

        /** The earliest, in milliseconds since 1970. */
        @JvmStatic
        public fun min(time: Clock): Measure = of("min", time.name)

        /** The largest number or string; `null` of none. */
        @JvmStatic
        public fun max(field: String): Measure = of("max", pointer(field))

        /** The latest, in milliseconds since 1970. */
        @JvmStatic
        public fun max(time: Clock): Measure = of("max", time.name)

        /** The sum of the numbers, other kinds left out; 0 of none. */
        @JvmStatic
        public fun sum(field: String): Measure = of("sum", pointer(field))

        /** The mean of the numbers, a `Double`; `null` of none. */
        @JvmStatic
        public fun avg(field: String): Measure = of("avg", pointer(field))

        internal fun of(json: JsonElement): Measure = Measure(json)

        private fun of(name: String, field: String): Measure = Measure(JsonObject(mapOf(name to JsonPrimitive(field))))

        // A bare name could be taken for one of the keys that every object has.
        private fun pointer(field: String): String = field(field).pointer()
    }
}

/** By which measure groups are sorted. */
public class MeasureOrder private constructor(private val name: String, private val descending: Boolean) {
    internal fun element(): JsonObject = Order(name, descending).element()

    override fun equals(other: Any?): Boolean =
        other is MeasureOrder && other.name == name && other.descending == descending

    override fun hashCode(): Int = name.hashCode() + descending.hashCode()

    override fun toString(): String = "MeasureOrder($name${if (descending) ", descending" else ""})"

    public companion object {
        /** By the measure of this name, the smallest first. */
        @JvmStatic
        public fun ascending(name: String): MeasureOrder = MeasureOrder(name, false)

        /** By the measure of this name, the largest first. */
        @JvmStatic
        public fun descending(name: String): MeasureOrder = MeasureOrder(name, true)

        internal fun of(name: String, descending: Boolean): MeasureOrder = MeasureOrder(name, descending)
    }
}

/**
 * What to count, add up and compare over the objects that a query finds.
 *
 * @property type The name of the type; `null` for objects of every type, and of none.
 * @property where The filter.
 * @property group Up to 4 keys. Without any, all objects are one group, which is there even when
 *   nothing is found.
 * @property measures Up to 16 by name; without any there is one, `count`.
 * @property order By which measures groups are sorted; then by their keys.
 * @property limit The most groups to return; `null` for all.
 * @property skip How many groups to leave out at the beginning.
 * @property follow Steps from what was found, as in a [Query].
 */
public data class Aggregation @JvmOverloads constructor(
    public val type: String? = null,
    public val where: Filter = Filter.ALL,
    public val group: List<GroupKey> = emptyList(),
    public val measures: Map<String, Measure> = emptyMap(),
    public val order: List<MeasureOrder> = emptyList(),
    public val limit: Int? = null,
    public val skip: Int = 0,
    public val follow: List<Link> = emptyList(),
) {
    /** The aggregation in the library's JSON form. */
    public fun toJson(): String {
        val entries = linkedMapOf<String, JsonElement>("where" to filter(type, where).element())
        if (follow.isNotEmpty()) entries["follow"] = JsonArray(follow.map { it.element() })
        // Also without keys: it tells an aggregation from a query.
        entries["group"] = JsonArray(group.map { JsonPrimitive(it.key) })
        if (measures.isNotEmpty()) entries["aggregate"] = JsonObject(measures.mapValues { it.value.element() })
        if (order.isNotEmpty()) entries["order"] = JsonArray(order.map { it.element() })
        if (limit != null) entries["limit"] = JsonPrimitive(limit)
        if (skip != 0) entries["skip"] = JsonPrimitive(skip)
        return JsonObject(entries).toString()
    }

    public companion object {
        private val NAMES = setOf("where", "follow", "group", "aggregate", "order", "limit", "skip")

        /**
         * An aggregation in the library's JSON form; what is in it, the library checks when it is
         * used.
         *
         * @throws EchoException.InvalidArgument if it is not laid out as an aggregation.
         */
        @JvmStatic
        public fun fromJson(text: String): Aggregation {
            val given = GivenQuery(text, "an aggregation", NAMES)
            return Aggregation(
                where = given.where(),
                group = given.elements("group").map { GroupKey.of(word(it)) },
                measures = given.entries("aggregate").mapValues { Measure.of(it.value) },
                order = given.list("order") { MeasureOrder.of(word(it["by"]), flag(it["desc"])) },
                limit = given.count("limit"),
                skip = given.count("skip") ?: 0,
                follow = given.list("follow") { Link(it) },
            )
        }
    }
}

/**
 * One group and its measures.
 *
 * @property keys The group's keys, in the order in which they were asked for.
 * @property values The measures by name.
 */
public data class Group(public val keys: List<Any?>, public val values: Map<String, Any?>) {
    /** A measure by its name. */
    public operator fun get(name: String): Any? = values[name]

    internal companion object {
        /** From an aggregation's answer. */
        fun all(json: String): List<Group> =
            (parseJson(json) as JsonArray).map {
                val row = it as JsonObject
                val keys = (row["group"] as? JsonArray).orEmpty().map(::untagged)
                Group(keys, untaggedMap(row.getValue("values") as JsonObject))
            }
    }
}
