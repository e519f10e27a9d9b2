import EchoDB
import Foundation
import XCTest

/// Positions in texts: UTF-16 units, and indices of the text that the caller holds.
final class TextTests: XCTestCase {
    /// Characters of one to several units, some of which belong to their neighbours.
    static let text = "a😀e\u{301}é日👩‍👧שלום\u{64e}नि🇪🇺👍🏽z"

    func testUTF16Positions() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create(nil, ["t": .text(Self.text)])
            var mirror = Array(Self.text.utf16)
            for position in stride(from: mirror.count, through: 0, by: -1) {
                if position < mirror.count, UTF16.isTrailSurrogate(mirror[position]) {
                    await failure(.invalidArgument) {
                        try await space.spliceText(id, "t", at: position, insert: "x")
                    }
                } else {
                    try await space.spliceText(id, "t", at: position, insert: "·")
                    mirror.insert(contentsOf: "·".utf16, at: position)
                }
            }
            let read = try await space.text(id, "t")
            XCTAssertEqual(Array(read.utf16), mirror)
            let length = read.utf16.count
            try await space.spliceText(id, "/t", at: 0, delete: length, insert: "!")
            let field = try await space.get(id)?["t"]
            XCTAssertEqual(field, .text("!"))
            for (position, delete) in [(3, 0), (-1, 0), (0, -1), (0, 2), (Int.max, 0)] {
                await failure(.invalidArgument) {
                    try await space.spliceText(id, "t", at: position, delete: delete)
                }
            }
        }
    }

    func testIndicesOfEveryCharacter() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create(nil, ["t": .text(Self.text)])
            var text = Self.text
            for index in text.indices.reversed() {
                let next = text.index(after: index)
                try await space.spliceText(id, "t", index..<next, of: text, insert: "<\(text[index])>")
                text.replaceSubrange(index..<next, with: "<\(text[index])>")
                let read = try await space.text(id, "t")
                XCTAssertEqual(Array(read.unicodeScalars), Array(text.unicodeScalars))
            }
            try await space.spliceText(id, "t", text.endIndex, of: text, insert: "end")
            let scalar = text.unicodeScalars.firstIndex(of: "\u{301}")!
            try await space.spliceText(id, "t", scalar, of: text, insert: "-")
            let read = try await space.text(id, "t")
            XCTAssertTrue(read.contains("e-\u{301}"), read)
            XCTAssertTrue(read.hasSuffix("end"))
        }
    }

    func testIndicesOfAnotherText() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.create(nil, ["t": .text("short")])
            let long = "much longer than that"
            await failure(.invalidArgument) {
                try await space.spliceText(id, "t", long.endIndex, of: "short", insert: "x")
            }
            let smile = "😀"
            let within = smile.utf8.index(after: smile.startIndex)
            await failure(.invalidArgument) {
                try await space.spliceText(id, "t", within, of: smile, insert: "x")
            }
            await failure(.notFound) { try await space.text(id, "absent") }
        }
    }

    func testWithinATransaction() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let id = try await space.transaction { tx in
                let text = "ab😀"
                let id = try tx.create(nil, ["t": .text(text)])
                try tx.spliceText(id, "t", at: 2, delete: 2, insert: "é")
                try tx.spliceText(id, "t", text.startIndex, of: text, insert: "<")
                let now = "<abé"
                let range = now.firstIndex(of: "b")!..<now.endIndex
                try tx.spliceText(id, "t", range, of: now, insert: "🇪🇺")
                return id
            }
            let read = try await space.text(id, "t")
            XCTAssertEqual(read, "<a🇪🇺")
        }
    }
}
