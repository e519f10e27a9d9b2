package dev.echodb.blocking

import dev.echodb.AccessExplanation
import dev.echodb.Aggregation
import dev.echodb.ArchiveInfo
import dev.echodb.BlobInfo
import dev.echodb.BranchInfo
import dev.echodb.ChangeInfo
import dev.echodb.ChangeListener
import dev.echodb.CollectedBlobs
import dev.echodb.Committed
import dev.echodb.DiffStep
import dev.echodb.EchoObject
import dev.echodb.ExcludedEntry
import dev.echodb.Explanation
import dev.echodb.Filter
import dev.echodb.Group
import dev.echodb.ImportOptions
import dev.echodb.ImportReport
import dev.echodb.LiveListener
import dev.echodb.LiveQuery
import dev.echodb.IndexInfo
import dev.echodb.Member
import dev.echodb.MemberListener
import dev.echodb.Migration
import dev.echodb.MigrationReport
import dev.echodb.QuarantinedEntry
import dev.echodb.Query
import dev.echodb.QueryPage
import dev.echodb.Resubmission
import dev.echodb.SchemaInfo
import dev.echodb.SearchResult
import dev.echodb.Space
import dev.echodb.SpaceInfo
import dev.echodb.SpaceStatus
import dev.echodb.Subscription
import dev.echodb.TextMark
import dev.echodb.TransactionInfo
import dev.echodb.Undone
import dev.echodb.CheckReport
import dev.echodb.RepairReport
import dev.echodb.Violation
import java.nio.file.Path
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

    /** See [Space.queryPage]. */
    @JvmOverloads
    public fun queryPage(query: Query, after: String? = null): QueryPage = waiting { coroutines.queryPage(query, after) }

    /** See [Space.aggregate]. */
    public fun aggregate(aggregation: Aggregation): List<Group> = waiting { coroutines.aggregate(aggregation) }

    /** See [Space.explain]. */
    public fun explain(query: Query): Explanation = waiting { coroutines.explain(query) }

    /** See [Space.explain]. */
    public fun explain(aggregation: Aggregation): Explanation = waiting { coroutines.explain(aggregation) }

    /** Calls the listener with all results of a query, and then with what changes in them; see [Space.live]. */
    public fun live(query: Query, listener: LiveListener): LiveQuery = live(query, Duration.ofMillis(16), listener)

    /** As the other, with the shortest time between two calls, 0 to 60 seconds. */
    public fun live(query: Query, interval: Duration, listener: LiveListener): LiveQuery =
        waiting { coroutines.live(query, interval.kotlin(), listener) }

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
    public fun invite(
        expires: Duration = Duration.ofHours(1),
        includeSignaling: Boolean = true,
        maxUses: Int = 1,
        delegated: Boolean = false,
        role: String = "editor",
        history: Boolean = true,
    ): BlockingInvitation =
        BlockingInvitation(
            waiting { coroutines.invite(expires.kotlin(), includeSignaling, maxUses, delegated, role, history) },
        )

    /** See [Space.members]. */
    public fun members(): List<Member> = waiting { coroutines.members() }

    /** See [Space.setRole]. */
    public fun setRole(identity: String, role: String) {
        waiting { coroutines.setRole(identity, role) }
    }

    /** See [Space.removeMember]. */
    public fun removeMember(identity: String) {
        waiting { coroutines.removeMember(identity) }
    }

    /** See [Space.leave]. */
    public fun leave() {
        waiting { coroutines.leave() }
    }

    /** See [Space.handOver]. */
    public fun handOver(identity: String) {
        waiting { coroutines.handOver(identity) }
    }

    /** See [Space.subscribeMembers]. */
    public fun subscribeMembers(listener: MemberListener): Subscription =
        waiting { coroutines.subscribeMembers(listener) }

    /** See [Space.why]. */
    public fun why(subject: String, action: String): AccessExplanation = waiting { coroutines.why(subject, action) }

    /** See [Space.rotateKey]. */
    public fun rotateKey() {
        waiting { coroutines.rotateKey() }
    }

    /** See [Space.shareHistory]. */
    public fun shareHistory(identity: String): Boolean = waiting { coroutines.shareHistory(identity) }

    /** See [Space.excluded]. */
    public fun excluded(): List<ExcludedEntry> = waiting { coroutines.excluded() }

    /** See [Space.resubmit]. */
    public fun resubmit(entry: String): Resubmission = waiting { coroutines.resubmit(entry) }

    /** See [Space.status]. */
    public fun status(): SpaceStatus = waiting { coroutines.status() }

    /** See [Space.quarantined]. */
    public fun quarantined(): List<QuarantinedEntry> = waiting { coroutines.quarantined() }

    /** See [Space.exportJson]. */
    public fun exportJson(): ByteArray = waiting { coroutines.exportJson() }

    /** See [Space.importJson]. */
    public fun importJson(data: ByteArray): Long = waiting { coroutines.importJson(data) }

    /** See [Space.exportJsonFile]. */
    public fun exportJsonFile(path: Path): Long = waiting { coroutines.exportJsonFile(path) }

    /** See [Space.importJsonFile]. */
    public fun importJsonFile(path: Path): Long = waiting { coroutines.importJsonFile(path) }

    /** See [Space.importData]. */
    public fun importData(data: ByteArray, options: ImportOptions): ImportReport =
        waiting { coroutines.importData(data, options) }

    /** See [Space.importFile]. */
    public fun importFile(path: Path, options: ImportOptions): ImportReport =
        waiting { coroutines.importFile(path, options) }

    /** See [Space.exportArchive]. */
    public fun exportArchive(path: Path): ArchiveInfo = waiting { coroutines.exportArchive(path) }

    /** See [Space.exportObject]. */
    public fun exportObject(id: String): ByteArray = waiting { coroutines.exportObject(id) }

    /** See [Space.importObject]. */
    @JvmOverloads
    public fun importObject(data: ByteArray, into: String? = null): String =
        waiting { coroutines.importObject(data, into) }

    /** See [Space.blobWriter]. */
    public fun blobWriter(): BlockingBlobWriter = BlockingBlobWriter(waiting { coroutines.blobWriter() })

    /** See [Space.putBlob]. */
    public fun putBlob(bytes: ByteArray): BlobInfo = waiting { coroutines.putBlob(bytes) }

    /** See [Space.putBlobFile]. */
    public fun putBlobFile(path: Path): BlobInfo = waiting { coroutines.putBlobFile(path) }

    /** See [Space.readBlob]; from the beginning, at most 16 MiB. */
    public fun readBlob(id: String): ByteArray = waiting { coroutines.readBlob(id) }

    /** See [Space.readBlob]. */
    public fun readBlob(id: String, offset: Long, length: Int): ByteArray =
        waiting { coroutines.readBlob(id, offset, length) }

    /** See [Space.blobToFile]. */
    public fun blobToFile(id: String, path: Path) {
        waiting { coroutines.blobToFile(id, path) }
    }

    /** See [Space.blobInfo]; `null` if nothing is here. */
    public fun blobInfo(id: String): BlobInfo? = waiting { coroutines.blobInfo(id) }

    /** See [Space.blobs]. */
    public fun blobs(): List<BlobInfo> = waiting { coroutines.blobs() }

    /** See [Space.fetchBlob]. */
    public fun fetchBlob(id: String): BlockingBlobFetch = BlockingBlobFetch(waiting { coroutines.fetchBlob(id) })

    /** See [Space.collectBlobs]. */
    @JvmOverloads
    public fun collectBlobs(grace: Duration = Duration.ofDays(7)): CollectedBlobs =
        waiting { coroutines.collectBlobs(grace.kotlin()) }

    /** See [Space.registerSchema]; as the next version, or that of the same schema. */
    public fun registerSchema(type: String, schema: String): Int = waiting { coroutines.registerSchema(type, schema) }

    /** See [Space.registerSchema]. */
    public fun registerSchema(type: String, schema: String, version: Int): Int =
        waiting { coroutines.registerSchema(type, schema, version) }

    /** See [Space.schemas]. */
    public fun schemas(): List<SchemaInfo> = waiting { coroutines.schemas() }

    /** See [Space.schema]; `null` if there is none. */
    public fun schema(type: String): SchemaInfo? = waiting { coroutines.schema(type) }

    /** See [Space.check]. */
    @JvmOverloads
    public fun check(full: Boolean = false): CheckReport = waiting { coroutines.check(full) }

    /** See [Space.repair]. */
    public fun repair(): RepairReport = waiting { coroutines.repair() }

    /** See [Space.violations]. */
    public fun violations(): List<Violation> = waiting { coroutines.violations() }

    /** See [Space.migrate]. */
    public fun migrate(type: String, toVersion: Int, migration: Migration): MigrationReport =
        waiting { coroutines.migrate(type, toVersion, migration) }

    /** See [Space.undo]; `null` if there is nothing to undo. */
    public fun undo(): Undone? = waiting { coroutines.undo() }

    /** See [Space.redo]; `null` if there is nothing to redo. */
    public fun redo(): Undone? = waiting { coroutines.redo() }

    /** See [Space.log]. */
    @JvmOverloads
    public fun log(limit: Int = 100, before: String? = null): List<TransactionInfo> =
        waiting { coroutines.log(limit, before) }

    /** See [Space.getAt]. */
    public fun getAt(id: String, heads: List<String>): EchoObject = waiting { coroutines.getAt(id, heads) }

    /** See [Space.diff]. */
    public fun diff(id: String, from: List<String>, to: List<String>): List<DiffStep> =
        waiting { coroutines.diff(id, from, to) }

    /** See [Space.restoreVersion]. */
    public fun restoreVersion(id: String, heads: List<String>): Committed =
        waiting { coroutines.restoreVersion(id, heads) }

    /** See [Space.branch]. */
    public fun branch(id: String, name: String): String = waiting { coroutines.branch(id, name) }

    /** See [Space.branches]. */
    public fun branches(id: String): List<BranchInfo> = waiting { coroutines.branches(id) }

    /** See [Space.mergeBranch]. */
    public fun mergeBranch(branch: String): Committed = waiting { coroutines.mergeBranch(branch) }

    /** See [Space.search]. */
    @JvmOverloads
    public fun search(
        words: String,
        where: Filter = Filter.ALL,
        paths: List<String> = emptyList(),
        limit: Int = 20,
        skip: Int = 0,
        snippetChars: Int = 160,
    ): List<SearchResult> = waiting { coroutines.search(words, where, paths, limit, skip, snippetChars) }

    /** See [Space.createIndex]. */
    @JvmOverloads
    public fun createIndex(path: String, type: String? = null) {
        waiting { coroutines.createIndex(path, type) }
    }

    /** See [Space.dropIndex]. */
    @JvmOverloads
    public fun dropIndex(path: String, type: String? = null) {
        waiting { coroutines.dropIndex(path, type) }
    }

    /** See [Space.indexes]. */
    public fun indexes(): List<IndexInfo> = waiting { coroutines.indexes() }

    override fun toString(): String = coroutines.toString()
}
