internal import EchoDBNative
import Foundation

/// A device of a member.
public struct MemberDevice: Hashable, Sendable {
    /// The device's key.
    public let device: String
    /// The name it goes by, empty if it has none.
    public let name: String
    /// Whether it was revoked: it does not act for the member any more.
    public let isRevoked: Bool

    init(native: EchoDBNative.MemberDevice) {
        device = native.device
        name = native.name
        isRevoked = native.revoked
    }
}

/// A member of a space.
public struct Member: Hashable, Sendable {
    /// The identity's key.
    public let identity: String
    /// The name it gave itself.
    public let displayName: String
    /// `owner`, `admin`, `editor`, `reader` or `relay`.
    public let role: String
    /// The keys of its devices that act for it.
    public let devices: [String]
    /// 1 for whom nobody stands above, otherwise one more than the number of members who do. Of
    /// owners the one who has been it longer stands above; other members of one role are equals.
    public let rank: Int
    /// When this device first heard of it as a member, by this device's clock: for display, other
    /// devices have other times. `nil` if that was not noted.
    public let joined: Date?
    /// All its devices, revoked ones included, rising by key.
    public let deviceDetails: [MemberDevice]

    init(native: EchoDBNative.Member) {
        identity = native.identity
        displayName = native.displayName
        role = native.role
        devices = native.devices
        rank = Int(native.rank)
        joined = native.joinedMs.map(Date.init(millisecondsSince1970:))
        deviceDetails = native.deviceDetails.map(MemberDevice.init(native:))
    }
}

extension Space {
    /// The members, rising by identity. Those who were removed or left are not among them.
    public func members() async throws -> [Member] {
        try await translating { try await native.members() }.map(Member.init(native:))
    }

    /// Gives a member another role; one who was removed can be given one again.
    ///
    /// Takes the role of admin or above and a place above the member; the new role must be below the
    /// own, except that owners may make owners. One's own role can only be lowered. Does nothing if
    /// the member has that role.
    ///
    /// A lower role takes effect at once here, and on every other device as soon as it hears of it.
    /// What the member wrote up to then stays. Throws ``EchoError/Kind/permissionDenied``,
    /// ``EchoError/Kind/notFound`` for an identity that never joined, and
    /// ``EchoError/Kind/invalidArgument``.
    ///
    /// - Parameters:
    ///   - identity: The identity's key.
    ///   - role: `owner`, `admin`, `editor`, `reader` or `relay`.
    public func setRole(_ identity: String, _ role: String) async throws {
        try await translating { try await native.setRole(identity: identity, role: role) }
    }

    /// Ends a member's role. It gets nothing of this space any more: the next transaction of anybody
    /// is sealed under a new key. What it holds it can go on reading.
    ///
    /// Needs what ``setRole(_:_:)`` needs; does nothing for one who is no member any more.
    public func removeMember(_ identity: String) async throws {
        try await translating { try await native.removeMember(identity: identity) }
    }

    /// Ends this identity's own role. What is here of the space stays, to be read; nothing more
    /// comes. The space's top owner cannot leave, and hands over first: throws
    /// ``EchoError/Kind/permissionDenied``.
    public func leave() async throws {
        try await translating { try await native.leave() }
    }

    /// Makes another member the space's top owner in this identity's place: the one of rank 1, who
    /// can neither be removed nor step down.
    ///
    /// One who is no owner yet becomes one first. This identity stays an owner below all others, and
    /// can then leave, step down or be removed. It cannot be taken back, except by the new top owner's
    /// handing over in turn; a space can be handed over 64 times. Throws
    /// ``EchoError/Kind/permissionDenied`` for who is not the top owner, ``EchoError/Kind/notFound``
    /// for one who is no member, ``EchoError/Kind/invalidArgument`` for this identity itself, and
    /// ``EchoError/Kind/limitExceeded``.
    public func handOver(_ identity: String) async throws {
        try await translating { try await native.handOver(identity: identity) }
    }

    /// Makes a new content key for what is written from now on, sealed to every device that may read.
    ///
    /// Keys are made anew by themselves when somebody loses the right to read and about every 30
    /// days; call this when a device may have been read by others and is clean again. What was
    /// written before stays readable to those who could read it, and to those who had the old key.
    /// Takes the role of reader or above; throws ``EchoError/Kind/permissionDenied`` otherwise.
    public func rotateKey() async throws {
        try await translating { try await native.rotateKey() }
    }

    /// Gives a member who was invited without the history the keys of what was written before its
    /// time, as far as this device has them.
    ///
    /// What is sealed off for it opens as soon as it hears of that. It cannot be taken back. Takes the
    /// role of admin or above; throws ``EchoError/Kind/permissionDenied`` otherwise, and
    /// ``EchoError/Kind/notFound`` for an identity that is no member who may read.
    ///
    /// - Returns: Whether there was anything that the member lacked.
    @discardableResult
    public func shareHistory(with identity: String) async throws -> Bool {
        try await translating { try await native.shareHistory(identity: identity) }
    }
}
