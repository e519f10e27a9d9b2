package dev.echodb

import kotlinx.coroutines.flow.Flow
import kotlinx.serialization.json.JsonArray
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import dev.echodb.ffi.InviteOptions as NativeInviteOptions
import dev.echodb.ffi.Space as NativeSpace
import dev.echodb.ffi.TextUnit

/**
 * A handle on a space, the unit of sharing: objects, queries, changes, members. Handles are cheap
 * and may be used from any thread; all handles on one space act on the same space.
 *
 * What changes something takes effect completely or not at all. A coroutine that is cancelled while
 * it waits gives up the answer, not the change.
 */
public class Space internal constructor(private val native: NativeSpace, private val lifeline: Lifeline) {
    /** The space's id, 52 characters. */
    public val id: String get() = translated { native.id() }

    /** The space's id, name and state. */
    public suspend fun info(): SpaceInfo = SpaceInfo.of(translated { native.info() })

    /** Opens the space; it is replicated from now on. Does nothing if it is open. */
    public suspend fun open() {
        translated { native.open() }
    }

    /**
     * Commits what is pending and closes the space, here and for later starts, until it is opened
     * again.
     */
    public suspend fun close() {
        translated { native.closeSpace() }
    }

    /** The space's own properties. */
    public suspend fun properties(): Map<String, Any?> = loadFields(translated { native.properties() })

    /** Sets some of the space's properties; the others stay. */
    public suspend fun setProperties(properties: Map<String, Any?>) {
        val json = dumpFields(properties)
        translated { native.setProperties(json) }
    }

    /**
     * Makes one object and returns its id.
     *
     * @param type The name of its type, if it has one.
     * @param fields Its fields; see [EchoObject] for what they may hold.
     */
    public suspend fun create(type: String?, fields: Map<String, Any?>): String {
        val json = dumpFields(fields)
        return translated { native.create(type, json) }
    }

    /** Sets fields of one object; the others stay. */
    public suspend fun update(id: String, fields: Map<String, Any?>) {
        val json = dumpFields(fields)
        translated { native.update(id, json) }
    }

    /** Deletes one object. */
    public suspend fun delete(id: String) {
        translated { native.delete(id) }
    }

    /**
     * Several steps at once: they take effect together when the block ends, here and on every peer.
     * An exception that leaves the block throws them away. Returns what the block does.
     */
    public suspend fun <R> transact(block: suspend Transaction.() -> R): R =
        transaction().use { transaction ->
            val result = transaction.block()
            if (transaction.isOpen) transaction.commit()
            result
        }

    /** Begins to gather a transaction, for callers that commit it themselves. */
    public fun transaction(): Transaction = Transaction(translated { native.transaction() })

    /** An object, or `null` if the space has none of that id. A deleted one is returned, marked. */
    public suspend fun get(id: String): EchoObject? = translated { native.get(id) }?.let { EchoObject.of(it) }

    /**
     * The objects of a type that satisfy a filter, sorted by the keys in [order] and then by id.
     * Deleted ones are left out unless the filter says [deleted].
     */
    public suspend fun query(
        type: String? = null,
        where: Filter = Filter.ALL,
        order: List<Order> = emptyList(),
        limit: Int? = null,
        skip: Int = 0,
    ): List<EchoObject> = query(Query(type, where, order, limit, skip))

    /** The objects that a query finds, in its order. */
    public suspend fun query(query: Query): List<EchoObject> =
        (parseJson(queryJson(query).decodeToString()) as JsonArray).map { EchoObject.of(it) }

    /**
     * As [query], all in one JSON array, for programs that hand it on. Each element has the keys
     * `id`, `type`, `parent`, `deleted`, `created_ms`, `updated_ms`, `heads` and `fields`.
     */
    public suspend fun queryJson(query: Query): ByteArray {
        val json = query.toJson()
        return translated { native.queryJson(json) }
    }

    /** A text field's present text. */
    public suspend fun text(id: String, path: String): String = translated { native.text(id, path) }

    /**
     * Replaces [delete] UTF-16 units of a [Text] from [position] on by [insert]: the quick path for
     * typing. Neither end may split a surrogate pair.
     *
     * The edit shows at once in reads of this client; edits that follow each other closely become
     * one entry (`coalesce` of [Client.open]). [flush] makes it durable now.
     */
    public suspend fun spliceText(id: String, path: String, position: Int, delete: Int = 0, insert: String = "") {
        val (from, length) = unsigned(position, delete)
        translated { native.spliceText(id, path, from, length, insert, TextUnit.UTF16) }
    }

    /** The marks of a text, by name and place; positions in UTF-16 units. */
    public suspend fun marks(id: String, path: String): List<TextMark> =
        translated { native.marks(id, path, TextUnit.UTF16) }.map(TextMark::of)

    /**
     * Names the place before the character at [position], for as long as the text exists: what
     * [cursorPosition] finds again after any edits. The text's length names its end, whatever is
     * added there.
     */
    public suspend fun cursor(id: String, path: String, position: Int): String {
        val (place, _) = unsigned(position, 0)
        return translated { native.cursor(id, path, place, TextUnit.UTF16) }
    }

    /** Where a cursor's place is now. If its character was deleted, that is where it stood. */
    public suspend fun cursorPosition(id: String, path: String, cursor: String): Int =
        translated { native.cursorPosition(id, path, cursor, TextUnit.UTF16) }.toInt()

    /**
     * The values that concurrent writes put in one place; the one that reads show comes last. One
     * value where there is no conflict. Writing the place settles it.
     */
    public suspend fun conflicts(id: String, path: String): List<Any?> =
        translated { native.conflicts(id, path) }.map(::loadValue)

    /** An object's history since the version [since] (all of it if empty), oldest first. */
    public suspend fun history(id: String, since: List<String> = emptyList()): List<ChangeInfo> =
        translated { native.history(id, since) }.map(ChangeInfo::of)

    /**
     * The durability barrier: when this returns, everything done before it is on disk and survives
     * a power failure, as far as the disk keeps its word.
     */
    public suspend fun flush() {
        translated { native.flush() }
    }

    /**
     * A digest of all objects' versions: two replicas with the same digest hold the same objects
     * with the same histories.
     */
    public suspend fun digest(): String = translated { native.digest() }

    /**
     * The committed changes, local and remote, of the objects that satisfy a filter, for each
     * collector from when it begins to collect. Cancelling the collector ends the listening; the
     * client's shutdown ends the flow. A collector that is slow gets changes of one object
     * gathered: neither memory nor the library waits for it.
     *
     * @param onListening Called when the listening has begun, before the first batch is emitted: a
     *   query made here and the batches that follow miss nothing between them.
     */
    public fun changes(
        where: Filter = Filter.ALL,
        type: String? = null,
        onListening: suspend () -> Unit = {},
    ): Flow<ChangeBatch> = changesOf(native, filter(type, where), lifeline, onListening)

    /**
     * Calls the listener with every batch of changes of the objects that satisfy a filter, on the
     * library's threads. It has begun when this returns.
     */
    public suspend fun subscribe(
        where: Filter = Filter.ALL,
        type: String? = null,
        listener: ChangeListener,
    ): Subscription {
        val json = filter(type, where).toJson()
        val adapter = lifeline.add(ListenerAdapter(listener))
        return Subscription(translated { native.subscribe(json, adapter) })
    }

    /**
     * Opens an invitation; needs the role of admin or owner. It can be used once its state is
     * [InvitationState.CONNECTING], while this client runs and is online.
     *
     * @param expires How long the code is good for, in whole seconds, one second to a week.
     * @param includeSignaling Whether the code carries the signalling servers, so that the guest
     *   needs no setting.
     */
    public suspend fun invite(expires: Duration = 1.hours, includeSignaling: Boolean = true): Invitation {
        val options = NativeInviteOptions(seconds(expires), includeSignaling)
        return Invitation.begin(lifeline) { native.invite(options) }
    }

    /** The members. */
    public suspend fun members(): List<Member> = translated { native.members() }.map(Member::of)

    /** Who has what, and what waits for what. */
    public suspend fun status(): SpaceStatus = SpaceStatus.of(translated { native.status() })

    /** Remote entries that were set aside as harmful or malformed. */
    public suspend fun quarantined(): List<QuarantinedEntry> =
        translated { native.quarantined() }.map(QuarantinedEntry::of)

    /**
     * All objects as JSON lines: a header line, then one object a line. Values only: no history,
     * and not the space's own properties.
     */
    public suspend fun exportJson(): ByteArray = translated { native.exportJson() }

    /**
     * Reads what [exportJson] wrote: makes objects that are absent, and sets the fields of those
     * that exist. Checked as a whole before anything is written, then written a thousand objects a
     * transaction; returns the number of objects.
     */
    public suspend fun importJson(data: ByteArray): Long = translated { native.importJson(data) }.toLong()

    override fun toString(): String = "Space($id)"
}
