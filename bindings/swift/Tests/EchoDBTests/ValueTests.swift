@testable import EchoDB
import Foundation
import XCTest

/// Every kind of value comes back as it went in.
final class ValueTests: XCTestCase {
    static let noon = Date(timeIntervalSince1970: 1_795_435_200.123)
    static let values: Fields = [
        "null": nil,
        "true": true,
        "false": false,
        "least": .int(.min),
        "largest": .int(.max),
        "beyond doubles": .int(1 << 53 + 1),
        "whole double": 1.0,
        "integer": 1,
        "negative zero": .double(-0.0),
        "tiny": .double(.leastNonzeroMagnitude),
        "huge": .double(.greatestFiniteMagnitude),
        "third": .double(1.0 / 3),
        "infinite": .double(.infinity),
        "negative infinite": .double(-.infinity),
        "string": "a\"b\\c\n\0\u{1f}é😀\u{2028}",
        "bytes": .bytes(Data(0...255)),
        "moment": .date(noon),
        "old": .date(Date(timeIntervalSince1970: -62_135_596_800)),
        "far": .timestamp(1 << 60 + 1),
        "text": .text("héllo 😀"),
        "counter": .counter(-3),
        "ref": .reference(Ref(id: "0000000000000000000000000a")),
        "list": [1, [2.5, ["x": [nil, .text("in")]]], "z"],
        "map": ["m": ["b": .bytes(Data()), "when": .date(noon)], "empty": [:]],
        "no items": [],
    ]

    func testRoundTrip() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create("All", Self.values)
            let found = try await space.get(id)
            XCTAssertEqual(found?.fields, Self.values)
            let queried = try await space.query(type: "All")
            XCTAssertEqual(queried, [found])
            try await space.update(id, found?.fields ?? [:])
            let again = try await space.get(id)
            XCTAssertEqual(again?.fields, Self.values)
        }
    }

    func testNumbersKeepTheirKindAndBits() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create(nil, ["nan": .double(.nan), "zero": .double(-0.0)])
            let found = try await space.get(id)
            XCTAssertEqual(found?["nan"]?.doubleValue?.isNaN, true)
            XCTAssertEqual(found?["zero"]?.doubleValue?.sign, .minus)
            // Equal as Swift compares them, but not the same: the digest of bits decides.
            for double in [0.1, 1e16, 1e21, 123_456_789.125, -2.5e-7] {
                let id = try await space.create(nil, ["d": .double(double)])
                let read = try await space.get(id)?["d"]
                guard case .double(let back) = read else { return XCTFail("\(double): \(read!)") }
                XCTAssertEqual(back.bitPattern, double.bitPattern)
            }
        }
    }

    func testTimesKeepTheirMilliseconds() async throws {
        let dates: [Int64] = [0, 1, -1, 999, -999, 1_763_864_160_123, -62_135_596_800_000, 1 << 50]
        for milliseconds in dates {
            let date = Date(millisecondsSince1970: milliseconds)
            XCTAssertEqual(try date.millisecondsSince1970(), milliseconds)
            XCTAssertEqual(Value.timestamp(milliseconds).dateValue, date)
        }
        for beyond in [Double.nan, .infinity, 1e300, -1e20] {
            let date = Date(timeIntervalSince1970: beyond)
            await failure(.invalidArgument) { try JSONWriter.text(of: .date(date)) }
        }
    }

    func testTypedAccess() {
        let map: Value = ["list": [1, 2.5], "at": .date(Self.noon), "t": .text("x")]
        XCTAssertEqual(map["list"]?[0]?.intValue, 1)
        XCTAssertEqual(map["list"]?[1]?.doubleValue, 2.5)
        XCTAssertNil(map["list"]?[2])
        XCTAssertNil(map["list"]?["x"])
        XCTAssertNil(map["absent"])
        XCTAssertEqual(map["t"]?.stringValue, "x")
        XCTAssertEqual(map["at"]?.dateValue, Self.noon)
        XCTAssertNil(map["t"]?.intValue)
        XCTAssertEqual(Value.counter(3).intValue, 3)
        XCTAssertEqual(Value.int(3).doubleValue, 3)
        XCTAssertNil(Value.int(1 << 53 + 1).doubleValue)
        XCTAssertEqual(Value(7), .int(7))
        XCTAssertEqual(Value(["a": [true]]), ["a": [true]])
        XCTAssertEqual(Value(Data([1])).dataValue, Data([1]))
        XCTAssertEqual(Value(Optional<Int>.none), .null)
        XCTAssertTrue(Value.null.isNull)
    }

    func testReferences() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let other = try await space.create(nil, [:])
            let found = try await space.get(other)
            let elsewhere = Ref(id: other, space: space.id)
            let holder = try await space.create(
                nil, ["here": .reference(found!.ref), "there": .reference(elsewhere)])
            let read = try await space.get(holder)
            XCTAssertEqual(read?["here"]?.refValue?.id, other)
            XCTAssertEqual(read?["there"]?.refValue, elsewhere)
            XCTAssertEqual(Ref(elsewhere.description), elsewhere)
            XCTAssertNil(Ref("nonsense"))
            XCTAssertNil(Ref("echo://space-alone"))
        }
    }

    func testWhatCannotBeAValue() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            var deep: Value = 1
            for _ in 0..<1000 { deep = [deep] }
            let wrong: [(Value, EchoError.Kind)] = [
                (["@text": "smuggled"], .invalidArgument),
                (.reference(Ref(id: "not an id")), .invalidArgument),
                (deep, .limitExceeded),
            ]
            for (value, kind) in wrong {
                await failure(kind) { try await space.create(nil, ["x": value]) }
            }
            await failure(.invalidArgument) { try await space.create(nil, ["@x": 1]) }
            let left = try await space.query()
            XCTAssertEqual(left, [])
        }
    }

    func testJSONOfOtherWriters() throws {
        let text = #" { "a" : [ 1 , -0.0 , 1E2, true,false , null ] , "s":"\ud83d\ude00\/\b\f\n\r\té" } "#
        let read = try JSONReader.fields(from: text)
        XCTAssertEqual(read["a"], [1, -0.0, 100.0, true, false, nil])
        XCTAssertEqual(read["s"], "😀/\u{8}\u{c}\n\r\té")
        let newer = try JSONReader.fields(from: #"{"a":{"@new":1}}"#)
        XCTAssertEqual(newer["a"], .map(["@new": 1]))
        let broken = [
            "", "[]", "{", "{}x", #"{"a":}"#, #"{"a":1,}"#, #"{"a":tru}"#, #"{"a":"x}"#,
            #"{"a":"\ud83d"}"#, #"{"a":"\q"}"#, #"{"a":99999999999999999999}"#, #"{"a":1.2.3}"#,
            "{\"a\":" + String(repeating: "[", count: 100_000),
        ]
        for text in broken {
            XCTAssertThrowsError(try JSONReader.fields(from: text), String(text.prefix(20))) {
                XCTAssertEqual(($0 as? EchoError)?.kind, .unexpected)
            }
        }
    }
}
