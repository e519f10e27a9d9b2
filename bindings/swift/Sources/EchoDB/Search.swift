internal import EchoDBNative
import Foundation

/// An excerpt of an object, where a search found something.
public struct Snippet: Hashable, Sendable {
    /// The place of the value that it is from, a JSON Pointer.
    public let path: String
    /// A stretch of the value, unchanged.
    public let text: String
    /// Where the stretch begins in the value, in UTF-16 units.
    public let start: Int
    /// Whether the value goes on after it.
    public let isContinued: Bool
    /// Where within ``text`` the words are, in UTF-16 units.
    public let ranges: [Range<Int>]

    /// Of a map from JSON; `nil` for null.
    init?(_ json: Value) {
        guard let text = json["text"]?.stringValue else { return nil }
        self.text = text
        path = json["path"]?.stringValue ?? ""
        start = Int(json["start"]?.intValue ?? 0)
        isContinued = json["more"] == true
        ranges = (json["ranges"]?.listValue ?? []).compactMap { pair in
            guard let start = pair[0]?.intValue, let end = pair[1]?.intValue, start <= end else {
                return nil
            }
            return Int(start)..<Int(end)
        }
    }

    /// Where within ``text`` the words are.
    public var highlights: [Range<String.Index>] {
        let units = text.utf16
        return ranges.compactMap { range in
            guard range.upperBound <= units.count else { return nil }
            let start = units.index(units.startIndex, offsetBy: range.lowerBound)
            return start..<units.index(start, offsetBy: range.count)
        }
    }
}

/// An object that a search found.
public struct SearchResult: Hashable, Sendable, Identifiable {
    /// The object.
    public let object: Object
    /// How well it fits: the lower the better (BM25 as SQLite's FTS5 has it).
    public let rank: Double
    /// The stretch in which most of the words are, if excerpts were asked for.
    public let snippet: Snippet?

    /// The object's id.
    public var id: String { object.id }
}

/// An index that the program asked for.
public struct IndexInfo: Hashable, Sendable {
    /// Of objects of this type; of all if there is none.
    public let type: String?
    /// Of what: a JSON Pointer, `created` or `updated`.
    public let path: String

    init(native: EchoDBNative.IndexInfo) {
        type = native.typeName
        path = native.path
    }
}

extension Space {
    /// The objects in whose strings and texts the words occur, the best first.
    ///
    /// ```swift
    /// for result in try await space.search("red ros* -thorn") {
    ///     print(result.object.id, result.snippet?.text ?? "")
    /// }
    /// ```
    ///
    /// All words must occur; `"a phrase"` in this order within one value; `pre*` begins a word;
    /// `-word` must not occur; `OR` separates alternatives. Case and diacritics make no difference.
    /// No text is malformed; one without a word that must occur finds nothing.
    ///
    /// The first search in a space reads all of it to make an index. Throws
    /// ``EchoError/Kind/limitExceeded`` for more than 4096 bytes or 64 words.
    ///
    /// - Parameters:
    ///   - words: The words.
    ///   - type: The type of the objects; `nil` for every type.
    ///   - filter: What they must satisfy too.
    ///   - paths: The fields or JSON Pointers to look at, with what is below them, at most 8; of
    ///     none, everything is looked at.
    ///   - limit: How many results there are at most, up to 1000.
    ///   - skip: How many of the best are left out.
    ///   - snippetLength: About how many characters an excerpt has, up to 1000; 0 for none.
    public func search(
        _ words: String, type: String? = nil, where filter: Filter = .all, in paths: [String] = [],
        limit: Int = 20, skip: Int = 0, snippetLength: Int = 160
    ) async throws -> [SearchResult] {
        func count(_ number: Int, _ name: String) throws -> UInt32 {
            guard let count = UInt32(exactly: number) else {
                throw EchoError.invalidArgument("\(name) is a number of things, not \(number)")
            }
            return count
        }
        let isFiltered = type != nil || filter != .all
        let options = EchoDBNative.SearchOptions(
            filter: isFiltered ? try JSONWriter.filter(type: type, where: filter) : nil,
            paths: paths, limit: try count(limit, "limit"), skip: try count(skip, "skip"),
            snippetChars: try count(snippetLength, "snippetLength"), unit: .utf16)
        return try JSONReader.searchResults(
            from: try await translating {
                try await native.search(words: words, options: options)
            })
    }

    /// Makes an index of a field, so that queries which compare it or are ordered by it need not look
    /// at every object.
    ///
    /// It is made over all objects before the call returns, kept up by every later write, and
    /// persists; it belongs to this profile's copy of the space and is not replicated. Does nothing
    /// if there is one already. Throws ``EchoError/Kind/limitExceeded`` past 32 of them.
    ///
    /// - Parameters:
    ///   - field: A field's name or a JSON Pointer.
    ///   - type: Among objects of one type, for queries of exactly this type; `nil` for all.
    public func createIndex(_ field: String, type: String? = nil) async throws {
        try await createIndex(path: pointer(to: field), type: type)
    }

    /// As the other `createIndex`, of one of the times.
    public func createIndex(_ time: ObjectTime, type: String? = nil) async throws {
        try await createIndex(path: time.name, type: type)
    }

    private func createIndex(path: String, type: String?) async throws {
        try await translating { try await native.createIndex(typeName: type, path: path) }
    }

    /// Drops an index. Throws ``EchoError/Kind/notFound`` if there is none such.
    public func dropIndex(_ field: String, type: String? = nil) async throws {
        try await dropIndex(path: pointer(to: field), type: type)
    }

    /// As the other `dropIndex`, of one of the times.
    public func dropIndex(_ time: ObjectTime, type: String? = nil) async throws {
        try await dropIndex(path: time.name, type: type)
    }

    private func dropIndex(path: String, type: String?) async throws {
        try await translating { try await native.dropIndex(typeName: type, path: path) }
    }

    /// The indexes that were made, in this order.
    public func indexes() async throws -> [IndexInfo] {
        try await translating { try await native.indexes() }.map(IndexInfo.init(native:))
    }
}
