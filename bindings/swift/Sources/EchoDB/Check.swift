internal import EchoDBNative
import Foundation

/// What a finding is in.
public enum CheckFindingKind: Hashable, Sendable {
    /// The structure of the space's file.
    case file
    /// An entry or a feed, from which everything else is made: it comes again from peers.
    case entry
    /// An object's document or row.
    case object
    /// What objects are found by: references, tags, keys, words.
    case index
    /// A blob: what is damaged of it comes again from peers.
    case blob

    init(native: EchoDBNative.CheckFindingKind) {
        switch native {
        case .file: self = .file
        case .entry: self = .entry
        case .object: self = .object
        case .index: self = .index
        case .blob: self = .blob
        }
    }
}

/// Something that is not as the library would have written it.
public struct CheckFinding: Hashable, Sendable {
    /// What it is in.
    public let kind: CheckFindingKind
    /// The id of the entry, feed, object or blob; empty where there is none.
    public let subject: String
    /// What is wrong, a sentence for people.
    public let detail: String

    init(native: EchoDBNative.CheckFinding) {
        kind = CheckFindingKind(native: native.kind)
        subject = native.subject
        detail = native.detail
    }
}

/// What a check found.
public struct CheckReport: Hashable, Sendable {
    /// What is wrong, the first thousand; nothing if all is sound.
    public let findings: [CheckFinding]
    /// How many findings there are beyond those.
    public let moreFindings: UInt64
    /// Entries that were looked at.
    public let entries: UInt64
    /// Objects that were looked at; none in a quick check.
    public let objects: UInt64
    /// Blobs that were looked at; none in a quick check.
    public let blobs: UInt64

    init(native: EchoDBNative.CheckReport) {
        findings = native.findings.map(CheckFinding.init(native:))
        moreFindings = native.moreFindings
        entries = native.entries
        objects = native.objects
        blobs = native.blobs
    }
}

/// An entry that a repair could not keep.
public struct LostEntry: Hashable, Sendable {
    /// Its id; empty if not even that could be read.
    public let entry: String
    /// Why.
    public let reason: String

    init(native: EchoDBNative.LostEntry) {
        entry = native.entry
        reason = native.reason
    }
}

/// What a repair did.
public struct RepairReport: Hashable, Sendable {
    /// Entries that were kept.
    public let entries: UInt64
    /// Objects that were made again.
    public let objects: UInt64
    /// Entries that were not sound, or stand after one that was not.
    public let lostEntries: UInt64
    /// Those entries, the first thousand.
    public let lost: [LostEntry]
    /// Blocks of blobs that were damaged.
    public let damagedBlocks: UInt64
    /// The blobs that are not whole because of that: fetch them again.
    public let incompleteBlobs: [String]
    /// Where the file is kept that was there before, if anything of it was lost.
    public let keptFile: URL?

    init(native: EchoDBNative.RepairReport) {
        entries = native.entries
        objects = native.objects
        lostEntries = native.lostEntries
        lost = native.lost.map(LostEntry.init(native:))
        damagedBlocks = native.damagedBlocks
        incompleteBlobs = native.incompleteBlobs
        keptFile = native.keptFile.map { URL(fileURLWithPath: $0) }
    }
}

extension Space {
    /// Checks what is stored of the space, and changes nothing. Damage is a finding, not an error.
    ///
    /// - Parameter full: Whether to look at every index, object and blob too, and not only at the
    ///   structure of the file and at every entry.
    public func check(full: Bool = false) async throws -> CheckReport {
        CheckReport(native: try await translating { try await native.check(full: full) })
    }

    /// Makes the space's file again from its entries, also of a space that cannot be opened. What is
    /// not sound is left out and comes again from peers that hold it.
    ///
    /// The space cannot be written to meanwhile, and steps to be undone are forgotten.
    @discardableResult
    public func repair() async throws -> RepairReport {
        RepairReport(native: try await translating { try await native.repair() })
    }
}
