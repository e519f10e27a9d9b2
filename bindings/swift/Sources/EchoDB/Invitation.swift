internal import EchoDBNative

/// Where an invitation stands.
public enum InvitationState: Hashable, Sendable, CaseIterable {
    /// Made, not yet looking for the other side.
    case initial
    /// Waiting for the other side, or reaching it.
    case connecting
    /// The other side is there and the channel is encrypted, but not yet trusted.
    case connected
    /// The host shows the authorization code; the guest is to enter it.
    case readyForAuthentication
    /// The code is being checked.
    case authenticating
    /// Done: the guest is a member.
    case success
    /// One side cancelled.
    case cancelled
    /// The other side took too long.
    case timeout
    /// It failed; see the update's error.
    case error
    /// The invitation's time is over, or its codes are used up.
    case expired

    /// Whether nothing more will happen.
    public var isFinal: Bool {
        switch self {
        case .success, .cancelled, .timeout, .error, .expired: true
        default: false
        }
    }

    init(native: EchoDBNative.InvitationState) {
        switch native {
        case .`init`: self = .initial
        case .connecting: self = .connecting
        case .connected: self = .connected
        case .readyForAuthentication: self = .readyForAuthentication
        case .authenticating: self = .authenticating
        case .success: self = .success
        case .cancelled: self = .cancelled
        case .timeout: self = .timeout
        case .error: self = .error
        case .expired: self = .expired
        }
    }
}

/// An invitation at one moment.
public struct InvitationUpdate: Hashable, Sendable {
    /// Where it stands.
    public let state: InvitationState
    /// The host's authorization code, six digits, while it is good.
    public let authCode: String?
    /// Authorization codes left before the invitation is closed. After each guest that was let in
    /// they are three again.
    public let attemptsLeft: Int
    /// The other side's display name, once it has given one; not proven before success.
    public let peerName: String?
    /// Four English words, the same on both screens unless somebody sits in between; once the
    /// authorization code is entered, right or wrong, and on from there. `nil` for delegated
    /// invitations, where no two people look at screens.
    public let fingerprint: String?
    /// The host's guests at this moment, at most three; the other properties show the one that has
    /// come farthest.
    public let guests: [GuestUpdate]
    /// How many guests were let in so far.
    public let uses: Int
    /// The space's id, once it is known; the identity's key, if a device is being added.
    public let space: String?
    /// The status of the failure, if something failed.
    public let status: EchoError.Status?
    /// What failed, if something did.
    public let error: String?

    init(native: EchoDBNative.InvitationUpdate) {
        state = InvitationState(native: native.state)
        authCode = native.authCode
        attemptsLeft = Int(native.attemptsLeft)
        peerName = native.peerName
        fingerprint = native.fingerprint
        guests = native.guests.map(GuestUpdate.init(native:))
        uses = Int(native.uses)
        space = native.space
        status = native.status == 0 ? nil : EchoError.Status(rawValue: native.status)
        error = native.error
    }
}

/// Either side of an invitation in progress: one side shows a code, the other enters it, and a
/// second, short code passes between the people.
///
/// It goes on until it has ended, is cancelled, or its client ends, whether or not anything refers
/// to it. Waiting calls throw `CancellationError` in a task that is cancelled, and leave the
/// invitation as it is.
public final class Invitation: Sendable {
    let native: EchoDBNative.Invitation
    private let owner: any Sendable
    private let lifeline: Lifeline

    init(native: EchoDBNative.Invitation, owner: any Sendable, lifeline: Lifeline) {
        self.native = native
        self.owner = owner
        self.lifeline = lifeline
    }

    /// The code to hand over, as text.
    public var code: String {
        native.code()
    }

    /// The code as a URL, `echodb://join/…`, for links and QR codes.
    public var url: String {
        native.url()
    }

    /// Where it stands, in full.
    public var update: InvitationUpdate {
        InvitationUpdate(native: native.update())
    }

    /// Where it stands.
    public var state: InvitationState {
        update.state
    }

    /// The six digits that the host tells the guest; `nil` while there are none.
    public var authCode: String? {
        update.authCode
    }

    /// What happens, the present update first. It ends after a final state, and when the client is
    /// shut down; each loop over it begins anew.
    public var updates: InvitationUpdates {
        InvitationUpdates(native: native, owner: owner, lifeline: lifeline)
    }

    /// Calls `body` with the present update and then with every further one, on threads of the
    /// library, one at a time. One that throws is logged and kept.
    public func subscribe(
        _ body: @escaping @Sendable (InvitationUpdate) throws -> Void
    ) -> Subscription {
        Subscription(native.subscribe(listener: InvitationListener(body)), owner: owner)
    }

    /// Waits for a state: a guest for ``InvitationState/readyForAuthentication``, say, to ask for
    /// the code. Throws what ended the invitation otherwise.
    @discardableResult
    public func wait(for state: InvitationState) async throws -> InvitationUpdate {
        try await first { $0.state == state }
    }

    /// Waits on the host's side for the guest, and returns the six digits to tell them. Throws what
    /// ended the invitation otherwise.
    public func waitForAuthCode() async throws -> String {
        try await first { $0.authCode != nil }.authCode ?? ""
    }

    /// Enters the authorization code on the guest's side; spaces and dashes are ignored.
    ///
    /// Throws ``EchoError/Kind/invalidArgument`` if it is not six digits and
    /// ``EchoError/Kind/invalidState`` if none is asked for; whether it is right shows in the
    /// updates.
    public func authenticate(_ authCode: String) throws {
        try translating { try native.authenticate(authCode: authCode) }
    }

    /// Waits for the end and returns the space's id, or the identity's key if a device was added;
    /// throws what ended it otherwise.
    @discardableResult
    public func wait() async throws -> String {
        for await update in updates where update.state.isFinal {
            break
        }
        try Task.checkCancellation()
        return try await outcome()
    }

    /// Cancels; the other side learns. Does nothing after the end.
    public func cancel() {
        native.cancel()
    }

    private func first(
        where test: @Sendable (InvitationUpdate) -> Bool
    ) async throws -> InvitationUpdate {
        for await update in updates where test(update) {
            return update
        }
        try Task.checkCancellation()
        _ = try await outcome()
        throw EchoError.invalidState("the invitation has succeeded already")
    }

    /// What came of an invitation that nothing more is heard of.
    private func outcome() async throws -> String {
        guard state.isFinal else {
            throw EchoError.invalidState("the client was shut down during the invitation")
        }
        return try await translating { try await native.wait() }
    }
}

/// The updates of an invitation; see ``Invitation/updates``.
public struct InvitationUpdates: AsyncSequence, Sendable {
    /// More than any invitation goes through.
    private static let limit = 64

    fileprivate let native: EchoDBNative.Invitation
    fileprivate let owner: any Sendable
    fileprivate let lifeline: Lifeline

    /// What is gone through.
    public typealias Element = InvitationUpdate

    init(native: EchoDBNative.Invitation, owner: any Sendable, lifeline: Lifeline) {
        self.native = native
        self.owner = owner
        self.lifeline = lifeline
    }

    /// Begins with the present update.
    public func makeAsyncIterator() -> Iterator {
        let mailbox = Mailbox<InvitationUpdate>(limit: Self.limit) { _, latter in latter }
        let listener = InvitationListener { mailbox.put($0) }
        let subscription = native.subscribe(listener: listener)
        return Iterator(
            feed: Feed(mailbox, subscription, owner: owner, lifeline: lifeline))
    }

    /// Hands out the updates.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let feed: Feed<InvitationUpdate>

        /// The next update; `nil` at the end.
        public mutating func next() async -> InvitationUpdate? {
            let update = await feed.next()
            if update?.state.isFinal == true {
                feed.end()
            }
            return update
        }
    }
}

/// Hands updates to a closure, on threads of the library.
final class InvitationListener: EchoDBNative.InvitationListener {
    private let body: @Sendable (InvitationUpdate) throws -> Void

    init(_ body: @escaping @Sendable (InvitationUpdate) throws -> Void) {
        self.body = body
    }

    func updated(update: EchoDBNative.InvitationUpdate) throws {
        try body(InvitationUpdate(native: update))
    }
}
