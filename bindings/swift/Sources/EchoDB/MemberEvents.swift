internal import EchoDBNative

/// What became of a member.
public enum MemberEventKind: Hashable, Sendable, CaseIterable {
    /// It joined, or joined again.
    case joined
    /// Its role is another one.
    case roleChanged
    /// Somebody else ended its role.
    case removed
    /// It ended its role itself.
    case left
    /// It has a role again because the removal that had ended it counts no longer: whoever removed it
    /// was removed at the same time, by somebody who stands higher. Remove it again if that is not
    /// wanted.
    case back
    /// It has a further device.
    case deviceAdded
    /// A device of it does not count any more.
    case deviceRevoked
    /// It is the space's top owner now, whom nobody can remove.
    case handedOver
    /// The reader was so slow that events before this one were dropped: list the members again. The
    /// identity and its name are empty.
    case missed

    init(native: EchoDBNative.MemberEventKind) {
        switch native {
        case .joined: self = .joined
        case .roleChanged: self = .roleChanged
        case .removed: self = .removed
        case .left: self = .left
        case .back: self = .back
        case .deviceAdded: self = .deviceAdded
        case .deviceRevoked: self = .deviceRevoked
        case .handedOver: self = .handedOver
        case .missed: self = .missed
        }
    }
}

/// A change of a space's members.
public struct MemberEvent: Hashable, Sendable {
    /// The space's id.
    public let space: String
    /// What happened.
    public let kind: MemberEventKind
    /// To whom: an identity's key. It may be this client's own identity.
    public let identity: String
    /// The name it gave itself.
    public let displayName: String
    /// The role it has now; `nil` for one who is no member.
    public let role: String?
    /// The role it had before; `nil` for one who was no member.
    public let previousRole: String?
    /// The device's key, of events about a device.
    public let device: String?
    /// The identity that did it; of ``MemberEventKind/back`` the one whose removal counts no longer.
    /// For display: several may have done the same at the same time.
    public let by: String?
    /// The name that one gave itself.
    public let byName: String?
    /// All of this as a sentence in English, for logs.
    public let text: String

    init(native: EchoDBNative.MemberEvent) {
        space = native.space
        kind = MemberEventKind(native: native.kind)
        identity = native.identity
        displayName = native.displayName
        role = native.role
        previousRole = native.previousRole
        device = native.device
        by = native.by
        byName = native.byName
        text = native.text
    }

    /// What stands for an event and the one after it, which are dropped.
    init(missedFrom old: MemberEvent) {
        space = old.space
        kind = .missed
        identity = ""
        displayName = ""
        role = nil
        previousRole = nil
        device = nil
        by = nil
        byName = nil
        text = "some events were missed: list the members again"
    }
}

/// What becomes of the members of a space; made by ``Space/memberEvents()``.
///
/// ```swift
/// for await event in try await space.memberEvents() {
///     print(event.text)
/// }
/// ```
///
/// It holds everything since it was made. Of a reader who leaves thousands of events waiting the newest
/// are dropped, and a last one, ``MemberEventKind/missed``, says so. It ends when the loop is left, when the reading task is cancelled, on
/// ``cancel()``, and when the client is shut down. It can be gone through once.
public struct MemberEvents: AsyncSequence, Sendable {
    /// More than a reader who reads leaves waiting: a space has at most 200 members.
    private static let limit = 4096

    private let feed: Feed<MemberEvent>

    /// What is gone through.
    public typealias Element = MemberEvent

    init(of space: EchoDBNative.Space, lifeline: Lifeline) async throws {
        let mailbox = Mailbox<MemberEvent>(limit: Self.limit) { former, _ in MemberEvent(missedFrom: former) }
        let listener = MemberListener { mailbox.put($0) }
        let subscription = try await translating {
            try await space.subscribeMembers(listener: listener)
        }
        feed = Feed(mailbox, subscription, owner: space, lifeline: lifeline)
    }

    /// Ends it at once, from anywhere. May be called again.
    public func cancel() {
        feed.cancel()
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: FeedReader(feed))
    }

    /// Hands out the events.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let reader: FeedReader<MemberEvent>

        /// The next event; `nil` at the end.
        public mutating func next() async -> MemberEvent? {
            await reader.feed.next()
        }
    }
}

/// Hands events to a closure, on threads of the library.
final class MemberListener: EchoDBNative.MemberListener {
    private let body: @Sendable (MemberEvent) throws -> Void

    init(_ body: @escaping @Sendable (MemberEvent) throws -> Void) {
        self.body = body
    }

    func changed(event: EchoDBNative.MemberEvent) throws {
        try body(MemberEvent(native: event))
    }
}

extension Space {
    /// What becomes of members from the moment on at which this returns, wherever it was done.
    public func memberEvents() async throws -> MemberEvents {
        try await MemberEvents(of: native, lifeline: lifeline)
    }

    /// Calls `body` for everything that becomes of members from now on, wherever it was done.
    ///
    /// It runs on threads of the library, one call at a time for each subscription, with no lock
    /// held. One that throws is logged and kept.
    ///
    /// - Returns: What ends it: keep it as long as the calls are wanted.
    public func subscribeMembers(
        _ body: @escaping @Sendable (MemberEvent) throws -> Void
    ) async throws -> Subscription {
        let listener = MemberListener(body)
        let subscription = try await translating {
            try await native.subscribeMembers(listener: listener)
        }
        return Subscription(subscription, owner: native)
    }
}
