package dev.echodb.blocking

import dev.echodb.ChangeInfo
import dev.echodb.ChangeListener
import dev.echodb.EchoObject
import dev.echodb.Filter
import dev.echodb.Member
import dev.echodb.QuarantinedEntry
import dev.echodb.Query
import dev.echodb.Space
import dev.echodb.SpaceInfo
import dev.echodb.SpaceStatus
import dev.echodb.Subscription
import dev.echodb.TextMark
import java.time.Duration
import java.util.function.Consumer

/**
 * [Space] for callers without coroutines; see [BlockingClient].
 *
 * @property coroutines The same space for coroutines.
 */
public class BlockingSpace(public val coroutines: Space) {
    /** The space's id, 52 characters. */
    public val id: String get() = coroutines.id

    /** See [Space.info]. */
    public fun info(): SpaceInfo = waiting { coroutines.info() }

    /** See [Space.open]. */
    public fun open() {
        waiting { coroutines.open() }
    }

    /** See [Space.close]. */
    public fun close() {
        waiting { coroutines.close() }
    }

    /** See [Space.properties]. */
    public fun properties(): Map<String, Any?> = waiting { coroutines.properties() }

    /** See [Space.setProperties]. */
    public fun setProperties(properties: Map<String, Any?>) {
        waiting { coroutines.setProperties(properties) }
    }

    /** See [Space.create]. */
    public fun create(type: String?, fields: Map<String, Any?>): String = waiting { coroutines.create(type, fields) }

    /** See [Space.update]. */
    public fun update(id: String, fields: Map<String, Any?>) {
        waiting { coroutines.update(id, fields) }
    }

    /** See [Space.delete]. */
    public fun delete(id: String) {
        waiting { coroutines.delete(id) }
    }

    /** See [Space.transact]. The transaction is committed when the steps have been given. */
    public fun transact(steps: Consumer<BlockingTransaction>) {
        transaction().use {
            steps.accept(it)
            it.finish()
        }
    }

    /** See [Space.transaction]. */
    public fun transaction(): BlockingTransaction = BlockingTransaction(coroutines.transaction())

    /** See [Space.get]; `null` if the space has no object of that id. */
    public fun get(id: String): EchoObject? = waiting { coroutines.get(id) }

    /** The objects that a query finds, in its order; without one, all. */
    @JvmOverloads
    public fun query(query: Query = Query()): List<EchoObject> = waiting { coroutines.query(query) }

    /** See [Space.queryJson]. */
    public fun queryJson(query: Query): ByteArray = waiting { coroutines.queryJson(query) }

    /** See [Space.text]. */
    public fun text(id: String, path: String): String = waiting { coroutines.text(id, path) }

    /** See [Space.spliceText]. */
    public fun spliceText(id: String, path: String, position: Int, delete: Int, insert: String) {
        waiting { coroutines.spliceText(id, path, position, delete, insert) }
    }

    /** See [Space.marks]. */
    public fun marks(id: String, path: String): List<TextMark> = waiting { coroutines.marks(id, path) }

    /** See [Space.cursor]. */
    public fun cursor(id: String, path: String, position: Int): String =
        waiting { coroutines.cursor(id, path, position) }

    /** See [Space.cursorPosition]. */
    public fun cursorPosition(id: String, path: String, cursor: String): Int =
        waiting { coroutines.cursorPosition(id, path, cursor) }

    /** See [Space.conflicts]. */
    public fun conflicts(id: String, path: String): List<Any?> = waiting { coroutines.conflicts(id, path) }

    /** See [Space.history]. */
    @JvmOverloads
    public fun history(id: String, since: List<String> = emptyList()): List<ChangeInfo> =
        waiting { coroutines.history(id, since) }

    /** See [Space.flush]. */
    public fun flush() {
        waiting { coroutines.flush() }
    }

    /** See [Space.digest]. */
    public fun digest(): String = waiting { coroutines.digest() }

    /** Calls the listener with every batch of changes; see [Space.subscribe]. */
    public fun subscribe(listener: ChangeListener): Subscription = subscribe(Filter.ALL, listener)

    /** Calls the listener with the changes of the objects that satisfy a filter. */
    public fun subscribe(where: Filter, listener: ChangeListener): Subscription =
        waiting { coroutines.subscribe(where, null, listener) }

    /** See [Space.invite]. */
    @JvmOverloads
    public fun invite(expires: Duration = Duration.ofHours(1), includeSignaling: Boolean = true): BlockingInvitation =
        BlockingInvitation(waiting { coroutines.invite(expires.kotlin(), includeSignaling) })

    /** See [Space.members]. */
    public fun members(): List<Member> = waiting { coroutines.members() }

    /** See [Space.status]. */
    public fun status(): SpaceStatus = waiting { coroutines.status() }

    /** See [Space.quarantined]. */
    public fun quarantined(): List<QuarantinedEntry> = waiting { coroutines.quarantined() }

    /** See [Space.exportJson]. */
    public fun exportJson(): ByteArray = waiting { coroutines.exportJson() }

    /** See [Space.importJson]. */
    public fun importJson(data: ByteArray): Long = waiting { coroutines.importJson(data) }

    override fun toString(): String = coroutines.toString()
}
