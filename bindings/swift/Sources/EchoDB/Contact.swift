internal import EchoDBNative

/// A space that a contact is a member of.
public struct ContactSpace: Hashable, Sendable {
    /// The space's id.
    public let space: String
    /// The space's name, empty if it has none.
    public let spaceName: String
    /// The name that the contact gave itself there.
    public let displayName: String
    /// The contact's role there.
    public let role: String

    init(native: EchoDBNative.ContactSpace) {
        space = native.space
        spaceName = native.spaceName
        displayName = native.displayName
        role = native.role
    }
}

/// An identity that shares a space with this one.
public struct Contact: Hashable, Sendable {
    /// The identity's key.
    public let identity: String
    /// The name it gave itself in the first of the spaces where it has one.
    public let displayName: String
    /// The open spaces in which it is a member, in the order of the profile's list.
    public let spaces: [ContactSpace]

    init(native: EchoDBNative.Contact) {
        identity = native.identity
        displayName = native.displayName
        spaces = native.spaces.map(ContactSpace.init(native:))
    }
}

extension Client {
    /// The identities that this one shares an open space with, rising by key, its own left out.
    /// Derived from the members of the spaces; nothing is stored.
    public func contacts() async throws -> [Contact] {
        try await translating { try await native.contacts() }.map(Contact.init(native:))
    }
}
