@testable import EchoDB
import Foundation
import XCTest

/// Changes: gone through, called back, filtered, ended.
final class ChangeTests: XCTestCase {
    struct OnPurpose: Error {}

    func testSequence() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let changes = try await space.changes()
            var iterator = changes.makeAsyncIterator()
            let id = try await space.create("Task", ["n": 1])
            let added = await iterator.next()
            XCTAssertEqual(added?.space, space.id)
            XCTAssertEqual(
                added?.changes, [Change(id: id, type: "Task", kind: .added, origin: .local)])
            try await space.update(id, ["n": 2])
            let updated = await iterator.next()
            XCTAssertEqual(updated?.changes.map(\.kind), [.updated])
            try await space.delete(id)
            let removed = await iterator.next()
            XCTAssertEqual(removed?.changes.map(\.kind), [.removed])
            changes.cancel()
            changes.cancel()
            let end = await iterator.next()
            XCTAssertNil(end)
        }
    }

    func testFilter() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            var iterator = try await space.changes(where: Field("done") == true)
                .makeAsyncIterator()
            let id = try await space.create("Task", ["done": false])
            let other = try await space.create("Task", ["done": true])
            let first = await iterator.next()
            XCTAssertEqual(first?.changes.map(\.id), [other])
            try await space.update(id, ["done": true])
            let second = await iterator.next()
            XCTAssertEqual(second?.changes.map(\.id), [id])
            XCTAssertEqual(second?.changes.map(\.kind), [.added])
        }
    }

    func testLeavingTheLoopEndsTheSequence() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let changes = try await space.changes()
            try await space.create("Task", [:])
            for await _ in changes { break }
            try await space.create("Task", [:])
            for await _ in changes { XCTFail("it was left") }
        }
    }

    func testCancellingTheTaskEndsTheLoop() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let changes = try await space.changes()
            let task = Task {
                var batches = 0
                for await _ in changes { batches += 1 }
                return batches
            }
            try await space.create("Task", [:])
            task.cancel()
            let batches = try await soon { await task.value }
            XCTAssertLessThanOrEqual(batches, 1)
            // Cancelled before it begins.
            let late = try await space.changes()
            let none = try await soon {
                await Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    for await _ in late { return false }
                    return true
                }.value
            }
            XCTAssertTrue(none)
        }
    }

    func testShutdownEndsEverything() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let changes = try await space.changes()
            let reading = Task {
                var batches = 0
                for await _ in changes { batches += 1 }
                return batches
            }
            let seen = Collected<ChangeBatch>()
            let subscription = try await space.subscribe { seen.append($0) }
            try await space.create("Task", [:])
            try await notebook.client.shutdown()
            let batches = try await soon { await reading.value }
            XCTAssertLessThanOrEqual(batches, 1)
            subscription.cancel()
            await failure(.invalidState) { try await space.changes() }
            await failure(.invalidState) { try await space.subscribe { _ in } }
        }
    }

    func testReadersKeepTheirClientOpen() async throws {
        func begin() async throws -> (Changes, String) {
            let notebook = try await Notebook()
            let changes = try await notebook.space.changes()
            let id = try await notebook.space.create("Task", [:])
            return (changes, id)
        }
        let (changes, id) = try await begin()
        let first = try await soon {
            for await batch in changes { return batch.changes.map(\.id) }
            return []
        }
        XCTAssertEqual(first, [id])
    }

    func testCallbacks() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let seen = Collected<ChangeBatch>()
            let subscription = try await space.subscribe(type: "Task") { seen.append($0) }
            try await space.create("Note", [:])
            let id = try await space.create("Task", [:])
            try await until { seen.items.count == 1 }
            XCTAssertEqual(seen.items[0].changes.map(\.id), [id])
            subscription.cancel()
            subscription.cancel()
            try await space.create("Task", [:])
            try await space.flush()
            XCTAssertEqual(seen.items.count, 1)
        }
    }

    func testACallbackThatThrowsIsLoggedAndKept() async throws {
        let lines = Collected<LogRecord>()
        let client = try await Client.open(
            isOnline: false, logLevel: .warning, log: { lines.append($0) })
        try await client.createIdentity(displayName: "Ada")
        let space = try await client.defaultSpace()
        let seen = Collected<ChangeBatch>()
        let subscription = try await space.subscribe {
            seen.append($0)
            throw OnPurpose()
        }
        for count in 1...3 {
            try await space.create("Task", [:])
            try await until { seen.items.count == count }
        }
        try await until { lines.items.count == 3 }
        XCTAssertEqual(lines.items.first?.level, .warning)
        XCTAssertEqual(lines.items.first?.text.contains("OnPurpose"), true)
        XCTAssertEqual(lines.items.first?.target, "subscription")
        XCTAssertLessThan(abs(lines.items[0].time.timeIntervalSinceNow), 600)
        subscription.cancel()
        try await client.shutdown()
    }

    func testCallbacksMayCallTheLibrary() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let seen = Collected<String>()
            let slot = Collected<Subscription>()
            let subscription = try await space.subscribe(type: "Task") { batch in
                seen.append(space.id)
                let tx = space.transaction()
                try tx.create("Echo", [:])
                tx.cancel()
                // The work of another call, waited for in the middle of this one.
                let done = DispatchSemaphore(value: 0)
                Task.detached {
                    _ = try? await space.create("Echo", [:])
                    done.signal()
                }
                done.wait()
                slot.items.first?.cancel()
            }
            slot.append(subscription)
            try await space.create("Task", [:])
            try await until { seen.items.count == 1 }
            try await until { try await space.query(type: "Echo").count == 1 }
            try await space.create("Task", [:])
            try await space.flush()
            XCTAssertEqual(seen.items, [space.id], "cancelled from within")
        }
    }

    func testFromTheMainActor() async throws {
        try await Self.useOnTheMainActor()
    }

    @MainActor
    private static func useOnTheMainActor() async throws {
        let client = try await Client.open(isOnline: false)
        try await client.createIdentity(displayName: "Ada")
        let space = try await client.defaultSpace()
        var titles: [String] = []
        let changes = try await space.changes()
        try await space.transaction { tx in
            MainActor.assertIsolated()
            titles.append("Tea")
            try tx.create("Task", ["title": .string(titles[0])])
        }
        for await batch in changes {
            for change in batch.changes {
                let title = try await space.get(change.id)?["title"]?.stringValue
                XCTAssertEqual(title, titles[0])
            }
            break
        }
        let seen = Collected<Bool>()
        let subscription = try await space.subscribe { _ in seen.append(Thread.isMainThread) }
        try await space.create("Task", [:])
        try await until { seen.items == [false] }
        subscription.cancel()
        try await client.shutdown()
    }

    func testTwoBatchesAsOne() {
        func batch(_ kinds: [String: ChangeKind]) -> ChangeBatch {
            let changes = kinds.map { Change(id: $0, type: "T", kind: $1, origin: .local) }
            return ChangeBatch(space: "s", changes: changes.sorted { $0.id < $1.id })
        }
        let table: [(ChangeKind?, ChangeKind, ChangeKind?)] = [
            (.added, .updated, .added),
            (.added, .removed, nil),
            (.updated, .updated, .updated),
            (.updated, .removed, .removed),
            (.removed, .added, .updated),
            (nil, .removed, .removed),
        ]
        for (old, new, expected) in table {
            let before = batch(old.map { ["b": $0] } ?? [:])
            let gathered = before.gathered(with: batch(["b": new, "a": .added]))
            XCTAssertEqual(gathered.changes.first?.id, "a")
            XCTAssertEqual(gathered.changes.first { $0.id == "b" }?.kind, expected)
        }
    }

    func testASlowReaderCostsBoundedMemory() async {
        let mailbox = Mailbox<Int>(limit: 4) { $0 + $1 }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<1000 { mailbox.put(1) } }
            }
        }
        mailbox.end()
        var items: [Int] = []
        while let item = await mailbox.next() { items.append(item) }
        XCTAssertEqual(items, [1, 1, 1, 3997])
        mailbox.put(1)
        let end = await mailbox.next()
        XCTAssertNil(end)
    }
}
