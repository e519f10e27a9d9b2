internal import EchoDBNative

/// What changed about the identity.
public enum IdentityChange: Hashable, Sendable, CaseIterable {
    /// A space that another device made or joined is listed here now; see ``Client/spaces()``.
    case spaces
    /// A device was added, renamed or revoked, or there is a new recovery phrase; see
    /// ``Client/devices()``.
    case devices
    /// The display name was changed on another device; see ``Client/identity``.
    case profile
    /// This device was revoked. Its copy of the data stays; what it would write is refused.
    case revoked

    init(native: EchoDBNative.IdentityChange) {
        switch native {
        case .spaces: self = .spaces
        case .devices: self = .devices
        case .profile: self = .profile
        case .revoked: self = .revoked
        }
    }
}

/// What changes about the identity; made by ``Client/identityChanges()``.
///
/// Each element is the set of what has changed since the one before, however slow the reader. It ends
/// when the loop is left, when the reading task is cancelled, on ``cancel()``, and when the client is
/// shut down. It can be gone through once.
public struct IdentityChanges: AsyncSequence, Sendable {
    private let feed: Feed<Set<IdentityChange>>

    /// What is gone through.
    public typealias Element = Set<IdentityChange>

    init(of client: EchoDBNative.Client, lifeline: Lifeline) {
        let mailbox = Mailbox<Set<IdentityChange>>(limit: 1) { $0.union($1) }
        let listener = IdentityListener { mailbox.put([$0]) }
        let subscription = client.subscribeIdentity(listener: listener)
        feed = Feed(mailbox, subscription, owner: client, lifeline: lifeline)
    }

    /// Ends it at once, from anywhere. May be called again.
    public func cancel() {
        feed.cancel()
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: FeedReader(feed))
    }

    /// Hands out the changes.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let reader: FeedReader<Set<IdentityChange>>

        /// The next changes; `nil` at the end.
        public mutating func next() async -> Set<IdentityChange>? {
            await reader.feed.next()
        }
    }
}

/// Hands changes to a closure, on threads of the library.
final class IdentityListener: EchoDBNative.IdentityListener {
    private let body: @Sendable (IdentityChange) throws -> Void

    init(_ body: @escaping @Sendable (IdentityChange) throws -> Void) {
        self.body = body
    }

    func changed(change: EchoDBNative.IdentityChange) throws {
        try body(IdentityChange(native: change))
    }
}

extension Client {
    /// What changes about the identity from now on.
    public func identityChanges() -> IdentityChanges {
        IdentityChanges(of: native, lifeline: lifeline)
    }

    /// Calls `body` whenever something about the identity changes, on threads of the library, one call
    /// at a time. Several changes of one kind may be told as one. One that throws is logged and kept.
    ///
    /// - Returns: What ends it: keep it as long as the calls are wanted.
    public func subscribeIdentity(
        _ body: @escaping @Sendable (IdentityChange) throws -> Void
    ) -> Subscription {
        Subscription(
            native.subscribeIdentity(listener: IdentityListener(body)), owner: native)
    }
}
