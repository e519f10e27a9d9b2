internal import EchoDBNative
import Foundation

extension Space {
    /// Makes one object and returns its id; a transaction of one step.
    @discardableResult
    public func create(_ type: String?, _ fields: Fields) async throws -> String {
        let json = try JSONWriter.text(of: fields)
        return try await translating { try await native.create(typeName: type, fields: json) }
    }

    /// Sets fields of one object; the others stay. A transaction of one step.
    public func update(_ id: String, _ fields: Fields) async throws {
        let json = try JSONWriter.text(of: fields)
        try await translating { try await native.update(id: id, fields: json) }
    }

    /// Deletes one object; a transaction of one step. ``Transaction/restore(_:)`` undoes it.
    public func delete(_ id: String) async throws {
        try await translating { try await native.delete(id: id) }
    }

    /// Begins to gather a transaction; nothing happens until it is committed.
    public func transaction() -> Transaction {
        Transaction(native: native.transaction())
    }

    /// Runs `body`, and commits the steps that it gave when it returns. An error that leaves it
    /// throws the steps away.
    ///
    /// ```swift
    /// let id = try await space.transaction { tx in
    ///     let list = try tx.create("List", ["title": "Shopping"])
    ///     let item = try tx.create("Item", ["name": "milk"])
    ///     try tx.setParent(item, list)
    ///     return list
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - isolation: Where `body` runs: on the caller's actor, if it is on one.
    ///   - body: Gives the steps.
    /// - Returns: What `body` returned, once it is stored.
    @discardableResult
    public func transaction<Result: Sendable>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        let transaction = transaction()
        let result: Result
        do {
            result = try await body(transaction)
        } catch {
            transaction.cancel()
            throw error
        }
        try await transaction.commit()
        return result
    }

    /// An object, or `nil` if the space has none of that id. A deleted one is returned, marked.
    public func get(_ id: String) async throws -> Object? {
        try await translating { try await native.get(id: id) }.map(Object.init(native:))
    }

    /// The objects of a type that satisfy a filter, sorted by the keys in `order` and then by id.
    ///
    /// - Parameters:
    ///   - type: The type's name; `nil` for objects of every type.
    ///   - filter: What they must satisfy. Deleted ones are left out unless it says
    ///     ``Filter/deleted(_:)``.
    ///   - follow: Steps from there to other objects, which are the result then; see ``Query``.
    ///   - order: Sort keys, the weightiest first.
    ///   - limit: How many there are at most.
    ///   - skip: How many are left out at the beginning.
    public func query(
        type: String? = nil, where filter: Filter = .all, follow: [Link] = [],
        order: [Order] = [], limit: Int? = nil, skip: Int = 0
    ) async throws -> [Object] {
        try await query(
            Query(
                type: type, where: filter, follow: follow, order: order, limit: limit, skip: skip))
    }

    /// Answers a query in the library's own JSON form with a JSON array, for programs that hand
    /// both on. Each element has the keys `id`, `type`, `parent`, `deleted`, `created_ms`,
    /// `updated_ms`, `heads` and `fields`.
    public func queryJSON(_ query: String) async throws -> Data {
        try await translating { try await native.queryJson(query: query) }
    }

    /// An object's history since the version `since` (all of it if empty), oldest first.
    public func history(_ id: String, since: [String] = []) async throws -> [ChangeInfo] {
        try await translating { try await native.history(id: id, since: since) }
            .map(ChangeInfo.init(native:))
    }

    /// A text field's present text.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer (`"/notes/0"`).
    public func text(_ id: String, _ path: String) async throws -> String {
        try await translating { try await native.text(id: id, path: path) }
    }

    /// Replaces `delete` units of a text from `position` on by `insert`: the quick path for typing.
    ///
    /// The edit shows at once in reads of this client; edits that come close upon each other become
    /// one entry (see `coalescing` in ``Client``). ``flush()`` makes it durable now. Throws
    /// ``EchoError/Kind/invalidArgument`` for a position past the end or within a character of two
    /// units.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer.
    ///   - position: UTF-16 units from the beginning, as `NSString` and text views count.
    ///   - delete: UTF-16 units to take away.
    ///   - insert: What comes in their place.
    public func spliceText(
        _ id: String, _ path: String, at position: Int, delete: Int = 0, insert: String = ""
    ) async throws {
        let range = try TextRange(position: position, length: delete)
        try await translating {
            try await native.spliceText(
                id: id, path: path, position: range.position, delete: range.length,
                insert: insert, unit: .utf16)
        }
    }

    /// Replaces the characters of a range by others, as the other `spliceText` does.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer.
    ///   - range: What to replace, in `text`.
    ///   - text: The field's text as the caller knows it.
    ///   - insert: What comes in its place.
    public func spliceText(
        _ id: String, _ path: String, _ range: Range<String.Index>, of text: String,
        insert: String = ""
    ) async throws {
        let range = try TextRange(range, of: text)
        try await spliceText(
            id, path, at: Int(range.position), delete: Int(range.length), insert: insert)
    }

    /// Inserts at an index, as the other `spliceText` does.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer.
    ///   - index: Where to insert, in `text`.
    ///   - text: The field's text as the caller knows it.
    ///   - insert: What to insert.
    public func spliceText(
        _ id: String, _ path: String, _ index: String.Index, of text: String, insert: String
    ) async throws {
        try await spliceText(id, path, index..<index, of: text, insert: insert)
    }
}
