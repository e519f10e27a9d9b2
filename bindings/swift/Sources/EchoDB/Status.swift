internal import EchoDBNative

/// Who the user of a client is.
public struct IdentityInfo: Hashable, Sendable {
    /// The identity's public key: the same on all devices.
    public let identity: String
    /// This device's public key.
    public let device: String
    /// The name shown to others; not unique, not proven.
    public let displayName: String

    init(native: EchoDBNative.IdentityInfo) {
        identity = native.identity
        device = native.device
        displayName = native.displayName
    }
}

/// Whether a space is open.
public enum SpaceState: Hashable, Sendable, CaseIterable {
    /// On disk only; not replicated until opened.
    case closed
    /// Being opened.
    case opening
    /// Open.
    case ready
    /// Its file could not be opened; the error is in the log and from ``Space/open()``.
    case failed

    init(native: EchoDBNative.SpaceState) {
        switch native {
        case .closed: self = .closed
        case .opening: self = .opening
        case .ready: self = .ready
        case .failed: self = .failed
        }
    }
}

/// A space in a listing.
public struct SpaceInfo: Hashable, Sendable, Identifiable {
    /// Its id, 52 characters.
    public let id: String
    /// The `name` of its properties as last seen, empty if it has none.
    public let name: String
    /// Whether it was made with the identity.
    public let isDefault: Bool
    /// Its state.
    public let state: SpaceState

    init(native: EchoDBNative.SpaceInfo) {
        id = native.id
        name = native.name
        isDefault = native.isDefault
        state = SpaceState(native: native.state)
    }
}

/// A connection to a signalling server.
public struct SignalingStatus: Hashable, Sendable {
    /// Its URL.
    public let url: String
    /// Whether it is connected now.
    public let isConnected: Bool
    /// The last failure, if it is not.
    public let error: String?

    init(native: EchoDBNative.SignalingStatus) {
        url = native.url
        isConnected = native.connected
        error = native.error
    }
}

/// A client as a whole.
public struct ClientStatus: Hashable, Sendable {
    /// Whether it looks for peers.
    public let isOnline: Bool
    /// Its signalling servers.
    public let signaling: [SignalingStatus]
    /// Authenticated peers connected now.
    public let peers: Int
    /// Bytes sent to peers since the client was opened, before encryption.
    public let bytesSent: UInt64
    /// Bytes received from peers likewise.
    public let bytesReceived: UInt64
    /// What keeps the key of the profile's files.
    public let encryption: Encryption

    init(native: EchoDBNative.ClientStatus) {
        isOnline = native.online
        signaling = native.signaling.map(SignalingStatus.init(native:))
        peers = Int(native.peers)
        bytesSent = native.bytesSent
        bytesReceived = native.bytesReceived
        encryption = Encryption(native: native.encryption)
    }
}

/// One connected peer, as far as one space is concerned.
public struct PeerStatus: Hashable, Sendable {
    /// The device's key.
    public let device: String
    /// The identity's key.
    public let identity: String
    /// The identity's display name.
    public let name: String
    /// Entries we hold that the peer has not confirmed.
    public let unconfirmed: UInt64
    /// Entries the peer says it holds and we lack.
    public let missing: UInt64
    /// Whether both numbers are zero.
    public let isInSync: Bool

    init(native: EchoDBNative.PeerStatus) {
        device = native.device
        identity = native.identity
        name = native.name
        unconfirmed = native.unconfirmed
        missing = native.missing
        isInSync = native.inSync
    }
}

/// One space, truthfully: who has what, and what waits for what. Nothing here says "in sync" unless
/// the other side confirmed it.
public struct SpaceStatus: Hashable, Sendable {
    /// Its state.
    public let state: SpaceState
    /// Connected peers that share it.
    public let peers: [PeerStatus]
    /// Objects, deleted ones included.
    public let objects: UInt64
    /// Entries held.
    public let entries: UInt64
    /// Entries set aside as harmful or malformed; see ``Space/quarantined()``.
    public let quarantined: UInt64
    /// Entries that do not count; see ``Space/excluded()``.
    public let excluded: UInt64
    /// Entries that wait for a content key.
    public let waitingForKey: UInt64
    /// Entries that are held and cannot be read, because they were written before this member's time,
    /// or build on what was: it was invited without the history. They wait for nothing that is to come.
    public let sealedOff: UInt64
    /// Entries that wait for one they depend on.
    public let waitingForDependency: UInt64
    /// Objects that break the schema of their type; see ``Space/violations()``.
    public let violations: UInt64
    /// This identity's role; `nil` once it was removed or has left, and while its admission has not
    /// arrived.
    public let role: String?
    /// Whether this identity or this device was removed from the space, or has left it: what is here
    /// can be read, nothing can be written, and nothing more comes.
    public let isRemoved: Bool
    /// The generation of the content key that is written under: 1 is the first, each new key has a
    /// higher one. 0 while every key is known to somebody who may not read any more: the next write,
    /// of whomever, makes a new one.
    public let keyGeneration: UInt64
    /// Whether objects are yet to be checked because a schema came or changed: then
    /// ``violations`` is still moving.
    public let isChecking: Bool

    init(native: EchoDBNative.SpaceStatus) {
        state = SpaceState(native: native.state)
        peers = native.peers.map(PeerStatus.init(native:))
        objects = native.objects
        entries = native.entries
        quarantined = native.quarantined
        excluded = native.excluded
        waitingForKey = native.waitingForKey
        sealedOff = native.sealedOff
        waitingForDependency = native.waitingForDependency
        violations = native.violations
        role = native.role
        isRemoved = native.removed
        keyGeneration = native.keyGeneration
        isChecking = native.checking
    }
}

/// A remote entry that was set aside. It stays stored, sealed, and changes nothing.
public struct QuarantinedEntry: Hashable, Sendable {
    /// The entry.
    public let entry: String
    /// The device that wrote it.
    public let device: String
    /// Why: a stable code, a colon, and a sentence.
    public let reason: String

    init(native: EchoDBNative.QuarantinedEntry) {
        entry = native.entry
        device = native.device
        reason = native.reason
    }
}
