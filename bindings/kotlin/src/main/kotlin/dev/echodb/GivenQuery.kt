package dev.echodb

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull
import kotlinx.serialization.json.intOrNull

/** A JSON object that a program gives; [what] says what it is to be. */
internal fun givenObject(text: String, what: String): JsonObject {
    val json =
        try {
            parseJson(text)
        } catch (_: IllegalArgumentException) {
            null
        }
    return json as? JsonObject ?: throw EchoException.InvalidArgument("$what is a JSON object")
}

/** A query that a program gives as JSON, taken apart. */
internal class GivenQuery(text: String, private val what: String, names: Set<String>) {
    private val json = givenObject(text, what)

    init {
        val strange = json.keys - names
        if (strange.isNotEmpty()) throw EchoException.InvalidArgument("$what has no \"${strange.first()}\"")
    }

    fun where(): Filter = Filter(value("where") { it as? JsonObject } ?: JsonObject(emptyMap()))

    fun count(name: String): Int? = value(name) { (it as? JsonPrimitive)?.takeUnless { it.isString }?.intOrNull }

    fun <T> list(name: String, convert: (JsonObject) -> T): List<T> =
        elements(name).map { convert(it as? JsonObject ?: throw malformed(name)) }

    fun elements(name: String): List<JsonElement> = value(name) { it as? JsonArray } ?: emptyList()

    fun entries(name: String): Map<String, JsonElement> = value(name) { it as? JsonObject } ?: emptyMap()

    private fun <T : Any> value(name: String, convert: (JsonElement) -> T?): T? {
        val found = json[name]
        return if (found == null || found is JsonNull) null else convert(found) ?: throw malformed(name)
    }

    private fun malformed(name: String) = EchoException.InvalidArgument("\"$name\" of $what is malformed")
}

/** A string of JSON that a program gives. */
internal fun word(json: JsonElement?): String =
    (json as? JsonPrimitive)?.takeIf { it.isString }?.content
        ?: throw EchoException.InvalidArgument("a key of an order or a group is a string")

/** A truth of JSON that a program gives; none is `false`. */
internal fun flag(json: JsonElement?): Boolean =
    json != null &&
        ((json as? JsonPrimitive)?.takeUnless { it.isString }?.booleanOrNull
            ?: throw EchoException.InvalidArgument("\"desc\" is true or false"))
