package dev.echodb

import kotlinx.coroutines.flow.Flow
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import dev.echodb.ffi.InviteOptions as NativeInviteOptions
import dev.echodb.ffi.SearchOptions as NativeSearchOptions
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
        follow: List<Link> = emptyList(),
    ): List<EchoObject> = query(Query(type, where, order, limit, skip, follow))

    /** The objects that a query finds, in its order. */
    public suspend fun query(query: Query): List<EchoObject> = objects(queryJson(query))

    /**
     * As [query], all in one JSON array, for programs that hand it on. Each element has the keys
     * `id`, `type`, `parent`, `deleted`, `created_ms`, `updated_ms`, `heads` and `fields`.
     */
    public suspend fun queryJson(query: Query): ByteArray {
        val json = query.toJson()
        return translated { native.queryJson(json) }
    }

    /**
     * One page of a query's results, as large as the query's `limit` says (1 to 10,000; 100 without
     * one): the first, or the one [after] another page's `next`. A query for pages has no `skip`.
     *
     * An object whose sort keys stay is on exactly one page, whatever else comes, goes or changes
     * between.
     */
    public suspend fun queryPage(query: Query, after: String? = null): QueryPage {
        val json = query.toJson()
        return QueryPage.of(translated { native.queryPage(json, after) })
    }

    /** All pages of a query's results, each asked for when the collector is through with the last. */
    public fun pages(query: Query): Flow<List<EchoObject>> = pagesOf(this, query)

    /** Counts, sums and extremes over the objects that a query finds, whole or by groups. */
    public suspend fun aggregate(aggregation: Aggregation): List<Group> {
        val json = aggregation.toJson()
        return Group.all(translated { native.aggregate(json) })
    }

    /** How a query is answered: for people and tests, what it says may change. */
    public suspend fun explain(query: Query): Explanation {
        val json = query.toJson()
        return Explanation.of(translated { native.explain(json) })
    }

    /** How an aggregation is answered. */
    public suspend fun explain(aggregation: Aggregation): Explanation {
        val json = aggregation.toJson()
        return Explanation.of(translated { native.explain(json) })
    }

    /**
     * A query that goes on: all results in the first batch, and then what changes in them, for each
     * collector by itself. Who applies the batches in their order ([LiveBatch.applyTo]) always has
     * what the query would have given at one moment, not long ago. A slow collector gets fewer and
     * larger batches. Cancelling it ends the live query; the client's shutdown ends the flow.
     *
     * While the space is closed nothing comes; when it is opened again, all results come anew.
     *
     * @param interval The shortest time between batches, 0 to 60 seconds.
     */
    public fun live(query: Query, interval: Duration = 16.milliseconds): Flow<LiveBatch> =
        liveOf(native, query, interval, lifeline)

    /** As [live], with all results each time. */
    public fun liveResults(query: Query, interval: Duration = 16.milliseconds): Flow<List<EchoObject>> =
        liveResultsOf(live(query, interval))

    /** Calls the listener with all results of a query, and then with what changes in them. */
    public suspend fun live(
        query: Query,
        interval: Duration = 16.milliseconds,
        listener: LiveListener,
    ): LiveQuery = listenLive(native, query, interval, lifeline, listener)

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
     * @param expires How long the code is good for, in whole seconds: one second to a week, and up to
     *   90 days for several guests and for delegated invitations.
     * @param includeSignaling Whether the code carries the signalling servers, so that the guest
     *   needs no setting.
     * @param maxUses How many guests may come in, 1 to 200. With more than one there is one code, and an
     *   authorization code for each guest. For a delegated invitation the number is one that members
     *   keep to as far as they know of each other's guests, and 0 means any number.
     * @param delegated Whether any member who is online may let the guests in; this client need not be.
     *   There is no authorization code then: whoever has the code is let in. Hand it over like a key.
     * @param role The role that guests get, below the inviter's own, and at most editor if delegated.
     * @param history Whether guests can read what was written before. If not they are given the content
     *   keys from this call on alone: they hold the older entries, sealed, and see no object that was
     *   made before, nor what became of it since. [shareHistory] opens them later.
     * @throws EchoException.PermissionDenied for who may not invite to that role.
     * @throws EchoException.InvalidState if the client is offline.
     * @throws EchoException.LimitExceeded if sixteen are open.
     */
    public suspend fun invite(
        expires: Duration = 1.hours,
        includeSignaling: Boolean = true,
        maxUses: Int = 1,
        delegated: Boolean = false,
        role: String = "editor",
        history: Boolean = true,
    ): Invitation {
        // A negative number is past every bound.
        val uses = maxUses.toUInt()
        val options = NativeInviteOptions(seconds(expires), uses, delegated, role, includeSignaling, history)
        return Invitation.begin(lifeline) { native.invite(options) }
    }

    /** The members, rising by identity. Those who were removed or left are not among them. */
    public suspend fun members(): List<Member> = translated { native.members() }.map(Member::of)

    /**
     * Gives a member another role: `owner`, `admin`, `editor`, `reader` or `relay`; one who was
     * removed can be given one again. Takes the role of admin or above and a place above the member;
     * the new role must be below the own, except that owners may make owners. One's own role can only
     * be lowered. Does nothing if the member has that role.
     *
     * A lower role takes effect at once here, and on every other device as soon as it hears of it.
     *
     * @throws EchoException.PermissionDenied for who may not.
     * @throws EchoException.NotFound for an identity that never joined.
     * @throws EchoException.InvalidArgument for what is no role.
     */
    public suspend fun setRole(identity: String, role: String) {
        translated { native.setRole(identity, role) }
    }

    /**
     * Ends a member's role. It gets nothing of this space any more: the next transaction of anybody is
     * sealed under a new key. What it holds it can go on reading. Needs what [setRole] needs; does
     * nothing for one who is no member any more.
     *
     * @throws EchoException.PermissionDenied for who may not.
     * @throws EchoException.NotFound for an identity that never joined.
     */
    public suspend fun removeMember(identity: String) {
        translated { native.removeMember(identity) }
    }

    /**
     * Ends this identity's own role. What is here of the space stays, to be read; nothing more comes.
     *
     * @throws EchoException.PermissionDenied for the space's top owner, who hands over first.
     */
    public suspend fun leave() {
        translated { native.leave() }
    }

    /**
     * Makes another member the space's top owner in this identity's place: the one of rank 1, who can
     * neither be removed nor step down. One who is no owner yet becomes one first. This identity stays
     * an owner below all others, and can then leave, step down or be removed. It cannot be taken back,
     * except by the new top owner's handing over in turn; a space can be handed over 64 times.
     *
     * @throws EchoException.PermissionDenied for who is not the top owner.
     * @throws EchoException.NotFound for one who is no member.
     * @throws EchoException.InvalidArgument for this identity itself.
     * @throws EchoException.LimitExceeded when it was handed over too often.
     */
    public suspend fun handOver(identity: String) {
        translated { native.handOver(identity) }
    }

    /**
     * What becomes of members, wherever it was done, for each collector from when it begins to
     * collect. Cancelling the collector ends the listening; the client's shutdown ends the flow. A
     * collector that leaves thousands of events waiting misses those that came last but one.
     *
     * @param onListening Called when the listening has begun, before the first event is emitted.
     */
    public fun memberEvents(onListening: suspend () -> Unit = {}): Flow<MemberEvent> =
        memberEventsOf(native, lifeline, onListening)

    /**
     * Calls the listener for everything that becomes of members, on the library's threads. It has
     * begun when this returns.
     */
    public suspend fun subscribeMembers(listener: MemberListener): Subscription {
        val adapter = lifeline.add(MemberAdapter(listener))
        return Subscription(translated { native.subscribeMembers(adapter) })
    }

    /**
     * Why an identity or a device may do something here, or may not. For people: the sentences may
     * change from version to version. Reads what is here, so the answer may differ on a device that
     * has heard less or more. Somebody unknown gets an explanation too.
     *
     * @param subject The key of an identity or of a device, as [members] gives them.
     * @param action `open` (take part at all), `read`, `write`, `invite` or `administer` (give and
     *   take roles).
     * @throws EchoException.InvalidArgument for what is no key or no action.
     */
    public suspend fun why(subject: String, action: String): AccessExplanation =
        AccessExplanation.of(translated { native.why(subject, action) })

    /**
     * Makes a new content key for what is written from now on, sealed to every device that may read.
     * Keys are made anew by themselves when somebody loses the right to read and about every 30 days;
     * call this when a device may have been read by others and is clean again. What was written before
     * stays readable to those who could read it, and to those who had the old key.
     *
     * @throws EchoException.PermissionDenied for who has not the role of reader or above.
     */
    public suspend fun rotateKey() {
        translated { native.rotateKey() }
    }

    /**
     * Gives a member who was invited without the history the keys of what was written before its time,
     * as far as this device has them. What is sealed off for it opens as soon as it hears of that. It
     * cannot be taken back. Takes the role of admin or above.
     *
     * @return Whether there was anything that the member lacked.
     * @throws EchoException.PermissionDenied for who may not.
     * @throws EchoException.NotFound for an identity that is no member who may read.
     */
    public suspend fun shareHistory(identity: String): Boolean = translated { native.shareHistory(identity) }

    /** The entries that do not count, in the order in which they came to this device. */
    public suspend fun excluded(): List<ExcludedEntry> =
        translated { native.excluded() }.map(ExcludedEntry::of)

    /**
     * Writes what an excluded entry would have changed as a transaction of this identity's own: merged
     * with what happened since where the version before it is part of the history, otherwise made to
     * the present state as far as it fits; what finds no place is left out and reported. The entry
     * stays excluded; submitting it twice adds to counters twice.
     *
     * @throws EchoException.PermissionDenied for who has not the role of admin or above.
     * @throws EchoException.NotFound for an entry that is not here.
     * @throws EchoException.InvalidState for an entry that counts.
     */
    public suspend fun resubmit(entry: String): Resubmission =
        Resubmission.of(translated { native.resubmit(entry) })

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

    /**
     * As [exportJson], into a file, which appears when it is whole and replaces one of that name.
     * Returns the number of objects.
     */
    public suspend fun exportJsonFile(path: Path): Long =
        translated { native.exportJsonFile(path.toString()) }.toLong()

    /** As [importJson], from a file, without holding all of it in memory. */
    public suspend fun importJsonFile(path: Path): Long =
        translated { native.importJsonFile(path.toString()) }.toLong()

    /**
     * Makes objects of plain data: JSON, JSON lines or CSV. Written up to a thousand rows a
     * transaction; an error after some were written says how many.
     */
    public suspend fun importData(data: ByteArray, options: ImportOptions): ImportReport =
        ImportReport.of(translated { native.importData(data, options.native()) })

    /** As [importData], from a file, without holding all of it in memory. */
    public suspend fun importFile(path: Path, options: ImportOptions): ImportReport =
        ImportReport.of(translated { native.importFile(path.toString(), options.native()) })

    /**
     * Writes the space with its history into one file: all entries as they were received, signed and
     * sealed. The file appears when it is whole and replaces one of that name. Members' devices can
     * import it ([Client.importArchive]), anybody can check it ([verifyArchive]), only members can
     * read it.
     */
    public suspend fun exportArchive(path: Path): ArchiveInfo =
        ArchiveInfo.of(translated { native.exportArchive(path.toString()) })

    /** An object with its history as an Automerge file, which any program of Automerge opens. */
    public suspend fun exportObject(id: String): ByteArray = translated { native.exportObject(id) }

    /**
     * Makes an object of an Automerge file, or brings the changes that a file has beyond the object
     * [into] into it; returns the object's id.
     */
    public suspend fun importObject(data: ByteArray, into: String? = null): String =
        translated { native.importObject(data, into) }

    /**
     * Begins to write a blob, piece by piece.
     *
     * @throws EchoException.PermissionDenied for who may not write objects.
     */
    public suspend fun blobWriter(): BlobWriter = BlobWriter(translated { native.blobWriter() })

    /**
     * Stores bytes as a blob. Equal bytes are stored once and have one id. To keep the blob, put its
     * [BlobInfo.ref] into an object's field: blobs that no object names are collected.
     */
    public suspend fun putBlob(bytes: ByteArray): BlobInfo = BlobInfo.of(translated { native.putBlob(bytes) })

    /** As [putBlob], with the bytes of a file, however large, in bounded memory. */
    public suspend fun putBlobFile(path: Path): BlobInfo =
        BlobInfo.of(translated { native.putBlobFile(path.toString()) })

    /**
     * Bytes of a blob from [offset] on, at most [length] of them, which may be 16 MiB; fewer at its
     * end.
     *
     * @throws EchoException.NotFound if they are not here: see [fetchBlob].
     */
    public suspend fun readBlob(id: String, offset: Long = 0, length: Int = MAX_READ): ByteArray {
        if (offset < 0 || length < 0) {
            throw EchoException.InvalidArgument("offsets and lengths are not negative: $offset, $length")
        }
        return translated { native.readBlob(id, offset.toULong(), length.toULong()) }
    }

    /** A blob's bytes, [piece] at a time. */
    public fun readBlobPieces(id: String, piece: Int = MAX_READ / 16): Flow<ByteArray> = piecesOf(this, id, piece)

    /** Writes a whole blob to a file, in bounded memory; one that is there is replaced at the end. */
    public suspend fun blobToFile(id: String, path: Path) {
        translated { native.blobToFile(id, path.toString()) }
    }

    /** What is here of a blob; `null` if nothing is. */
    public suspend fun blobInfo(id: String): BlobInfo? = translated { native.blobInfo(id) }?.let(BlobInfo::of)

    /** Every blob of which something is here, in id order. */
    public suspend fun blobs(): List<BlobInfo> = translated { native.blobs() }.map(BlobInfo::of)

    /**
     * Fetches a blob from members who hold it, now and whenever one connects, until it is here. Who
     * fetches a blob that is on its way joins that.
     */
    public suspend fun fetchBlob(id: String): BlobFetch = BlobFetch(translated { native.fetchBlob(id) }, lifeline)

    /**
     * Removes blobs that no object in sight has named for that long, in whole seconds, as far as this
     * device noticed. Every opening of the space does this in the background, with a week.
     */
    public suspend fun collectBlobs(grace: Duration = 7.days): CollectedBlobs {
        val seconds = seconds(grace)
        return CollectedBlobs.of(translated { native.collectBlobs(seconds) })
    }

    /**
     * Registers a JSON Schema (text) for the objects of a type, as [version] (from 1) or as the next
     * one, and returns the version. Does nothing if that version, or without one the newest in force,
     * is the same schema already: a program may call this at every start. New objects carry the
     * newest version; local writes are checked against the one that an object carries, and refused
     * with [Status.SCHEMA_VIOLATION].
     *
     * @throws EchoException.AlreadyExists if the version is another schema.
     */
    public suspend fun registerSchema(type: String, schema: String, version: Int? = null): Int =
        translated { native.registerSchema(type, schema, version?.let(::versionOf)) }.toInt()

    /** Every registered schema, by type and version, those included that are not in force. */
    public suspend fun schemas(): List<SchemaInfo> = translated { native.schemas() }.map(SchemaInfo::of)

    /** The schema that new objects of a type carry the version of; `null` if there is none. */
    public suspend fun schema(type: String): SchemaInfo? = translated { native.schema(type) }?.let(SchemaInfo::of)

    /**
     * Checks what is stored of the space and changes nothing: the structure of the file and every
     * entry; with [full], every index, object and blob too.
     */
    public suspend fun check(full: Boolean = false): CheckReport = CheckReport.of(translated { native.check(full) })

    /**
     * Makes the space's file again from its entries, also of a space that cannot be opened. What is
     * not sound is left out and comes again from peers that hold it.
     */
    public suspend fun repair(): RepairReport = RepairReport.of(translated { native.repair() })

    /**
     * The rules that objects break, by object, at most eight of each: what merges, and schemas that
     * came later than the objects, led to.
     */
    public suspend fun violations(): List<Violation> = translated { native.violations() }.map(Violation::of)

    /**
     * Moves the objects of a type that carry an older version than [toVersion], or none, to that
     * version, as [migration] says. How far it came is in the objects' versions, so it may be run
     * again. Cancelling the coroutine ends it at the next object.
     *
     * @throws EchoException.NotFound if the version is not registered.
     * @throws EchoException.InvalidState if it is not in force.
     * @throws EchoException.Cancelled if the migration ended it.
     */
    public suspend fun migrate(type: String, toVersion: Int, migration: Migration): MigrationReport =
        migrate(native, type, toVersion, migration)

    /**
     * Undoes the last step of this device that stands, by writing the reverse; `null` if there is
     * none. A step is a transaction, or typing into one text with pauses of at most a second.
     * Others' work is never undone: what somebody else has changed since is skipped and reported.
     * The last 100 steps can be undone, also after a restart.
     */
    public suspend fun undo(): Undone? = translated { native.undo() }?.let(Undone::of)

    /** Undoes the last [undo]; `null` if there is none, or if this device has written anything since. */
    public suspend fun redo(): Undone? = translated { native.redo() }?.let(Undone::of)

    /**
     * The space's transactions, the last first in the order in which they came to this device: at
     * most [limit] (up to 1,000) of those before the entry [before], or of all.
     */
    public suspend fun log(limit: Int = 100, before: String? = null): List<TransactionInfo> {
        val (most, _) = unsigned(limit, 0)
        return translated { native.log(most.toUInt(), before) }.map(TransactionInfo::of)
    }

    /**
     * An object as it was at the version [heads].
     *
     * @throws EchoException.NotFound if any part of the version is not here.
     */
    public suspend fun getAt(id: String, heads: List<String>): EchoObject =
        EchoObject.of(translated { native.getAt(id, heads) })

    /**
     * What leads from one version of an object to another, in steps that build on each other. An
     * empty [from] is before the object was made.
     */
    public suspend fun diff(id: String, from: List<String>, to: List<String>): List<DiffStep> =
        DiffStep.all(translated { native.diff(id, from, to, TextUnit.UTF16) })

    /**
     * Makes an object as it was at a version, deleted or not, by a new change: only what differs is
     * written, so that it merges with what others do meanwhile.
     */
    public suspend fun restoreVersion(id: String, heads: List<String>): Committed =
        Committed.of(translated { native.restoreVersion(id, heads) })

    /**
     * Makes a branch of an object, named by 1 to 256 characters, and returns its id. It is an object
     * of its own, which ordinary queries leave out; edits to it do not touch the original until
     * [mergeBranch].
     *
     * @throws EchoException.AlreadyExists if there is one of that name.
     */
    public suspend fun branch(id: String, name: String): String = translated { native.branch(id, name) }

    /** The branches of an object, those that were deleted left out, in id order. */
    public suspend fun branches(id: String): List<BranchInfo> =
        translated { native.branches(id) }.map(BranchInfo::of)

    /**
     * Brings what was done to a branch since it was made, or last merged, into the original, where it
     * merges with what was done there since. The branch stays.
     */
    public suspend fun mergeBranch(branch: String): Committed =
        Committed.of(translated { native.mergeBranch(branch) })

    /**
     * The objects in whose strings and texts the words occur, the best first. All words must occur;
     * `"a phrase"` in this order within one value; `pre*` begins a word; `-word` must not occur; `OR`
     * separates alternatives. Case and diacritics make no difference; no text is malformed.
     *
     * @param where What results satisfy too.
     * @param paths The fields or JSON Pointers to look at, with what is below them; none for all.
     * @param limit The most results, up to 1,000.
     * @param skip How many of the best to leave out.
     * @param snippetChars About how many characters an excerpt has, up to 1,000; 0 for none.
     */
    public suspend fun search(
        words: String,
        where: Filter = Filter.ALL,
        paths: List<String> = emptyList(),
        limit: Int = 20,
        skip: Int = 0,
        snippetChars: Int = 160,
    ): List<SearchResult> {
        val (most, out) = unsigned(limit, skip)
        val (chars, _) = unsigned(snippetChars, 0)
        val filter = if (where == Filter.ALL) null else where.toJson()
        val options = NativeSearchOptions(filter, paths, most.toUInt(), out.toUInt(), chars.toUInt(), TextUnit.UTF16)
        return SearchResult.all(translated { native.search(words, options) })
    }

    /**
     * Makes an index of a field, so that queries which compare it or are ordered by it need not look
     * at every object: among the objects of one type, for queries of exactly this type, or among all.
     * It persists, and belongs to this profile's copy of the space.
     *
     * @param path A field's name or a JSON Pointer; `created` and `updated` are the times that
     *   every object has, and fields of these names `/created` and `/updated`.
     */
    public suspend fun createIndex(path: String, type: String? = null) {
        translated { native.createIndex(type, indexed(path)) }
    }

    /**
     * Drops an index.
     *
     * @throws EchoException.NotFound if there is none such.
     */
    public suspend fun dropIndex(path: String, type: String? = null) {
        translated { native.dropIndex(type, indexed(path)) }
    }

    /** The indexes that were made, in this order. */
    public suspend fun indexes(): List<IndexInfo> = translated { native.indexes() }.map(IndexInfo::of)

    override fun toString(): String = "Space($id)"

    private companion object {
        /** The most bytes of a blob that one call reads. */
        const val MAX_READ = 16 * 1024 * 1024
    }
}
