package dev.echodb

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import dev.echodb.ffi.QueryPage as NativePage

/**
 * One page of a query's results.
 *
 * @property objects The objects.
 * @property next What to hand over for the next page; `null` after the last one.
 */
public data class QueryPage(public val objects: List<EchoObject>, public val next: String?) {
    internal companion object {
        fun of(page: NativePage): QueryPage = QueryPage(objects(page.objects), page.next)
    }
}

/**
 * An object that a query over several spaces found.
 *
 * @property space The space's id.
 * @property value The object.
 */
public data class Found(public val space: String, public val value: EchoObject) {
    internal companion object {
        fun all(json: ByteArray): List<Found> =
            (parseJson(json.decodeToString()) as JsonArray).map {
                val space = (it as JsonObject).getValue("space") as JsonPrimitive
                Found(space.content, EchoObject.of(it))
            }
    }
}

/**
 * How a query is answered: for people and tests, what it says may change.
 *
 * @property sql The statement.
 * @property parameters What is put into it.
 * @property plan SQLite's plan, a line each.
 * @property indexes The indexes it uses.
 * @property scans Whether it reads every object.
 * @property words The plan for people, a sentence each.
 */
public data class Explanation(
    public val sql: String,
    public val parameters: List<Any?>,
    public val plan: List<String>,
    public val indexes: List<String>,
    public val scans: Boolean,
    public val words: List<String>,
) {
    internal companion object {
        fun of(json: String): Explanation {
            val found = loadFields(json)
            fun list(name: String): List<Any?> = found[name] as? List<*> ?: listOfNotNull(found[name])
            return Explanation(
                sql = found["sql"].toString(),
                parameters = list("parameters"),
                plan = list("plan").map { it.toString() },
                indexes = list("indexes").map { it.toString() },
                scans = found["scans"] == true,
                words = list("words").map { it.toString() },
            )
        }
    }
}

/** The objects in a JSON array of the library. */
internal fun objects(json: ByteArray): List<EchoObject> =
    (parseJson(json.decodeToString()) as JsonArray).map { EchoObject.of(it) }

internal fun pagesOf(space: Space, query: Query): Flow<List<EchoObject>> =
    flow {
        var after: String? = null
        do {
            val page = space.queryPage(query, after)
            if (page.objects.isNotEmpty()) emit(page.objects)
            after = page.next
        } while (after != null)
    }
