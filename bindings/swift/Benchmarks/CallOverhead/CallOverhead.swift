import EchoDB
import Foundation

/// What a call costs: the time of each kind of call, on a client in memory that is offline.

/// How long each kind may take.
let budget = Duration.seconds(2)

/// A kind of call: the median of its times, of as many runs.
struct Cost {
    let ns: Double
    let runs: Int
}

/// Times single runs of `body` after a warm-up of a tenth of the budget; `batch` of them make one
/// sample where one alone is too short for the clock. Returns the median.
func measure(
    batch: Int = 1, _ body: () async throws -> Void
) async throws -> Cost {
    let clock = ContinuousClock()
    let warm = clock.now + budget / 10
    while clock.now < warm { try await body() }
    var samples: [Double] = []
    let end = clock.now + budget / 2
    while clock.now < end {
        let time = try await clock.measure {
            for _ in 0..<batch { try await body() }
        }
        samples.append(Double(time.components.attoseconds) / 1e9 / Double(batch))
    }
    return Cost(ns: samples.sorted()[samples.count / 2], runs: samples.count * batch)
}

/// A gate that a callback opens.
final class Gate: @unchecked Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() {
        semaphore.signal()
    }

    /// Waits on this thread: it is the callback's time that is measured, not a task's.
    func pass() {
        semaphore.wait()
    }
}

/// `main` belongs to the main actor, the measurements to none: from it, every call would be timed with
/// two changes of threads, away and back.
@main
struct CallOverhead {
    static func main() async throws {
        let client = try await Client.open(isOnline: false)
        try await client.createIdentity(displayName: "Bench")
        let space = try await client.createSpace(name: "Bench")
        let costs = [
            ("call_trivial", try await trivial(space)),
            ("call_record_1k", try await record(space)),
            ("call_list_1000", try await list(space)),
            ("call_bytes_64k", try await bytes(space)),
            ("call_callback", try await callback(space)),
        ]
        try await client.shutdown()
        let entries = costs.map { name, cost in
            "\"\(name)\": {\"ns\": \(cost.ns.rounded()), \"runs\": \(cost.runs)}"
        }
        print("{\(entries.joined(separator: ", "))}")
    }

    static func trivial(_ space: Space) async throws -> Cost {
        try await measure(batch: 1000) { _ = space.id }
    }

    static func record(_ space: Space) async throws -> Cost {
        let text = String(repeating: "x", count: 1024)
        let id = try await space.create("Record", ["text": .string(text)])
        return try await measure { _ = try await space.get(id) }
    }

    static func list(_ space: Space) async throws -> Cost {
        try await space.transaction { tx in
            for n in 0..<1000 { try tx.create("Item", ["n": Value(n)]) }
        }
        return try await measure { _ = try await space.query(type: "Item") }
    }

    static func bytes(_ space: Space) async throws -> Cost {
        let body = String(repeating: "x", count: 65536)
        let id = try await space.create("Page", ["body": .text(body)])
        return try await measure { _ = try await space.text(id, "body") }
    }

    static func callback(_ space: Space) async throws -> Cost {
        let id = try await space.create("Watched", ["n": 0])
        let gate = Gate()
        let subscription = try await space.subscribe(type: "Watched") { _ in gate.open() }
        defer { subscription.cancel() }
        var n = 0
        return try await measure {
            n += 1
            try await space.update(id, ["n": Value(n)])
            gate.pass()
        }
    }
}
