import Foundation

/// Reads the JSON that the library writes, straight into values.
///
/// Foundation's parser does not tell `1` from `1.0`, nor does it keep all digits of large integers
/// on every platform; both must come back as they went in.
struct JSONReader {
    /// Deeper than anything that the library writes: values nested 64 deep, in an object, in a list.
    private static let maximumDepth = 128

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Reads the fields of an object, or a space's properties.
    static func fields(from text: String) throws -> Fields {
        var text = text
        return try text.withUTF8 { bytes in
            try whole(bytes) { reader in
                guard case .map(let fields) = try reader.value() else {
                    throw reader.malformed("fields that are an object")
                }
                return fields
            }
        }
    }

    /// Reads the answer to a query.
    static func objects(from data: Data) throws -> [Object] {
        try data.withUnsafeBytes { raw in
            try whole(raw.bindMemory(to: UInt8.self)) { reader in
                var objects: [Object] = []
                try reader.list { objects.append(try $0.object()) }
                return objects
            }
        }
    }

    /// Reads the answer to a search.
    static func searchResults(from data: Data) throws -> [SearchResult] {
        try data.withUnsafeBytes { raw in
            try whole(raw.bindMemory(to: UInt8.self)) { reader in
                var results: [SearchResult] = []
                try reader.list { results.append(try $0.searchResult()) }
                return results
            }
        }
    }

    /// Reads what leads from one version to another.
    static func differences(from text: String) throws -> [Difference] {
        try (try value(from: text).listValue ?? []).map { change in
            guard let known = change.mapValue.flatMap(Difference.init(json:)) else {
                throw EchoError.unexpected("the library tells of a change of an unknown kind")
            }
            return known
        }
    }

    /// Reads the answer to an aggregation.
    static func groups(from text: String) throws -> [Group] {
        var text = text
        return try text.withUTF8 { bytes in
            try whole(bytes) { reader in
                var groups: [Group] = []
                try reader.list { groups.append(try $0.group()) }
                return groups
            }
        }
    }

    /// Reads the changes of a live query's batch.
    static func liveChanges(from data: Data) throws -> [LiveChange] {
        try data.withUnsafeBytes { raw in
            try whole(raw.bindMemory(to: UInt8.self)) { reader in
                var changes: [LiveChange] = []
                try reader.list { changes.append(try $0.liveChange()) }
                return changes
            }
        }
    }

    /// Reads one value.
    static func value(from text: String) throws -> Value {
        var text = text
        return try text.withUTF8 { bytes in try whole(bytes) { try $0.value() } }
    }

    private static func whole<T>(
        _ bytes: UnsafeBufferPointer<UInt8>, _ read: (inout JSONReader) throws -> T
    ) throws -> T {
        var reader = JSONReader(bytes)
        let result = try read(&reader)
        reader.skipBlanks()
        guard reader.position == bytes.count else { throw reader.malformed("an end") }
        return result
    }

    /// One element of a query's answer; `other` reads what belongs to further names, or returns
    /// false.
    private mutating func object(
        _ other: (inout JSONReader, String) throws -> Bool = { _, _ in false }
    ) throws -> Object {
        var id = "", space: String?, type: String?, parent: String?
        var isDeleted = false, isHidden = false, fields: Fields = [:]
        var version: UInt32?, source: String?, target: String?, branchOf: String?
        var tags: [String] = [], keys: [String: String] = [:]
        var created: Int64 = 0, updated: Int64 = 0
        var heads: [String] = []
        try entries { reader, name in
            switch name {
            case "id": id = try reader.string()
            case "space": space = try reader.value().stringValue
            case "type": type = try reader.value().stringValue
            case "parent": parent = try reader.value().stringValue
            case "deleted": isDeleted = try reader.value() == .bool(true)
            case "hidden": isHidden = try reader.value() == .bool(true)
            case "schema_version":
                version = try reader.value().intValue.flatMap(UInt32.init(exactly:))
            case "source": source = try reader.value().stringValue
            case "target": target = try reader.value().stringValue
            case "tags": try reader.list { tags.append(try $0.string()) }
            case "keys": try reader.entries { keys[$1] = try $0.string() }
            case "branch_of": branchOf = try reader.value().stringValue
            case "created_ms": created = try reader.value().intValue ?? 0
            case "updated_ms": updated = try reader.value().intValue ?? 0
            case "heads": try reader.list { heads.append(try $0.string()) }
            case "fields": fields = try reader.value().mapValue ?? [:]
            // What a newer library tells in addition.
            default: if try !other(&reader, name) { _ = try reader.value() }
            }
        }
        return Object(
            id: id, space: space, type: type, parent: parent, isDeleted: isDeleted, isHidden: isHidden,
            schemaVersion: version, source: source, target: target, tags: tags, keys: keys,
            branchOf: branchOf, fields: fields,
            created: Date(millisecondsSince1970: created),
            updated: Date(millisecondsSince1970: updated), heads: heads)
    }

    /// One element of a search's answer.
    private mutating func searchResult() throws -> SearchResult {
        var rank = 0.0, snippet: Snippet?
        let object = try object { reader, name in
            switch name {
            case "rank": rank = try reader.value().doubleValue ?? 0
            case "snippet": snippet = Snippet(try reader.value())
            default: return false
            }
            return true
        }
        return SearchResult(object: object, rank: rank, snippet: snippet)
    }

    /// One group of an aggregation's answer.
    private mutating func group() throws -> Group {
        var keys: [Value] = [], values: [String: Value] = [:]
        try entries { reader, name in
            switch name {
            case "group": try reader.list { keys.append(try $0.value()) }
            case "values": try reader.entries { values[$1] = try $0.value() }
            // What a newer library tells in addition.
            default: _ = try reader.value()
            }
        }
        return Group(keys: keys, values: values)
    }

    /// One change of a live query's batch.
    private mutating func liveChange() throws -> LiveChange {
        var kind = "", id = "", from = 0, index = 0, object: Object?
        try entries { reader, name in
            switch name {
            case "kind": kind = try reader.string()
            case "id": id = try reader.string()
            case "from": from = Int(try reader.value().intValue ?? 0)
            case "index": index = Int(try reader.value().intValue ?? 0)
            case "object": object = try reader.object()
            // What a newer library tells in addition.
            default: _ = try reader.value()
            }
        }
        switch (kind, object) {
        case ("removed", _): return .removed(id: id, from: from)
        case ("added", let object?): return .added(object, at: index)
        case ("moved", let object?): return .moved(object, from: from, to: index)
        case ("changed", let object?): return .changed(object, at: index)
        default: throw malformed("change that is known")
        }
    }

    /// Any value.
    private mutating func value(depth: Int = 0) throws -> Value {
        guard depth <= Self.maximumDepth else { throw malformed("less nesting") }
        skipBlanks()
        guard position < bytes.count else { throw malformed("a value") }
        switch bytes[position] {
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "{"):
            var map: [String: Value] = [:]
            try entries { reader, name in map[name] = try reader.value(depth: depth + 1) }
            return Self.untagged(map)
        case UInt8(ascii: "["):
            var list: [Value] = []
            try self.list { list.append(try $0.value(depth: depth + 1)) }
            return .list(list)
        case UInt8(ascii: "t"):
            return try word("true", .bool(true))
        case UInt8(ascii: "f"):
            return try word("false", .bool(false))
        case UInt8(ascii: "n"):
            return try word("null", .null)
        default:
            return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: Value) throws -> Value {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count,
            (0..<word.utf8CodeUnitCount).allSatisfy({
                bytes[position + $0] == word.utf8Start[$0]
            })
        else { throw malformed("\(word)") }
        position = end
        return value
    }

    /// An integer, or a double if it has a fraction or an exponent.
    private mutating func number() throws -> Value {
        let start = position
        var isDouble = false
        scan: while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"):
                position += 1
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                isDouble = true
                position += 1
            default:
                break scan
            }
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        if isDouble {
            guard let double = Double(digits) else { throw malformed("a number") }
            return .double(double)
        }
        guard let integer = Int64(digits) else { throw malformed("a number") }
        return .int(integer)
    }

    /// The elements of a list.
    private mutating func list(_ element: (inout JSONReader) throws -> Void) throws {
        try expect("[")
        guard !take("]") else { return }
        repeat { try element(&self) } while take(",")
        try expect("]")
    }

    /// The entries of an object; `entry` reads the value that belongs to the name.
    private mutating func entries(
        _ entry: (inout JSONReader, String) throws -> Void
    ) throws {
        try expect("{")
        guard !take("}") else { return }
        repeat {
            let name = try string()
            try expect(":")
            try entry(&self, name)
        } while take(",")
        try expect("}")
    }

    /// A string.
    private mutating func string() throws -> String {
        try expect("\"")
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let text = String(decoding: bytes[start..<position], as: UTF8.self)
                position += 1
                return text
            case UInt8(ascii: "\\"):
                return try escapedString(from: start)
            default:
                position += 1
            }
        }
        throw malformed("the end of a string")
    }

    /// A string from `start` on whose first escape stands here.
    private mutating func escapedString(from start: Int) throws -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text.append(contentsOf: String(try escape()).utf8)
            default:
                text.append(byte)
            }
        }
        throw malformed("the end of a string")
    }

    /// The character that stands behind a backslash.
    private mutating func escape() throws -> Unicode.Scalar {
        guard position < bytes.count else { throw malformed("an escape") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw malformed("an escape")
        }
    }

    /// The character of `XXXX` or `XXXX\uXXXX`.
    private mutating func unicodeEscape() throws -> Unicode.Scalar {
        var units = [try hexadecimal()]
        if UTF16.isLeadSurrogate(units[0]) {
            for byte in "\\u".utf8 {
                guard position < bytes.count, bytes[position] == byte else {
                    throw malformed("the second half of a character")
                }
                position += 1
            }
            units.append(try hexadecimal())
        }
        guard let scalar = String(decoding: units, as: UTF16.self).unicodeScalars.first else {
            throw malformed("a character")
        }
        return scalar
    }

    private mutating func hexadecimal() throws -> UInt16 {
        let end = position + 4
        guard end <= bytes.count,
            let unit = UInt16(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
        else { throw malformed("four hexadecimal digits") }
        position = end
        return unit
    }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                position += 1
            default:
                return
            }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else {
            return false
        }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard take(character) else { throw malformed("\"\(character)\"") }
    }

    private func malformed(_ expected: String) -> EchoError {
        .unexpected("the library's answer has no \(expected) at byte \(position)")
    }

    /// The value that a map with a reserved name stands for.
    private static func untagged(_ map: [String: Value]) -> Value {
        if map.count == 2, case .string(let id)? = map["@blob"], case .int(let size)? = map["size"] {
            return .blob(BlobRef(id: id, size: size))
        }
        guard map.count == 1, let (tag, inner) = map.first, tag.hasPrefix("@") else {
            return .map(map)
        }
        switch (tag, inner) {
        case ("@text", .string(let text)): return .text(text)
        case ("@counter", .int(let number)): return .counter(number)
        case ("@timestamp", .int(let milliseconds)): return time(milliseconds)
        case ("@bytes", .string(let text)):
            if let data = Data(base64Encoded: text) { return .bytes(data) }
        case ("@ref", .string(let text)):
            if let reference = Ref(text) { return .reference(reference) }
        case ("@float", .string("nan")): return .double(.nan)
        case ("@float", .string("inf")): return .double(.infinity)
        case ("@float", .string("-inf")): return .double(-.infinity)
        default: break
        }
        // A kind that a newer library knows: better shown as it is than an error.
        return .map(map)
    }

    private static func time(_ milliseconds: Int64) -> Value {
        let date = Date(millisecondsSince1970: milliseconds)
        let isExact = (try? date.millisecondsSince1970()) == milliseconds
        return isExact ? .date(date) : .timestamp(milliseconds)
    }
}
