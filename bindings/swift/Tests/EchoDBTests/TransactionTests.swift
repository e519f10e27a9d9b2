import EchoDB
import Foundation
import XCTest

/// Transactions: all or nothing.
final class TransactionTests: XCTestCase {
    struct OnPurpose: Error {}

    func testAllSteps() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let tx = space.transaction()
            let parent = try tx.create("List", ["items": [1, 3], "votes": .counter(1)])
            let child = try tx.create("Item", ["t": .text("abc"), "gone": 1, "map": ["a": 1]])
            try tx.insert(parent, "/items/1", 2)
            try tx.increment(parent, "votes", 4)
            try tx.increment(parent, "votes")
            try tx.set(parent, "/items/0", ["deep": [true]])
            try tx.remove(child, "gone")
            try tx.remove(child, "/map/a")
            try tx.spliceText(child, "t", at: 1, delete: 1, insert: "éé")
            try tx.update(child, ["new": nil])
            try tx.setParent(child, parent)
            let early = try await space.get(parent)
            XCTAssertNil(early)
            let committed = try await tx.commit()
            let list = try await space.get(parent)
            XCTAssertEqual(
                list?.fields, ["items": [["deep": [true]], 2, 3], "votes": .counter(6)])
            let item = try await space.get(child)
            XCTAssertEqual(item?.fields, ["t": .text("aééc"), "map": [:], "new": nil])
            XCTAssertEqual(item?.parent, parent)
            XCTAssertNotNil(committed.entry)
            XCTAssertEqual(committed.heads[child], item?.heads)
            let orphan = space.transaction()
            try orphan.setParent(child, nil)
            try orphan.delete(parent)
            let touched = try await orphan.commit()
            XCTAssertEqual(Set(touched.heads.keys), [parent, child])
            await failure(.invalidState) { try await orphan.commit() }
        }
    }

    func testAnErrorThrowsTheStepsAway() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let digest = try await space.digest()
            let kept = Collected<Transaction>()
            do {
                try await space.transaction { tx in
                    kept.append(tx)
                    try tx.create("Task", [:])
                    throw OnPurpose()
                }
                XCTFail("it succeeded")
            } catch is OnPurpose {}
            let after = try await space.digest()
            XCTAssertEqual(after, digest)
            await failure(.invalidState) { try kept.items[0].create("Task", [:]) }
        }
    }

    func testAStepThatDoesNotFitFailsTheWhole() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create(nil, ["t": .text("abc")])
            let digest = try await space.digest()
            await failure(.invalidArgument) {
                try await space.transaction { tx in
                    try tx.update(id, ["a": 1])
                    try tx.spliceText(id, "t", at: 99, insert: "x")
                }
            }
            await failure(.notFound) {
                try await space.transaction { tx in
                    try tx.update(id, ["a": 1])
                    try tx.update(String(repeating: "0", count: 26), ["a": 1])
                }
            }
            let after = try await space.digest()
            XCTAssertEqual(after, digest)
        }
    }

    func testOwnIdsVersionsAndExplicitEnds() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create(nil, ["n": 1])
            let old = try await space.get(id)!.heads
            try await space.update(id, ["n": 2])
            try await space.transaction { tx in
                try tx.at(old)
                try tx.update(id, ["m": 1])
            }
            let merged = try await space.get(id)
            XCTAssertEqual(merged?.fields, ["n": 2, "m": 1])
            let mine = "01" + String(repeating: "z", count: 24)
            try await space.transaction { try $0.create("Own", [:], id: mine) }
            let own = try await space.get(mine)
            XCTAssertEqual(own?.type, "Own")
            let never = space.transaction()
            try never.create("Never", [:])
            never.cancel()
            never.cancel()
            await failure(.invalidState) { try await never.commit() }
            let found = try await space.query(type: "Never")
            XCTAssertEqual(found, [])
            let empty = try await space.transaction().commit()
            XCTAssertNil(empty.entry)
        }
    }

    func testCancelledTasksCommitEverythingOrNothing() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            for mark in 0..<12 {
                let task = Task {
                    try await space.transaction { tx in
                        for n in 0..<20 {
                            try tx.create("Bulk", ["mark": Value(mark), "n": Value(n)])
                            try Task.checkCancellation()
                        }
                    }
                }
                for _ in 0..<mark * 5 { await Task.yield() }
                task.cancel()
                _ = await task.result
                let found = try await space.query(where: Field("mark") == mark)
                XCTAssertTrue([0, 20].contains(found.count), "\(found.count)")
            }
        }
    }
}
