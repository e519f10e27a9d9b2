package dev.echodb

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.long
import kotlinx.serialization.json.longOrNull
import java.time.Instant
import dev.echodb.ffi.ChangeInfo as NativeChangeInfo
import dev.echodb.ffi.ObjectRecord as NativeRecord

/**
 * An object at one moment. It does not change when the stored one does.
 *
 * Fields hold `null`, `Boolean`, `Long`, `Double`, `String`, `ByteArray`, `List`, `Map`, [Text],
 * [Counter], [Instant], [Ref] and [BlobRef]. When they are given, the other integers, `Float`, and any
 * `Iterable` or array of objects do too. Times are kept in milliseconds.
 *
 * @property id Its id, 26 characters.
 * @property type Its type's name, if any.
 * @property parent Its parent's id, if any; the parent may not exist.
 * @property deleted Whether it is deleted; a deleted object keeps its fields until garbage
 *   collection.
 * @property hidden Whether an ancestor of it is deleted: queries then leave it out too.
 * @property schemaVersion The version of its type's schema that it was written for, if any.
 * @property source Where it begins, if it is a relation; may not exist.
 * @property target Where it ends, if it is a relation; may not exist.
 * @property tags Its tags, sorted.
 * @property keys Its names in other systems, by system; a natural key stands under `natural`.
 * @property branchOf The object of which it is a branch, if it is one.
 * @property fields Its fields.
 * @property created When it was created, by the clock of the device that did.
 * @property updated When it was last changed, likewise.
 * @property heads Its version: hashes, sorted.
 */
public class EchoObject internal constructor(
    public val id: String,
    public val type: String?,
    public val parent: String?,
    public val deleted: Boolean,
    public val hidden: Boolean,
    public val schemaVersion: Long?,
    public val source: String?,
    public val target: String?,
    public val tags: List<String>,
    public val keys: Map<String, String>,
    public val branchOf: String?,
    public val fields: Map<String, Any?>,
    public val created: Instant,
    public val updated: Instant,
    public val heads: List<String>,
) {
    /** A field; `null` also if the object has none of that name. */
    public operator fun get(name: String): Any? = fields[name]

    /** A reference to this object, for a field of another one of the same space. */
    public val ref: Ref get() = Ref(id)

    override fun equals(other: Any?): Boolean =
        other is EchoObject &&
            id == other.id && type == other.type && parent == other.parent && deleted == other.deleted &&
            created == other.created && updated == other.updated && heads == other.heads &&
            sameValue(fields, other.fields)

    override fun hashCode(): Int = 31 * id.hashCode() + heads.hashCode()

    override fun toString(): String = "EchoObject(id=$id, type=$type, fields=$fields)"

    internal companion object {
        fun of(record: NativeRecord): EchoObject =
            EchoObject(
                id = record.id,
                type = record.typeName,
                parent = record.parent,
                deleted = record.deleted,
                hidden = record.hidden,
                schemaVersion = record.schemaVersion?.toLong(),
                source = record.source,
                target = record.target,
                tags = record.tags,
                keys = record.keys,
                branchOf = record.branchOf,
                fields = loadFields(record.fields),
                created = Instant.ofEpochMilli(record.createdMs),
                updated = Instant.ofEpochMilli(record.updatedMs),
                heads = record.heads,
            )

        /** From an element of a query's JSON answer. */
        fun of(json: JsonElement): EchoObject {
            val entry = json as JsonObject
            fun primitive(name: String): JsonPrimitive = entry.getValue(name) as JsonPrimitive
            return EchoObject(
                id = primitive("id").content,
                type = primitive("type").contentOrNull,
                parent = primitive("parent").contentOrNull,
                deleted = primitive("deleted").boolean,
                hidden = primitive("hidden").boolean,
                schemaVersion = primitive("schema_version").longOrNull,
                source = primitive("source").contentOrNull,
                target = primitive("target").contentOrNull,
                tags = (entry.getValue("tags") as JsonArray).map { (it as JsonPrimitive).content },
                keys = (entry.getValue("keys") as JsonObject).mapValues { (it.value as JsonPrimitive).content },
                branchOf = primitive("branch_of").contentOrNull,
                fields = untaggedMap(entry.getValue("fields") as JsonObject),
                created = Instant.ofEpochMilli(primitive("created_ms").long),
                updated = Instant.ofEpochMilli(primitive("updated_ms").long),
                heads = (entry.getValue("heads") as JsonArray).map { (it as JsonPrimitive).content },
            )
        }
    }
}

/**
 * One change in an object's history.
 *
 * @property hash The change's hash: the version it led to.
 * @property parents The versions it was made on.
 * @property message The message given to the transaction, if any.
 * @property time When, by the author's clock: a claim, not a fact.
 * @property identity The identity of its author.
 * @property device The device that made it, which signed the entry that it came in.
 */
public data class ChangeInfo(
    public val hash: String,
    public val parents: List<String>,
    public val message: String?,
    public val time: Instant,
    public val identity: String,
    public val device: String,
) {
    internal companion object {
        fun of(info: NativeChangeInfo): ChangeInfo =
            ChangeInfo(
                hash = info.hash,
                parents = info.parents,
                message = info.message,
                time = Instant.ofEpochMilli(info.timeMs),
                identity = info.identity,
                device = info.device,
            )
    }
}
