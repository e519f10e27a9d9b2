package dev.echodb

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import java.time.Instant
import dev.echodb.ffi.BranchInfo as NativeBranch
import dev.echodb.ffi.TransactionInfo as NativeTransactionInfo
import dev.echodb.ffi.Undone as NativeUndone

/**
 * What undoing or redoing a step did.
 *
 * @property committed What was written; without an entry if everything had to be skipped.
 * @property label The message of the transaction that it was about, if it had one.
 * @property skipped What was left as it is, since somebody else has changed it.
 */
public data class Undone(
    public val committed: Committed,
    public val label: String?,
    public val skipped: List<SkippedUndo>,
) {
    internal companion object {
        fun of(done: NativeUndone): Undone =
            Undone(
                Committed.of(done.committed),
                done.label,
                done.skipped.map { SkippedUndo(it.`object`, it.path, it.reason) },
            )
    }
}

/**
 * Something that undoing left as it is.
 *
 * @property id The object.
 * @property path The place in it, a JSON Pointer; empty for the object as a whole. Names that begin
 *   with `@` are its system part: its type, parent, tags and the like.
 * @property reason Why, a sentence for people.
 */
public data class SkippedUndo(public val id: String, public val path: String, public val reason: String)

/**
 * One transaction in a space's log.
 *
 * @property entry The entry that carries it.
 * @property identity The identity of its author.
 * @property device The device that signed it.
 * @property time When, by the author's clock: a claim, not a fact.
 * @property message The message given to it, if any.
 * @property objects The objects that it changed, in id order.
 * @property versions The version that it made of each, by the object's id.
 * @property endorsedBy If its author, or the author's device, was removed, demoted or revoked without
 *   having known: the identity of a member who had built on it in good standing, which is why it
 *   counts. Of several such members devices may name different ones.
 */
public data class TransactionInfo(
    public val entry: String,
    public val identity: String,
    public val device: String,
    public val time: Instant,
    public val message: String?,
    public val objects: List<String>,
    public val versions: Map<String, List<String>>,
    public val endorsedBy: String?,
) {
    internal companion object {
        fun of(info: NativeTransactionInfo): TransactionInfo =
            TransactionInfo(
                entry = info.entry,
                identity = info.identity,
                device = info.device,
                time = Instant.ofEpochMilli(info.timeMs),
                message = info.message,
                objects = info.objects,
                versions = info.versions.associate { it.id to it.heads },
                endorsedBy = info.endorsedBy,
            )
    }
}

/**
 * A branch of an object.
 *
 * @property id The branch's own id: it is read, edited and deleted like any object.
 * @property of The object it is a branch of.
 * @property name Its name.
 * @property heads The original's version that it began with or was last merged into.
 * @property created When it was made, by the clock of the device that did.
 * @property updated When it was last changed, likewise.
 */
public data class BranchInfo(
    public val id: String,
    public val of: String,
    public val name: String,
    public val heads: List<String>,
    public val created: Instant,
    public val updated: Instant,
) {
    internal companion object {
        fun of(info: NativeBranch): BranchInfo =
            BranchInfo(
                id = info.id,
                of = info.of,
                name = info.name,
                heads = info.heads,
                created = Instant.ofEpochMilli(info.createdMs),
                updated = Instant.ofEpochMilli(info.updatedMs),
            )
    }
}

/** One step that leads from a version of an object to another; see [Space.diff]. */
public sealed class DiffStep {
    /** The place, a JSON Pointer; places and positions hold where the steps before have been made. */
    public abstract val path: String

    /** An entry of a map or an element of a list has this value now. */
    public data class Set(override val path: String, public val value: Any?) : DiffStep()

    /** An entry of a map is gone; of a list, [count] elements from the path's index on. */
    public data class Remove(override val path: String, public val count: Int) : DiffStep()

    /** Elements were inserted so that the first has the path's index. */
    public data class Insert(override val path: String, public val values: List<Any?>) : DiffStep()

    /** In a text, [delete] UTF-16 units at [position] were replaced by [insert]. */
    public data class Splice(
        override val path: String,
        public val position: Int,
        public val delete: Int,
        public val insert: String,
    ) : DiffStep()

    /** So much was added to a counter. */
    public data class Increment(override val path: String, public val by: Long) : DiffStep()

    /** A stretch of a text has this mark now; a value of `null`: no longer. */
    public data class Mark(
        override val path: String,
        public val start: Int,
        public val end: Int,
        public val name: String,
        public val value: Any?,
    ) : DiffStep()

    internal companion object {
        fun all(json: String): List<DiffStep> = (parseJson(json) as JsonArray).map { of(it as JsonObject) }

        private fun of(json: JsonObject): DiffStep {
            val step = json.mapValues { untagged(it.value) }
            fun text(name: String): String = step[name]?.toString().orEmpty()
            fun number(name: String, absent: Int = 0): Int = (step[name] as? Long)?.toInt() ?: absent
            val path = text("path")
            return when (val op = text("op")) {
                "set" -> Set(path, step["value"])
                "remove" -> Remove(path, number("count", 1))
                "insert" -> Insert(path, step["values"] as? List<*> ?: emptyList<Any?>())
                "splice" -> Splice(path, number("position"), number("delete"), text("insert"))
                "increment" -> Increment(path, step["by"] as? Long ?: 0)
                "mark" -> Mark(path, number("start"), number("end"), text("name"), step["value"])
                else -> throw EchoException.Unexpected("a difference of the unknown kind \"$op\"")
            }
        }
    }
}
