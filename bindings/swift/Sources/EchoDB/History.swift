internal import EchoDBNative
import Foundation

/// Something that undoing left as it is.
public struct SkippedUndo: Hashable, Sendable {
    /// The object.
    public let object: String
    /// The place in it, a JSON Pointer; empty for the object as a whole. Names that begin with `@`
    /// are its system part: its type, parent, tags and the like.
    public let path: String
    /// Why, a sentence for people.
    public let reason: String

    init(native: EchoDBNative.SkippedUndo) {
        object = native.object
        path = native.path
        reason = native.reason
    }
}

/// What undoing or redoing a step did.
public struct Undone: Hashable, Sendable {
    /// What was written; without an entry if everything had to be left as it is.
    public let committed: Committed
    /// The message of the transaction that it was about, if it had one.
    public let label: String?
    /// What was left as it is, since somebody else has changed it.
    public let skipped: [SkippedUndo]

    init(native: EchoDBNative.Undone) {
        committed = Committed(native: native.committed)
        label = native.label
        skipped = native.skipped.map(SkippedUndo.init(native:))
    }
}

/// One transaction in a space's log.
public struct TransactionInfo: Hashable, Sendable {
    /// The entry that carries it.
    public let entry: String
    /// The identity of its author.
    public let identity: String
    /// The device that signed it.
    public let device: String
    /// When, by the author's clock: a claim, not a fact.
    public let time: Date
    /// The message given to it, if any.
    public let message: String?
    /// The objects that it changed, in id order.
    public let objects: [String]
    /// The version that it made of each, by the object's id.
    public let versions: [String: [String]]
    /// If its author, or the author's device, was removed, demoted or revoked without having known:
    /// the identity of a member who had built on it in good standing, which is why it counts. Of
    /// several such members devices may name different ones.
    public let endorsedBy: String?

    init(native: EchoDBNative.TransactionInfo) {
        entry = native.entry
        identity = native.identity
        device = native.device
        time = Date(millisecondsSince1970: native.timeMs)
        message = native.message
        objects = native.objects
        versions = Dictionary(
            native.versions.map { ($0.id, $0.heads) }, uniquingKeysWith: { _, latter in latter })
        endorsedBy = native.endorsedBy
    }
}

/// A branch of an object.
public struct BranchInfo: Hashable, Sendable, Identifiable {
    /// The branch's own id: it is read, edited and deleted like any object.
    public let id: String
    /// The object it is a branch of.
    public let of: String
    /// Its name.
    public let name: String
    /// The original's version that it began with or was last merged into.
    public let heads: [String]
    /// When it was made, by the clock of the device that did.
    public let created: Date
    /// When it was last changed, likewise.
    public let updated: Date

    init(native: EchoDBNative.BranchInfo) {
        id = native.id
        of = native.of
        name = native.name
        heads = native.heads
        created = Date(millisecondsSince1970: native.createdMs)
        updated = Date(millisecondsSince1970: native.updatedMs)
    }
}

extension Space {
    /// Undoes the last step of this device that stands, by writing the reverse; `nil` if there is
    /// none.
    ///
    /// A step is a transaction, or typing into one text with pauses of at most a second;
    /// ``Transaction/group(_:)`` makes one of several. Others' work is never undone: what somebody
    /// else has changed since is left as it is, and reported. The last 100 steps can be undone, also
    /// after a restart. Throws ``EchoError/Kind/limitExceeded`` if the reverse does not fit one
    /// transaction; then the step is given up.
    @discardableResult
    public func undo() async throws -> Undone? {
        try await translating { try await native.undo() }.map(Undone.init(native:))
    }

    /// Undoes the last ``undo()``, likewise; `nil` if there is none, or if this device has written
    /// anything since.
    @discardableResult
    public func redo() async throws -> Undone? {
        try await translating { try await native.redo() }.map(Undone.init(native:))
    }

    /// The space's transactions, the last first in the order in which they came to this device. Ones
    /// that were set aside, or wait for a key, are left out.
    ///
    /// - Parameters:
    ///   - limit: How many there are at most, up to 1000.
    ///   - entry: Only those before this ``TransactionInfo/entry``; `nil` for the last ones.
    public func log(limit: Int = 100, before entry: String? = nil) async throws -> [TransactionInfo]
    {
        guard let most = UInt32(exactly: limit) else {
            throw EchoError.invalidArgument("limit is a number of transactions, not \(limit)")
        }
        return try await translating { try await native.log(limit: most, before: entry) }
            .map(TransactionInfo.init(native:))
    }

    /// An object as it was at the version `heads`. Whether an ancestor is deleted is told as of now.
    /// Throws ``EchoError/Kind/notFound``, naming the version, if any part of it is not here.
    public func get(_ id: String, at heads: [String]) async throws -> Object {
        try Object(native: try await translating { try await native.getAt(id: id, heads: heads) })
    }

    /// What leads from one version of an object to another: changes that build on each other.
    /// Throws ``EchoError/Kind/notFound``, naming the version, if any part of one is not here.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - from: A version; empty for before the object was made.
    ///   - to: Another one.
    public func diff(
        _ id: String, from: [String] = [], to: [String]
    ) async throws -> [Difference] {
        let json = try await translating {
            try await native.diff(id: id, from: from, to: to, unit: .utf16)
        }
        return try JSONReader.differences(from: json)
    }

    /// Makes an object as it was at a version, deleted or not, by a new change: only what differs is
    /// written, so that it merges with what others do meanwhile. Throws
    /// ``EchoError/Kind/notFound``, naming the version, if any part of it is not here.
    @discardableResult
    public func restoreVersion(_ id: String, _ heads: [String]) async throws -> Committed {
        Committed(
            native: try await translating {
                try await native.restoreVersion(id: id, heads: heads)
            })
    }

    /// Makes a branch of an object, named by 1 to 256 characters, and returns its id.
    ///
    /// It is an object of its own, which ordinary queries leave out; edits to it do not touch the
    /// original until ``mergeBranch(_:)``. Throws ``EchoError/Kind/alreadyExists`` if there is one of
    /// that name.
    public func branch(_ id: String, name: String) async throws -> String {
        try await translating { try await native.branch(id: id, name: name) }
    }

    /// The branches of an object, those that were deleted left out, in id order.
    public func branches(_ id: String) async throws -> [BranchInfo] {
        try await translating { try await native.branches(id: id) }.map(BranchInfo.init(native:))
    }

    /// Brings what was done to a branch since it was made, or last merged, into the original: as one
    /// transaction, made at the version that it branched from, so that it merges with what was done
    /// there since. The branch stays.
    ///
    /// Two devices that merge one branch without knowing of each other bring its insertions in
    /// twice. Throws ``EchoError/Kind/invalidArgument`` if it is no branch.
    @discardableResult
    public func mergeBranch(_ branch: String) async throws -> Committed {
        Committed(native: try await translating { try await native.mergeBranch(branch: branch) })
    }
}

extension Transaction {
    /// Takes it for granted that an object is at exactly the version `heads` (an object's
    /// ``Object/heads``), or, if that is empty, that it does not exist. Otherwise the commit throws
    /// an ``EchoError`` of the status ``EchoError/Status/conflict`` and changes nothing.
    ///
    /// A deleted object exists. May be said of several objects. Edits of this client that are still
    /// being gathered count.
    public func onlyIf(_ id: String, _ heads: [String]) throws {
        try translating { try native.onlyIf(id: id, heads: heads) }
    }

    /// Puts the transaction in a group, named by 1 to 256 characters: transactions of one group that
    /// follow each other are undone, and redone, at once. Groups are forgotten when the space is
    /// closed; their transactions are then undone one by one.
    public func group(_ name: String) throws {
        try translating { try native.group(name: name) }
    }
}
