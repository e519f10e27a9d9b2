internal import EchoDBNative
import Foundation

/// What the end of a client ends.
protocol Endable: AnyObject, Sendable {
    /// Ends it after what has come already. May be called again, on any thread.
    func end()
}

/// What must end when the client does. It is all held weakly: whoever reads holds it.
final class Lifeline: @unchecked Sendable {
    private struct Entry {
        weak var endable: (any Endable)?
    }

    // Guards everything below.
    private let lock = NSLock()
    private var entries: [ObjectIdentifier: Entry] = [:]
    private var hasEnded = false

    /// Adds something to end; at once, if the end has come.
    func add(_ endable: any Endable) {
        let isLate = lock.withLock {
            if !hasEnded {
                entries[ObjectIdentifier(endable)] = Entry(endable: endable)
            }
            return hasEnded
        }
        if isLate {
            endable.end()
        }
    }

    /// Forgets what has ended by itself.
    func remove(_ endable: ObjectIdentifier) {
        lock.withLock { entries[endable] = nil }
    }

    /// Ends everything.
    func end() {
        let all = lock.withLock {
            hasEnded = true
            let all = entries.values.compactMap(\.endable)
            entries.removeAll()
            return all
        }
        for endable in all {
            endable.end()
        }
    }
}

/// A native subscription and the mailbox that it fills, for a reader who holds this; letting go of
/// it ends the subscription.
final class Feed<Item: Sendable>: Endable, @unchecked Sendable {
    private let mailbox: Mailbox<Item>
    private let lifeline: Lifeline
    // A reader keeps the client open.
    private let owner: any Sendable
    // Guards what follows.
    private let lock = NSLock()
    private var subscription: EchoDBNative.Subscription?

    init(
        _ mailbox: Mailbox<Item>, _ subscription: EchoDBNative.Subscription,
        owner: any Sendable, lifeline: Lifeline
    ) {
        self.mailbox = mailbox
        self.subscription = subscription
        self.owner = owner
        self.lifeline = lifeline
        lifeline.add(self)
    }

    deinit {
        lifeline.remove(ObjectIdentifier(self))
        mailbox.end(discarding: true)
    }

    func next() async -> Item? {
        await mailbox.next()
    }

    func end() {
        release()
        mailbox.end()
    }

    /// Ends it and throws away what waits.
    func cancel() {
        release()
        mailbox.end(discarding: true)
    }

    private func release() {
        let subscription = lock.withLock {
            defer { self.subscription = nil }
            return self.subscription
        }
        subscription?.cancel()
    }
}

/// Reads a feed, and ends it when the loop is left, however long the sequence lives.
final class FeedReader<Item: Sendable>: Sendable {
    let feed: Feed<Item>

    init(_ feed: Feed<Item>) {
        self.feed = feed
    }

    deinit {
        feed.cancel()
    }
}

/// What the library calls back until it is cancelled.
protocol Cancellable: Sendable {
    func cancel()
}

extension EchoDBNative.Subscription: Cancellable {}
extension EchoDBNative.LiveQuery: Cancellable {}

/// A running callback. It lasts until ``cancel()``, the end of the client, or the release of this
/// object; until then it keeps the client open.
public final class Subscription: Sendable {
    private let native: any Cancellable
    private let owner: any Sendable

    init(_ native: any Cancellable, owner: any Sendable) {
        self.native = native
        self.owner = owner
    }

    /// Ends it. When this returns, the callback is not running and will not run again; called from
    /// within the callback, it returns at once and this delivery is the last. May be called again.
    ///
    /// It waits for a callback that is running: do not call it holding a lock which that wants.
    public func cancel() {
        native.cancel()
    }
}
