import EchoDB
import Foundation
import XCTest

/// Import and export: archives, JSON lines, tables, single objects.
final class TransferTests: XCTestCase {
    func testArchives() async throws {
        let folder = try temporaryFolder(self)
        let file = folder.appendingPathComponent("notes.echo")
        try await Notebook.with { notebook in
            let (client, space) = (notebook.client, notebook.space)
            let id = try await space.create("Note", ["t": .text("kept")])
            let info = try await space.exportArchive(to: file)
            XCTAssertEqual(info.space, space.id)
            XCTAssertGreaterThan(info.version, 0)
            XCTAssertGreaterThan(info.feeds, 0)
            XCTAssertGreaterThan(info.entries, info.controlEntries)
            XCTAssertGreaterThan(info.controlEntries, 0)
            XCTAssertEqual(info.bytes, Int64(try Data(contentsOf: file).count))
            XCTAssertEqual(info.digest.count, 64)
            let verified = try await verifyArchive(at: file)
            XCTAssertEqual(verified, info)
            let digest = try await space.digest()
            try await client.deleteSpace(space.id)
            let back = try await client.importArchive(from: file)
            XCTAssertEqual(back.id, space.id)
            let (text, same) = (try await back.text(id, "t"), try await back.digest())
            XCTAssertEqual(text, "kept")
            XCTAssertEqual(same, digest)
            // Where the space is already, what is new in the archive is taken in: nothing.
            _ = try await client.importArchive(from: file)
            let still = try await back.digest()
            XCTAssertEqual(still, digest)
        }
        try await Notebook.with { stranger in
            await failure(.permissionDenied) {
                try await stranger.client.importArchive(from: file)
            }
        }
    }

    func testArchivesThatAreNone() async throws {
        let folder = try temporaryFolder(self)
        let file = folder.appendingPathComponent("notes.echo")
        try await Notebook.with { notebook in
            let (client, space) = (notebook.client, notebook.space)
            await failure(.notFound) { try await verifyArchive(at: file) }
            await failure(.notFound) { try await client.importArchive(from: file) }
            try Data("nonsense".utf8).write(to: file)
            await failure(.invalidArgument) { try await verifyArchive(at: file) }
            try await space.create("Note", ["n": 1])
            try await space.exportArchive(to: file)
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: file)
            for call in [
                { _ = try await verifyArchive(at: file) },
                { _ = try await client.importArchive(from: file) },
            ] as [() async throws -> Void] {
                let error = await failure(.storage, call)
                XCTAssertEqual(error?.status, .corrupt)
            }
            let web = try XCTUnwrap(URL(string: "https://example.org/x"))
            await failure(.invalidArgument) { try await verifyArchive(at: web) }
            await failure(.invalidArgument) { try await space.exportArchive(to: web) }
            await failure(.invalidArgument) { try await client.importArchive(from: web) }
            await failure(.storage) {
                try await space.exportArchive(to: folder.appendingPathComponent("no/such/place"))
            }
        }
    }

    func testJSONFiles() async throws {
        let folder = try temporaryFolder(self)
        let file = folder.appendingPathComponent("notes.jsonl")
        try await Notebook.with { notebook in
            let space = notebook.space
            for n in 0..<10 { try await space.create("Note", ["n": Value(n), "t": .text("x")]) }
            let count = try await space.exportJSON(to: file)
            let inMemory = try await space.exportJSON()
            XCTAssertEqual(count, 10)
            XCTAssertEqual(try Data(contentsOf: file), inMemory)
            let other = try await notebook.client.createSpace(name: "Copy")
            let read = try await other.importJSON(from: file)
            XCTAssertEqual(read, 10)
            let (ours, theirs) = (try await space.query(), try await other.query())
            XCTAssertEqual(ours.map(\.id), theirs.map(\.id))
            XCTAssertEqual(ours.map(\.fields), theirs.map(\.fields))
            await failure(.notFound) {
                try await other.importJSON(from: folder.appendingPathComponent("none"))
            }
            try Data("nonsense".utf8).write(to: file)
            await failure(.invalidArgument) { try await other.importJSON(from: file) }
        }
    }

    func testTables() async throws {
        let folder = try temporaryFolder(self)
        let file = folder.appendingPathComponent("items.csv")
        try await Notebook.with { notebook in
            let space = notebook.space
            let data = Data("sku;price;note\nA;1;x\nB;two;y\n".utf8)
            var options = ImportOptions(
                .csv, type: "Item", key: "sku",
                columns: [
                    ImportColumn("price", kind: .integer),
                    ImportColumn("note", field: "remark", kind: .text),
                ], delimiter: ";", onError: .skip)
            let report = try await space.importData(data, options)
            XCTAssertEqual(report.rows, 2)
            XCTAssertEqual(report.created, 1)
            XCTAssertEqual(report.skipped, 1)
            XCTAssertEqual(report.skips.map(\.line), [3])
            XCTAssertFalse(try XCTUnwrap(report.skips.first).reason.isEmpty)
            let items = try await space.query(type: "Item")
            XCTAssertEqual(
                items.map(\.fields), [["sku": "A", "price": 1, "remark": .text("x")]])
            try data.write(to: file)
            let again = try await space.importData(from: file, options)
            XCTAssertEqual(again.unchanged, 1)
            XCTAssertEqual(again.created, 0)
            try Data("sku;price;note\nA;2;x\n".utf8).write(to: file)
            let changed = try await space.importData(from: file, options)
            XCTAssertEqual(changed.updated, 1)
            options.onError = .stop
            await failure(.invalidArgument) { try await space.importData(data, options) }
            options.delimiter = "::"
            await failure(.invalidArgument) { try await space.importData(data, options) }
            await failure(.notFound) {
                try await space.importData(
                    from: folder.appendingPathComponent("none"), ImportOptions(.csv))
            }
        }
    }

    func testJSONDataAndEveryKind() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let one = try await space.importData(
                Data(#"[{"a": 1}, {"a": 2.5, "b": [true]}]"#.utf8), ImportOptions(.json))
            XCTAssertEqual(one.created, 2)
            let lines = try await space.importData(
                Data("{\"a\": 1}\n{\"a\": 2}\n".utf8), ImportOptions(.ndjson, type: "Line"))
            XCTAssertEqual(lines.created, 2)
            for (number, kind) in ColumnKind.allCases.enumerated() {
                let cell = ["true", "x", "x", "1", "1.5", "yes", "2020-01-01", "", "[1]", "x"]
                let reference = try await space.create("Target", [:])
                let text = kind == .reference ? reference : cell[number]
                let report = try await space.importData(
                    Data("\(text)\n".utf8),
                    ImportOptions(
                        .csv, type: "Kind\(number)", otherColumns: kind, hasHeader: false))
                XCTAssertEqual(report.created, 1, "\(kind)")
            }
            let expected: [Int: Value?] = [
                0: true, 1: "x", 2: .text("x"), 3: 1, 4: 1.5, 5: true,
                6: .date(Date(timeIntervalSince1970: 1_577_836_800)), 8: [1], 9: .none,
            ]
            for (number, value) in expected {
                let found = try await space.query(type: "Kind\(number)").first
                XCTAssertEqual(found?["column_1"], value, "\(number)")
            }
            await failure(.invalidArgument) {
                try await space.importData(Data("nonsense".utf8), ImportOptions(.json))
            }
        }
    }

    func testSingleObjects() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("Note", ["title": "One", "t": .text("hello")])
            let bytes = try await space.exportObject(id)
            let copy = try await space.importObject(bytes)
            XCTAssertNotEqual(copy, id)
            let copied = try await space.get(copy)
            XCTAssertEqual(copied?.fields, ["title": "One", "t": .text("hello")])
            let same = try await space.importObject(bytes, into: copy)
            XCTAssertEqual(same, copy)
            await failure(.invalidArgument) {
                try await space.importObject(bytes.prefix(bytes.count / 2))
            }
            await failure(.invalidArgument) { try await space.importObject(Data()) }
            await failure(.invalidArgument) { try await space.exportObject("nonsense") }
        }
    }
}
