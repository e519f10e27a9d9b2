internal import EchoDBNative
import Foundation

/// What every failed call throws.
///
/// ``description`` says what was wrong with which input and what to do, for people; ``kind`` and
/// ``status`` are for programs:
///
/// ```swift
/// do {
///     client = try await Client.open(profile: folder)
/// } catch let error as EchoError where error.status == .profileLocked {
///     print("another program has it open")
/// }
/// ```
///
/// Waiting calls, which say so, throw `CancellationError` too.
public struct EchoError: Error, Hashable, Sendable {
    /// What happened, coarsely: what most programs tell apart.
    public enum Kind: Hashable, Sendable, CaseIterable {
        /// An argument is malformed, out of range, not allowed here, or against a schema.
        case invalidArgument
        /// The named thing does not exist.
        case notFound
        /// What was to be created exists already.
        case alreadyExists
        /// The call does not fit the present state: of an object that has changed, too, or of a
        /// profile that another client holds.
        case invalidState
        /// The disk refused, or stored bytes are damaged or of a newer version.
        case storage
        /// A server or peer could not be reached, or broke the protocol.
        case network
        /// The identity lacks the role that this needs.
        case permissionDenied
        /// A documented limit would be exceeded.
        case limitExceeded
        /// One of the sides cancelled the operation.
        case cancelled
        /// The operation ran out of time.
        case timedOut
        /// An invitation code is wrong, was used up, or has expired.
        case invitationRefused
        /// A credential or a presentation does not verify; the status says what is wrong with it.
        case credentialRefused
        /// A callback failed, or a defect of the library was contained.
        case unexpected
    }

    /// The status numbers of the C ABI: finer than ``Kind``, and never renumbered. A newer library
    /// may have more of them than there are names here.
    public struct Status: RawRepresentable, Hashable, Sendable {
        /// The number.
        public let rawValue: Int32

        /// A status by its number.
        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// An argument is malformed, out of range, or not allowed here.
        public static let invalidArgument = Status(rawValue: 1)
        /// The named thing does not exist.
        public static let notFound = Status(rawValue: 2)
        /// What was to be created exists already.
        public static let alreadyExists = Status(rawValue: 3)
        /// The call does not fit the present state.
        public static let invalidState = Status(rawValue: 4)
        /// Another client, in this process or another, has the profile open.
        public static let profileLocked = Status(rawValue: 5)
        /// Stored bytes are damaged; they were left untouched.
        public static let corrupt = Status(rawValue: 6)
        /// Stored or received bytes are of a newer version.
        public static let unsupportedVersion = Status(rawValue: 7)
        /// The disk refused.
        public static let storage = Status(rawValue: 8)
        /// A server or peer could not be reached.
        public static let network = Status(rawValue: 9)
        /// A server or peer broke the protocol.
        public static let `protocol` = Status(rawValue: 10)
        /// The identity lacks the role that this needs.
        public static let permissionDenied = Status(rawValue: 11)
        /// A documented limit would be exceeded.
        public static let limitExceeded = Status(rawValue: 12)
        /// One of the sides cancelled the operation.
        public static let cancelled = Status(rawValue: 13)
        /// The operation ran out of time.
        public static let timedOut = Status(rawValue: 14)
        /// An invitation code is wrong, was used up, or has expired.
        public static let invitationRefused = Status(rawValue: 15)
        /// A callback failed.
        public static let callback = Status(rawValue: 16)
        /// A defect of the library was contained.
        public static let `internal` = Status(rawValue: 17)
        /// An object is not at the version that the transaction was made for.
        public static let conflict = Status(rawValue: 18)
        /// A value does not fit the schema of its object's type.
        public static let schemaViolation = Status(rawValue: 19)
        /// This is not the profile's passphrase.
        public static let wrongPassphrase = Status(rawValue: 20)
        /// The profile's files are encrypted, and their key cannot be had.
        public static let keyUnavailable = Status(rawValue: 21)
        /// A presentation answers another nonce.
        public static let wrongNonce = Status(rawValue: 22)
        /// A presentation is meant for another audience.
        public static let wrongAudience = Status(rawValue: 23)
        /// A credential or presentation was changed, or not signed by whom it names.
        public static let badSignature = Status(rawValue: 24)
        /// Nothing certifies that a device acts for its identity.
        public static let notCertified = Status(rawValue: 25)
        /// A credential's time is over.
        public static let expired = Status(rawValue: 26)
        /// The entries that a membership shows do not lead to its role.
        public static let chainBroken = Status(rawValue: 27)
        /// A space that is open here knows the device as revoked, or the role as not held
        /// any more.
        public static let revoked = Status(rawValue: 28)
    }

    /// What happened, coarsely.
    public let kind: Kind
    /// What happened, finely.
    public let status: Status
    /// Whether the same call may succeed later without being changed.
    public let isRetryable: Bool
    /// What was wrong with which input, and what to do.
    public let detail: String

    init(_ kind: Kind, _ status: Status, _ detail: String, isRetryable: Bool = false) {
        self.kind = kind
        self.status = status
        self.detail = detail
        self.isRetryable = isRetryable
    }

    static func invalidArgument(_ detail: String) -> EchoError {
        EchoError(.invalidArgument, .invalidArgument, detail)
    }

    static func invalidState(_ detail: String) -> EchoError {
        EchoError(.invalidState, .invalidState, detail)
    }

    static func limitExceeded(_ detail: String) -> EchoError {
        EchoError(.limitExceeded, .limitExceeded, detail)
    }

    static func unexpected(_ detail: String) -> EchoError {
        EchoError(.unexpected, .internal, detail)
    }
}

extension EchoError: CustomStringConvertible, LocalizedError {
    /// What was wrong with which input, and what to do.
    public var description: String { detail }

    /// What was wrong with which input, and what to do.
    public var errorDescription: String? { detail }
}

extension EchoError {
    /// The public form of whatever the generated module throws.
    init(native error: any Error) {
        guard let error = error as? EchoDBNative.EchoError else {
            self = error as? EchoError ?? .unexpected(String(describing: error))
            return
        }
        let (kind, status, detail, isRetryable) = Self.parts(of: error)
        self.init(kind, Status(rawValue: status), detail, isRetryable: isRetryable)
    }

    private static func parts(of error: EchoDBNative.EchoError) -> (Kind, Int32, String, Bool) {
        switch error {
        case .InvalidArgument(let status, let detail, let retryable):
            return (.invalidArgument, status, detail, retryable)
        case .NotFound(let status, let detail, let retryable):
            return (.notFound, status, detail, retryable)
        case .AlreadyExists(let status, let detail, let retryable):
            return (.alreadyExists, status, detail, retryable)
        case .InvalidState(let status, let detail, let retryable):
            return (.invalidState, status, detail, retryable)
        case .Storage(let status, let detail, let retryable):
            return (.storage, status, detail, retryable)
        case .Network(let status, let detail, let retryable):
            return (.network, status, detail, retryable)
        case .PermissionDenied(let status, let detail, let retryable):
            return (.permissionDenied, status, detail, retryable)
        case .LimitExceeded(let status, let detail, let retryable):
            return (.limitExceeded, status, detail, retryable)
        case .Cancelled(let status, let detail, let retryable):
            return (.cancelled, status, detail, retryable)
        case .TimedOut(let status, let detail, let retryable):
            return (.timedOut, status, detail, retryable)
        case .InvitationRefused(let status, let detail, let retryable):
            return (.invitationRefused, status, detail, retryable)
        case .CredentialRefused(let status, let detail, let retryable):
            return (.credentialRefused, status, detail, retryable)
        case .Unexpected(let status, let detail, let retryable):
            return (.unexpected, status, detail, retryable)
        }
    }
}

/// Makes a call into the generated module; what it throws becomes an ``EchoError``.
func translating<T: Sendable>(_ call: () throws -> T) throws -> T {
    do {
        return try call()
    } catch {
        throw EchoError(native: error)
    }
}

/// As the other `translating`, for a call that suspends.
func translating<T: Sendable>(_ call: () async throws -> T) async throws -> T {
    do {
        return try await call()
    } catch {
        throw EchoError(native: error)
    }
}
