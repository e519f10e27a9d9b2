import EchoDB
import Foundation
import XCTest

/// Searches for words, and indexes.
final class SearchTests: XCTestCase {
    private func prepared(
        _ body: (Space, [String: String]) async throws -> Void
    ) async throws {
        try await Notebook.with { notebook in
            let ids = try await notebook.space.transaction { tx in
                [
                    "rose": try tx.create(
                        "Note", ["title": "Flowers", "body": .text("Water the red rose 🌹 daily")]),
                    "thorn": try tx.create("Note", ["body": "A rose has a thorn"]),
                    "creme": try tx.create(
                        "Recipe", ["title": "Crème brûlée", "steps": ["Melt", "Rose water"]]),
                ]
            }
            try await body(notebook.space, ids)
        }
    }

    func testWords() async throws {
        try await prepared { space, ids in
            func found(_ results: [SearchResult]) -> Set<String> {
                Set(results.compactMap { result in ids.first { $0.value == result.id }?.key })
            }
            let cases: [(String, Set<String>)] = [
                ("rose", ["rose", "thorn", "creme"]),
                ("red rose", ["rose"]),
                (#""red rose""#, ["rose"]),
                (#""rose red""#, []),
                ("rose -thorn", ["rose", "creme"]),
                ("flow*", ["rose"]),
                ("flowers OR creme", ["rose", "creme"]),
                ("creme brulee", ["creme"]),
                ("-thorn", []),
                ("", []),
                (#""(*^ OR"#, []),
            ]
            for (words, expected) in cases {
                let results = try await space.search(words)
                XCTAssertEqual(found(results), expected, words)
                XCTAssertEqual(results.map(\.rank), results.map(\.rank).sorted(), words)
            }
            let typed = try await space.search("rose", type: "Note")
            XCTAssertEqual(found(typed), ["rose", "thorn"])
            let filtered = try await space.search("rose", where: Field("title").exists)
            XCTAssertEqual(found(filtered), ["rose", "creme"])
            let placed = try await space.search("rose", in: ["steps", "/title"])
            XCTAssertEqual(found(placed), ["creme"])
            let all = try await space.search("rose")
            let window = try await space.search("rose", limit: 1, skip: 1)
            XCTAssertEqual(window.map(\.id), [all[1].id])
            let bare = try await space.search("rose", snippetLength: 0)
            XCTAssertEqual(bare.map(\.snippet), [nil, nil, nil])
            let object = try await space.get(all[0].id)
            XCTAssertEqual(all[0].object, object)
        }
    }

    func testSnippets() async throws {
        try await prepared { space, ids in
            let result = try await space.search("daily red").first
            XCTAssertEqual(result?.id, ids["rose"])
            let snippet = try XCTUnwrap(result?.snippet)
            XCTAssertEqual(snippet.path, "/body")
            XCTAssertEqual(snippet.text, "Water the red rose 🌹 daily")
            XCTAssertEqual(snippet.start, 0)
            XCTAssertFalse(snippet.isContinued)
            // The rose takes two units.
            XCTAssertEqual(snippet.ranges, [10..<13, 22..<27])
            XCTAssertEqual(snippet.highlights.map { String(snippet.text[$0]) }, ["red", "daily"])
        }
    }

    func testAsAFilterAndAnOrder() async throws {
        try await prepared { space, ids in
            let best = try await space.query(where: .search("rose"), order: [.rank], limit: 2)
            XCTAssertEqual(best.count, 2)
            let titled = try await space.query(
                where: .search("rose", in: ["body"]) && Field("title").exists)
            XCTAssertEqual(titled.map(\.id), [ids["rose"]])
            let others = try await space.query(where: !.search("thorn"))
            XCTAssertEqual(others.count, 2)
            await failure(.invalidArgument) { try await space.query(order: [.rank]) }
            // A write is found by the next search.
            let id = try await space.create("Note", ["body": "Another rose"])
            let more = try await space.search("another")
            XCTAssertEqual(more.map(\.id), [id])
            try await space.delete(id)
            let fewer = try await space.search("another")
            XCTAssertEqual(fewer, [])
        }
    }

    func testWhatMakesNoSense() async throws {
        try await prepared { space, _ in
            await failure(.limitExceeded) {
                try await space.search(String(repeating: "x", count: 5000))
            }
            await failure(.invalidArgument) { try await space.search("x", where: .json("{")) }
            await failure(.invalidArgument) { try await space.search("x", limit: -1) }
            await failure(.invalidArgument) { try await space.search("x", skip: -1) }
            await failure(.limitExceeded) { try await space.search("x", limit: 100_000) }
        }
    }

    func testIndexes() async throws {
        try await prepared { space, _ in
            let query = Query(type: "Note", where: Field("title") == "Flowers")
            let before = try await space.query(query)
            try await space.createIndex("title", type: "Note")
            try await space.createIndex("title", type: "Note")
            try await space.createIndex("/steps/0")
            try await space.createIndex(.updated)
            let indexes = try await space.indexes()
            XCTAssertEqual(Set(indexes.map(\.path)), ["/title", "/steps/0", "updated"])
            XCTAssertEqual(indexes.first { $0.path == "/title" }?.type, "Note")
            XCTAssertEqual(indexes.first { $0.path == "updated" }?.type, .some(nil))
            let explained = try await space.explain(query)
            XCTAssertFalse(explained.indexes.isEmpty || explained.readsEverything)
            let after = try await space.query(query)
            XCTAssertEqual(after, before)
            try await space.dropIndex("title", type: "Note")
            try await space.dropIndex(.updated)
            await failure(.notFound) { try await space.dropIndex("title", type: "Note") }
            await failure(.notFound) { try await space.dropIndex("/steps/0", type: "Note") }
            let left = try await space.indexes()
            XCTAssertEqual(left.map(\.path), ["/steps/0"])
            await failure(.limitExceeded) {
                for n in 0..<40 { try await space.createIndex("field\(n)") }
            }
        }
    }
}
