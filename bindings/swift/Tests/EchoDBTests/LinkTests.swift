@testable import EchoDB
import Foundation
import XCTest

/// Links, steps, pages, aggregation, explanation and several spaces.
final class LinkTests: XCTestCase {
    /// A folder with a note in a folder, two people, one of whom wrote the note, and knows the other.
    private func prepared(
        _ body: (Space, [String: String]) async throws -> Void
    ) async throws {
        try await Notebook.with { notebook in
            let ids = try await notebook.space.transaction { tx in
                var ids = [
                    "top": try tx.create("Folder", ["name": "top"]),
                    "inner": try tx.create("Folder", ["name": "inner"]),
                    "ada": try tx.create("Person", ["name": "Ada", "age": 36]),
                    "bob": try tx.create("Person", ["name": "Bob", "age": 41]),
                    "knows": try tx.create("Knows", ["since": 1840]),
                ]
                ids["note"] = try tx.create(
                    "Note",
                    [
                        "name": "note", "author": .reference(Ref(id: ids["ada"]!)),
                        "about": [.reference(Ref(id: ids["bob"]!))],
                    ])
                try tx.setParent(ids["inner"]!, ids["top"])
                try tx.setParent(ids["note"]!, ids["inner"])
                try tx.relate(ids["knows"]!, from: ids["ada"], to: ids["bob"])
                try tx.tag(ids["ada"]!, "friend")
                try tx.setKey(ids["ada"]!, "github", "ada")
                try tx.setKey(ids["bob"]!, "github", "bob")
                return ids
            }
            try await body(notebook.space, ids)
        }
    }

    private func names(_ objects: [Object]) -> [String] {
        objects.map { $0["name"]?.stringValue ?? $0.type ?? "" }.sorted()
    }

    func testEveryLink() async throws {
        try await prepared { space, ids in
            let cases: [(Filter, [String])] = [
                (.linked(.parent), ["inner", "note"]),
                (.linked(.parent.to(ids["top"]!)), ["inner"]),
                (.linked(.parent.where(Field("name") == "inner")), ["note"]),
                (.linked(.child.where(.type("Note"))), ["inner"]),
                (.linked(.ancestor.to(ids["top"]!)), ["inner", "note"]),
                (.linked(.descendant.where(.type("Note"))), ["inner", "top"]),
                (.linked(.refersTo()), ["note"]),
                (.linked(.refersTo("author").where(Field("name") == "Ada")), ["note"]),
                (.linked(.refersTo("author").where(Field("name") == "Bob")), []),
                (.linked(.refersTo().to(Ref(id: ids["bob"]!))), ["note"]),
                (.linked(.referredBy()), ["Ada", "Bob"]),
                (.linked(.referredBy("/about")), ["Bob"]),
                (.linked(.source), ["Knows"]),
                (.linked(.target.to(ids["bob"]!, ids["ada"]!)), ["Knows"]),
                (.linked(.sourceOf), ["Ada"]),
                (.linked(.targetOf.where(Field("since") < 1900)), ["Bob"]),
                (.linked(.related()), ["Ada", "Bob"]),
                (.linked(.related(.out)), ["Ada"]),
                (.linked(.related(.in, type: "Knows", "Likes")), ["Bob"]),
                (.linked(.related(.both, type: "Likes")), []),
                (.linked(.related(via: Field("since") > 1900)), []),
                (.linked(.related().where(.tag("friend"))), ["Bob"]),
                (.linked(.related().to(ids["bob"]!)), ["Ada"]),
                (!.linked(.parent) && .type("Folder"), ["top"]),
                (.without(.parent) && .type("Folder", "Note"), ["top"]),
                (.without(.source) && .relation(), []),
                (.relation(), ["Knows"]),
                (.relation(false) && .type("Knows", "Note"), ["note"]),
                (.tag("friend", "foe"), ["Ada"]),
                (.key("github"), ["Ada", "Bob"]),
                (.key("github", "bob"), ["Bob"]),
                (.branch(), []),
                (.branch(false) && .type("Note"), ["note"]),
                (Field("age").between(36, 40), ["Ada"]),
                (Field("name").containsAny(["da", "ob"]), ["Ada", "Bob"]),
                (Field("name").containsAll(["A", "da"]), ["Ada"]),
                (Field("age").isKind(.number), ["Ada", "Bob"]),
                (Field("about").isKind(.list), ["note"]),
                (Field("about").isKind(.null), []),
            ]
            for (filter, expected) in cases {
                let found = try await space.query(where: filter)
                XCTAssertEqual(names(found), expected, "\(filter)")
            }
        }
    }

    func testSteps() async throws {
        try await prepared { space, ids in
            let authors = try await space.query(
                type: "Folder", where: Field("name") == "top",
                follow: [.descendant.where(.type("Note")), .refersTo("author")])
            XCTAssertEqual(names(authors), ["Ada"])
            let people = try await space.query(
                Query(
                    type: "Note", follow: [.refersTo()], order: [.descending("age")], limit: 1))
            XCTAssertEqual(names(people), ["Bob"])
            let back = try await space.query(
                type: "Person", follow: [.related(.out), .referredBy("about"), .parent])
            XCTAssertEqual(names(back), ["inner"])
            let byParent = try await space.query(type: "Folder", order: [.parent])
            XCTAssertEqual(byParent.map(\.id), [ids["top"], ids["inner"]])
            await failure(.invalidArgument) {
                try await space.query(follow: [.related(.both).to("nonsense")])
            }
            await failure(.limitExceeded) {
                try await space.query(follow: Array(repeating: .parent, count: 17))
            }
            let live = try await space.live(Query(type: "Note", follow: [.refersTo("author")]))
            var lists = live.results.makeAsyncIterator()
            let before = try await lists.next()
            XCTAssertEqual(before.map(names), ["Ada"])
            try await space.update(ids["note"]!, ["author": .reference(Ref(id: ids["bob"]!))])
            let after = try await lists.next()
            XCTAssertEqual(after.map(names), ["Bob"])
        }
    }

    func testPages() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            for n in 0..<25 { try await space.create("Note", ["n": Value(n)]) }
            let query = Query(type: "Note", order: [.descending("n")], limit: 10)
            let first = try await space.queryPage(query)
            XCTAssertEqual(first.objects.count, 10)
            // What comes before a page's end is not on a later one.
            try await space.create("Note", ["n": 100])
            let second = try await space.queryPage(query, after: first.next)
            XCTAssertEqual(second.objects.first?["n"], 14)
            let third = try await space.queryPage(query, after: second.next)
            XCTAssertEqual(third.objects.count, 5)
            XCTAssertNil(third.next)
            var sizes: [Int] = []
            for try await page in space.pages(of: query) { sizes.append(page.count) }
            XCTAssertEqual(sizes, [10, 10, 6])
            var none: [Int] = []
            for try await page in space.pages(of: Query(type: "None")) { none.append(page.count) }
            XCTAssertEqual(none, [0])
            await failure(.invalidArgument) {
                try await space.queryPage(query, after: "nonsense")
            }
            await failure(.invalidArgument) {
                try await space.queryPage(Query(type: "Other"), after: first.next)
            }
            await failure(.limitExceeded) { try await space.queryPage(Query(limit: 0)) }
            await failure(.invalidArgument) { try await space.queryPage(Query(skip: 1)) }
            await failure(.invalidArgument) {
                for try await _ in space.pages(of: .json("{")) {}
            }
        }
    }

    func testAggregation() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let ids = try await space.transaction { tx in
                [
                    try tx.create("Order", ["status": "open", "price": 10, "group": "a"]),
                    try tx.create("Order", ["status": "open", "price": 2.5]),
                    try tx.create("Order", ["status": "done", "price": 4, "group": "b"]),
                    try tx.create("Other", ["price": 1]),
                ]
            }
            try await space.transaction { tx in
                try tx.tag(ids[0], "red")
                try tx.tag(ids[0], "blue")
            }
            let byStatus = try await space.aggregate(
                Aggregation(
                    type: "Order", by: ["status"],
                    measures: [
                        "n": .count, "grouped": .count("group"), "sum": .sum("price"),
                        "avg": .avg("/price"), "min": .min("price"), "max": .max("status"),
                        "latest": .max(.created),
                    ], order: [.descending("sum")]))
            XCTAssertEqual(byStatus.map(\.keys), [["open"], ["done"]])
            let open = try XCTUnwrap(byStatus.first)
            XCTAssertEqual(open["n"], 2)
            XCTAssertEqual(open["grouped"], 1)
            XCTAssertEqual(open["sum"], 12.5)
            XCTAssertEqual(open["avg"], 6.25)
            XCTAssertEqual(open["min"], 2.5)
            XCTAssertEqual(open["max"], "open")
            XCTAssertGreaterThan(open["latest"]?.intValue ?? 0, 1_500_000_000_000)
            XCTAssertEqual(byStatus[1]["sum"], 4)
            XCTAssertNil(open["none"])
            let byTag = try await space.aggregate(
                Aggregation(type: "Order", by: [.tag, .type], limit: 2, skip: 1))
            XCTAssertEqual(byTag.map(\.keys), [["blue", "Order"], ["red", "Order"]])
            XCTAssertEqual(byTag.map { $0["count"] }, [1, 1])
            let whole = try await space.aggregate(
                Aggregation(where: Field("price") > 3, measures: ["least": .min(.updated)]))
            XCTAssertEqual(whole.map(\.keys), [[]])
            let nothing = try await space.aggregate(Aggregation(type: "None"))
            XCTAssertEqual(nothing, [Group(keys: [], count: 0)])
            let raw = try await space.aggregate(.json(#"{"group":["type"]}"#))
            XCTAssertEqual(raw.count, 2)
            let followed = try await space.aggregate(Aggregation(follow: [.child]))
            XCTAssertEqual(followed.first?["count"], 0)
            await failure(.invalidArgument) { try await space.aggregate(.json("{")) }
            await failure(.invalidArgument) {
                try await space.aggregate(Aggregation(order: [.ascending("none")]))
            }
            await failure(.limitExceeded) {
                try await space.aggregate(Aggregation(by: ["a", "b", "c", "d", "e"]))
            }
            await failure(.invalidArgument) {
                try await space.aggregate(Aggregation(by: [.source, .source]))
            }
        }
    }

    func testExplanation() async throws {
        try await prepared { space, _ in
            let typed = try await space.explain(Query(type: "Note"))
            XCTAssertTrue(typed.sql.contains("SELECT"))
            XCTAssertEqual(typed.indexes, ["objects_type"])
            XCTAssertFalse(typed.readsEverything)
            XCTAssertFalse(typed.plan.isEmpty || typed.words.isEmpty)
            let all = try await space.explain(
                Query(where: Field("name") == "note", order: [.ascending("n")]))
            XCTAssertTrue(all.readsEverything, "\(all)")
            XCTAssertTrue(all.parameters.contains("note"), "\(all)")
            let grouped = try await space.explain(Aggregation(by: [.parent]))
            XCTAssertTrue(grouped.sql.contains("GROUP BY"))
            await failure(.invalidArgument) { try await space.explain(Query.json("[")) }
        }
    }

    func testSeveralSpaces() async throws {
        try await Notebook.with { notebook in
            let (client, first) = (notebook.client, notebook.space)
            let second = try await client.createSpace(name: "Second")
            try await first.create("Note", ["n": 1])
            try await second.create("Note", ["n": 2])
            try await first.create("Note", ["n": 3])
            let query = Query(type: "Note", order: [.ascending("n")])
            let all = try await client.query(query)
            XCTAssertEqual(all.map { $0["n"] }, [1, 2, 3])
            XCTAssertEqual(all.map(\.space), [first.id, second.id, first.id])
            let one = try await client.query(query, in: [second.id])
            XCTAssertEqual(one.map { $0["n"] }, [2])
            let own = try await second.query(query)
            XCTAssertEqual(own.map(\.space), [nil])
            XCTAssertEqual(own.map(\.id), one.map(\.id))
            await failure(.invalidArgument) { try await client.query(query, in: ["x"]) }
            await failure(.invalidArgument) { try await client.query(.json("{")) }
            try await second.close()
            let left = try await client.query(query)
            XCTAssertEqual(left.count, 2)
            await failure(.invalidState) { try await client.query(query, in: [second.id]) }
            try await client.deleteSpace(second.id)
            await failure(.notFound) { try await client.query(query, in: [second.id]) }
        }
    }
}

extension Group {
    fileprivate init(keys: [Value], count: Int) {
        self.init(keys: keys, values: ["count": Value(count)])
    }
}
