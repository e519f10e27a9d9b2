import Foundation

/// The way from the library's threads to a task.
///
/// Takes items on any thread and hands them out in order. When `limit` items wait, a new one is
/// folded into the last: neither memory nor the library's threads suffer a slow reader.
final class Mailbox<Item: Sendable>: @unchecked Sendable {
    private let limit: Int
    private let fold: @Sendable (Item, Item) -> Item
    // Guards everything below.
    private let lock = NSLock()
    private var items: [Item] = []
    private var readers: [(number: UInt64, continuation: CheckedContinuation<Item?, Never>)] = []
    private var readersSoFar: UInt64 = 0
    private var hasEnded = false

    init(limit: Int, fold: @escaping @Sendable (Item, Item) -> Item) {
        self.limit = limit
        self.fold = fold
    }

    /// Adds an item, unless the end has come.
    func put(_ item: Item) {
        lock.lock()
        if hasEnded {
            lock.unlock()
        } else if !readers.isEmpty {
            let reader = readers.removeFirst()
            lock.unlock()
            reader.continuation.resume(returning: item)
        } else {
            if items.count < limit {
                items.append(item)
            } else {
                items[items.count - 1] = fold(items[items.count - 1], item)
            }
            lock.unlock()
        }
    }

    /// Ends it: readers get what waits, unless that is discarded, and then `nil`.
    func end(discarding: Bool = false) {
        lock.lock()
        hasEnded = true
        if discarding {
            items.removeAll()
        }
        let waiting = readers
        readers.removeAll()
        lock.unlock()
        for reader in waiting {
            reader.continuation.resume(returning: nil)
        }
    }

    /// The next item; `nil` at the end, and to a task that is cancelled.
    func next() async -> Item? {
        let number = newNumber()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { wait(number, $0) }
        } onCancel: {
            giveUp(number)
        }
    }

    private func newNumber() -> UInt64 {
        lock.withLock {
            readersSoFar += 1
            return readersSoFar
        }
    }

    private func wait(_ number: UInt64, _ continuation: CheckedContinuation<Item?, Never>) {
        lock.lock()
        // A cancellation up to here has found nobody to wake; a later one will.
        if Task.isCancelled || (hasEnded && items.isEmpty) {
            lock.unlock()
            continuation.resume(returning: nil)
        } else if items.isEmpty {
            readers.append((number, continuation))
            lock.unlock()
        } else {
            let item = items.removeFirst()
            lock.unlock()
            continuation.resume(returning: item)
        }
    }

    private func giveUp(_ number: UInt64) {
        lock.lock()
        guard let index = readers.firstIndex(where: { $0.number == number }) else {
            lock.unlock()
            return
        }
        let reader = readers.remove(at: index)
        lock.unlock()
        reader.continuation.resume(returning: nil)
    }
}
