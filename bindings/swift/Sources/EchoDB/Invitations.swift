internal import EchoDBNative
import Foundation

/// How an invitation is hosted and used.
public enum InvitationType: Hashable, Sendable, CaseIterable {
    /// This client lets in one guest, who enters an authorization code.
    case interactive
    /// This client lets in several guests, each with an authorization code of its own.
    case multiUse
    /// Any member who is online lets in whoever has the code.
    case delegated

    init(native: EchoDBNative.InvitationType) {
        switch native {
        case .interactive: self = .interactive
        case .multiUse: self = .multiUse
        case .delegated: self = .delegated
        }
    }
}

/// What an invitation leads to.
public enum InvitationKind: Hashable, Sendable, CaseIterable {
    /// Membership of a space.
    case space
    /// A further device of the identity.
    case device

    init(native: EchoDBNative.InvitationKind) {
        switch native {
        case .space: self = .space
        case .device: self = .device
        }
    }
}

/// One line of the list of invitations.
public struct InvitationInfo: Hashable, Sendable, Identifiable {
    /// Names it, for ``Client/cancelInvitation(_:)`` and ``Client/invitation(_:)``: 32 hexadecimal
    /// digits.
    public let id: String
    /// The space; `nil` on the side of a guest who does not know it yet.
    public let space: String?
    /// What it leads to.
    public let kind: InvitationKind
    /// How it is hosted and used.
    public let invitationType: InvitationType
    /// Whether we are the guest.
    public let isJoining: Bool
    /// The role that guests get, at most; `nil` on the guest's side.
    public let role: String?
    /// When it was made; `nil` if another device made it.
    public let created: Date?
    /// When it ends; on the guest's side, when it is given up.
    public let expires: Date
    /// How many guests it may let in; `nil`: any number.
    public let maxUses: Int?
    /// How many it let in, as far as is known here.
    public let uses: Int
    /// Where it stands; ``InvitationState/initial`` while it does not run: the client is offline, or
    /// its space closed.
    public let state: InvitationState
    /// The code, if its secret is here.
    public let code: String?
    /// The code as a link, likewise.
    public let url: String?

    init(native: EchoDBNative.InvitationInfo) {
        id = native.id
        space = native.space
        kind = InvitationKind(native: native.kind)
        invitationType = InvitationType(native: native.invitationType)
        isJoining = native.joining
        role = native.role
        created = native.createdMs == 0 ? nil : Date(
                millisecondsSince1970: Int64(clamping: native.createdMs))
        expires = Date(millisecondsSince1970: Int64(clamping: native.expiresMs))
        maxUses = native.maxUses.map { Int($0) }
        uses = Int(native.uses)
        state = InvitationState(native: native.state)
        code = native.code
        url = native.url
    }
}

/// One guest at a host's door.
public struct GuestUpdate: Hashable, Sendable {
    /// Tells the guests of one invitation apart; rises with each.
    public let number: Int
    /// How far it has come.
    public let state: InvitationState
    /// Its display name, once it has given one; not proven.
    public let name: String?
    /// The authorization code for this guest, six digits, while it is good.
    public let authCode: String?
    /// As ``InvitationUpdate/fingerprint``.
    public let fingerprint: String?

    init(native: EchoDBNative.GuestUpdate) {
        number = Int(native.number)
        state = InvitationState(native: native.state)
        name = native.name
        authCode = native.authCode
        fingerprint = native.fingerprint
    }
}

/// A QR code as its modules.
public struct QrModules: Hashable, Sendable {
    /// Modules of one side, 21 to 177.
    public let width: Int
    /// ``width`` times ``width`` bytes, row by row from the top left: 1 dark, 0 light. A picture needs
    /// four light modules on each side around them.
    public let modules: Data

    init(native: EchoDBNative.QrModules) {
        width = Int(native.width)
        modules = native.modules
    }
}

extension Client {
    /// The invitations that are open: those of this profile, as host and as guest, in the order in
    /// which they were made, then those that other members have open in the spaces that are open here.
    ///
    /// They are kept over a restart, and run whenever the client is online and their space is open.
    public func invitations() async throws -> [InvitationInfo] {
        try await translating { try await native.invitations() }
            .map(InvitationInfo.init(native:))
    }

    /// A handle on a running invitation of this profile, as after a restart.
    ///
    /// Throws ``EchoError/Kind/invalidArgument`` if `id` is malformed, ``EchoError/Kind/notFound`` if
    /// there is no such invitation, and ``EchoError/Kind/invalidState`` while it does not run because
    /// the client is offline or the space closed.
    public func invitation(_ id: String) async throws -> Invitation {
        invitation(try await translating { try await native.invitation(id: id) })
    }

    /// Ends an invitation for everybody: nobody comes in through it any more, and its code is worth
    /// nothing. On the guest's side it ends the attempt to join.
    ///
    /// An admin or owner may end those of other members too. Throws
    /// ``EchoError/Kind/invalidArgument`` if `id` is malformed, ``EchoError/Kind/notFound`` if there
    /// is no such invitation, and ``EchoError/Kind/permissionDenied`` if it is somebody else's and
    /// gives a role that is not below ours.
    public func cancelInvitation(_ id: String) async throws {
        try await translating { try await native.cancelInvitation(id: id) }
    }
}

extension Invitation {
    /// Names it: 32 hexadecimal digits, as in the list of invitations.
    public var id: String {
        native.id()
    }

    /// The URL as an SVG picture of a QR code, with a quiet zone of four modules, black on white; it
    /// scales to any size.
    public func qrSvg() throws -> String {
        try translating { try native.qrSvg() }
    }

    /// The URL as the modules of a QR code, without a quiet zone, row by row from the top left.
    public func qrModules() throws -> QrModules {
        QrModules(native: try translating { try native.qrModules() })
    }
}
