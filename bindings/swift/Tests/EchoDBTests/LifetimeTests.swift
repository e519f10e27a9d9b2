@testable import EchoDB
import Foundation
import XCTest

/// Whatever is opened, dropped, cancelled or thrown, nothing piles up, hangs or crashes.
final class LifetimeTests: XCTestCase {
    /// What the process holds, as the system counts it.
    private struct Usage {
        var kilobytes = 0
        var threads = 0
        var files = 0

        /// What the system tells; Linux alone tells it so.
        static func now() throws -> Usage {
            #if !os(Linux)
            return Usage()
            #else
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            func number(_ name: String) -> Int {
                let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
                return line?.split(whereSeparator: \.isWhitespace).dropFirst().first
                    .flatMap { Int($0) } ?? 0
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            return Usage(
                kilobytes: number("VmRSS"), threads: number("Threads"), files: files.count)
            #endif
        }

        /// Whether nothing has grown beyond what allocators and pools of threads do by themselves.
        func isWithin(_ kilobytes: Int, of before: Usage) -> Bool {
            self.kilobytes - before.kilobytes < kilobytes && threads - before.threads < 64
                && files - before.files < 16
        }
    }

    /// How many witnesses there are.
    private final class Living: @unchecked Sendable {
        private let lock = NSLock()
        private var living = 0

        var count: Int {
            lock.withLock { living }
        }

        func add(_ number: Int) {
            lock.withLock { living += number }
        }
    }

    /// Lives as long as what holds it.
    private final class Witness: Sendable {
        private let living: Living

        init(of living: Living) {
            self.living = living
            living.add(1)
        }

        deinit {
            living.add(-1)
        }
    }

    /// Does something a tenth as often as it is counted, to warm up, then as often as that, and
    /// checks that the process holds what it held.
    private func repeating(
        _ times: Int, kilobytes: Int = 6 * 1024, _ body: (Int) async throws -> Void
    ) async throws {
        for number in 0..<(times / 10) { try await body(number) }
        let before = try Usage.now()
        for number in 0..<times { try await body(number) }
        // What is released ends on the library's threads, a little later.
        do {
            try await until { try Usage.now().isWithin(kilobytes, of: before) }
        } catch is Stuck {
            XCTFail("\(before) has become \(try Usage.now())")
        }
    }

    func testCalls() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("Note", ["t": .text("text"), "n": 1])
            try await repeating(100_000 / 5) { _ in
                _ = space.id
                _ = notebook.client.status
                _ = try await space.get(id)
                _ = try await space.query(where: Field("n") == 1)
                let tx = space.transaction()
                try tx.update(id, ["n": 2])
            }
        }
    }

    func testFailedCalls() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            try await repeating(5_000) { _ in
                _ = try? await space.get("short")
                _ = try? await space.update(String(repeating: "0", count: 26), [:])
                _ = try? await space.query(where: .json("{"))
                _ = try? await notebook.client.join("no code")
            }
        }
    }

    func testSubscriptions() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let living = Living()
            try await repeating(10_000) { number in
                let witness = Witness(of: living)
                let subscription = try await space.subscribe { _ in _ = witness }
                // Every other one is merely released.
                if number.isMultiple(of: 2) { subscription.cancel() }
            }
            try await until { living.count == 0 }
        }
    }

    func testSequences() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            try await repeating(10_000) { number in
                let changes = try await space.changes(type: "Task")
                switch number % 100 {
                case 0:
                    try await space.create("Task", [:])
                    for await _ in changes { break }
                case 1:
                    let task = Task { for await _ in changes {} }
                    task.cancel()
                    await task.value
                case 2:
                    changes.cancel()
                default:
                    break
                }
            }
        }
    }

    func testLiveQueries() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            try await space.create("Task", [:])
            let living = Living()
            try await repeating(3_000) { number in
                switch number % 6 {
                case 0:
                    for try await _ in try await space.live(type: "Task") { break }
                case 1:
                    let live = try await space.live(type: "Task")
                    let task = Task { for try await _ in live {} }
                    task.cancel()
                    try await task.value
                case 2:
                    let live = try await space.live()
                    let task = Task { for try await _ in live.results {} }
                    live.cancel()
                    try await task.value
                case 3:
                    _ = try await space.live()
                default:
                    let witness = Witness(of: living)
                    let subscription = try await space.live(type: "Task") { _ in _ = witness }
                    if number.isMultiple(of: 2) { subscription.cancel() }
                }
            }
            try await until { living.count == 0 }
        }
    }

    func testEveryLiveQueryOpenAtOnce() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let totals = Collected<Int>()
            var queries: [LiveQuery] = []
            for _ in 0..<500 { queries.append(try await space.live(type: "Task")) }
            let tasks = queries.map { live in
                Task {
                    for try await batch in live where batch.total == 1 {
                        totals.append(batch.total)
                        break
                    }
                }
            }
            try await space.create("Task", [:])
            for task in tasks { try await soon { try await task.value } }
            XCTAssertEqual(totals.items.count, 500)
        }
    }

    func testBlobs() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let absent = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq"
            try await repeating(1_000, kilobytes: 12 * 1024) { number in
                let writer = try await space.blobWriter()
                try await writer.write(Data(repeating: 1, count: 10_000))
                // Every other one is merely released.
                if number.isMultiple(of: 2) { writer.cancel() }
                let fetch = try await space.fetchBlob(absent)
                let subscription = fetch.subscribe { _ in }
                for await _ in fetch.updates { break }
                let waiting = Task { try await fetch.wait() }
                waiting.cancel()
                _ = await waiting.result
                if number.isMultiple(of: 3) { fetch.cancel() }
                if number.isMultiple(of: 5) { subscription.cancel() }
            }
            let blobs = try await space.blobs()
            XCTAssertEqual(blobs, [])
        }
    }

    func testMigrations() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            try await space.create("Task", [:])
            try await space.registerSchema("Task", ["type": "object"])
            let living = Living()
            try await repeating(1_000) { number in
                let witness = Witness(of: living)
                let task = Task {
                    try await space.migrate("Task", to: 1) { _, _, _ in
                        _ = witness
                        return nil
                    }
                }
                if number.isMultiple(of: 2) { task.cancel() }
                _ = await task.result
            }
            try await until { living.count == 0 }
        }
    }

    func testEverySubscriptionOpenAtOnce() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let seen = Collected<Int>()
            var subscriptions: [Subscription] = []
            for number in 0..<500 {
                subscriptions.append(try await space.subscribe { _ in seen.append(number) })
            }
            try await space.create("Task", [:])
            try await until { Set(seen.items).count == 500 }
            XCTAssertEqual(seen.items.count, 500)
            subscriptions.removeAll()
            try await space.create("Task", [:])
            try await space.flush()
            XCTAssertEqual(seen.items.count, 500)
        }
    }

    func testClients() async throws {
        try await repeating(1_000, kilobytes: 8 * 1024) { number in
            let client = try await Client.open(isOnline: false)
            if number.isMultiple(of: 50) {
                try await client.createIdentity(displayName: "Ada")
                let space = try await client.defaultSpace()
                let changes = try await space.changes()
                try await space.create("Task", [:])
                for await _ in changes { break }
            }
            // Every tenth is merely released.
            if !number.isMultiple(of: 10) { try await client.shutdown() }
        }
    }

    func testListenersOutliveTheirClient() async throws {
        let kept = Collected<any Sendable>()
        for _ in 0..<20 {
            let notebook = try await Notebook()
            let space = notebook.space
            let seen = Collected<ChangeBatch>()
            kept.append(try await space.subscribe { seen.append($0) })
            kept.append(try await space.changes())
            try await space.create("Task", [:])
            try await until { seen.items.count == 1 }
            try await notebook.client.shutdown()
        }
        for changes in kept.items.compactMap({ $0 as? Changes }) {
            var batches = 0
            for await _ in changes { batches += 1 }
            XCTAssertLessThanOrEqual(batches, 1)
        }
        for subscription in kept.items.compactMap({ $0 as? Subscription }) {
            subscription.cancel()
        }
    }

    func testListenersAreReleased() async throws {
        let living = Living()
        try await Notebook.with { notebook in
            func listen() async throws -> Subscription {
                let witness = Witness(of: living)
                return try await notebook.space.subscribe { _ in _ = witness }
            }
            var subscriptions: [Subscription] = []
            for _ in 0..<3 { subscriptions.append(try await listen()) }
            XCTAssertEqual(living.count, 3)
            subscriptions[0].cancel()
            try await until { living.count == 2 }
            subscriptions.remove(at: 1)
            try await until { living.count == 1 }
            try await notebook.client.shutdown()
            subscriptions.removeAll()
            try await until { living.count == 0 }
        }
    }

    /// Every waiting call, in a task that is cancelled before it, at its beginning, and a little
    /// later: it returns, and the client works on.
    func testCancellationAtEachAwait() async throws {
        try await Notebook.with { notebook in
            let (client, space) = (notebook.client, notebook.space)
            let id = try await space.create("Note", ["t": .text("text")])
            let exported = try await client.createSpace(name: "Empty").exportJSON()
            let blob = try await space.putBlob(Data("held".utf8))
            let heads = try await space.get(id)?.heads ?? []
            let calls: [@Sendable () async throws -> Void] = [
                { try await Client.open(isOnline: false).shutdown() },
                { _ = try await client.createSpace(name: "Another") },
                { _ = try await client.spaces() },
                { _ = try await client.space(space.id) },
                { _ = try await client.defaultSpace() },
                { try await client.setOnline(false) },
                { _ = try await space.info() },
                { try await space.open() },
                { _ = try await space.properties() },
                { try await space.setProperties(["a": 1]) },
                { try await space.create("Note", [:]) },
                { try await space.update(id, ["n": 1]) },
                { try await space.transaction { try $0.update(id, ["n": 2]) } },
                { _ = try await space.get(id) },
                { _ = try await space.query() },
                { _ = try await space.text(id, "t") },
                { try await space.spliceText(id, "t", at: 0, insert: "x") },
                { _ = try await space.history(id) },
                { try await space.flush() },
                { _ = try await space.digest() },
                { _ = try await space.members() },
                { _ = try await space.status() },
                { _ = try await space.quarantined() },
                { _ = try await space.exportJSON() },
                { try await space.importJSON(exported) },
                { _ = try await space.subscribe { _ in } },
                { for await _ in try await space.changes() {} },
                { for try await _ in try await space.live() {} },
                { _ = try await space.live { _ in } },
                { try await space.putBlob(Data([1])) },
                { _ = try await space.blobs() },
                { _ = try await space.fetchBlob(blob.id) },
                { _ = try await space.readBlob(blob.id) },
                { try await space.collectBlobs() },
                { try await space.importData(Data("[]".utf8), ImportOptions(.json)) },
                { _ = try await space.queryPage(Query()) },
                { _ = try await space.aggregate(Aggregation()) },
                { _ = try await space.explain(Query()) },
                { _ = try await client.query(Query()) },
                { try await space.registerSchema("Other", ["type": "object"]) },
                { _ = try await space.schemas() },
                { _ = try await space.violations() },
                { _ = try await space.search("text") },
                { try await space.createIndex("n") },
                { _ = try await space.indexes() },
                { _ = try await space.log() },
                { _ = try await space.branches(id) },
                { _ = try await space.diff(id, to: heads) },
                { _ = try await space.get(id, at: heads) },
                { _ = try await space.importObject(try await space.exportObject(id)) },
            ]
            for round in 0..<5 {
                for (number, call) in calls.enumerated() {
                    let task = Task {
                        if round == 0 { withUnsafeCurrentTask { $0?.cancel() } }
                        try await call()
                    }
                    for _ in 1..<max(round * round, 1) { await Task.yield() }
                    task.cancel()
                    let result = try await soon { await task.result }
                    if case .failure(let error) = result {
                        XCTFail("call \(number): \(error)")
                    }
                }
            }
            try await space.flush()
            let text = try await space.text(id, "t")
            XCTAssertEqual(text, "xxxxxtext", "a cancelled edit is made all the same")
        }
    }

    func testManyTasksAtOnce() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let id = try await space.create("Task", ["n": Value(number)])
                        _ = try await space.query(type: "Task", limit: 3)
                        return id
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            XCTAssertEqual(ids.count, 500)
            let found = try await space.query(type: "Task")
            XCTAssertEqual(Set(found.map(\.id)), ids)
        }
    }
}
