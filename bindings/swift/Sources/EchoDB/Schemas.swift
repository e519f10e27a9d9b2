internal import EchoDBNative
import Foundation

/// A registered version of a type's schema.
public struct SchemaInfo: Hashable, Sendable, Identifiable {
    /// The object that holds it. Deleting that withdraws the schema; restoring it undoes that.
    public let id: String
    /// The type.
    public let type: String
    /// The version, from 1.
    public let version: Int
    /// The schema: JSON text.
    public let schema: String
    /// Whether it was withdrawn: then it is not in force.
    public let isWithdrawn: Bool
    /// Why it cannot be used (a peer may register anything): then it is not in force.
    public let problem: String?
    /// Whether peers registered different schemas as this version at the same time. This one won, on
    /// every peer.
    public let hasConflict: Bool

    init(native: EchoDBNative.SchemaInfo) {
        id = native.id
        type = native.typeName
        version = Int(native.version)
        schema = native.schema
        isWithdrawn = native.withdrawn
        problem = native.problem
        hasConflict = native.conflict
    }
}

/// A rule of its type's schema that an object breaks.
public struct Violation: Hashable, Sendable {
    /// The object.
    public let id: String
    /// Its type.
    public let type: String
    /// The version of the schema, which the object carries.
    public let version: Int
    /// Where in the fields, as a JSON Pointer; empty for the object as a whole.
    public let path: String
    /// The schema's keyword, a colon, and a sentence.
    public let reason: String

    init(native: EchoDBNative.Violation) {
        id = native.id
        type = native.typeName
        version = Int(native.version)
        path = native.path
        reason = native.reason
    }
}

/// An object that a migration could not move.
public struct MigrationFailure: Hashable, Sendable {
    /// The object.
    public let id: String
    /// Why.
    public let reason: String
}

/// What came of a migration.
public struct MigrationReport: Hashable, Sendable {
    /// Objects that carry the new version now.
    public let migrated: Int
    /// Objects that the program left as they were.
    public let left: Int
    /// Objects that could not be moved.
    public let failed: Int
    /// The first hundred of them.
    public let failures: [MigrationFailure]

    init(native: EchoDBNative.MigrationReport) {
        migrated = Int(clamping: native.migrated)
        left = Int(clamping: native.left)
        failed = Int(clamping: native.failed)
        failures = native.failures.map { MigrationFailure(id: $0.id, reason: $0.reason) }
    }
}

extension Space {
    /// Registers a JSON Schema for the objects of a type, and returns its version.
    ///
    /// ```swift
    /// try await space.registerSchema("Task", ["type": "object", "required": ["title"]])
    /// ```
    ///
    /// Does nothing if that version, or without `version` the newest in force, is the same schema
    /// already: a program may call this at every start. New objects of the type carry the newest
    /// version in force; local writes are checked against the version that an object carries, and
    /// throw an ``EchoError`` of the status ``EchoError/Status/schemaViolation``.
    ///
    /// Throws ``EchoError/Kind/invalidArgument`` if it is no JSON Schema (drafts 4 to 2020-12) or
    /// uses what is not supported (references to elsewhere), and ``EchoError/Kind/alreadyExists`` if
    /// the version is another schema.
    ///
    /// - Parameters:
    ///   - type: The type's name.
    ///   - schema: The schema.
    ///   - version: The version, from 1; `nil` for the next one.
    @discardableResult
    public func registerSchema(
        _ type: String, _ schema: Fields, version: Int? = nil
    ) async throws -> Int {
        try await registerSchema(type, json: try JSONWriter.text(of: schema), version: version)
    }

    /// As the other `registerSchema`, of a schema as JSON text.
    @discardableResult
    public func registerSchema(
        _ type: String, json schema: String, version: Int? = nil
    ) async throws -> Int {
        let number = try version.map(schemaVersion)
        let registered = try await translating {
            try await native.registerSchema(typeName: type, schema: schema, version: number)
        }
        return Int(registered)
    }

    /// Every registered schema, by type and version, those included that are not in force.
    public func schemas() async throws -> [SchemaInfo] {
        try await translating { try await native.schemas() }.map(SchemaInfo.init(native:))
    }

    /// The schema that new objects of a type carry the version of; `nil` if there is none.
    public func schema(_ type: String) async throws -> SchemaInfo? {
        try await translating { try await native.schema(typeName: type) }
            .map(SchemaInfo.init(native:))
    }

    /// The rules that objects break, by object, at most eight of each: what merges, and schemas that
    /// came later than the objects, led to. Checks first what is yet to be checked.
    public func violations() async throws -> [Violation] {
        try await translating { try await native.violations() }.map(Violation.init(native:))
    }

    /// Moves the objects of a type that carry an older version than `version`, or none, to that
    /// version; deleted ones are passed over.
    ///
    /// ```swift
    /// try await space.migrate("Task", to: 2) { _, _, fields in
    ///     var fields = fields
    ///     fields["name"] = fields.removeValue(forKey: "title")
    ///     return fields
    /// }
    /// ```
    ///
    /// Written in batches, each checked against the new schema; only fields that differ are written.
    /// An object that is changed meanwhile is asked about again. How far it came is in the objects'
    /// versions, so it may be interrupted and run again: in a task that is cancelled it ends after
    /// the object in hand, and throws `CancellationError`.
    ///
    /// Throws ``EchoError/Kind/notFound`` if the version is not registered, and
    /// ``EchoError/Kind/invalidState`` if it is not in force.
    ///
    /// - Parameters:
    ///   - type: The type's name.
    ///   - version: The version to move to.
    ///   - body: Takes an object's id, the version that it carries, if any, and its fields, and
    ///     returns all its new fields; `nil` leaves it as it is. It runs on threads of the library,
    ///     one object at a time. One that throws counts the object as failed; `CancellationError`
    ///     ends the migration.
    @discardableResult
    public func migrate(
        _ type: String, to version: Int,
        _ body: @escaping @Sendable (_ id: String, _ version: Int?, _ fields: Fields) throws ->
            Fields?
    ) async throws -> MigrationReport {
        let number = try schemaVersion(version)
        let migration = Migration(body)
        return try await withTaskCancellationHandler {
            do {
                return MigrationReport(
                    native: try await translating {
                        try await native.migrate(
                            typeName: type, toVersion: number, migration: migration)
                    })
            } catch let error as EchoError where error.kind == .cancelled {
                throw CancellationError()
            }
        } onCancel: {
            migration.cancel()
        }
    }

    private func schemaVersion(_ version: Int) throws -> UInt32 {
        guard let number = UInt32(exactly: version) else {
            throw EchoError.invalidArgument("a schema's version is a number from 1, not \(version)")
        }
        return number
    }
}

/// Asks a closure about objects, on threads of the library.
private final class Migration: EchoDBNative.Migration, @unchecked Sendable {
    private let body: @Sendable (String, Int?, Fields) throws -> Fields?
    // Guards what follows.
    private let lock = NSLock()
    private var isCancelled = false

    init(_ body: @escaping @Sendable (String, Int?, Fields) throws -> Fields?) {
        self.body = body
    }

    func cancel() {
        lock.withLock { isCancelled = true }
    }

    func migrate(id: String, version: UInt32?, fields: String) throws -> String? {
        do {
            if lock.withLock({ isCancelled }) { throw CancellationError() }
            let old = try JSONReader.fields(from: fields)
            return try body(id, version.map(Int.init), old).map(JSONWriter.text(of:))
        } catch is CancellationError {
            throw EchoDBNative.EchoError.Cancelled(
                status: EchoError.Status.cancelled.rawValue,
                detail: "the program ended the migration", retryable: false)
        }
    }
}
