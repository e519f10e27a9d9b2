internal import EchoDBNative

/// What a committed transaction led to.
public struct Committed: Hashable, Sendable {
    /// The entry that carries it; `nil` when the transaction changed nothing.
    public let entry: String?
    /// For each touched object the version that the transaction made.
    public let heads: [String: [String]]

    init(native: EchoDBNative.Committed) {
        entry = native.entry
        heads = Dictionary(
            native.objects.map { ($0.id, $0.heads) }, uniquingKeysWith: { _, latter in latter })
    }
}

/// Several steps on several objects that take effect together or not at all.
///
/// It gathers steps; nothing happens until ``commit()``, or until the closure of
/// ``Space/transaction(_:)`` returns. Arguments are checked as they are given; a step that does not
/// fit its object (no such field, a position past the end) fails the commit, and nothing is changed.
///
/// Paths are a field's name, or a JSON Pointer (`"/tags/0"`). Give the steps from one task at a
/// time, or their order is anybody's guess.
public final class Transaction: Sendable {
    let native: EchoDBNative.Transaction

    init(native: EchoDBNative.Transaction) {
        self.native = native
    }

    /// Commits: when this returns, every step is stored and survives the death of the process, and
    /// queries and subscriptions see it. Throws ``EchoError/Kind/invalidState`` if the transaction
    /// was committed or cancelled before.
    ///
    /// A task that is cancelled meanwhile has committed all the same.
    @discardableResult
    public func commit() async throws -> Committed {
        Committed(native: try await translating { try await native.commit() })
    }

    /// Throws the steps away; further ones, and a commit, throw ``EchoError/Kind/invalidState``.
    public func cancel() {
        native.cancel()
    }

    /// Adds a new object and returns its id.
    @discardableResult
    public func create(_ type: String?, _ fields: Fields) throws -> String {
        let json = try JSONWriter.text(of: fields)
        return try translating { try native.create(typeName: type, fields: json) }
    }

    /// Adds a new object under an id of the caller's, for imports.
    public func create(_ type: String?, _ fields: Fields, id: String) throws {
        let json = try JSONWriter.text(of: fields)
        try translating { try native.createWithId(id: id, typeName: type, fields: json) }
    }

    /// Sets fields of an object; the others stay.
    public func update(_ id: String, _ fields: Fields) throws {
        let json = try JSONWriter.text(of: fields)
        try translating { try native.update(id: id, fields: json) }
    }

    /// Sets the value at a path.
    public func set(_ id: String, _ path: String, _ value: Value) throws {
        let json = try JSONWriter.text(of: value)
        try translating { try native.set(id: id, path: path, value: json) }
    }

    /// Inserts into a list before the index that ends the path; the list's length appends.
    public func insert(_ id: String, _ path: String, _ value: Value) throws {
        let json = try JSONWriter.text(of: value)
        try translating { try native.insert(id: id, path: path, value: json) }
    }

    /// Removes a field, a map entry or a list element.
    public func remove(_ id: String, _ path: String) throws {
        try translating { try native.remove(id: id, path: path) }
    }

    /// Replaces `delete` units of a text from `position` on by `insert`.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer.
    ///   - position: UTF-16 units from the beginning, as `NSString` and text views count.
    ///   - delete: UTF-16 units to take away.
    ///   - insert: What comes in their place.
    public func spliceText(
        _ id: String, _ path: String, at position: Int, delete: Int = 0, insert: String = ""
    ) throws {
        let range = try TextRange(position: position, length: delete)
        try translating {
            try native.spliceText(
                id: id, path: path, position: range.position, delete: range.length,
                insert: insert, unit: .utf16)
        }
    }

    /// Replaces the characters of a range by others.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer.
    ///   - range: What to replace, in `text`.
    ///   - text: The field's text as the steps before this one leave it.
    ///   - insert: What comes in its place.
    public func spliceText(
        _ id: String, _ path: String, _ range: Range<String.Index>, of text: String,
        insert: String = ""
    ) throws {
        let range = try TextRange(range, of: text)
        try spliceText(
            id, path, at: Int(range.position), delete: Int(range.length), insert: insert)
    }

    /// Inserts at an index.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer.
    ///   - index: Where to insert, in `text`.
    ///   - text: The field's text as the steps before this one leave it.
    ///   - insert: What to insert.
    public func spliceText(
        _ id: String, _ path: String, _ index: String.Index, of text: String, insert: String
    ) throws {
        try spliceText(id, path, index..<index, of: text, insert: insert)
    }

    /// Adds to a counter.
    public func increment(_ id: String, _ path: String, _ amount: Int64 = 1) throws {
        try translating { try native.increment(id: id, path: path, by: amount) }
    }

    /// Makes the object that a natural key of a type names, or sets these fields of it if it exists
    /// (a deleted one comes back), and returns its id. Every peer makes the same id of the same key,
    /// so that objects made apart become one.
    @discardableResult
    public func createWithKey(_ type: String, _ key: String, _ fields: Fields) throws -> String {
        let json = try JSONWriter.text(of: fields)
        return try translating {
            try native.createWithKey(typeName: type, key: key, fields: json)
        }
    }

    /// Moves a list's element, which the path names, so that it has the index `to` afterwards. If
    /// two peers move one element at the same time, both moves take place and it stands twice.
    public func moveItem(_ id: String, _ path: String, to index: Int) throws {
        let place = try TextRange(position: index, length: 0)
        try translating { try native.moveItem(id: id, path: path, to: place.position) }
    }

    /// Marks a stretch of a text: bold, a link, a comment. Marks of one name do not overlap: the
    /// later one counts.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer.
    ///   - range: The stretch, in UTF-16 units.
    ///   - name: The mark's name.
    ///   - value: A scalar; `nil` clears the mark.
    ///   - expand: Whether the mark grows when text is inserted at its ends.
    public func mark(
        _ id: String, _ path: String, _ range: Range<Int>, _ name: String, _ value: Value = true,
        expand: MarkExpand = .after
    ) throws {
        let place = try TextRange(position: range.lowerBound, length: range.count)
        let json = try JSONWriter.text(of: value)
        try translating {
            try native.mark(
                id: id, path: path, start: place.position, end: place.position + place.length,
                unit: .utf16, name: name, value: json, expand: expand.native)
        }
    }

    /// Makes an object a relation, or sets its ends anew; they need not exist.
    public func relate(_ id: String, from source: String?, to target: String?) throws {
        try translating { try native.relate(id: id, source: source, target: target) }
    }

    /// Adds a tag, of 1 to 256 bytes. If a peer removes it at the same time, it stays.
    public func tag(_ id: String, _ tag: String) throws {
        try translating { try native.tag(id: id, tag: tag) }
    }

    /// Removes a tag.
    public func untag(_ id: String, _ tag: String) throws {
        try translating { try native.untag(id: id, tag: tag) }
    }

    /// Says what the object is called in another system, `source`; a key of `nil` forgets it. Both
    /// have 1 to 256 bytes, and sources are not `natural` and do not begin with `@`.
    public func setKey(_ id: String, _ source: String, _ key: String?) throws {
        try translating { try native.setKey(id: id, source: source, key: key) }
    }

    /// Sets or clears an object's parent.
    public func setParent(_ id: String, _ parent: String?) throws {
        try translating { try native.setParent(id: id, parent: parent) }
    }

    /// Deletes an object.
    public func delete(_ id: String) throws {
        try translating { try native.delete(id: id) }
    }

    /// Undoes a deletion.
    public func restore(_ id: String) throws {
        try translating { try native.restore(id: id) }
    }

    /// Makes the steps at the version `heads` instead of the newest one, as if they had been made
    /// then; they merge with what came since. All steps must touch one object.
    public func at(_ heads: [String]) throws {
        try translating { try native.at(heads: heads) }
    }

    /// A note that stays in the history of the touched objects, 1 to 256 characters.
    public func message(_ text: String) throws {
        try translating { try native.message(text: text) }
    }
}
