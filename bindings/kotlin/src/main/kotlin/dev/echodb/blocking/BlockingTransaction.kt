package dev.echodb.blocking

import dev.echodb.Committed
import dev.echodb.MarkExpand
import dev.echodb.Transaction

/**
 * [Transaction] for callers without coroutines; see [BlockingClient].
 *
 * @property coroutines The same transaction for coroutines.
 */
public class BlockingTransaction(public val coroutines: Transaction) : AutoCloseable {
    /** What the commit led to; `null` before. */
    public val committed: Committed? get() = coroutines.committed

    /** See [Transaction.commit]. */
    public fun commit(): Committed = waiting { coroutines.commit() }

    /** See [Transaction.cancel]. */
    public fun cancel() {
        coroutines.cancel()
    }

    /** The same as [cancel]: what is not committed is thrown away. */
    override fun close() {
        coroutines.close()
    }

    /** See [Transaction.create]. */
    @JvmOverloads
    public fun create(type: String?, fields: Map<String, Any?>, id: String? = null): String =
        coroutines.create(type, fields, id)

    /** See [Transaction.update]. */
    public fun update(id: String, fields: Map<String, Any?>) {
        coroutines.update(id, fields)
    }

    /** See [Transaction.set]. */
    public fun set(id: String, path: String, value: Any?) {
        coroutines.set(id, path, value)
    }

    /** See [Transaction.insert]. */
    public fun insert(id: String, path: String, value: Any?) {
        coroutines.insert(id, path, value)
    }

    /** See [Transaction.remove]. */
    public fun remove(id: String, path: String) {
        coroutines.remove(id, path)
    }

    /** See [Transaction.spliceText]. */
    public fun spliceText(id: String, path: String, position: Int, delete: Int, insert: String) {
        coroutines.spliceText(id, path, position, delete, insert)
    }

    /** See [Transaction.createWithKey]. */
    public fun createWithKey(type: String, key: String, fields: Map<String, Any?>): String =
        coroutines.createWithKey(type, key, fields)

    /** See [Transaction.moveItem]. */
    public fun moveItem(id: String, path: String, to: Int) {
        coroutines.moveItem(id, path, to)
    }

    /** See [Transaction.mark]. */
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
        coroutines.mark(id, path, start, end, name, value, expand)
    }

    /** See [Transaction.relate]. */
    public fun relate(id: String, source: String?, target: String?) {
        coroutines.relate(id, source, target)
    }

    /** See [Transaction.tag]. */
    public fun tag(id: String, tag: String) {
        coroutines.tag(id, tag)
    }

    /** See [Transaction.untag]. */
    public fun untag(id: String, tag: String) {
        coroutines.untag(id, tag)
    }

    /** See [Transaction.setKey]. */
    public fun setKey(id: String, source: String, key: String?) {
        coroutines.setKey(id, source, key)
    }

    /** See [Transaction.increment]. */
    @JvmOverloads
    public fun increment(id: String, path: String, by: Long = 1) {
        coroutines.increment(id, path, by)
    }

    /** See [Transaction.setParent]. */
    public fun setParent(id: String, parent: String?) {
        coroutines.setParent(id, parent)
    }

    /** See [Transaction.delete]. */
    public fun delete(id: String) {
        coroutines.delete(id)
    }

    /** See [Transaction.restore]. */
    public fun restore(id: String) {
        coroutines.restore(id)
    }

    /** See [Transaction.at]. */
    public fun at(heads: List<String>) {
        coroutines.at(heads)
    }

    /** See [Transaction.onlyIf]. */
    public fun onlyIf(id: String, heads: List<String>) {
        coroutines.onlyIf(id, heads)
    }

    /** See [Transaction.group]. */
    public fun group(name: String) {
        coroutines.group(name)
    }

    /** See [Transaction.message]. */
    public fun message(text: String) {
        coroutines.message(text)
    }

    /** Commits, unless it was committed or cancelled already. */
    internal fun finish() {
        if (coroutines.isOpen) commit()
    }
}
