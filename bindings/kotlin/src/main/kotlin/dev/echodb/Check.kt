package dev.echodb

import dev.echodb.ffi.CheckFindingKind as NativeKind
import dev.echodb.ffi.CheckReport as NativeCheck
import dev.echodb.ffi.RepairReport as NativeRepair

/** What a finding is in. */
public enum class CheckFindingKind {
    /** The structure of the space's file. */
    FILE,

    /** An entry or a feed, from which everything else is made: it comes again from peers. */
    ENTRY,

    /** An object's document or row. */
    OBJECT,

    /** What objects are found by: references, tags, keys, words. */
    INDEX,

    /** A blob: what is damaged of it comes again from peers. */
    BLOB,
    ;

    internal companion object {
        fun of(kind: NativeKind): CheckFindingKind =
            when (kind) {
                NativeKind.FILE -> FILE
                NativeKind.ENTRY -> ENTRY
                NativeKind.OBJECT -> OBJECT
                NativeKind.INDEX -> INDEX
                NativeKind.BLOB -> BLOB
            }
    }
}

/**
 * Something that is not as the library would have written it.
 *
 * @property kind What it is in.
 * @property subject The id of the entry, feed, object or blob; empty where there is none.
 * @property detail What is wrong, a sentence for people.
 */
public data class CheckFinding(
    public val kind: CheckFindingKind,
    public val subject: String,
    public val detail: String,
)

/**
 * What a check found.
 *
 * @property findings What is wrong, the first thousand; nothing if all is sound.
 * @property moreFindings How many findings there are beyond those.
 * @property entries Entries that were looked at.
 * @property objects Objects that were looked at; none in a quick check.
 * @property blobs Blobs that were looked at; none in a quick check.
 */
public data class CheckReport(
    public val findings: List<CheckFinding>,
    public val moreFindings: Long,
    public val entries: Long,
    public val objects: Long,
    public val blobs: Long,
) {
    internal companion object {
        fun of(report: NativeCheck): CheckReport =
            CheckReport(
                report.findings.map { CheckFinding(CheckFindingKind.of(it.kind), it.subject, it.detail) },
                report.moreFindings.toLong(),
                report.entries.toLong(),
                report.objects.toLong(),
                report.blobs.toLong(),
            )
    }
}

/**
 * An entry that a repair could not keep.
 *
 * @property entry Its id; empty if not even that could be read.
 * @property reason Why.
 */
public data class LostEntry(public val entry: String, public val reason: String)

/**
 * What a repair did.
 *
 * @property entries Entries that were kept.
 * @property objects Objects that were made again.
 * @property lostEntries Entries that were not sound, or stand after one that was not.
 * @property lost Those entries, the first thousand.
 * @property damagedBlocks Blocks of blobs that were damaged.
 * @property incompleteBlobs The blobs that are not whole because of that: fetch them again.
 * @property keptFile Where the file is kept that was there before, if anything of it was lost.
 */
public data class RepairReport(
    public val entries: Long,
    public val objects: Long,
    public val lostEntries: Long,
    public val lost: List<LostEntry>,
    public val damagedBlocks: Long,
    public val incompleteBlobs: List<String>,
    public val keptFile: String?,
) {
    internal companion object {
        fun of(report: NativeRepair): RepairReport =
            RepairReport(
                report.entries.toLong(),
                report.objects.toLong(),
                report.lostEntries.toLong(),
                report.lost.map { LostEntry(it.entry, it.reason) },
                report.damagedBlocks.toLong(),
                report.incompleteBlobs,
                report.keptFile,
            )
    }
}
