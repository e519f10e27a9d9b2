import EchoDB
import Foundation
import XCTest

/// Undo and redo, the log, earlier versions, branches, conditions on versions.
final class HistoryTests: XCTestCase {
    func testUndoAndRedo() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("Note", ["n": 1, "t": .text("ab")])
            let tx = space.transaction()
            try tx.update(id, ["n": 2])
            try tx.message("second")
            try await tx.commit()
            let undone = try await space.undo()
            XCTAssertEqual(undone?.label, "second")
            XCTAssertEqual(undone?.skipped, [])
            XCTAssertNotNil(undone?.committed.entry)
            XCTAssertNotNil(undone?.committed.heads[id])
            let back = try await space.get(id)
            XCTAssertEqual(back?["n"], 1)
            let redone = try await space.redo()
            XCTAssertEqual(redone?.label, "second")
            let again = try await space.get(id)
            XCTAssertEqual(again?["n"], 2)
            let nothing = try await space.redo()
            XCTAssertNil(nothing)
            // Typing is one step.
            for character in ["x", "y", "z"] {
                try await space.spliceText(id, "t", at: 0, insert: character)
            }
            try await space.undo()
            let text = try await space.text(id, "t")
            XCTAssertEqual(text, "ab")
            try await space.undo()
            try await space.undo()
            let gone = try await space.get(id)
            XCTAssertEqual(gone?.isDeleted, true)
            // The space's name is no step.
            let nothingMore = try await space.undo()
            XCTAssertNil(nothingMore)
            let properties = try await space.properties()
            XCTAssertNotNil(properties["name"])
        }
    }

    func testGroups() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("Note", ["n": 0])
            for n in 1...3 {
                try await space.transaction { tx in
                    try tx.update(id, ["n": Value(n)])
                    try tx.group("drag")
                }
            }
            try await space.undo()
            let back = try await space.get(id)
            XCTAssertEqual(back?["n"], 0)
            try await space.redo()
            let again = try await space.get(id)
            XCTAssertEqual(again?["n"], 3)
            let tx = space.transaction()
            await failure(.invalidArgument) { try tx.group("") }
            tx.cancel()
        }
    }

    func testConditionsOnVersions() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("Note", ["n": 1])
            let before = try await space.get(id)
            let heads = try XCTUnwrap(before).heads
            try await space.transaction { tx in
                try tx.onlyIf(id, heads)
                try tx.update(id, ["n": 2])
            }
            let error = await failure(.invalidState) {
                try await space.transaction { tx in
                    try tx.onlyIf(id, heads)
                    try tx.update(id, ["n": 3])
                }
            }
            XCTAssertEqual(error?.status, .conflict)
            let now = try await space.get(id)
            XCTAssertEqual(now?["n"], 2)
            let exists = await failure(.invalidState) {
                try await space.transaction { tx in
                    try tx.onlyIf(id, [])
                    try tx.update(id, ["n": 3])
                }
            }
            XCTAssertEqual(exists?.status, .conflict)
            let tx = space.transaction()
            await failure(.invalidArgument) { try tx.onlyIf("short", heads) }
            await failure(.invalidArgument) { try tx.onlyIf(id, ["no hash"]) }
            tx.cancel()
        }
    }

    func testLog() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let first = try await space.create("Note", [:])
            let (second, third) = try await space.transaction { tx in
                try tx.message("two at once")
                return (try tx.create("Note", [:]), try tx.create("Note", [:]))
            }
            let log = try await space.log()
            let newest = try XCTUnwrap(log.first)
            XCTAssertEqual(newest.objects, [second, third].sorted())
            XCTAssertEqual(newest.message, "two at once")
            XCTAssertEqual(newest.identity, notebook.client.identity?.identity)
            XCTAssertEqual(newest.device, notebook.client.identity?.device)
            XCTAssertLessThan(abs(newest.time.timeIntervalSinceNow), 600)
            XCTAssertEqual(log[1].objects, [first])
            let made = try await space.history(first)
            XCTAssertEqual(log[1].versions, [first: made.map(\.hash)])
            XCTAssertEqual(made.map(\.identity), [newest.identity])
            XCTAssertEqual(made.map(\.device), [newest.device])
            let past = try await space.get(first, at: log[1].versions[first] ?? [])
            XCTAssertEqual(past.id, first)
            XCTAssertNil(log[1].message)
            let one = try await space.log(limit: 1)
            XCTAssertEqual(one, [newest])
            let next = try await space.log(limit: 1, before: newest.entry)
            XCTAssertEqual(next, [log[1]])
            await failure(.invalidArgument) { try await space.log(limit: -1) }
            await failure(.invalidArgument) { try await space.log(before: "nonsense") }
            let absent = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq"
            await failure(.notFound) { try await space.log(before: absent) }
        }
    }

    func testVersions() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create(
                "Note",
                [
                    "s": "a", "t": .text("h😀llo"), "c": .counter(1), "l": [1, 2, 3],
                    "m": ["k": 1],
                ])
            let old = try await present(space, id)
            let tx = space.transaction()
            try tx.set(id, "s", "b")
            try tx.spliceText(id, "t", at: 3, delete: 3, insert: "y")
            try tx.mark(id, "t", 0..<3, "bold")
            try tx.increment(id, "c", 4)
            try tx.insert(id, "/l/1", ["x": 1])
            try tx.remove(id, "/m/k")
            try await tx.commit()
            let list = space.transaction()
            try list.remove(id, "/l/3")
            try await list.commit()
            let new = try await present(space, id)
            let before = try await space.get(id, at: old.heads)
            XCTAssertEqual(before, old)
            let differences = try await space.diff(id, from: old.heads, to: new.heads)
            for wanted in [
                Difference.set(path: "/s", value: "b"),
                .splice(path: "/t", position: 3, delete: 3, insert: "y"),
                .mark(path: "/t", range: 0..<3, name: "bold", value: true),
                .increment(path: "/c", by: 4),
                .insert(path: "/l/1", values: [["x": 1]]),
                .removeElements(path: "/l/3", count: 1),
                .remove(path: "/m/k"),
            ] {
                XCTAssertTrue(differences.contains(wanted), "\(wanted) in \(differences)")
            }
            let whole = try await space.diff(id, to: old.heads)
            XCTAssertTrue(whole.contains { $0.path == "/s" }, "\(whole)")
            let none = try await space.diff(id, from: new.heads, to: new.heads)
            XCTAssertEqual(none, [])
            let restored = try await space.restoreVersion(id, old.heads)
            XCTAssertNotNil(restored.heads[id])
            let now = try await space.get(id)
            XCTAssertEqual(now?.fields, old.fields)
            XCTAssertNotEqual(now?.heads, old.heads)
            let unknown = [String(repeating: "0", count: 64)]
            await failure(.notFound) { try await space.get(id, at: unknown) }
            await failure(.notFound) { try await space.diff(id, from: unknown, to: new.heads) }
            await failure(.notFound) { try await space.restoreVersion(id, unknown) }
            await failure(.invalidArgument) { try await space.get(id, at: ["no hash"]) }
            await failure(.invalidArgument) { try await space.get("short", at: old.heads) }
        }
    }

    func testBranches() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("Note", ["t": .text("one"), "n": 1])
            let draft = try await space.branch(id, name: "draft")
            let info = try await space.branches(id)
            XCTAssertEqual(info.map(\.id), [draft])
            XCTAssertEqual(info.map(\.of), [id])
            XCTAssertEqual(info.map(\.name), ["draft"])
            XCTAssertEqual(info.first?.heads.isEmpty, false)
            XCTAssertLessThan(abs(info[0].created.timeIntervalSinceNow), 600)
            XCTAssertLessThan(abs(info[0].updated.timeIntervalSinceNow), 600)
            await failure(.alreadyExists) { try await space.branch(id, name: "draft") }
            await failure(.invalidArgument) { try await space.branch(id, name: "") }
            try await space.spliceText(draft, "t", at: 3, insert: " two")
            try await space.update(id, ["n": 2])
            let notes = try await space.query(type: "Note")
            XCTAssertEqual(notes.map(\.id), [id])
            let branches = try await space.query(where: .branch())
            XCTAssertEqual(branches.map(\.id), [draft])
            XCTAssertEqual(branches.map(\.branchOf), [id])
            let merged = try await space.mergeBranch(draft)
            XCTAssertNotNil(merged.heads[id])
            let now = try await space.get(id)
            XCTAssertEqual(now?.fields, ["t": .text("one two"), "n": 2])
            await failure(.invalidArgument) { try await space.mergeBranch(id) }
            try await space.delete(draft)
            let left = try await space.branches(id)
            XCTAssertEqual(left, [])
        }
    }
}

private func present(_ space: Space, _ id: String) async throws -> Object {
    let object = try await space.get(id)
    return try XCTUnwrap(object)
}
