@testable import EchoDB
import Foundation
import XCTest

/// Filters, orders and windows.
final class QueryTests: XCTestCase {
    static let due = Date(timeIntervalSince1970: 1_780_272_000)

    private func prepared(
        _ body: (Space, [String: String]) async throws -> Void
    ) async throws {
        try await Notebook.with { notebook in
            let ids = try await notebook.space.transaction { tx in
                let ids = [
                    "tea": try tx.create(
                        "Task",
                        ["n": "tea", "rank": 1, "done": false, "tags": ["home", "hot"]]),
                    "code": try tx.create(
                        "Task",
                        [
                            "n": "code", "rank": 2.5, "done": true, "due": .date(Self.due),
                            "raw": .bytes(Data([0xff])),
                        ]),
                    "call": try tx.create(
                        "Task", ["n": .text("call"), "rank": 3, "at": ["city": "Zürich"]]),
                    "note": try tx.create("Note", ["n": "note", "votes": .counter(4)]),
                ]
                try tx.setParent(ids["note"]!, ids["tea"])
                return ids
            }
            try await body(notebook.space, ids)
        }
    }

    func testEveryTest() async throws {
        try await prepared { space, ids in
            let due = Self.due
            let cases: [(Filter, [String])] = [
                (Field("done") == false, ["tea"]),
                (Field("done") != false, ["call", "code", "note"]),
                (Field("rank") < 2.5, ["tea"]),
                (Field("rank") <= 2.5, ["code", "tea"]),
                (Field("rank") > 1, ["call", "code"]),
                (Field("rank") >= 2.5, ["call", "code"]),
                (Field("rank").isIn([1, 3]), ["call", "tea"]),
                (Field("n").isIn([Value("tea"), 7, nil]), ["tea"]),
                (Field("tags").contains("hot"), ["tea"]),
                (Field("n").contains("od"), ["code"]),
                (Field("n").hasPrefix("c"), ["call", "code"]),
                (Field("done").exists, ["code", "tea"]),
                (Field("done").isMissing, ["call", "note"]),
                (Field("due") == due, ["code"]),
                (Field("due") > due.addingTimeInterval(-86400), ["code"]),
                (Field("raw") == Data([0xff]), ["code"]),
                (Field("votes") == 4, ["note"]),
                (Field("n") == Value.text("call"), ["call"]),
                (Field("/at/city") == "Zürich", ["call"]),
                (Field("/tags/0") == "home", ["tea"]),
                (Field("rank") == "1", []),
                (.type("Note"), ["note"]),
                (.type("Note", "Task"), ["call", "code", "note", "tea"]),
                (.type(nil), []),
                (.id(ids["tea"]!, ids["code"]!), ["code", "tea"]),
                (.id(in: ids.values), ["call", "code", "note", "tea"]),
                (.child(of: ids["tea"]), ["note"]),
                (.child(of: nil), ["call", "code", "tea"]),
                (ObjectTime.created > Date.now.addingTimeInterval(86400), []),
                (ObjectTime.created <= Date.now.addingTimeInterval(86400) && .type("Note"), ["note"]),
                (ObjectTime.updated >= due.addingTimeInterval(-1e9), ["call", "code", "note", "tea"]),
                (ObjectTime.updated < due.addingTimeInterval(-1e9), []),
                (Field("rank") > 1 && Field("rank") < 3, ["code"]),
                (Field("n") == "tea" || Field("n") == "note", ["note", "tea"]),
                (!(Field("done") == false), ["call", "code", "note"]),
                (.json(#"{"field":"n","op":"eq","value":"tea"}"#), ["tea"]),
                (.all, ["call", "code", "note", "tea"]),
                (.deleted(), []),
            ]
            for (filter, expected) in cases {
                let found = try await space.query(where: filter)
                XCTAssertEqual(
                    found.compactMap { $0["n"]?.stringValue }.sorted(), expected, "\(filter)")
            }
            let narrowed = try await space.query(type: "Note", where: Field("done").exists)
            XCTAssertEqual(narrowed, [])
        }
    }

    func testOrderLimitSkip() async throws {
        try await prepared { space, _ in
            func names(
                type: String? = nil, where filter: Filter = .all, order: [Order] = [],
                limit: Int? = nil, skip: Int = 0
            ) async throws -> [String?] {
                try await space.query(
                    type: type, where: filter, order: order, limit: limit, skip: skip
                ).map { $0["n"]?.stringValue }
            }
            let ranked = Field("rank").exists
            let up = try await names(where: ranked, order: [.ascending("rank")])
            XCTAssertEqual(up, ["tea", "code", "call"])
            let down = try await names(where: ranked, order: [.descending("/rank")])
            XCTAssertEqual(down, ["call", "code", "tea"])
            let window = try await names(
                type: "Task", order: [.ascending("rank")], limit: 1, skip: 1)
            XCTAssertEqual(window, ["code"])
            let typed = try await names(order: [.type, .descending("rank")])
            XCTAssertEqual(typed, ["note", "call", "code", "tea"])
            let none = try await names(order: [.created, .id], limit: 0)
            XCTAssertEqual(none, [])
            let all = try await names(order: [.updated.reversed()])
            XCTAssertEqual(all.count, 4)
            XCTAssertEqual(Order.ascending("a/~b").key, "/a~1~0b")
        }
    }

    func testDeletedOnesAreAskedFor() async throws {
        try await prepared { space, ids in
            try await space.delete(ids["code"]!)
            let left = try await space.query(type: "Task")
            XCTAssertEqual(left.count, 2)
            let deleted = try await space.query(where: .deleted())
            XCTAssertEqual(deleted.map(\.id), [ids["code"]])
            let all = try await space.query(where: .deleted() || .deleted(false))
            XCTAssertEqual(all.count, 4)
        }
    }

    func testRawQueries() async throws {
        try await prepared { space, ids in
            let data = try await space.queryJSON(
                #"{"where":{"type":"Note"},"order":[{"by":"id"}],"limit":5}"#)
            let text = String(decoding: data, as: UTF8.self)
            XCTAssertTrue(text.hasPrefix("[{") && text.contains(ids["note"]!), text)
        }
    }

    func testMalformedQueries() async throws {
        try await prepared { space, _ in
            for json in [#"{"nonsense":1}"#, #"{"field":"a","op":"like","value":1}"#, "{"] {
                await failure(.invalidArgument) { try await space.query(where: .json(json)) }
                await failure(.invalidArgument) { try await space.changes(where: .json(json)) }
            }
            await failure(.invalidArgument) { try await space.query(limit: -1) }
            await failure(.invalidArgument) { try await space.query(where: Field("") == 1) }
            await failure(.invalidArgument) {
                try await space.query(where: Field("a") == Double.nan)
            }
            var deep = Field("a") == 1
            for _ in 0..<10_000 { deep = !deep }
            await failure(.limitExceeded) { [deep] in try await space.query(where: deep) }
        }
    }

    func testChainsStayFlat() {
        let (a, b, c) = (Field("a") == 1, Field("b") == 1, Field("c") == 1)
        guard case .and(let operands) = (a && b && c).condition else { return XCTFail() }
        XCTAssertEqual(operands.count, 3)
        guard case .or(let others) = (a || (b || c)).condition else { return XCTFail() }
        XCTAssertEqual(others.count, 3)
        guard case .and(let mixed) = (a && (b || c)).condition else { return XCTFail() }
        XCTAssertEqual(mixed.count, 2)
    }
}
