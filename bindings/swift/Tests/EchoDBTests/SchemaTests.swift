import EchoDB
import Foundation
import XCTest

/// Schemas: registered, kept, broken, migrated.
final class SchemaTests: XCTestCase {
    struct OnPurpose: Error {}

    private let first: Fields = [
        "type": "object", "required": ["title"],
        "properties": ["title": ["type": "string", "maxLength": 80]],
    ]
    private let second: Fields = ["type": "object", "required": ["name"]]

    func testRegisteredAndKept() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let version = try await space.registerSchema("Task", first)
            XCTAssertEqual(version, 1)
            let again = try await space.registerSchema("Task", first)
            XCTAssertEqual(again, 1)
            let id = try await space.create("Task", ["title": "Water"])
            let task = try await space.get(id)
            XCTAssertEqual(task?.schemaVersion, 1)
            for call in [
                { try await space.create("Task", [:]) },
                { try await space.update(id, ["title": 1]); return id },
                { try await space.transaction { try $0.create("Task", ["title": 7]) } },
            ] as [() async throws -> String] {
                let error = await failure(.invalidArgument, call)
                XCTAssertEqual(error?.status, .schemaViolation)
            }
            let tasks = try await space.query(type: "Task")
            XCTAssertEqual(tasks.map(\.fields), [["title": "Water"]])
            let schema = try await space.schema("Task")
            XCTAssertEqual(schema?.type, "Task")
            XCTAssertEqual(schema?.version, 1)
            XCTAssertEqual(schema?.schema.contains("maxLength"), true)
            XCTAssertEqual(schema?.isWithdrawn, false)
            XCTAssertEqual(schema?.hasConflict, false)
            XCTAssertNil(schema?.problem)
            let none = try await space.schema("Other")
            XCTAssertNil(none)
            let holder = try XCTUnwrap(schema).id
            try await space.delete(holder)
            let withdrawn = try await space.schemas()
            XCTAssertEqual(withdrawn.map(\.isWithdrawn), [true])
            try await space.create("Task", [:])
        }
    }

    func testSchemasThatAreNone() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            await failure(.invalidArgument) { try await space.registerSchema("Task", json: "{") }
            await failure(.invalidArgument) {
                try await space.registerSchema("Task", ["type": "nonsense"])
            }
            await failure(.invalidArgument) {
                try await space.registerSchema("Task", ["$ref": "https://example.org/x"])
            }
            await failure(.invalidArgument) {
                try await space.registerSchema("", ["type": "object"])
            }
            await failure(.invalidArgument) {
                try await space.registerSchema("Task", self.first, version: -1)
            }
            try await space.registerSchema("Task", first, version: 3)
            await failure(.alreadyExists) {
                try await space.registerSchema("Task", self.second, version: 3)
            }
            let schemas = try await space.schemas()
            XCTAssertEqual(schemas.map(\.version), [3])
        }
    }

    func testViolations() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            try await space.registerSchema(
                "List", ["properties": ["l": ["type": "array", "maxItems": 2]]])
            let id = try await space.create("List", ["l": [1]])
            let schema = try await space.schema("List")
            let holder = try XCTUnwrap(schema).id
            // Written while the schema is withdrawn, broken once it is back.
            try await space.delete(holder)
            try await space.update(id, ["l": [1, 2, 3]])
            let none = try await space.violations()
            XCTAssertEqual(none, [])
            try await space.transaction { try $0.restore(holder) }
            let violations = try await space.violations()
            XCTAssertEqual(violations.map(\.id), [id])
            XCTAssertEqual(violations.first?.type, "List")
            XCTAssertEqual(violations.first?.version, 1)
            XCTAssertEqual(violations.first?.path, "/l")
            XCTAssertEqual(violations.first?.reason.hasPrefix("maxItems: "), true)
            let status = try await space.status()
            XCTAssertEqual(status.violations, 1)
            XCTAssertFalse(status.isChecking)
            try await space.update(id, ["l": []])
            let mended = try await space.violations()
            XCTAssertEqual(mended, [])
            // A schema that comes later than the objects that break it.
            let late = try await space.create("Late", ["n": 1])
            try await space.registerSchema("Late", ["properties": ["n": ["type": "string"]]])
            let report = try await space.migrate("Late", to: 1) { _, _, fields in fields }
            XCTAssertEqual(report.failed, 1)
            XCTAssertEqual(report.failures.map(\.id), [late])
        }
    }

    func testMigration() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            let old = try await space.create("Task", ["title": "Before"])
            try await space.registerSchema("Task", first)
            let task = try await space.create("Task", ["title": "Water", "n": 1])
            let kept = try await space.create("Task", ["title": "Leave me"])
            let bad = try await space.create("Task", ["title": "Break"])
            try await space.registerSchema("Task", second)
            let asked = Collected<String>()
            let report = try await space.migrate("Task", to: 2) { id, version, fields in
                asked.append("\(id) \(version ?? 0)")
                if id == kept { return nil }
                if id == bad { throw OnPurpose() }
                var fields = fields
                fields["name"] = fields.removeValue(forKey: "title")
                return fields
            }
            XCTAssertEqual(report.migrated, 2)
            XCTAssertEqual(report.left, 1)
            XCTAssertEqual(report.failed, 1)
            XCTAssertEqual(report.failures.map(\.id), [bad])
            XCTAssertFalse(try XCTUnwrap(report.failures.first).reason.isEmpty)
            XCTAssertEqual(
                Set(asked.items), ["\(old) 0", "\(task) 1", "\(kept) 1", "\(bad) 1"])
            let moved = try await space.get(task)
            XCTAssertEqual(moved?.fields, ["name": "Water", "n": 1])
            XCTAssertEqual(moved?.schemaVersion, 2)
            await failure(.notFound) { try await space.migrate("Task", to: 9) { _, _, _ in nil } }
            await failure(.invalidArgument) {
                try await space.migrate("Task", to: -1) { _, _, _ in nil }
            }
        }
    }

    func testAMigrationIsCancelled() async throws {
        try await Notebook.with { notebook in
            let space = notebook.space
            try await space.transaction { tx in
                for n in 0..<200 { try tx.create("Task", ["title": "x", "n": Value(n)]) }
            }
            try await space.registerSchema("Task", first)
            let asked = Collected<String>()
            let migrating = Task {
                try await space.migrate("Task", to: 1) { id, _, fields in
                    asked.append(id)
                    Thread.sleep(forTimeInterval: 0.005)
                    return fields
                }
            }
            try await until { !asked.items.isEmpty }
            migrating.cancel()
            let outcome = try await soon { await migrating.result }
            XCTAssertThrowsError(try outcome.get()) {
                XCTAssertTrue($0 is CancellationError, "\($0)")
            }
            XCTAssertLessThan(asked.items.count, 200)
            do {
                try await space.migrate("Task", to: 1) { _, _, _ in throw CancellationError() }
                XCTFail("it was ended")
            } catch is CancellationError {
                // As it should be.
            }
            let report = try await space.migrate("Task", to: 1) { _, _, fields in fields }
            XCTAssertGreaterThan(report.migrated, 0)
            XCTAssertEqual(report.failed, 0)
        }
    }
}
