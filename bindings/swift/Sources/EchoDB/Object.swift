internal import EchoDBNative
import Foundation

/// An object at one moment. Changing a copy of its fields changes nothing but the copy.
public struct Object: Hashable, Sendable, Identifiable {
    /// Its id, 26 characters.
    public let id: String
    /// Its space's id, if it was found by a query of several spaces; ``Client/query(_:in:)``.
    public let space: String?
    /// Its type name, if any.
    public let type: String?
    /// Its parent's id, if any; the parent may not exist.
    public let parent: String?
    /// Whether it is deleted; a deleted object keeps its fields until garbage collection.
    public let isDeleted: Bool
    /// Whether an ancestor of it is deleted: queries then leave it out too.
    public let isHidden: Bool
    /// The version of its type's schema that it was written for, if any.
    public let schemaVersion: UInt32?
    /// Where it begins, if it is a relation; may not exist.
    public let source: String?
    /// Where it ends, if it is a relation; may not exist.
    public let target: String?
    /// Its tags, sorted.
    public let tags: [String]
    /// Its names in other systems, by system; a natural key stands under `natural`.
    public let keys: [String: String]
    /// The object of which it is a branch, if it is one.
    public let branchOf: String?
    /// Its fields.
    public let fields: Fields
    /// When it was created, by the clock of the device that did.
    public let created: Date
    /// When it was last changed, likewise.
    public let updated: Date
    /// Its version: hashes, sorted.
    public let heads: [String]

    /// A field; `nil` if the object has none of that name.
    public subscript(name: String) -> Value? {
        fields[name]
    }

    /// A reference to this object, for a field of another one of the same space.
    public var ref: Ref {
        Ref(id: id)
    }
}

extension Object {
    init(native: EchoDBNative.ObjectRecord) throws {
        self.init(
            id: native.id, space: nil, type: native.typeName, parent: native.parent,
            isDeleted: native.deleted, isHidden: native.hidden,
            schemaVersion: native.schemaVersion, source: native.source, target: native.target,
            tags: native.tags, keys: native.keys, branchOf: native.branchOf,
            fields: try JSONReader.fields(from: native.fields),
            created: Date(millisecondsSince1970: native.createdMs),
            updated: Date(millisecondsSince1970: native.updatedMs), heads: native.heads)
    }
}

/// One change in an object's history.
public struct ChangeInfo: Hashable, Sendable {
    /// The change's hash: the version it led to.
    public let hash: String
    /// The versions it was made on.
    public let parents: [String]
    /// The message given to the transaction, if any.
    public let message: String?
    /// When, by the author's clock: a claim, not a fact.
    public let time: Date
    /// The identity of its author.
    public let identity: String
    /// The device that made it, which signed the entry that it came in.
    public let device: String

    init(native: EchoDBNative.ChangeInfo) {
        hash = native.hash
        parents = native.parents
        message = native.message
        time = Date(millisecondsSince1970: native.timeMs)
        identity = native.identity
        device = native.device
    }
}
