package dev.echodb

import kotlinx.coroutines.CancellationException
import dev.echodb.ffi.EchoException as NativeException
import dev.echodb.ffi.Migration as NativeMigration
import dev.echodb.ffi.MigrationReport as NativeReport
import dev.echodb.ffi.SchemaInfo as NativeSchema
import dev.echodb.ffi.Space as NativeSpace
import dev.echodb.ffi.Violation as NativeViolation

/**
 * A registered version of a type's schema.
 *
 * @property id The object that holds it. Deleting that withdraws the schema; restoring it undoes
 *   that.
 * @property type The type.
 * @property version The version, from 1.
 * @property schema The schema, JSON text.
 * @property withdrawn Whether it was withdrawn: then it is not in force.
 * @property problem Why it cannot be used (a peer may register anything): then it is not in force.
 * @property conflict Whether peers registered different schemas as this version at the same time.
 *   This one won, on every peer.
 */
public data class SchemaInfo(
    public val id: String,
    public val type: String,
    public val version: Int,
    public val schema: String,
    public val withdrawn: Boolean,
    public val problem: String?,
    public val conflict: Boolean,
) {
    internal companion object {
        fun of(info: NativeSchema): SchemaInfo =
            SchemaInfo(
                id = info.id,
                type = info.typeName,
                version = info.version.toInt(),
                schema = info.schema,
                withdrawn = info.withdrawn,
                problem = info.problem,
                conflict = info.conflict,
            )
    }
}

/**
 * A rule of its type's schema that an object breaks.
 *
 * @property id The object.
 * @property type Its type.
 * @property version The version of the schema, which the object carries.
 * @property path Where in the fields, as a JSON Pointer; empty for the object as a whole.
 * @property reason The schema's keyword, a colon, and a sentence.
 */
public data class Violation(
    public val id: String,
    public val type: String,
    public val version: Int,
    public val path: String,
    public val reason: String,
) {
    internal companion object {
        fun of(found: NativeViolation): Violation =
            Violation(found.id, found.typeName, found.version.toInt(), found.path, found.reason)
    }
}

/**
 * An object that a migration could not move.
 *
 * @property id The object.
 * @property reason Why.
 */
public data class MigrationFailure(public val id: String, public val reason: String)

/**
 * What came of a migration.
 *
 * @property migrated Objects that carry the new version now.
 * @property left Objects that the program left as they were.
 * @property failed Objects that could not be moved.
 * @property failures The first hundred of them.
 */
public data class MigrationReport(
    public val migrated: Long,
    public val left: Long,
    public val failed: Long,
    public val failures: List<MigrationFailure>,
) {
    internal companion object {
        fun of(report: NativeReport): MigrationReport =
            MigrationReport(
                migrated = report.migrated.toLong(),
                left = report.left.toLong(),
                failed = report.failed.toLong(),
                failures = report.failures.map { MigrationFailure(it.id, it.reason) },
            )
    }
}

/**
 * What objects' fields become in a newer version of their type's schema: the program's part of
 * [Space.migrate]. Called on the library's threads, one object at a time, with no lock held.
 */
public fun interface Migration {
    /**
     * The new fields of an object, all of them; `null` leaves it as it is. An exception counts the
     * object as failed; a `CancellationException` ends the migration.
     *
     * @param version The version that the object carries, if any.
     */
    public fun migrate(id: String, version: Int?, fields: Map<String, Any?>): Map<String, @JvmWildcard Any?>?
}

internal suspend fun migrate(space: NativeSpace, type: String, version: Int, migration: Migration): MigrationReport {
    val adapter = MigrationAdapter(migration)
    try {
        return MigrationReport.of(translated { space.migrate(type, versionOf(version), adapter) })
    } finally {
        // Nobody waits any more if the coroutine was cancelled: it ends at the next object.
        adapter.end()
    }
}

/** A version for the generated bindings, which leave the bounds to the library. */
internal fun versionOf(version: Int): UInt {
    if (version < 0) throw EchoException.InvalidArgument("versions count from 1, not $version")
    return version.toUInt()
}

/** What the library calls. */
private class MigrationAdapter(
    @Volatile private var migration: Migration?,
) : NativeMigration, Endable {
    override fun migrate(id: String, version: UInt?, fields: String): String? =
        guarded {
            val current = migration ?: throw ended("the coroutine that waited was cancelled")
            try {
                current.migrate(id, version?.toInt(), loadFields(fields))?.let(::dumpFields)
            } catch (end: CancellationException) {
                throw ended(end.message.orEmpty())
            }
        }

    override fun end() {
        migration = null
    }

    private fun ended(why: String) = NativeException.Cancelled(Status.CANCELLED.number, why, false)
}
