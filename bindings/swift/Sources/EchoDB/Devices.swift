internal import EchoDBNative
import Foundation

/// A device of the identity.
public struct DeviceInfo: Hashable, Sendable {
    /// Its public key.
    public let device: String
    /// Its name; empty if it was given none.
    public let name: String
    /// Whether it is the one that asks.
    public let isThisDevice: Bool
    /// Whether it is connected at this moment; the asking one always is.
    public let isConnected: Bool
    /// When it was added, by the clock of the device that added it.
    public let added: Date?
    /// When it was last in use, by its own clock and to about an hour.
    public let lastSeen: Date?
    /// Whether it was revoked. That cannot be undone.
    public let isRevoked: Bool
    /// Whether it came by the recovery phrase: such a device is senior to all others.
    public let isRecovered: Bool

    init(native: EchoDBNative.DeviceInfo) {
        device = native.device
        name = native.name
        isThisDevice = native.thisDevice
        isConnected = native.connected
        added = native.addedMs.map(Date.init(millisecondsSince1970:))
        lastSeen = native.lastSeenMs.map(Date.init(millisecondsSince1970:))
        isRevoked = native.revoked
        isRecovered = native.recovered
    }
}

extension Client {
    /// Shows a code for a new device of this identity. Enter it on the new device
    /// (``joinDevice(_:timeout:deviceName:)``), then the authorization code, as with an invitation to
    /// a space.
    ///
    /// **Whoever is let in this way is you**: it sees every space and can write, invite and add
    /// devices. The invitation lets in one device and outlives the process like one to a space
    /// (``invitations()``); ``Invitation/wait()`` gives the identity's key.
    /// Throws ``EchoError/Kind/invalidState`` without identity or offline, and
    /// ``EchoError/Kind/permissionDenied`` on a device that was revoked.
    ///
    /// - Parameters:
    ///   - lifetime: How long the code is good, 1 second to 1 day.
    ///   - includeSignaling: Whether the code carries the signalling servers, so that the new device
    ///     needs no setting.
    public func createDeviceInvitation(
        lifetime: Duration = .seconds(3600), includeSignaling: Bool = true
    ) async throws -> Invitation {
        let options = EchoDBNative.InviteOptions(
            expiresS: try lifetime.wholeSeconds(for: "lifetime"),
            includeSignaling: includeSignaling)
        return invitation(
            try await translating { try await native.createDeviceInvitation(options: options) })
    }

    /// Uses a device code on a client without identity: it becomes a device of the identity whose
    /// device shows the code, and gets all of its spaces.
    ///
    /// Throws ``EchoError/Kind/invalidState`` if there is an identity already: nobody can be talked
    /// into linking a device to somebody else. A code of another kind throws
    /// ``EchoError/Kind/invitationRefused``; the rest shows in the invitation.
    ///
    /// - Parameters:
    ///   - code: The ``Invitation/code`` or ``Invitation/url`` that the other device shows.
    ///   - timeout: How long to look for that device, 1 second to 7 days.
    ///   - deviceName: What this device is called, at most 256 characters.
    public func joinDevice(
        _ code: String, timeout: Duration = .seconds(120), deviceName: String? = nil
    ) async throws -> Invitation {
        let options = EchoDBNative.JoinOptions(
            timeoutS: try timeout.wholeSeconds(for: "timeout"), deviceName: deviceName)
        return invitation(
            try await translating { try await native.joinDevice(code: code, options: options) })
    }

    /// The identity's devices, those that act first and the most senior of them in front. Throws
    /// ``EchoError/Kind/invalidState`` without identity.
    public func devices() async throws -> [DeviceInfo] {
        try await translating { try await native.devices() }.map(DeviceInfo.init(native:))
    }

    /// Names a device, for all devices of the identity. Throws ``EchoError/Kind/notFound`` for a
    /// device that is not the identity's.
    public func renameDevice(_ device: String, _ name: String) async throws {
        try await translating { try await native.renameDevice(device: device, name: name) }
    }

    /// Revokes a device for ever: in every space what it writes from now on is refused, content keys
    /// are renewed, and it gets nothing new.
    ///
    /// What it wrote before, as far as it has reached this device, stays. A device may revoke itself
    /// and those that were added after it; one that the recovery phrase brought back may revoke all.
    /// Throws ``EchoError/Kind/permissionDenied`` otherwise, and ``EchoError/Kind/notFound`` for a
    /// device that is not the identity's. Done already: does nothing.
    public func revokeDevice(_ device: String) async throws {
        try await translating { try await native.revokeDevice(device: device) }
    }

    /// Sets the identity's display name, on all its devices and in all its spaces. It proves nothing.
    ///
    /// - Parameter displayName: The name shown to others, at most 256 characters.
    public func setProfile(displayName: String) async throws {
        try await translating { try await native.setProfile(displayName: displayName) }
    }

    /// Lists a space again that was deleted on this device (``deleteSpace(_:)``): what it holds comes
    /// from whoever has it. Throws ``EchoError/Kind/notFound`` if the identity has no such space and
    /// ``EchoError/Kind/alreadyExists`` if it is here.
    public func restoreSpace(_ id: String) async throws {
        try await translating { try await native.restoreSpace(id: id) }
    }
}
