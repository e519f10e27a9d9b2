import EchoDB
import Foundation
import XCTest

/// Live queries: followed, called back, filtered, ended, left behind.
final class LiveTests: XCTestCase {
    struct OnPurpose: Error {}

    func testBatches() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let first = try await space.create("Task", ["n": 1])
            let live = try await space.live(type: "Task", order: [.ascending("n")])
            var batches = live.makeAsyncIterator()
            var list: [Object] = []
            let initial = try await batches.next()
            XCTAssertEqual(initial?.space, space.id)
            XCTAssertEqual(initial?.isInitial, true)
            XCTAssertEqual(initial?.total, 1)
            let object = try await space.get(first)
            XCTAssertEqual(initial?.changes, [.added(try XCTUnwrap(object), at: 0)])
            initial?.apply(to: &list)
            let second = try await space.create("Task", ["n": 0])
            let added = try await batches.next()
            XCTAssertEqual(added?.isInitial, false)
            XCTAssertEqual(added?.total, 2)
            XCTAssertEqual(added?.changes.map(\.id), [second])
            added?.apply(to: &list)
            XCTAssertEqual(list.map(\.id), [second, first])
            try await space.update(second, ["n": 2])
            guard case .moved(let moved, from: 0, to: 1)? = try await batches.next()?.changes.first
            else { return XCTFail("it moved") }
            XCTAssertEqual(moved["n"], 2)
            try await space.update(second, ["text": "x"])
            guard case .changed(let changed, at: 1)? = try await batches.next()?.changes.first
            else { return XCTFail("it changed") }
            XCTAssertEqual(changed["text"], "x")
            try await space.delete(first)
            let removed = try await batches.next()
            XCTAssertEqual(removed?.changes, [.removed(id: first, from: 0)])
            live.cancel()
            live.cancel()
            let end = try await batches.next()
            XCTAssertNil(end)
        }
    }

    /// Whoever applies the batches has what the query gives, whatever happens.
    func testAFollowerHasWhatTheQueryGives() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let query: @Sendable () async throws -> [Object] = {
                try await space.query(
                    type: "Task", where: Field("n") < 50, order: [.descending("n")], limit: 12,
                    skip: 3)
            }
            let live = try await space.live(
                type: "Task", where: Field("n") < 50, order: [.descending("n")], limit: 12,
                skip: 3, interval: .zero)
            let lists = Collected<[Object]>()
            let following = Task {
                for try await list in live.results { lists.append(list) }
            }
            var ids: [String] = []
            var random = SystemRandomNumberGenerator()
            for step in 0..<300 {
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1, 2:
                    ids.append(try await space.create("Task", ["n": Value(step % 60)]))
                case 3, 4:
                    guard let id = ids.randomElement() else { continue }
                    try await space.update(id, ["n": Value(Int.random(in: 0..<60))])
                default:
                    guard let id = ids.randomElement() else { continue }
                    try await space.delete(id)
                    ids.removeAll { $0 == id }
                }
            }
            try await until { try await lists.items.last == query() }
            live.cancel()
            try await soon { try await following.value }
        }
    }

    func testBatchesAreAppliedAsTheyAreMeant() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            for n in 0..<10 { try await space.create("Task", ["n": Value(n)]) }
            var batches = try await space.live(type: "Task", order: [.ascending("n")])
                .makeAsyncIterator()
            var list: [Object] = []
            try await batches.next()?.apply(to: &list)
            // The ends change places, one in the middle changes, and one goes, at once.
            let ids = list.map(\.id)
            try await space.transaction { tx in
                try tx.update(ids[0], ["n": 100])
                try tx.update(ids[9], ["n": -1])
                try tx.update(ids[5], ["text": "x"])
                try tx.delete(ids[3])
            }
            try await batches.next()?.apply(to: &list)
            let wanted = try await space.query(type: "Task", order: [.ascending("n")])
            XCTAssertEqual(list, wanted)
            // A list that is not the one that it was made for: nonsense, and no crash.
            var other: [Object] = []
            try await space.delete(ids[4])
            try await space.update(ids[1], ["n": 101])
            try await batches.next()?.apply(to: &other)
            XCTAssertLessThan(other.count, 3)
        }
    }

    func testTheSpaceClosedAndOpened() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            try await space.create("Task", ["n": 1])
            var batches = try await space.live(type: "Task").makeAsyncIterator()
            _ = try await batches.next()
            try await space.close()
            await failure(.invalidState) { try await space.live(type: "Task") }
            try await space.open()
            let again = try await batches.next()
            XCTAssertEqual(again?.isInitial, true)
            XCTAssertEqual(again?.total, 1)
        }
    }

    func testWhatMakesNoSense() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            await failure(.invalidArgument) { try await space.live(where: .json("{")) }
            await failure(.invalidArgument) { try await space.live(.json("[]")) }
            await failure(.invalidArgument) { try await space.live(interval: .seconds(61)) }
            await failure(.invalidArgument) { try await space.live(interval: .seconds(-1)) }
            await failure(.invalidArgument) {
                try await space.live(where: .json("nonsense")) { _ in }
            }
        }
    }

    func testAReaderThatIsSlowGetsFewerBatches() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let live = try await space.live(.json(#"{"where": {"type": "Task"}}"#))
            var batches = live.makeAsyncIterator()
            var list: [Object] = []
            try await batches.next()?.apply(to: &list)
            for n in 0..<500 { try await space.create("Task", ["n": Value(n)]) }
            var count = 0
            while list.count < 500, let batch = try await batches.next() {
                batch.apply(to: &list)
                count += 1
            }
            XCTAssertEqual(list.count, 500)
            XCTAssertLessThan(count, 5)
        }
    }

    func testLeavingAndCancelling() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let left = try await space.live()
            for try await _ in left { break }
            for try await _ in left { XCTFail("it was left") }
            let live = try await space.live()
            let lists = Collected<Int>()
            let task = Task {
                for try await batch in live { lists.append(batch.total) }
            }
            try await until { !lists.items.isEmpty }
            task.cancel()
            try await soon { try await task.value }
            // Cancelled before it begins.
            let late = try await space.live()
            let none = try await soon {
                try await Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    for try await _ in late { return false }
                    return true
                }.value
            }
            XCTAssertTrue(none)
        }
    }

    func testShutdownEndsEverything() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let live = try await space.live()
            let begun = Collected<Bool>()
            let reading = Task {
                for try await batch in live { begun.append(batch.isInitial) }
            }
            let seen = Collected<LiveBatch>()
            let subscription = try await space.live { seen.append($0) }
            try await until { !begun.items.isEmpty && !seen.items.isEmpty }
            try await notebook.client.shutdown()
            try await soon { try await reading.value }
            subscription.cancel()
            await failure(.invalidState) { try await space.live() }
        }
    }

    func testCallbacks() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let seen = Collected<LiveBatch>()
            let subscription = try await space.live(type: "Task", order: [.ascending("n")]) {
                seen.append($0)
            }
            try await until { seen.items.count == 1 }
            try await space.create("Note", [:])
            let id = try await space.create("Task", ["n": 1])
            try await until { seen.items.count == 2 }
            XCTAssertEqual(seen.items[1].changes.map(\.id), [id])
            subscription.cancel()
            subscription.cancel()
            try await space.create("Task", ["n": 2])
            try await Task.sleep(for: .milliseconds(100))
            XCTAssertEqual(seen.items.count, 2)
        }
    }

    func testACallbackThatThrowsGetsEverythingAgain() async throws {
        let lines = Collected<LogRecord>()
        let client = try await Client.open(
            isOnline: false, logLevel: .warning, log: { lines.append($0) })
        try await client.createIdentity(displayName: "Ada")
        let space = try await client.defaultSpace()
        try await space.create("Task", [:])
        let seen = Collected<LiveBatch>()
        let subscription = try await space.live(type: "Task") { batch in
            seen.append(batch)
            if seen.items.count == 1 { throw OnPurpose() }
        }
        try await until { seen.items.count == 2 }
        XCTAssertEqual(seen.items.map(\.isInitial), [true, true])
        XCTAssertEqual(seen.items.map(\.total), [1, 1])
        try await until { lines.items.contains { $0.text.contains("OnPurpose") } }
        subscription.cancel()
        try await client.shutdown()
    }

    func testACallbackMayEndItself() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let seen = Collected<Int>()
            let slot = Collected<Subscription>()
            let subscription = try await space.live(type: "Task") { batch in
                seen.append(batch.total)
                if batch.total == 1 { slot.items.first?.cancel() }
            }
            slot.append(subscription)
            try await until { seen.items == [0] }
            try await space.create("Task", [:])
            try await until { seen.items == [0, 1] }
            try await space.create("Task", [:])
            try await Task.sleep(for: .milliseconds(100))
            XCTAssertEqual(seen.items, [0, 1])
        }
    }
}
