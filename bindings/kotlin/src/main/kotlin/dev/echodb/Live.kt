package dev.echodb

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.int
import kotlin.time.Duration
import dev.echodb.ffi.LiveBatch as NativeBatch
import dev.echodb.ffi.LiveListener as NativeListener
import dev.echodb.ffi.LiveOptions as NativeOptions
import dev.echodb.ffi.LiveQuery as NativeLive
import dev.echodb.ffi.Space as NativeSpace

/** What happened to an object among the results of a live query. */
public enum class LiveChangeKind {
    /** It is no longer among them. */
    REMOVED,

    /** It is new among them. */
    ADDED,

    /** It has another place among the others, and may have changed too. */
    MOVED,

    /** It changed where it is. */
    CHANGED,
}

/**
 * One object's change among the results.
 *
 * @property kind What happened.
 * @property id The object's id.
 * @property from Its place before the batch, from 0, if it was removed or moved.
 * @property index Its place after the batch, from 0; `null` if it was removed.
 * @property value The object; `null` if it was removed.
 */
public data class LiveChange(
    public val kind: LiveChangeKind,
    public val id: String,
    public val from: Int?,
    public val index: Int?,
    public val value: EchoObject?,
)

/**
 * What changed in a live query's results since the last batch.
 *
 * @property space The space's id.
 * @property initial Whether the changes are to be applied to an empty list, and not to the one built
 *   so far.
 * @property total The number of results after the batch.
 * @property changes Removals first, by falling place before, then the others, by rising place after;
 *   never names an object twice.
 */
public data class LiveBatch(
    public val space: String,
    public val initial: Boolean,
    public val total: Long,
    public val changes: List<LiveChange>,
) {
    /** Brings a list of the results before the batch up to date. */
    public fun applyTo(results: MutableList<EchoObject>) {
        if (initial) results.clear()
        // Their places are those before the batch.
        val left = changes.mapNotNull { it.from }.sortedDescending()
        for (place in left) results.removeAt(place)
        for (change in changes) {
            val (index, value) = (change.index ?: continue) to (change.value ?: continue)
            if (change.kind == LiveChangeKind.CHANGED) results[index] = value else results.add(index, value)
        }
    }

    internal companion object {
        fun of(batch: NativeBatch): LiveBatch {
            val changes = (parseJson(batch.changes.decodeToString()) as JsonArray).map { change(it as JsonObject) }
            return LiveBatch(batch.space, batch.initial, batch.total.toLong(), changes)
        }

        private fun change(entry: JsonObject): LiveChange {
            fun primitive(name: String): JsonPrimitive? = entry[name] as? JsonPrimitive
            return LiveChange(
                kind = LiveChangeKind.valueOf(primitive("kind")?.content.orEmpty().uppercase()),
                id = primitive("id")?.content.orEmpty(),
                from = primitive("from")?.int,
                index = primitive("index")?.int,
                value = entry["object"]?.let { EchoObject.of(it) },
            )
        }
    }
}

/**
 * Receives a live query's batches on the library's threads, one at a time, with no lock held. One
 * that throws is logged and kept, and gets all results again, after a while.
 */
public fun interface LiveListener {
    /** The results changed; every call made here sees at least these changes. */
    public fun updated(batch: LiveBatch)
}

/**
 * A running live query that has a listener. It runs until it is cancelled, its client is shut down,
 * or it is dropped: keep it for as long as the listener is to be called.
 */
public class LiveQuery internal constructor(private val native: NativeLive) : AutoCloseable {
    /**
     * Ends it. When this returns, the listener is not running and will not run again; called from
     * within the listener, it returns at once and this delivery is the last. May be called again.
     */
    public fun cancel() {
        try {
            native.cancel()
        } catch (_: IllegalStateException) {
            // Cancelled before, which freed it.
            return
        }
        native.destroy()
    }

    /** The same as [cancel]. */
    override fun close() {
        cancel()
    }
}

/** The batches, each made when it is asked for: a slow collector gets fewer and larger ones. */
internal fun liveOf(space: NativeSpace, query: Query, interval: Duration, lifeline: Lifeline): Flow<LiveBatch> =
    flow {
        val native = translated { space.liveQueue(query.toJson(), NativeOptions(interval(interval))) }
        LiveQuery(native).use {
            val end = lifeline.add(LiveEnd(native))
            try {
                while (true) emit(LiveBatch.of(translated { native.next() } ?: break))
            } finally {
                lifeline.remove(end)
            }
        }
    }

internal fun liveResultsOf(batches: Flow<LiveBatch>): Flow<List<EchoObject>> =
    flow {
        val results = mutableListOf<EchoObject>()
        batches.collect {
            it.applyTo(results)
            emit(results.toList())
        }
    }

internal suspend fun listenLive(
    space: NativeSpace,
    query: Query,
    interval: Duration,
    lifeline: Lifeline,
    listener: LiveListener,
): LiveQuery {
    val options = NativeOptions(interval(interval))
    val adapter = lifeline.add(LiveAdapter(listener))
    return LiveQuery(translated { space.live(query.toJson(), options, adapter) })
}

private fun interval(interval: Duration): UInt {
    val millis = interval.inWholeMilliseconds
    if (millis !in 0..Int.MAX_VALUE) {
        throw EchoException.InvalidArgument("a live query's interval is 0 to 60 seconds, not $interval")
    }
    return millis.toUInt()
}

/** Ends the wait for the next batch with the client. */
private class LiveEnd(private val native: NativeLive) : Endable {
    override fun end() {
        try {
            native.cancel()
        } catch (_: IllegalStateException) {
            // The collector has left meanwhile.
        }
    }
}

/** What the library calls; it lets go of the program's listener with the client. */
private class LiveAdapter(
    @Volatile private var listener: LiveListener?,
) : NativeListener, Endable {
    override fun updated(batch: NativeBatch): Unit = guarded { listener?.updated(LiveBatch.of(batch)) }

    override fun end() {
        listener = null
    }
}
