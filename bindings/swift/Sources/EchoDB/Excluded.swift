internal import EchoDBNative
import Foundation

/// An entry that does not count: written by a member who was denied, or by one who might not write, or
/// built on such. It stays stored, sealed, and counts again if the denial does not.
public struct ExcludedEntry: Hashable, Sendable {
    /// The entry.
    public let entry: String
    /// The device that wrote it.
    public let device: String
    /// Whose device that is.
    public let identity: String
    /// When, by its author's clock: a claim, not a fact. `nil` while its content key is not here.
    public let time: Date?
    /// Why it does not count: a stable code (`denied`, `void`, `not_permitted`,
    /// `builds_on_excluded`), a
    /// colon, and a sentence.
    public let reason: String
    /// The objects that it would change, in id order; empty while its content key is not here.
    public let objects: [String]

    init(native: EchoDBNative.ExcludedEntry) {
        entry = native.entry
        device = native.device
        identity = native.identity
        time = native.timeMs.map(Date.init(millisecondsSince1970:))
        reason = native.reason
        objects = native.objects
    }
}

/// Something that a resubmission left out.
public struct SkippedResubmission: Hashable, Sendable {
    /// The object.
    public let object: String
    /// Why, a sentence for people.
    public let reason: String

    init(native: EchoDBNative.SkippedResubmission) {
        object = native.object
        reason = native.reason
    }
}

/// What ``Space/resubmit(_:)`` did.
public struct Resubmission: Hashable, Sendable {
    /// What was written; without an entry if everything had to be left out, or is there already.
    public let committed: Committed
    /// What was left out.
    public let skipped: [SkippedResubmission]

    init(native: EchoDBNative.Resubmission) {
        committed = Committed(native: native.committed)
        skipped = native.skipped.map(SkippedResubmission.init(native:))
    }
}

extension Space {
    /// The entries that do not count, in the order in which they came to this device.
    public func excluded() async throws -> [ExcludedEntry] {
        try await translating { try await native.excluded() }.map(ExcludedEntry.init(native:))
    }

    /// Writes what an excluded entry would have changed as a transaction of this identity's own. Takes
    /// the role of admin or above.
    ///
    /// Where the version before the entry is part of an object's history, the change merges with what
    /// happened since; otherwise it is made to the object as it is now, as far as it fits, and what
    /// finds no place is left out and reported. Formatting of texts is not brought over. The entry
    /// stays excluded; submitting it twice adds to counters twice. Throws
    /// ``EchoError/Kind/permissionDenied``, ``EchoError/Kind/notFound``, and
    /// ``EchoError/Kind/invalidState`` for an entry that counts.
    ///
    /// - Parameter entry: An ``ExcludedEntry/entry``.
    @discardableResult
    public func resubmit(_ entry: String) async throws -> Resubmission {
        Resubmission(native: try await translating { try await native.resubmit(entry: entry) })
    }
}
