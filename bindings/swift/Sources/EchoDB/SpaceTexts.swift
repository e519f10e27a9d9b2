internal import EchoDBNative

extension Space {
    /// The marks of a text, by name and place.
    ///
    /// - Parameters:
    ///   - id: The object.
    ///   - path: The field's name, or a JSON Pointer.
    public func marks(_ id: String, _ path: String) async throws -> [TextMark] {
        try await translating { try await native.marks(id: id, path: path, unit: .utf16) }
            .map(TextMark.init(native:))
    }

    /// Names the place before the character at `position`, in UTF-16 units, for as long as the text
    /// exists: what ``cursorPosition(_:_:_:)`` finds again after any edits. The text's length names
    /// its end, whatever is added there.
    public func cursor(_ id: String, _ path: String, at position: Int) async throws -> String {
        let place = try TextRange(position: position, length: 0)
        return try await translating {
            try await native.cursor(id: id, path: path, position: place.position, unit: .utf16)
        }
    }

    /// Where a cursor's place is now, in UTF-16 units. If its character was deleted, that is where
    /// it stood.
    public func cursorPosition(
        _ id: String, _ path: String, _ cursor: String
    ) async throws -> Int {
        let position = try await translating {
            try await native.cursorPosition(id: id, path: path, cursor: cursor, unit: .utf16)
        }
        return Int(position)
    }

    /// The values that concurrent writes put in one place; the one that reads show comes last. One
    /// value where there is no conflict. Writing the place settles it.
    public func conflicts(_ id: String, _ path: String) async throws -> [Value] {
        try await translating { try await native.conflicts(id: id, path: path) }
            .map(JSONReader.value(from:))
    }
}
