@testable import EchoDB
import Foundation
import XCTest

/// What is built is what `tests/golden/queries.json` says, on which all languages agree.
final class BuilderTests: XCTestCase {
    private let object = "00000000000000000000000001"
    private let other = "00000000000000000000000002"
    private let foreign = Ref(
        id: "00000000000000000000000001", space: String(repeating: "a", count: 52))

    private func at(_ milliseconds: Int64) -> Date {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    private func either(_ filters: [Filter]) -> Filter {
        filters.dropFirst().reduce(filters[0]) { $0 || $1 }
    }

    private func filters() -> [String: Filter] {
        let all = (Field("a") == 1) && (Field("b") == 2) && (Field("c") == 3)
        let some = all || (Field("d") == 4) || (Field("e") == 5)
        let created = ObjectTime.created
        let updated = ObjectTime.updated
        return [
            "everything": .all,
            "type": .type("Note", "Task"),
            "no type": .type(nil),
            "id": .id(object, other),
            "tag": .tag("red", "blue"),
            "key": .key("github", "42"),
            "any key": .key("github"),
            "deleted": .deleted(),
            "no branch": .branch(false),
            "relation": .relation(),
            "created": created >= at(1_700_000_000_000) && created < at(1_800_000_000_000),
            "updated": updated > at(1_700_000_000_001) && updated <= at(1_800_000_000_001),
            "search": .search(#""red rose" OR ros* -thorn"#),
            "search in": .search("rose", in: ["title", "/body"]),
            "and, or, not": some && !(Field("f") == 6),
        ]
    }

    private func comparisons() -> [String: Filter] {
        let n = Field("n")
        let mixed: [Value] = ["a", 1, nil, true]
        let bytes = Field("raw") == Data([0x00, 0xff])
        let date = Field("due") < at(1_780_272_000_000)
        let reference = Field("owner") == Ref(id: object)
        let elsewhere = Field("author") == foreign
        let blob =
            Field("file")
            == BlobRef(id: "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq", size: 3)
        return [
            "equal": Field("done") == false,
            "equal to null": Field("/a/b") == Value.null,
            "different": Field(#"a/~ "b""#) != "say \"hi\"\\\n\t\u{1} Zürich 😀",
            "less": n < 2.5,
            "at most": n <= -9_223_372_036_854_775_807,
            "greater": n > "x",
            "at least": n >= 9_223_372_036_854_775_807,
            "between": n.between(0.1, 10),
            "in": n.isIn(mixed),
            "contains": Field("tags").contains("home"),
            "contains any": Field("tags").containsAny(["a", "b"]),
            "contains all": Field("tags").containsAll(["a", "b"]),
            "prefix": n.hasPrefix("ro"),
            "kinds": either(FieldKind.allCases.map { n.isKind($0) }),
            "there": n.exists,
            "missing": n.isMissing,
            "kinds of values": bytes && date && reference && elsewhere && blob,
        ]
    }

    private func links() -> [String: Filter] {
        let every: [Link] = [
            .parent, .child, .ancestor, .descendant, .refersTo(), .referredBy(), .source, .target,
            .sourceOf, .targetOf, .related(),
        ]
        let ada = Filter.type("Person") && Field("name") == "Ada"
        let friends = Link.related(.out, type: "Knows", "Likes", via: .tag("old"))
            .where(.tag("friend"))
        let linkedTo: [Filter] = [
            .linked(.parent.to(object, other)),
            .linked(.ancestor.to(object)),
            .linked(.refersTo().to(foreign)),
            .linked(.refersTo("/author").to(object)),
        ]
        let author = Filter.linked(.refersTo("/author").where(ada))
        let by = Filter.linked(.referredBy("by").where(.deleted()))
        return [
            "linked": either(every.map { .linked($0) }),
            "linked to": either(linkedTo),
            "child of": .child(of: object),
            "no link": either([.without(.parent), .without(.source), .without(.target)]),
            "references": author && by,
            "related": .linked(friends) && .linked(.related(.in)),
        ]
    }

    private func queries() -> [String: Query] {
        let steps: [Link] = [
            .descendant.where(.type("Task")), .refersTo("/assignee"), .related(.in, type: "Knows"),
            .child,
        ]
        let order: [Order] = [
            .created, .updated.reversed(), .id, .type, .parent.reversed(), .descending("due"),
            .ascending("rank"), .ascending("a/~b"),
        ]
        return [
            "steps": Query(type: "Project", follow: steps),
            "order": Query(order: order),
            "by rank": Query(where: .search("rose"), order: [.rank]),
            "window": Query(limit: 10, skip: 20),
            "no results": Query(limit: 0),
        ]
    }

    private func aggregations() -> [String: Aggregation] {
        let measures: [String: Measure] = [
            "n": .count, "filled": .count("price"), "low": .min("price"), "high": .max("price"),
            "first": .min(.created), "latest": .max(.updated), "total": .sum("price"),
            #"mean "x""#: .avg("price"),
        ]
        return [
            "aggregation": Aggregation(
                type: "Order", follow: [.child], by: ["status", .tag, .type, .parent],
                measures: measures, order: [.descending("total"), .ascending("n")], limit: 10,
                skip: 1),
            "groups of relations": Aggregation(where: .relation(), by: [.source, .target]),
            "one group": Aggregation(measures: ["n": .count]),
        ]
    }

    /// The queries by their names.
    private func fixture() throws -> [String: Value] {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        // Beside the package's tests where it was laid out to be tested, else where the sources have it.
        let places = ["Tests/Golden/queries.json", "../../tests/golden/queries.json"]
        let texts = places.compactMap {
            try? String(
                contentsOf: package.appendingPathComponent($0).standardizedFileURL, encoding: .utf8)
        }
        guard let text = texts.first else {
            throw XCTSkip("the sources of the library are not here")
        }
        var queries: [String: Value] = [:]
        for entry in try XCTUnwrap(JSONReader.value(from: text).listValue) {
            queries[try XCTUnwrap(entry["name"]?.stringValue)] = try XCTUnwrap(entry["query"])
        }
        return queries
    }

    func testWhatIsBuiltIsWhatAllLanguagesBuild() throws {
        var built: [String: String] = [:]
        for filters in [filters(), comparisons(), links()] {
            for (name, filter) in filters {
                built[name] = try Query(where: filter).text()
            }
        }
        for (name, query) in queries() {
            built[name] = try query.text()
        }
        for (name, aggregation) in aggregations() {
            built[name] = try aggregation.text()
        }
        let expected = try fixture()
        XCTAssertEqual(Set(built.keys), Set(expected.keys))
        for (name, text) in built {
            XCTAssertEqual(try JSONReader.value(from: text), expected[name], name)
        }
    }
}
