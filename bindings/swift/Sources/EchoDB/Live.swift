internal import EchoDBNative
import Foundation

/// One change in a live query's results. Places are from 0: `from` in the list before the batch,
/// `at` and `to` in the list after it.
public enum LiveChange: Hashable, Sendable {
    /// It is no longer among the results.
    case removed(id: String, from: Int)
    /// It is new among them.
    case added(Object, at: Int)
    /// It has another place among the others, and may have changed too.
    case moved(Object, from: Int, to: Int)
    /// It changed where it is.
    case changed(Object, at: Int)

    /// The id of the object.
    public var id: String {
        switch self {
        case .removed(let id, _): id
        case .added(let object, _), .moved(let object, _, _), .changed(let object, _): object.id
        }
    }
}

/// What changed in a live query's results since the batch before.
public struct LiveBatch: Hashable, Sendable {
    /// The space's id.
    public let space: String
    /// Whether the changes are to be applied to an empty list, and not to the one built so far:
    /// true of the first batch, of the first one after the space was closed and opened again, and
    /// when so much changed that it was not kept track of.
    public let isInitial: Bool
    /// The number of results once the changes are applied.
    public let total: Int
    /// What came first is removed, from the end backwards; the others follow from the beginning
    /// forwards. No object is named twice.
    public let changes: [LiveChange]

    init(native: EchoDBNative.LiveBatch) throws {
        space = native.space
        isInitial = native.initial
        total = Int(clamping: native.total)
        changes = try JSONReader.liveChanges(from: native.changes)
    }

    /// Brings a list of results up to date: what the batch before left becomes what this one leaves.
    public func apply(to results: inout [Object]) {
        let leaving = Set(changes.compactMap(\.from))
        let old = isInitial ? [] : results
        var kept = old.indices.lazy.filter { !leaving.contains($0) }.makeIterator()
        var updated: [Object] = []
        updated.reserveCapacity(total)
        func keep(upTo end: Int) {
            while updated.count < end, let index = kept.next() { updated.append(old[index]) }
        }
        for change in changes {
            switch change {
            case .removed:
                break
            case .added(let object, let index), .moved(let object, _, let index):
                keep(upTo: index)
                updated.append(object)
            case .changed(let object, let index):
                keep(upTo: index)
                _ = kept.next()
                updated.append(object)
            }
        }
        keep(upTo: .max)
        results = updated
    }
}

extension LiveChange {
    /// The place in the list before the batch that the object leaves.
    fileprivate var from: Int? {
        switch self {
        case .removed(_, let from), .moved(_, let from, _): from
        case .added, .changed: nil
        }
    }
}

/// A query's results, and what changes in them; made by
/// ``Space/live(type:where:order:limit:skip:interval:)``.
///
/// ```swift
/// var tasks: [Object] = []
/// for try await batch in try await space.live(type: "Task", order: [.ascending("due")]) {
///     batch.apply(to: &tasks)
/// }
/// ```
///
/// A batch is made when it is asked for: a reader that is slow gets fewer and larger ones, and
/// nothing but ids waits for it. It ends when the loop is left, when the reading task is cancelled,
/// on ``cancel()``, and when the client is shut down. It can be gone through once.
public struct LiveQuery: AsyncSequence, Sendable {
    private let feed: LiveFeed

    /// What is gone through.
    public typealias Element = LiveBatch

    init(native: EchoDBNative.LiveQuery, owner: any Sendable, lifeline: Lifeline) {
        feed = LiveFeed(native, owner: owner, lifeline: lifeline)
    }

    /// The whole list of results after each batch, instead of the batches.
    public var results: LiveResults {
        LiveResults(query: self)
    }

    /// Ends it at once, from anywhere. May be called again.
    public func cancel() {
        feed.end()
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: Reader(feed: feed))
    }

    /// Hands out the batches.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let reader: Reader

        /// The next batch; `nil` at the end.
        public mutating func next() async throws -> LiveBatch? {
            try await reader.feed.next()
        }
    }

    /// Ends the feed when the loop is left, however long the sequence lives.
    fileprivate final class Reader: Sendable {
        let feed: LiveFeed

        init(feed: LiveFeed) {
            self.feed = feed
        }

        deinit {
            feed.end()
        }
    }
}

/// The results of a live query, as a whole each time; see ``LiveQuery/results``.
public struct LiveResults: AsyncSequence, Sendable {
    fileprivate let query: LiveQuery

    /// What is gone through.
    public typealias Element = [Object]

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(batches: query.makeAsyncIterator())
    }

    /// Hands out the results.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate var batches: LiveQuery.Iterator
        fileprivate var results: [Object] = []

        fileprivate init(batches: LiveQuery.Iterator) {
            self.batches = batches
        }

        /// The next list; `nil` at the end.
        public mutating func next() async throws -> [Object]? {
            guard let batch = try await batches.next() else { return nil }
            batch.apply(to: &results)
            return results
        }
    }
}

/// A native live query for a reader who holds this; letting go of it ends the query.
private final class LiveFeed: Endable {
    private let native: EchoDBNative.LiveQuery
    // A reader keeps the client open.
    private let owner: any Sendable
    private let lifeline: Lifeline

    init(_ native: EchoDBNative.LiveQuery, owner: any Sendable, lifeline: Lifeline) {
        self.native = native
        self.owner = owner
        self.lifeline = lifeline
        lifeline.add(self)
    }

    deinit {
        lifeline.remove(ObjectIdentifier(self))
        native.cancel()
    }

    func next() async throws -> LiveBatch? {
        try await withTaskCancellationHandler {
            try await translating { try await native.next() }.map(LiveBatch.init(native:))
        } onCancel: {
            native.cancel()
        }
    }

    func end() {
        native.cancel()
    }
}

/// Hands batches to a closure, on threads of the library.
final class LiveListener: EchoDBNative.LiveListener {
    private let body: @Sendable (LiveBatch) throws -> Void

    init(_ body: @escaping @Sendable (LiveBatch) throws -> Void) {
        self.body = body
    }

    func updated(batch: EchoDBNative.LiveBatch) throws {
        try body(try LiveBatch(native: batch))
    }
}

extension Space {
    /// A query's results, and from then on what changes in them, here or by a peer.
    ///
    /// Whoever applies the batches in their order always has what
    /// ``query(_:)`` would have given at one moment, not long ago. Changes
    /// are followed at a cost that depends on what changed, not on the number of results.
    ///
    /// While the space is closed nothing comes; when it is opened again, its results are delivered
    /// anew. Throws ``EchoError/Kind/invalidState`` while it is not open.
    ///
    /// - Parameters:
    ///   - type: The type's name; `nil` for objects of every type.
    ///   - filter: What they must satisfy.
    ///   - order: Sort keys, the weightiest first.
    ///   - limit: How many results there are at most.
    ///   - skip: How many are left out at the beginning.
    ///   - interval: The shortest time between two batches, 0 to 60 seconds; changes that come sooner
    ///     are gathered into one. A frame of a screen, if it is not given.
    public func live(
        type: String? = nil, where filter: Filter = .all, order: [Order] = [],
        limit: Int? = nil, skip: Int = 0, interval: Duration = .milliseconds(16)
    ) async throws -> LiveQuery {
        try await live(
            Query(type: type, where: filter, order: order, limit: limit, skip: skip),
            interval: interval)
    }

    /// As the other `live`, of a query that may have steps, too.
    public func live(
        _ query: Query, interval: Duration = .milliseconds(16)
    ) async throws -> LiveQuery {
        let (text, options) = (try query.text(), try liveOptions(interval))
        let live = try await translating {
            try await native.liveQueue(query: text, options: options)
        }
        return LiveQuery(native: live, owner: native, lifeline: lifeline)
    }

    /// Calls `body` with a query's results, and from then on with what changes in them.
    ///
    /// It runs on threads of the library, one call at a time for each live query, with no lock held.
    /// While it runs, changes are gathered. One that throws is logged and kept, and gets all results
    /// again after a tenth of a second.
    ///
    /// - Parameters:
    ///   - type: The type's name; `nil` for objects of every type.
    ///   - filter: What they must satisfy.
    ///   - order: Sort keys, the weightiest first.
    ///   - limit: How many results there are at most.
    ///   - skip: How many are left out at the beginning.
    ///   - interval: The shortest time between two calls, 0 to 60 seconds.
    ///   - body: Takes the batches.
    /// - Returns: What ends it: keep it as long as the calls are wanted.
    public func live(
        type: String? = nil, where filter: Filter = .all, order: [Order] = [],
        limit: Int? = nil, skip: Int = 0, interval: Duration = .milliseconds(16),
        _ body: @escaping @Sendable (LiveBatch) throws -> Void
    ) async throws -> Subscription {
        try await live(
            Query(type: type, where: filter, order: order, limit: limit, skip: skip),
            interval: interval, body)
    }

    /// As the other `live` with a callback, of a query that may have steps, too.
    public func live(
        _ query: Query, interval: Duration = .milliseconds(16),
        _ body: @escaping @Sendable (LiveBatch) throws -> Void
    ) async throws -> Subscription {
        let (text, options) = (try query.text(), try liveOptions(interval))
        let listener = LiveListener(body)
        let live = try await translating {
            try await native.live(query: text, options: options, listener: listener)
        }
        return Subscription(live, owner: native)
    }

    private func liveOptions(_ interval: Duration) throws -> EchoDBNative.LiveOptions {
        EchoDBNative.LiveOptions(
            intervalMs: try interval.wholeMilliseconds(
                for: "interval", upTo: .seconds(60)))
    }
}
