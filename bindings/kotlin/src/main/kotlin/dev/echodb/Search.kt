package dev.echodb

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import dev.echodb.ffi.IndexInfo as NativeIndex

/**
 * An object that a search found.
 *
 * @property value The object.
 * @property rank How well it fits: the lower the better.
 * @property snippet Where the words stand; `null` if no excerpts were asked for.
 */
public data class SearchResult(
    public val value: EchoObject,
    public val rank: Double,
    public val snippet: Snippet?,
) {
    internal companion object {
        fun all(json: ByteArray): List<SearchResult> =
            (parseJson(json.decodeToString()) as JsonArray).map {
                val entry = it as JsonObject
                val rank = (entry.getValue("rank") as JsonPrimitive).double
                SearchResult(EchoObject.of(entry), rank, (entry["snippet"] as? JsonObject)?.let(Snippet::of))
            }
    }
}

/**
 * An excerpt of a value in which words were found.
 *
 * @property path The value's place, a JSON Pointer.
 * @property text The excerpt, unchanged.
 * @property start Where it begins in the value, in UTF-16 units.
 * @property more Whether the value goes on after it.
 * @property ranges What was found, as stretches of [text].
 */
public data class Snippet(
    public val path: String,
    public val text: String,
    public val start: Int,
    public val more: Boolean,
    public val ranges: List<IntRange>,
) {
    internal companion object {
        fun of(json: JsonObject): Snippet {
            fun primitive(name: String): JsonPrimitive = json.getValue(name) as JsonPrimitive
            return Snippet(
                path = primitive("path").content,
                text = primitive("text").content,
                start = primitive("start").int,
                more = primitive("more").boolean,
                ranges = (json.getValue("ranges") as JsonArray).map(::range),
            )
        }

        private fun range(pair: JsonElement): IntRange {
            val (start, end) = (pair as JsonArray).map { (it as JsonPrimitive).int }
            return start until end
        }
    }
}

/**
 * An index that the program asked for.
 *
 * @property type Of objects of this type; of all if there is none.
 * @property path Of what: a JSON Pointer, `created` or `updated`.
 */
public data class IndexInfo(public val type: String?, public val path: String) {
    internal companion object {
        fun of(info: NativeIndex): IndexInfo = IndexInfo(info.typeName, info.path)
    }
}

/** A place in the form in which no field's name is taken for what every object has. */
internal fun indexed(path: String): String =
    if (path == created.name || path == updated.name) path else field(path).pointer()
