package dev.echodb

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import java.time.Instant
import java.util.Base64

// The JSON form in which values cross into the library: what JSON lacks is an object with one
// reserved name, for example {"@text": "…"}.

/** As deep as the library lets values be. */
private const val DEPTH = 64

/** The JSON text of an object's fields. */
internal fun dumpFields(fields: Map<String, Any?>): String = tagged(fields, 0).toString()

/** The JSON text of one value. */
internal fun dumpValue(value: Any?): String = tagged(value, 0).toString()

/** Reads the fields that the library wrote. */
internal fun loadFields(text: String): Map<String, Any?> = untaggedMap(parseJson(text) as JsonObject)

/** Reads one value that the library wrote. */
internal fun loadValue(text: String): Any? = untagged(parseJson(text))

/** Reads JSON that the library wrote. */
internal fun parseJson(text: String): JsonElement = Json.parseToJsonElement(text)

/** Milliseconds since 1970, rounded down. */
internal fun millis(moment: Instant): Long =
    try {
        moment.toEpochMilli()
    } catch (_: ArithmeticException) {
        throw EchoException.InvalidArgument("$moment does not fit milliseconds in 64 bits")
    }

private fun tagged(value: Any?, depth: Int): JsonElement {
    // Also what a list that contains itself runs into.
    if (depth > DEPTH) throw EchoException.LimitExceeded("values may be nested $DEPTH deep")
    return when (value) {
        is Text -> tag("@text", JsonPrimitive(value.value))
        is Counter -> tag("@counter", JsonPrimitive(value.value))
        is Instant -> tag("@timestamp", JsonPrimitive(millis(value)))
        is ByteArray -> tag("@bytes", JsonPrimitive(Base64.getEncoder().encodeToString(value)))
        is Ref -> tag("@ref", JsonPrimitive(value.toString()))
        is BlobRef -> JsonObject(mapOf("@blob" to JsonPrimitive(value.id), "size" to JsonPrimitive(value.size)))
        is Map<*, *> -> mapped(value) { tagged(it, depth + 1) }
        is Iterable<*> -> JsonArray(value.map { tagged(it, depth + 1) })
        is Array<*> -> JsonArray(value.map { tagged(it, depth + 1) })
        is Double -> if (value.isFinite()) scalar(value) else tag("@float", JsonPrimitive(nameOf(value)))
        is Float -> tagged(value.toDouble(), depth)
        else -> scalar(value)
    }
}

/**
 * The form in which queries compare: no tags, times as milliseconds, bytes as hexadecimal.
 */
internal fun plain(value: Any?): JsonElement =
    when (value) {
        is Text -> JsonPrimitive(value.value)
        is Counter -> JsonPrimitive(value.value)
        is Instant -> JsonPrimitive(millis(value))
        is ByteArray -> JsonPrimitive(value.joinToString("") { "%02x".format(it) })
        is Ref -> JsonPrimitive(value.toString())
        is BlobRef -> JsonPrimitive(value.id)
        is Map<*, *> -> mapped(value, ::plain)
        is Iterable<*> -> JsonArray(value.map(::plain))
        is Array<*> -> JsonArray(value.map(::plain))
        is Float -> plain(value.toDouble())
        is Double ->
            if (value.isFinite()) {
                scalar(value)
            } else {
                throw EchoException.InvalidArgument("queries cannot compare with $value")
            }
        else -> scalar(value)
    }

private fun scalar(value: Any?): JsonElement =
    when (value) {
        null -> JsonNull
        is Boolean -> JsonPrimitive(value)
        is Double -> JsonPrimitive(value)
        is Long, is Int, is Short, is Byte -> JsonPrimitive((value as Number).toLong())
        is Char -> JsonPrimitive(value.toString())
        is CharSequence -> JsonPrimitive(value.toString())
        else -> throw EchoException.InvalidArgument(
            "${value.javaClass.name} is not a kind of value that a field can hold",
        )
    }

private inline fun mapped(map: Map<*, *>, convert: (Any?) -> JsonElement): JsonObject {
    val entries = LinkedHashMap<String, JsonElement>(map.size * 2)
    for ((name, value) in map) {
        if (name !is String) throw EchoException.InvalidArgument("names are strings, not $name")
        // One that passed could turn a map into another kind of value.
        if (name.startsWith("@")) {
            throw EchoException.InvalidArgument("the name \"$name\" is reserved: names may not start with '@'")
        }
        entries[name] = convert(value)
    }
    return JsonObject(entries)
}

private fun tag(name: String, value: JsonElement): JsonObject = JsonObject(mapOf(name to value))

private fun nameOf(value: Double): String =
    when {
        value.isNaN() -> "nan"
        value > 0 -> "inf"
        else -> "-inf"
    }

/** The value of JSON that the library wrote. */
internal fun untagged(json: JsonElement): Any? =
    when (json) {
        is JsonNull -> null
        is JsonPrimitive -> if (json.isString) json.content else untaggedScalar(json.content)
        is JsonArray -> json.map(::untagged)
        is JsonObject -> untaggedObject(json)
    }

private fun untaggedScalar(content: String): Any =
    when {
        content == "true" -> true
        content == "false" -> false
        content.any { it == '.' || it == 'e' || it == 'E' } -> content.toDouble()
        else -> content.toLong()
    }

/** The fields of an object. */
internal fun untaggedMap(json: JsonObject): Map<String, Any?> = json.mapValues { untagged(it.value) }

private fun untaggedObject(json: JsonObject): Any {
    if (json.size == 2) blobOf(json)?.let { return it }
    if (json.size != 1) return untaggedMap(json)
    val (tag, inner) = json.entries.first()
    if (!tag.startsWith("@") || inner !is JsonPrimitive) return untaggedMap(json)
    val content = inner.content
    return when (tag) {
        "@text" -> Text(content)
        "@counter" -> Counter(content.toLong())
        "@timestamp" -> Instant.ofEpochMilli(content.toLong())
        "@bytes" -> Base64.getDecoder().decode(content)
        "@ref" -> Ref.parse(content)
        "@float" -> floatOf(content)
        // A kind that a newer library knows: better shown as it is than an error.
        else -> untaggedMap(json)
    }
}

private fun blobOf(json: JsonObject): BlobRef? {
    val id = json["@blob"] as? JsonPrimitive ?: return null
    val size = json["size"] as? JsonPrimitive ?: return null
    return BlobRef(id.content, size.content.toLong())
}

private fun floatOf(name: String): Double =
    when (name) {
        "inf" -> Double.POSITIVE_INFINITY
        "-inf" -> Double.NEGATIVE_INFINITY
        else -> Double.NaN
    }

