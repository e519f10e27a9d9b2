package dev.echodb

import java.nio.file.Path
import dev.echodb.ffi.ArchiveInfo as NativeArchive
import dev.echodb.ffi.ColumnKind as NativeKind
import dev.echodb.ffi.ImportColumn as NativeColumn
import dev.echodb.ffi.ImportFormat as NativeFormat
import dev.echodb.ffi.ImportOptions as NativeOptions
import dev.echodb.ffi.ImportReport as NativeReport
import dev.echodb.ffi.OnError as NativeOnError
import dev.echodb.ffi.verifyArchive as nativeVerify

/**
 * What an archive holds.
 *
 * @property space The space's id.
 * @property version The version of the archive's format.
 * @property feeds Feeds.
 * @property entries Entries of all feeds.
 * @property controlEntries Those of them that say who is a member and which keys there are.
 * @property blobs Blobs: those that objects named, and that whoever exported it had as a whole.
 * @property bytes The file's size.
 * @property digest SHA-256 of all but the file's last 32 bytes, which are this, in hexadecimal.
 */
public data class ArchiveInfo(
    public val space: String,
    public val version: Int,
    public val feeds: Long,
    public val entries: Long,
    public val controlEntries: Long,
    public val blobs: Long,
    public val bytes: Long,
    public val digest: String,
) {
    internal companion object {
        fun of(info: NativeArchive): ArchiveInfo =
            ArchiveInfo(
                space = info.space,
                version = info.version.toInt(),
                feeds = info.feeds.toLong(),
                entries = info.entries.toLong(),
                controlEntries = info.controlEntries.toLong(),
                blobs = info.blobs.toLong(),
                bytes = info.bytes.toLong(),
                digest = info.digest,
            )
    }
}

/** How plain data is written. */
public enum class ImportFormat {
    /** One JSON array of objects, or one object. */
    JSON,

    /** A JSON object a line. */
    NDJSON,

    /** A table (RFC 4180), in UTF-8. */
    CSV,
    ;

    internal fun native(): NativeFormat = NativeFormat.valueOf(name)
}

/** What a column, or a member of JSON objects, holds. */
public enum class ColumnKind {
    /**
     * Found out from all cells of the column: booleans, integers, floats, times with a zone
     * (RFC 3339), else strings. JSON says itself what it is.
     */
    INFER,

    /** Strings. */
    STRING,

    /** Texts that merge character by character. */
    TEXT,

    /** Integers of 64 bits. */
    INTEGER,

    /** Floating-point numbers. */
    FLOAT,

    /** `true`, `yes` or `1`, and `false`, `no` or `0`, in any case. */
    BOOLEAN,

    /** RFC 3339, a date alone (UTC), or milliseconds since 1970. */
    TIMESTAMP,

    /** Object ids, `echo:OBJECT` or `echo://SPACE/OBJECT`. */
    REFERENCE,

    /** JSON, with tagged values. */
    JSON,

    /** Left out. */
    IGNORE,
    ;

    internal fun native(): NativeKind = NativeKind.valueOf(name)
}

/** What a row that cannot be used leads to. */
public enum class OnError {
    /** The import fails; a malformed row leaves everything as it was. */
    STOP,

    /** The row is left out and reported. */
    SKIP,
    ;

    internal fun native(): NativeOnError = NativeOnError.valueOf(name)
}

/**
 * What becomes of one column, or of one member of JSON objects.
 *
 * @property name Its name in the input; columns without a header are `column_1` and so on.
 * @property kind What it holds.
 * @property field The field that it goes to, if not one of the same name.
 */
public data class ImportColumn @JvmOverloads constructor(
    public val name: String,
    public val kind: ColumnKind = ColumnKind.INFER,
    public val field: String? = null,
)

/**
 * How plain data becomes objects.
 *
 * @property format How the input is written.
 * @property type The objects' type.
 * @property key The column or member whose value is the objects' natural key: importing again
 *   updates the objects that exist, on whichever peer. Takes a type. Without a key every row is a
 *   new object.
 * @property columns Columns or members of which something is to be said.
 * @property otherColumns What all others hold.
 * @property delimiter Between cells: one ASCII character.
 * @property header Whether a table's first row has the columns' names.
 * @property onError What a row that cannot be used leads to.
 */
public data class ImportOptions @JvmOverloads constructor(
    public val format: ImportFormat,
    public val type: String? = null,
    public val key: String? = null,
    public val columns: List<ImportColumn> = emptyList(),
    public val otherColumns: ColumnKind = ColumnKind.INFER,
    public val delimiter: String = ",",
    public val header: Boolean = true,
    public val onError: OnError = OnError.STOP,
) {
    internal fun native(): NativeOptions =
        NativeOptions(
            format = format.native(),
            typeName = type,
            key = key,
            columns = columns.map { NativeColumn(it.name, it.field, it.kind.native()) },
            otherColumns = otherColumns.native(),
            delimiter = delimiter,
            header = header,
            onError = onError.native(),
        )
}

/**
 * A row that was left out.
 *
 * @property line The line that it begins on, from 1.
 * @property reason Why.
 */
public data class SkippedRow(public val line: Long, public val reason: String)

/**
 * What an import did.
 *
 * @property rows Rows read, a header not counted.
 * @property created Objects made.
 * @property updated Rows that changed objects which existed.
 * @property unchanged Rows whose objects were like that already.
 * @property skipped Rows left out.
 * @property skips The first thousand of them.
 */
public data class ImportReport(
    public val rows: Long,
    public val created: Long,
    public val updated: Long,
    public val unchanged: Long,
    public val skipped: Long,
    public val skips: List<SkippedRow>,
) {
    internal companion object {
        fun of(report: NativeReport): ImportReport =
            ImportReport(
                rows = report.rows.toLong(),
                created = report.created.toLong(),
                updated = report.updated.toLong(),
                unchanged = report.unchanged.toLong(),
                skipped = report.skipped.toLong(),
                skips = report.skips.map { SkippedRow(it.line.toLong(), it.reason) },
            )
    }
}

/**
 * Checks an archive, without any key: that it is whole, that every entry is signed by its author's
 * device and follows the entries it names, and that its author was a member.
 *
 * @throws EchoException.NotFound if there is no such file.
 * @throws EchoException.InvalidArgument if it is no archive.
 * @throws EchoException.Storage if it is damaged, or of a newer version.
 */
public suspend fun verifyArchive(path: Path): ArchiveInfo {
    prepareLibrary()
    return ArchiveInfo.of(translated { nativeVerify(path.toString()) })
}
