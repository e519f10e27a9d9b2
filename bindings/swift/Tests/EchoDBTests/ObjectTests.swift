import EchoDB
import Foundation
import XCTest

/// Objects: made, read, changed, deleted; history; export and import; the space around them.
final class ObjectTests: XCTestCase {
    func testCreateEditDeleteRestore() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let before = Date.now.addingTimeInterval(-1)
            let id = try await space.create("Task", ["title": "Tea", "done": false])
            let made = try await space.get(id)!
            XCTAssertEqual([made.id, made.type, made.parent], [id, "Task", nil])
            XCTAssertFalse(made.isDeleted)
            XCTAssertLessThan(before, made.created)
            XCTAssertLessThanOrEqual(made.created, made.updated)
            XCTAssertEqual(made.heads.first?.count, 64)
            try await space.update(id, ["done": true])
            let changed = try await space.get(id)!
            XCTAssertEqual(changed.fields, ["title": "Tea", "done": true])
            XCTAssertNotEqual(changed.heads, made.heads)
            try await space.delete(id)
            let deleted = try await space.get(id)
            XCTAssertEqual(deleted?.isDeleted, true)
            let none = try await space.query()
            XCTAssertEqual(none, [])
            try await space.transaction { try $0.restore(id) }
            let restored = try await space.query()
            XCTAssertEqual(restored.map(\.id), [id])
            let absent = try await space.get(String(repeating: "0", count: 26))
            XCTAssertNil(absent)
        }
    }

    func testHistory() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create(nil, ["n": 1])
            let first = try await space.get(id)!
            try await space.transaction { tx in
                try tx.message("two")
                try tx.update(id, ["n": 2])
            }
            let everything = try await space.history(id)
            let since = try await space.history(id, since: first.heads)
            XCTAssertEqual(everything.suffix(1), since[...])
            XCTAssertEqual(since.map(\.message), ["two"])
            XCTAssertEqual(since[0].parents, first.heads)
            XCTAssertLessThan(abs(since[0].time.timeIntervalSinceNow), 600)
            let heads = try await space.get(id)?.heads
            XCTAssertEqual([since[0].hash], heads)
            await failure(.invalidArgument) { try await space.history(id, since: ["short"]) }
        }
    }

    func testExportAndImport() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("Task", ["t": .text("Tea"), "raw": .bytes(Data([0]))])
            let data = try await space.exportJSON()
            XCTAssertEqual(data.split(separator: UInt8(ascii: "\n")).count, 2)
            let copy = try await notebook.client.createSpace(name: "Copy")
            let count = try await copy.importJSON(data)
            XCTAssertEqual(count, 1)
            let (original, copied) = (try await space.get(id), try await copy.get(id))
            XCTAssertEqual(copied?.fields, original?.fields)
            XCTAssertEqual(copied?.type, "Task")
            await failure(.invalidArgument) { try await copy.importJSON(Data("nonsense".utf8)) }
        }
    }

    func testTheSpaceAndItsState() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let info = try await space.info()
            XCTAssertEqual([info.name, info.id], ["Notes", space.id])
            XCTAssertEqual(info.state, .ready)
            try await space.setProperties(["icon": "📓"])
            let properties = try await space.properties()
            XCTAssertEqual(properties, ["name": "Notes", "icon": "📓"])
            try await space.create(nil, [:])
            let status = try await space.status()
            XCTAssertEqual(status.state, .ready)
            XCTAssertEqual([status.objects, status.quarantined, status.waitingForKey], [1, 0, 0])
            XCTAssertEqual(status.peers, [])
            let quarantined = try await space.quarantined()
            XCTAssertEqual(quarantined, [])
            let members = try await space.members()
            XCTAssertEqual(members.map(\.displayName), ["Ada"])
            XCTAssertEqual(members.map(\.role), ["owner"])
            XCTAssertEqual(members.first?.identity, notebook.client.identity?.identity)
            let digest = try await space.digest()
            XCTAssertEqual(digest.count, 64)
            try await space.create(nil, [:])
            let other = try await space.digest()
            XCTAssertNotEqual(other, digest)
            try await space.close()
            let closed = try await space.info()
            XCTAssertEqual(closed.state, .closed)
            await failure(.invalidState) { try await space.create(nil, [:]) }
            try await space.open()
            let found = try await space.query()
            XCTAssertEqual(found.count, 2)
        }
    }
}
