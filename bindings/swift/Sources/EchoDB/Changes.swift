internal import EchoDBNative

/// What happened to an object.
public enum ChangeKind: Hashable, Sendable, CaseIterable {
    /// It is new, or matches the filter now and did not before.
    case added
    /// It changed.
    case updated
    /// It was deleted, or no longer matches the filter.
    case removed

    init(native: EchoDBNative.ChangeKind) {
        switch native {
        case .added: self = .added
        case .updated: self = .updated
        case .removed: self = .removed
        }
    }
}

/// Who changed it.
public enum ChangeOrigin: Hashable, Sendable, CaseIterable {
    /// This client.
    case local
    /// A peer.
    case remote

    init(native: EchoDBNative.ChangeOrigin) {
        switch native {
        case .local: self = .local
        case .remote: self = .remote
        }
    }
}

/// One changed object.
public struct Change: Hashable, Sendable, Identifiable {
    /// The object's id.
    public let id: String
    /// Its type name, if any.
    public let type: String?
    /// What happened.
    public let kind: ChangeKind
    /// Who did it; when several changes were gathered, the last.
    public let origin: ChangeOrigin
}

/// The changes since the last delivery; never names an object twice.
public struct ChangeBatch: Hashable, Sendable {
    /// The space's id.
    public let space: String
    /// The objects, in id order.
    public let changes: [Change]
}

extension ChangeBatch {
    init(native: EchoDBNative.ChangeBatch) {
        space = native.space
        changes = native.changes.map {
            Change(
                id: $0.id, type: $0.typeName, kind: ChangeKind(native: $0.kind),
                origin: ChangeOrigin(native: $0.origin))
        }
    }

    /// Two batches as one: what a reader sees who missed the state between them.
    func gathered(with later: ChangeBatch) -> ChangeBatch {
        var gathered = Dictionary(uniqueKeysWithValues: changes.map { ($0.id, $0) })
        for change in later.changes {
            guard let before = gathered[change.id] else {
                gathered[change.id] = change
                continue
            }
            gathered[change.id] = before.kind.gathered(with: change.kind).map {
                Change(id: change.id, type: change.type, kind: $0, origin: change.origin)
            }
        }
        return ChangeBatch(
            space: later.space, changes: gathered.values.sorted { $0.id < $1.id })
    }
}

extension ChangeKind {
    /// This and something later as one; `nil` for an object that came and went.
    fileprivate func gathered(with later: ChangeKind) -> ChangeKind? {
        let wasThere = self != .added
        let isThere = later != .removed
        switch (wasThere, isThere) {
        case (true, true): return .updated
        case (true, false): return .removed
        case (false, true): return .added
        case (false, false): return nil
        }
    }
}

/// The committed changes of a space; made by ``Space/changes(type:where:)``.
///
/// ```swift
/// for await batch in try await space.changes() {
///     print(batch.changes.map(\.id))
/// }
/// ```
///
/// It holds everything since it was made. A reader that is slow gets changes of one object
/// gathered, so that memory stays bounded by the number of objects. It ends when the loop is left,
/// when the reading task is cancelled, on ``cancel()``, and when the client is shut down. It can be
/// gone through once.
public struct Changes: AsyncSequence, Sendable {
    /// Batches that wait for a slow reader before further ones are gathered into the last.
    private static let batches = 64

    private let feed: Feed<ChangeBatch>

    /// What is gone through.
    public typealias Element = ChangeBatch

    init(
        of space: EchoDBNative.Space, filter: String, lifeline: Lifeline
    ) async throws {
        let mailbox = Mailbox<ChangeBatch>(limit: Self.batches) { $0.gathered(with: $1) }
        let listener = ChangeListener { mailbox.put($0) }
        let subscription = try await translating {
            try await space.subscribe(filter: filter, listener: listener)
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

    /// Hands out the batches.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let reader: FeedReader<ChangeBatch>

        /// The next batch; `nil` at the end.
        public mutating func next() async -> ChangeBatch? {
            await reader.feed.next()
        }
    }
}

/// Hands batches to a closure, on threads of the library.
final class ChangeListener: EchoDBNative.ChangeListener {
    private let body: @Sendable (ChangeBatch) throws -> Void

    init(_ body: @escaping @Sendable (ChangeBatch) throws -> Void) {
        self.body = body
    }

    func changed(batch: EchoDBNative.ChangeBatch) throws {
        try body(ChangeBatch(native: batch))
    }
}
