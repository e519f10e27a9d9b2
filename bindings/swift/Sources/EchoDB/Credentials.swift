internal import EchoDBNative
import Foundation

/// What a credential says.
public enum CredentialKind: Hashable, Sendable, CaseIterable {
    /// A device acts for an identity, which goes by a name.
    case identity
    /// An identity has a role in a space.
    case membership
    /// An identity says something of another, or of itself.
    case statement
}

/// An entry that a membership rests on.
public struct CredentialStep: Hashable, Sendable {
    /// The id of the control entry.
    public let entry: String
    /// The identity that wrote it.
    public let by: String
    /// What it did, as an English sentence for people.
    public let text: String
}

/// A credential whose signatures verify.
public struct CredentialInfo: Hashable, Sendable {
    /// What the client that holds it exports and presents it by: `identity`, the space's id for a
    /// membership, and a hash for a statement.
    public let id: String
    /// What it says.
    public let kind: CredentialKind
    /// The identity that it is about, and which alone can present it.
    public let subject: String
    /// The name which that gave itself; empty in a statement. It proves nothing.
    public let subjectName: String
    /// Whose word it is: of an identity its own, of a role whoever gave it, of a statement whoever
    /// made it.
    public let issuer: String
    /// The name which that gave itself; empty in a statement. It proves nothing.
    public let issuerName: String
    /// The device that signed it; `nil` for a membership, whose entries are signed one by one.
    public let device: String?
    /// What that device is called.
    public let deviceName: String?
    /// The space of a membership.
    public let space: String?
    /// The role of a membership.
    public let role: String?
    /// The type of a statement, a name that its issuer and its readers agree on.
    public let type: String?
    /// What a statement claims, a JSON object as text.
    public let claims: String?
    /// When it was made, by the clock of the device that signed it.
    public let issued: Date?
    /// Until when a statement holds; `nil`: without end.
    public let expires: Date?
    /// The entries that a membership rests on, from the creation of the space to the role.
    public let steps: [CredentialStep]
    /// Whether a space that is open here knows the subject, or a statement's issuer, and contradicts
    /// nothing. Without that, what was revoked or taken away since is unknown.
    public let isCheckedAgainstSpace: Bool

    init(native: EchoDBNative.CredentialInfo) {
        id = native.id
        switch native.kind {
        case .identity: kind = .identity
        case .membership: kind = .membership
        case .statement: kind = .statement
        }
        subject = native.subject
        subjectName = native.subjectName
        issuer = native.issuer
        issuerName = native.issuerName
        device = native.device
        deviceName = native.deviceName
        space = native.space
        role = native.role
        type = native.typeName
        claims = native.claims
        issued = native.issuedMs.map(Date.init(millisecondsSince1970:))
        expires = native.expiresMs.map(Date.init(millisecondsSince1970:))
        steps = native.steps.map { CredentialStep(entry: $0.entry, by: $0.by, text: $0.text) }
        isCheckedAgainstSpace = native.checkedAgainstSpace
    }
}

/// A presentation that answers the verifier's nonce and is meant for it.
public struct VerifiedPresentation: Hashable, Sendable {
    /// The identity that presents.
    public let identity: String
    /// The name that it gives itself. It proves nothing.
    public let name: String
    /// Its device that presents.
    public let device: String
    /// What that device is called.
    public let deviceName: String
    /// When, by that device's clock.
    public let presented: Date
    /// What is shown; all of it is about the identity that presents.
    public let credentials: [CredentialInfo]
    /// Whether a space that is open here knows the identity, and does not know the device as revoked.
    public let isDeviceChecked: Bool

    init(native: EchoDBNative.VerifiedPresentation) {
        identity = native.identity
        name = native.name
        device = native.device
        deviceName = native.deviceName
        presented = Date(millisecondsSince1970: native.presentedMs)
        credentials = native.credentials.map(CredentialInfo.init(native:))
        isDeviceChecked = native.deviceChecked
    }
}

/// Reads a credential, as bytes or as the UTF-8 of its text, and verifies it, with nothing else: no
/// client, no network.
///
/// It cannot tell what happened after the credential was made: whether the device was revoked, or the
/// role taken. And a credential that was copied proves nothing of who shows it; that takes a
/// presentation.
///
/// Throws ``EchoError/Kind/invalidArgument`` for what is no credential, ``EchoError/Kind/storage`` for
/// one of a newer version, and ``EchoError/Kind/credentialRefused`` with the status
/// ``EchoError/Status/notCertified``, ``EchoError/Status/badSignature``,
/// ``EchoError/Status/chainBroken`` or ``EchoError/Status/expired``.
///
/// - Parameter now: The moment at which it is to hold; `nil` is the present.
public func readCredential(_ credential: Data, at now: Date? = nil) async throws -> CredentialInfo {
    let moment = try now?.millisecondsSince1970()
    return CredentialInfo(
        native: try await translating {
            try await EchoDBNative.readCredential(credential: credential, nowMs: moment)
        })
}

/// Verifies a presentation, as bytes or as the UTF-8 of its text, with nothing else: no client, no
/// network.
///
/// Throws as ``readCredential(_:at:)`` does, and ``EchoError/Kind/credentialRefused`` with the status
/// ``EchoError/Status/wrongNonce`` or ``EchoError/Status/wrongAudience``.
///
/// - Parameters:
///   - nonce: What the verifier asked with. Use every nonce once.
///   - audience: The name by which it asked.
///   - now: The moment at which it is to hold; `nil` is the present.
public func verifyPresentation(
    _ presentation: Data, nonce: Data, audience: String, at now: Date? = nil
) async throws -> VerifiedPresentation {
    let moment = try now?.millisecondsSince1970()
    return VerifiedPresentation(
        native: try await translating {
            try await EchoDBNative.verifyPresentation(
                presentation: presentation, nonce: nonce, audience: audience, nowMs: moment)
        })
}

/// The text of a credential or a presentation, for whatever carries no bytes. Throws
/// ``EchoError/Kind/invalidArgument`` for anything else.
public func credentialCode(_ bytes: Data) throws -> String {
    try translating { try EchoDBNative.credentialCode(bytes: bytes) }
}

extension Client {
    /// What the identity can show: its own card first, then its role in each space, then the
    /// statements about it and those that it issued. Closed spaces are read for as long as it takes.
    public func credentials() async throws -> [CredentialInfo] {
        try await translating { try await native.credentials() }.map(CredentialInfo.init(native:))
    }

    /// A credential as bytes, which anybody can verify with ``readCredential(_:at:)``;
    /// ``credentialCode(_:)`` makes text of them.
    ///
    /// A membership shows who created the space, and who let whom in up to this identity, with names
    /// and keys, and nobody else. Throws ``EchoError/Kind/notFound`` for an id that is not in
    /// ``credentials()``.
    public func exportCredential(_ id: String) async throws -> Data {
        try await translating { try await native.exportCredential(id: id) }
    }

    /// Presents credentials about this identity to one audience, in answer to its nonce. Without
    /// credentials it shows which identity and device are here.
    ///
    /// Throws ``EchoError/Kind/notFound``, ``EchoError/Kind/credentialRefused`` for what is expired,
    /// ``EchoError/Kind/invalidArgument`` for what is about somebody else, and
    /// ``EchoError/Kind/permissionDenied`` on a device that was revoked.
    ///
    /// - Parameters:
    ///   - credentials: Their ids, at most 16.
    ///   - nonce: 16 to 64 random bytes that the verifier made and uses once.
    ///   - audience: A name of the verifier that both sides know, up to 256 characters.
    public func presentCredentials(
        _ credentials: [String], nonce: Data, audience: String
    ) async throws -> Data {
        try await translating {
            try await native.presentCredentials(
                credentials: credentials, nonce: nonce, audience: audience)
        }
    }

    /// As the function of that name, and compares with what the spaces that are open here know:
    /// throws ``EchoError/Kind/credentialRefused`` with ``EchoError/Status/revoked`` when one knows
    /// that the presenting or a signing device was revoked, or that the role shown is not held any
    /// more.
    public func verifyPresentation(
        _ presentation: Data, nonce: Data, audience: String, at now: Date? = nil
    ) async throws -> VerifiedPresentation {
        let moment = try now?.millisecondsSince1970()
        return VerifiedPresentation(
            native: try await translating {
                try await native.verifyPresentation(
                    presentation: presentation, nonce: nonce, audience: audience, nowMs: moment)
            })
    }

    /// Says something of an identity, or of one's own. It is kept for all devices of this identity;
    /// export it, and have its subject import it.
    ///
    /// - Parameters:
    ///   - subject: The identity.
    ///   - type: A name that those who read it agree on, 1 to 256 characters.
    ///   - claims: A JSON object of at most 16 KiB whose numbers are 64-bit integers.
    ///   - expires: Until when it holds; `nil`: without end.
    public func issueCredential(
        about subject: String, type: String, claims: String, expires: Date? = nil
    ) async throws -> CredentialInfo {
        let moment = try expires?.millisecondsSince1970()
        return CredentialInfo(
            native: try await translating {
                try await native.issueCredential(
                    subject: subject, typeName: type, claims: claims, expiresMs: moment)
            })
    }

    /// Keeps a statement about this identity, for all of its devices. Throws as
    /// ``readCredential(_:at:)`` does, and ``EchoError/Kind/invalidArgument`` for what is not about
    /// this identity and not by it.
    public func importCredential(_ credential: Data) async throws -> CredentialInfo {
        CredentialInfo(
            native: try await translating {
                try await native.importCredential(credential: credential)
            })
    }

    /// Forgets a statement, on all devices of this identity. That does not take it back: whoever has
    /// it can still show it. Throws ``EchoError/Kind/notFound``.
    public func removeCredential(_ id: String) async throws {
        try await translating { try await native.removeCredential(id: id) }
    }
}
