package dev.echodb

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ClosedReceiveChannelException
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import java.util.Collections
import java.util.WeakHashMap

/**
 * Takes items on any thread and gives them to one coroutine. When [limit] items wait, a new one is
 * folded into the last: neither memory nor the library's threads suffer a slow collector.
 */
internal class Mailbox<T : Any>(private val limit: Int, private val fold: (T, T) -> T) : Endable {
    private val items = ArrayDeque<T>()
    private var ended = false

    // Says that there is something to look at; holds nothing itself.
    private val bell = Channel<Unit>(Channel.CONFLATED)

    /** Adds an item, on any thread. */
    fun put(item: T) {
        synchronized(items) {
            if (ended) return
            if (items.size < limit) items.addLast(item) else items.addLast(fold(items.removeLast(), item))
        }
        bell.trySend(Unit)
    }

    /** Nothing will come after what waits already. On any thread. */
    override fun end() {
        synchronized(items) { ended = true }
        bell.close()
    }

    /** The next item; `null` at the end. */
    suspend fun take(): T? {
        while (true) {
            synchronized(items) {
                items.removeFirstOrNull()?.let { return it }
                if (ended) return null
            }
            try {
                bell.receive()
            } catch (_: ClosedReceiveChannelException) {
                // Ended: what came before that is still to be taken.
            }
        }
    }
}

/**
 * What a subscription tells, for each collector from when it begins to collect until it leaves or
 * the client ends; see [Mailbox] for one that is slow.
 *
 * @param onListening Called when the listening has begun.
 * @param subscribe Begins to listen; what is heard is given to its argument, on any thread.
 */
internal fun <T : Any> heard(
    lifeline: Lifeline,
    limit: Int,
    fold: (T, T) -> T,
    onListening: suspend () -> Unit,
    subscribe: suspend ((T) -> Unit) -> Subscription,
): Flow<T> =
    flow {
        val mailbox = lifeline.add(Mailbox(limit, fold))
        try {
            subscribe(mailbox::put).use {
                onListening()
                while (true) emit(mailbox.take() ?: break)
            }
        } finally {
            lifeline.remove(mailbox)
        }
    }

/** What ends with its client. */
internal interface Endable {
    /** Ends it, on any thread, without waiting. */
    fun end()
}

/** What ends when the client does. Nothing is held alive by it. */
internal class Lifeline {
    private val all = Collections.newSetFromMap(WeakHashMap<Endable, Boolean>())
    private var ended = false

    /** Ends it with the client, or now if that has ended. Returns it. */
    fun <T : Endable> add(one: T): T {
        val late = synchronized(all) { ended.also { if (!it) all.add(one) } }
        if (late) one.end()
        return one
    }

    /** Forgets it. */
    fun remove(one: Endable) {
        synchronized(all) { all.remove(one) }
    }

    /** Ends everything, and what is added later at once. */
    fun end() {
        val present =
            synchronized(all) {
                ended = true
                // Not toList(), which trusts the size while the collector takes elements out.
                ArrayList(all).also { all.clear() }
            }
        present.forEach { it.end() }
    }
}
