internal import EchoDBNative

/// Where a fetch stands.
public enum BlobFetchState: Hashable, Sendable, CaseIterable {
    /// Under way, or waiting for a peer that holds the blob.
    case fetching
    /// All of the blob is here.
    case done
    /// It cannot be fetched; see the error.
    case failed
    /// It was cancelled, or the space was closed. What has come stays.
    case cancelled

    /// Whether nothing more will happen.
    public var isFinal: Bool {
        self != .fetching
    }

    init(native: EchoDBNative.BlobFetchState) {
        switch native {
        case .fetching: self = .fetching
        case .done: self = .done
        case .failed: self = .failed
        case .cancelled: self = .cancelled
        }
    }
}

/// A fetch at one moment.
public struct BlobProgress: Hashable, Sendable {
    /// Where it stands.
    public let state: BlobFetchState
    /// How many of the blob's bytes are here, those that were here before included.
    public let received: Int64
    /// Its size in bytes, once a peer told it.
    public let total: Int64?
    /// Connected members that were asked.
    public let peers: Int
    /// Those of them that hold the blob.
    public let sources: Int
    /// The status of the failure, if it failed.
    public let status: EchoError.Status?
    /// What failed, if something did.
    public let error: String?

    init(native: EchoDBNative.BlobProgress) {
        state = BlobFetchState(native: native.state)
        received = Int64(clamping: native.received)
        total = native.total.map { Int64(clamping: $0) }
        peers = Int(native.peers)
        sources = Int(native.sources)
        status = native.status == 0 ? nil : EchoError.Status(rawValue: native.status)
        error = native.error
    }
}

/// A blob on its way; made by ``Space/fetchBlob(_:)``.
///
/// It goes on until it has ended, is cancelled, or its space is closed, whether or not anything
/// refers to it.
public final class BlobFetch: Sendable {
    private let native: EchoDBNative.BlobFetch
    private let owner: any Sendable
    private let lifeline: Lifeline

    init(native: EchoDBNative.BlobFetch, owner: any Sendable, lifeline: Lifeline) {
        self.native = native
        self.owner = owner
        self.lifeline = lifeline
    }

    /// The blob's id.
    public var id: String {
        native.id()
    }

    /// Where it stands.
    public var progress: BlobProgress {
        BlobProgress(native: native.progress())
    }

    /// How it goes on, the present progress first. It ends after a final state, and when the client
    /// is shut down. A reader that is slow hears of the newest only; each loop over it begins anew.
    public var updates: BlobUpdates {
        BlobUpdates(native: native, owner: owner, lifeline: lifeline)
    }

    /// Calls `body` with the present progress and then with every further one, on threads of the
    /// library, one at a time. One that throws is logged and kept.
    public func subscribe(
        _ body: @escaping @Sendable (BlobProgress) throws -> Void
    ) -> Subscription {
        Subscription(native.subscribe(listener: BlobListener(body)), owner: owner)
    }

    /// Waits until all of the blob is here.
    ///
    /// After `timeout` the fetch goes on, and the error says why it is not done:
    /// ``EchoError/Kind/network`` if no member is connected, ``EchoError/Kind/notFound`` if none of
    /// those who are holds the blob, ``EchoError/Kind/timedOut`` if it is coming. Otherwise throws
    /// what ended the fetch: ``EchoError/Kind/cancelled``, ``EchoError/Kind/storage``, or
    /// ``EchoError/Kind/limitExceeded`` for a blob larger than 16 GiB. Throws `CancellationError` in
    /// a task that is cancelled, and leaves the fetch as it is.
    @discardableResult
    public func wait(timeout: Duration? = nil) async throws -> BlobProgress {
        let updates = updates
        if let timeout {
            _ = try timeout.wholeSeconds(for: "timeout")
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in updates {} }
                group.addTask { try? await Task.sleep(for: timeout) }
                await group.next()
                group.cancelAll()
            }
        } else {
            for await _ in updates {}
        }
        try Task.checkCancellation()
        // It has ended, or will not be waited for: either way there is an answer by now.
        return BlobProgress(
            native: try await translating { try await native.wait(timeoutMs: 0) })
    }

    /// Ends it for everybody who fetches this blob. What has come stays, and a later fetch goes on
    /// from there. Does nothing after the end.
    public func cancel() {
        native.cancel()
    }
}

/// The progress of a fetch; see ``BlobFetch/updates``.
public struct BlobUpdates: AsyncSequence, Sendable {
    fileprivate let native: EchoDBNative.BlobFetch
    fileprivate let owner: any Sendable
    fileprivate let lifeline: Lifeline

    /// What is gone through.
    public typealias Element = BlobProgress

    init(native: EchoDBNative.BlobFetch, owner: any Sendable, lifeline: Lifeline) {
        self.native = native
        self.owner = owner
        self.lifeline = lifeline
    }

    /// Begins with the present progress.
    public func makeAsyncIterator() -> Iterator {
        let mailbox = Mailbox<BlobProgress>(limit: 1) { _, latter in latter }
        let subscription = native.subscribe(listener: BlobListener { mailbox.put($0) })
        return Iterator(feed: Feed(mailbox, subscription, owner: owner, lifeline: lifeline))
    }

    /// Hands out the progress.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let feed: Feed<BlobProgress>

        /// The next progress; `nil` at the end.
        public mutating func next() async -> BlobProgress? {
            let progress = await feed.next()
            if progress?.state.isFinal == true {
                feed.end()
            }
            return progress
        }
    }
}

/// Hands progress to a closure, on threads of the library.
final class BlobListener: EchoDBNative.BlobListener {
    private let body: @Sendable (BlobProgress) throws -> Void

    init(_ body: @escaping @Sendable (BlobProgress) throws -> Void) {
        self.body = body
    }

    func progressed(progress: EchoDBNative.BlobProgress) throws {
        try body(BlobProgress(native: progress))
    }
}
