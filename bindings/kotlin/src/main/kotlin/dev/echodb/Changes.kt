package dev.echodb

import kotlinx.coroutines.flow.Flow
import dev.echodb.ffi.ChangeBatch as NativeBatch
import dev.echodb.ffi.ChangeKind as NativeKind
import dev.echodb.ffi.ChangeListener as NativeListener
import dev.echodb.ffi.ChangeOrigin as NativeOrigin
import dev.echodb.ffi.Space as NativeSpace
import dev.echodb.ffi.Subscription as NativeSubscription

/** What happened to an object. */
public enum class ChangeKind {
    /** It is new, or matches the filter now and did not before. */
    ADDED,

    /** It changed. */
    UPDATED,

    /** It was deleted, or no longer matches the filter. */
    REMOVED,
}

/** Who changed an object. */
public enum class ChangeOrigin {
    /** This client. */
    LOCAL,

    /** A peer. */
    REMOTE,
}

/**
 * One changed object.
 *
 * @property id The object's id.
 * @property type Its type's name, if any.
 * @property kind What happened.
 * @property origin Who did it; when several changes were gathered, the last.
 */
public data class Change(
    public val id: String,
    public val type: String?,
    public val kind: ChangeKind,
    public val origin: ChangeOrigin,
)

/**
 * The changes since the last delivery; never names an object twice.
 *
 * @property space The space's id.
 * @property changes The objects, in id order.
 */
public data class ChangeBatch(public val space: String, public val changes: List<Change>) {
    internal companion object {
        fun of(batch: NativeBatch): ChangeBatch =
            ChangeBatch(batch.space, batch.changes.map { Change(it.id, it.typeName, kind(it.kind), origin(it.origin)) })

        private fun kind(kind: NativeKind): ChangeKind =
            when (kind) {
                NativeKind.ADDED -> ChangeKind.ADDED
                NativeKind.UPDATED -> ChangeKind.UPDATED
                NativeKind.REMOVED -> ChangeKind.REMOVED
            }

        private fun origin(origin: NativeOrigin): ChangeOrigin =
            when (origin) {
                NativeOrigin.LOCAL -> ChangeOrigin.LOCAL
                NativeOrigin.REMOTE -> ChangeOrigin.REMOTE
            }
    }
}

/**
 * Receives changes on the library's threads, one batch at a time for each subscription, with no
 * lock held. It may call whatever it likes that does not wait for this subscription. One that
 * throws is logged and kept.
 */
public fun interface ChangeListener {
    /** Committed changes; every call made here sees them. */
    public fun changed(batch: ChangeBatch)
}

/**
 * A running listener. It runs until it is cancelled, its client is shut down, or the subscription
 * is dropped: keep it for as long as the listener is to be called.
 */
public class Subscription internal constructor(private val native: NativeSubscription) : AutoCloseable {
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

/** Batches that wait for a slow collector before further ones are gathered into the last. */
private const val WAITING_BATCHES = 64

internal fun changesOf(
    space: NativeSpace,
    filter: Filter,
    lifeline: Lifeline,
    onListening: suspend () -> Unit,
): Flow<ChangeBatch> =
    heard(lifeline, WAITING_BATCHES, ::gather, onListening) { put ->
        Subscription(translated { space.subscribe(filter.toJson(), ListenerAdapter(ChangeListener(put))) })
    }

/**
 * What the library calls. It lets go of the program's listener with the client, so that one which
 * refers to its own subscription is collected.
 */
internal class ListenerAdapter(
    @Volatile private var listener: ChangeListener?,
) : NativeListener, Endable {
    override fun changed(batch: NativeBatch): Unit = guarded { listener?.changed(ChangeBatch.of(batch)) }

    override fun end() {
        listener = null
    }
}

/**
 * Around a listener of the program, called by the library, which has to hear of every failure: the
 * generated bindings tell it of exceptions, but lose errors such as a failed assertion.
 */
internal inline fun <T> guarded(call: () -> T): T =
    try {
        call()
    } catch (error: Error) {
        throw RuntimeException(error)
    }

/** Two batches as one: what a collector sees that missed the state between them. */
internal fun gather(old: ChangeBatch, new: ChangeBatch): ChangeBatch {
    val changes = sortedMapOf<String, Change>()
    old.changes.associateByTo(changes) { it.id }
    for (change in new.changes) {
        val before = changes[change.id]
        val kind = if (before == null) change.kind else gather(before.kind, change.kind)
        if (kind == null) changes.remove(change.id) else changes[change.id] = change.copy(kind = kind)
    }
    return ChangeBatch(new.space, changes.values.toList())
}

private fun gather(old: ChangeKind, new: ChangeKind): ChangeKind? {
    val wasThere = old != ChangeKind.ADDED
    val isThere = new != ChangeKind.REMOVED
    return when {
        wasThere -> if (isThere) ChangeKind.UPDATED else ChangeKind.REMOVED
        else -> if (isThere) ChangeKind.ADDED else null
    }
}
