package dev.echodb

import dev.echodb.ffi.Committed as NativeCommitted
import dev.echodb.ffi.TextUnit
import dev.echodb.ffi.Transaction as NativeTransaction

/**
 * What a committed transaction led to.
 *
 * @property entry The entry that carries it; `null` when the transaction changed nothing.
 * @property heads For each touched object its version after the transaction.
 */
public data class Committed(public val entry: String?, public val heads: Map<String, List<String>>) {
    internal companion object {
        fun of(done: NativeCommitted): Committed =
            Committed(done.entry, done.objects.associate { it.id to it.heads })
    }
}

/**
 * Gathers steps that take effect together or not at all; nothing happens until [commit]. Best made
 * by [Space.transact], which commits by itself.
 *
 * Arguments are checked as they are given; a step that does not fit its object (no such field, a
 * position past the end) fails the commit, and nothing is changed. One thread at a time. Calls
 * after the end throw [EchoException.InvalidState].
 *
 * Paths are a field's name or a JSON Pointer (`"/tags/0"`).
 */
public class Transaction internal constructor(private val native: NativeTransaction) : AutoCloseable {
    /** What the commit led to; `null` before. */
    @Volatile
    public var committed: Committed? = null
        private set

    @Volatile
    private var cancelled = false

    /** Whether it was neither committed nor cancelled. */
    internal val isOpen: Boolean get() = committed == null && !cancelled

    /**
     * Commits: when this returns, every step is stored and survives the death of the process, and
     * queries and subscriptions see it. A coroutine that is cancelled meanwhile has committed
     * everything or nothing. A second call returns what the first did.
     */
    public suspend fun commit(): Committed {
        committed?.let { return it }
        val done = Committed.of(translated { native.commit() })
        committed = done
        native.destroy()
        return done
    }

    /** Throws the steps away. Does nothing after the commit. */
    public fun cancel() {
        cancelled = true
        native.destroy()
    }

    /** The same as [cancel]: what is not committed is thrown away. */
    override fun close() {
        cancel()
    }

    /**
     * Adds a new object and returns its id, which may be the caller's, for imports.
     *
     * @param type The name of its type, if it has one.
     * @param fields Its fields; see [EchoObject] for what they may hold.
     * @param id The id it gets, 26 characters; `null` for a new one.
     */
    @JvmOverloads
    public fun create(type: String?, fields: Map<String, Any?>, id: String? = null): String {
        val json = dumpFields(fields)
        return translated {
            if (id == null) {
                native.create(type, json)
            } else {
                native.createWithId(id, type, json)
                id
            }
        }
    }

    /** Sets fields of an object; the others stay. */
    public fun update(id: String, fields: Map<String, Any?>) {
        val json = dumpFields(fields)
        translated { native.update(id, json) }
    }

    /** Sets the value at a path. */
    public fun set(id: String, path: String, value: Any?) {
        val json = dumpValue(value)
        translated { native.set(id, path, json) }
    }

    /** Inserts into a list before the index that ends the path; the list's length appends. */
    public fun insert(id: String, path: String, value: Any?) {
        val json = dumpValue(value)
        translated { native.insert(id, path, json) }
    }

    /** Removes a field, a map entry or a list element. */
    public fun remove(id: String, path: String) {
        translated { native.remove(id, path) }
    }

    /**
     * Replaces [delete] UTF-16 units of a [Text] from [position] on by [insert]. Neither end may
     * split a surrogate pair.
     */
    @JvmOverloads
    public fun spliceText(id: String, path: String, position: Int, delete: Int = 0, insert: String = "") {
        val (from, length) = unsigned(position, delete)
        translated { native.spliceText(id, path, from, length, insert, TextUnit.UTF16) }
    }

    /** Adds to a [Counter]. */
    @JvmOverloads
    public fun increment(id: String, path: String, by: Long = 1) {
        translated { native.increment(id, path, by) }
    }

    /**
     * Makes the object that a natural key of a type names, or sets these fields of it if it exists
     * (a deleted one comes back), and returns its id. Every peer makes the same id of the same key,
     * so that objects made apart become one.
     */
    public fun createWithKey(type: String, key: String, fields: Map<String, Any?>): String {
        val json = dumpFields(fields)
        return translated { native.createWithKey(type, key, json) }
    }

    /**
     * Moves a list's element, which the path names, so that it has the index [to] afterwards. If two
     * peers move one element at the same time, both moves take place and it stands twice.
     */
    public fun moveItem(id: String, path: String, to: Int) {
        val (index, _) = unsigned(to, 0)
        translated { native.moveItem(id, path, index) }
    }

    /**
     * Marks a [Text] from [start] to [end], in UTF-16 units: bold, a link, a comment. The value is a
     * scalar; `null` clears the mark. Marks of one name do not overlap: the later one counts.
     */
    @JvmOverloads
    public fun mark(
        id: String,
        path: String,
        start: Int,
        end: Int,
        name: String,
        value: Any? = true,
        expand: MarkExpand = MarkExpand.AFTER,
    ) {
        val (from, to) = unsigned(start, end)
        val json = dumpValue(value)
        translated { native.mark(id, path, from, to, TextUnit.UTF16, name, json, expand.native) }
    }

    /**
     * Makes an object a relation from [source] to [target], or sets its ends anew; they need not
     * exist.
     */
    public fun relate(id: String, source: String?, target: String?) {
        translated { native.relate(id, source, target) }
    }

    /** Adds a tag, of 1 to 256 bytes. If a peer removes it at the same time, it stays. */
    public fun tag(id: String, tag: String) {
        translated { native.tag(id, tag) }
    }

    /** Removes a tag. */
    public fun untag(id: String, tag: String) {
        translated { native.untag(id, tag) }
    }

    /**
     * Says what the object is called in another system, [source]; a [key] of `null` forgets it. Both
     * have 1 to 256 bytes, and sources are not `natural` and do not begin with `@`.
     */
    public fun setKey(id: String, source: String, key: String?) {
        translated { native.setKey(id, source, key) }
    }

    /** Sets an object's parent, or clears it. */
    public fun setParent(id: String, parent: String?) {
        translated { native.setParent(id, parent) }
    }

    /** Deletes an object. */
    public fun delete(id: String) {
        translated { native.delete(id) }
    }

    /** Undoes a deletion. */
    public fun restore(id: String) {
        translated { native.restore(id) }
    }

    /**
     * Makes the steps at the version [heads] instead of the newest one, as if they had been made
     * then; they merge with what came since. All steps must touch one object.
     */
    public fun at(heads: List<String>) {
        translated { native.at(heads) }
    }

    /**
     * Takes it for granted that an object is at exactly the version [heads], or, if that is empty,
     * that it does not exist. Otherwise the commit throws [EchoException.InvalidState] with
     * [Status.CONFLICT] and changes nothing. May be said of several objects.
     */
    public fun onlyIf(id: String, heads: List<String>) {
        translated { native.onlyIf(id, heads) }
    }

    /**
     * Puts the transaction in a group, named by 1 to 256 characters: transactions of one group that
     * follow each other are undone, and redone, at once.
     */
    public fun group(name: String) {
        translated { native.group(name) }
    }

    /** A note that stays in the history of the touched objects, at most 256 characters. */
    public fun message(text: String) {
        translated { native.message(text) }
    }
}

/** A position and a length as the generated bindings want them. */
internal fun unsigned(position: Int, length: Int): Pair<ULong, ULong> {
    if (position < 0 || length < 0) {
        throw EchoException.InvalidArgument("positions and lengths are not negative: $position, $length")
    }
    return position.toULong() to length.toULong()
}
