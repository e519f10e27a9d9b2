import EchoDB
import Foundation
import XCTest

/// Natural keys, tags, foreign keys, relations, trees, marks, cursors, moves and conflicts.
final class ModelTests: XCTestCase {
    func testLabelsAndRelations() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let tx = space.transaction()
            let ada = try tx.create("Person", ["name": "Ada"])
            let bob = try tx.create("Person", ["name": "Bob"])
            let knows = try tx.create("Knows", [:])
            try tx.relate(knows, from: ada, to: bob)
            try tx.tag(ada, "friend")
            try tx.tag(ada, "gone")
            try tx.untag(ada, "gone")
            try tx.setKey(ada, "github", "42")
            await failure(.invalidArgument) { try tx.tag(ada, "") }
            await failure(.invalidArgument) { try tx.setKey(ada, "@x", "1") }
            try await tx.commit()
            let found = try await space.get(ada)
            XCTAssertEqual(found?.tags, ["friend"])
            XCTAssertEqual(found?.keys, ["github": "42"])
            let link = try await space.query(type: "Knows").first
            XCTAssertEqual([link?.id, link?.source, link?.target], [knows, ada, bob])
            let forget = space.transaction()
            try forget.setKey(ada, "github", nil)
            try await forget.commit()
            let after = try await space.query(type: "Person").first
            XCTAssertEqual(after?.keys, [:])
        }
    }

    func testNaturalKeys() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let first = try await space.transaction { tx in
                try tx.createWithKey("Book", "isbn:1", ["title": "One", "pages": 1])
            }
            let second = try await space.transaction { tx in
                try tx.createWithKey("Book", "isbn:1", ["title": "Two"])
            }
            XCTAssertEqual(first, second)
            let books = try await space.query(type: "Book")
            XCTAssertEqual(books.map(\.fields), [["title": "Two", "pages": 1]])
            XCTAssertEqual(books.first?.keys, ["natural": "isbn:1"])
        }
    }

    func testWhatIsBelowADeletedObjectIsHidden() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let tx = space.transaction()
            let root = try tx.create("Node", [:])
            let child = try tx.create("Node", [:])
            try tx.setParent(child, root)
            try await tx.commit()
            try await space.delete(root)
            let nodes = try await space.query(type: "Node")
            XCTAssertEqual(nodes, [])
            let below = try await space.get(child)
            XCTAssertEqual(below?.isDeleted, false)
            XCTAssertEqual(below?.isHidden, true)
        }
    }

    func testTextsAndLists() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let note = try await space.create("Note", ["t": .text("a😀bc"), "l": [1, 2, 3]])
            let tx = space.transaction()
            try tx.mark(note, "t", 1..<4, "bold")
            try tx.mark(note, "t", 4..<5, "link", "https://example.org", expand: MarkExpand.none)
            try tx.moveItem(note, "/l/0", to: 2)
            try await tx.commit()
            let marks = try await space.marks(note, "t")
            XCTAssertEqual(marks.map(\.name), ["bold", "link"])
            XCTAssertEqual(marks.map { $0.start..<$0.end }, [1..<4, 4..<5])
            XCTAssertEqual(marks.map(\.value), [true, "https://example.org"])
            let cursor = try await space.cursor(note, "t", at: 3)
            try await space.spliceText(note, "t", at: 0, insert: "é")
            let position = try await space.cursorPosition(note, "t", cursor)
            XCTAssertEqual(position, 4)
            await failure(.invalidArgument) {
                _ = try await space.cursorPosition(note, "t", "nonsense")
            }
            let clear = space.transaction()
            try clear.mark(note, "t", 0..<6, "bold", nil)
            try await clear.commit()
            let left = try await space.marks(note, "t")
            XCTAssertEqual(left.map(\.name), ["link"])
            let found = try await space.get(note)
            XCTAssertEqual(found?["l"], [2, 3, 1])
        }
    }

    func testConflicts() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let note = try await space.create("Note", ["n": 1])
            let before = try await space.get(note)
            try await space.update(note, ["n": 2])
            let tx = space.transaction()
            try tx.at(before?.heads ?? [])
            try tx.set(note, "n", 3)
            try await tx.commit()
            let values = try await space.conflicts(note, "n")
            XCTAssertEqual(Set(values), [2, 3])
            let now = try await space.get(note)
            XCTAssertEqual(values.last, now?["n"])
            await failure(.notFound) { _ = try await space.conflicts(note, "none") }
        }
    }
}
