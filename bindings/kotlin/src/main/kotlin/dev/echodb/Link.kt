package dev.echodb

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** Which ways a relation is followed; see [Link.related]. */
public enum class RelationDirection {
    /** From its source to its target. */
    OUT,

    /** From its target to its source. */
    IN,

    /** Both ways. */
    BOTH,
}

/**
 * A way from an object to others: for a filter (`Link.refersTo("author").to(id)`), or as a step of
 * [Query.follow].
 */
public class Link internal constructor(private val json: JsonObject) {
    private constructor(name: String, options: Map<String, JsonElement>) : this(step(name, options))

    private val name: String get() = json.keys.singleOrNull() ?: throw EchoException.InvalidArgument("a step is one link")

    private val options: Map<String, JsonElement>
        get() = json.getValue(name) as? JsonObject ?: emptyMap()

    /** The same link, to objects that satisfy the filter. */
    public fun where(filter: Filter): Link = Link(name, options + ("where" to filter.element()))

    /** Objects from which the link leads to at least one. */
    public fun exists(): Filter = Filter.of(name, json.getValue(name))

    /** Objects from which the link leads to one of these. They may be deleted, or not exist. */
    public fun to(vararg ids: String): Filter {
        val list = JsonArray(ids.map(::JsonPrimitive))
        return Filter.of(name, if (options.isEmpty()) list else JsonObject(options + ("id" to list)))
    }

    /** Objects that have none: for [PARENT], [SOURCE] and [TARGET]. */
    public fun isNone(): Filter = Filter.of(name, JsonNull)

    /** The link as a step, in the library's JSON form. */
    public fun toJson(): String = json.toString()

    override fun equals(other: Any?): Boolean = other is Link && other.json == json

    override fun hashCode(): Int = json.hashCode()

    override fun toString(): String = "Link($json)"

    internal fun element(): JsonObject = json

    public companion object {
        /** To the parent. */
        @JvmField
        public val PARENT: Link = Link("parent", emptyMap())

        /** To the children. */
        @JvmField
        public val CHILD: Link = Link("child", emptyMap())

        /** To the parent, its parent, and so on. */
        @JvmField
        public val ANCESTOR: Link = Link("ancestor", emptyMap())

        /** To the children, theirs, and so on. */
        @JvmField
        public val DESCENDANT: Link = Link("descendant", emptyMap())

        /** From a relation to where it begins. */
        @JvmField
        public val SOURCE: Link = Link("source", emptyMap())

        /** From a relation to where it ends. */
        @JvmField
        public val TARGET: Link = Link("target", emptyMap())

        /** To the relations that begin at an object. */
        @JvmField
        public val SOURCE_OF: Link = Link("source_of", emptyMap())

        /** To the relations that end at an object. */
        @JvmField
        public val TARGET_OF: Link = Link("target_of", emptyMap())

        /** To what an object refers to, at a place (a name or JSON Pointer) or below it, or anywhere. */
        @JvmStatic
        @JvmOverloads
        public fun refersTo(path: String? = null): Link = Link("refers_to", path(path))

        /** To what refers to an object, at a place or below it, or anywhere. */
        @JvmStatic
        @JvmOverloads
        public fun referredBy(path: String? = null): Link = Link("referred_by", path(path))

        /**
         * To the other ends of an object's relations.
         *
         * @param types The relations' types; none for all.
         * @param direction Which ways.
         * @param via What the relations have to satisfy.
         */
        @JvmStatic
        @JvmOverloads
        public fun related(
            vararg types: String,
            direction: RelationDirection = RelationDirection.BOTH,
            via: Filter = Filter.ALL,
        ): Link {
            val options = linkedMapOf<String, JsonElement>()
            if (types.isNotEmpty()) options["type"] = JsonArray(types.map(::JsonPrimitive))
            if (direction != RelationDirection.BOTH) options["direction"] = JsonPrimitive(direction.name.lowercase())
            if (via != Filter.ALL) options["via"] = via.element()
            return Link("related", options)
        }

        /**
         * A step in the library's JSON form, which the library checks when it is used.
         *
         * @throws EchoException.InvalidArgument if it is not a JSON object.
         */
        @JvmStatic
        public fun fromJson(text: String): Link = Link(givenObject(text, "a step"))

        private fun step(name: String, options: Map<String, JsonElement>): JsonObject =
            JsonObject(mapOf(name to if (options.isEmpty()) JsonPrimitive(true) else JsonObject(options)))

        private fun path(path: String?): Map<String, JsonElement> =
            if (path == null) emptyMap() else mapOf("path" to JsonPrimitive(path))
    }
}
