import Foundation

/// Writes values in the JSON form that the library takes.
///
/// Foundation's coder does not keep integers and doubles apart (`1.0` would be written as `1`), so
/// the few rules of JSON are written down here.
struct JSONWriter {
    /// The deepest nesting that the database accepts.
    private static let maximumDepth = 64

    private var bytes: [UInt8] = []

    /// The JSON text of an object's fields.
    static func text(of fields: Fields) throws -> String {
        try text(of: .map(fields))
    }

    /// The JSON text of one value.
    static func text(of value: Value) throws -> String {
        var writer = JSONWriter()
        try writer.write(value, depth: 0)
        return writer.text
    }

    /// What has been written.
    var text: String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Writes one value with its kind.
    private mutating func write(_ value: Value, depth: Int) throws {
        if depth > Self.maximumDepth {
            throw EchoError.limitExceeded("values may be nested \(Self.maximumDepth) deep")
        }
        switch value {
        case .double(let double) where !double.isFinite:
            let name = double.isNaN ? "nan" : double > 0 ? "inf" : "-inf"
            tagged("@float") { $0.write(string: name) }
        case .text(let text):
            tagged("@text") { $0.write(string: text) }
        case .bytes(let data):
            tagged("@bytes") { $0.write(string: data.base64EncodedString()) }
        case .date(let date):
            let milliseconds = try date.millisecondsSince1970()
            tagged("@timestamp") { $0.write(raw: String(milliseconds)) }
        case .timestamp(let milliseconds):
            tagged("@timestamp") { $0.write(raw: String(milliseconds)) }
        case .counter(let number):
            tagged("@counter") { $0.write(raw: String(number)) }
        case .reference(let reference):
            tagged("@ref") { $0.write(string: reference.description) }
        case .blob(let blob):
            write(raw: "{\"@blob\":")
            write(string: blob.id)
            write(raw: ",\"size\":\(blob.size)}")
        case .list(let elements):
            try write(list: elements) { try $0.write($1, depth: depth + 1) }
        case .map(let entries):
            try write(map: entries) { try $0.write($1, depth: depth + 1) }
        case .null, .bool, .int, .double, .string:
            write(plain: value)
        }
    }

    /// Writes one value in the form in which queries compare: no kinds, times as milliseconds,
    /// bytes as hexadecimal.
    mutating func write(comparable value: Value, depth: Int = 0) throws {
        if depth > Self.maximumDepth {
            throw EchoError.limitExceeded("values may be nested \(Self.maximumDepth) deep")
        }
        switch value {
        case .double(let double) where !double.isFinite:
            throw EchoError.invalidArgument("queries cannot compare with \(double)")
        case .text(let text):
            write(string: text)
        case .bytes(let data):
            write(string: data.map { String(format: "%02x", $0) }.joined())
        case .date(let date):
            write(raw: String(try date.millisecondsSince1970()))
        case .timestamp(let number), .counter(let number):
            write(raw: String(number))
        case .reference(let reference):
            write(string: reference.description)
        case .blob(let blob):
            write(string: blob.id)
        case .list(let elements):
            try write(list: elements) { try $0.write(comparable: $1, depth: depth + 1) }
        case .map(let entries):
            try write(map: entries) { try $0.write(comparable: $1, depth: depth + 1) }
        case .null, .bool, .int, .double, .string:
            write(plain: value)
        }
    }

    /// Writes what JSON has itself.
    private mutating func write(plain value: Value) {
        switch value {
        case .bool(let bool): write(raw: bool ? "true" : "false")
        case .int(let number): write(raw: String(number))
        // The shortest digits that read back as the same double, always with a point or exponent.
        case .double(let number): write(raw: number.description)
        case .string(let string): write(string: string)
        default: write(raw: "null")
        }
    }

    /// Writes elements between brackets.
    mutating func write<Element>(
        list elements: some Collection<Element>,
        _ body: (inout JSONWriter, Element) throws -> Void
    ) rethrows {
        write(raw: "[")
        var separator = ""
        for element in elements {
            write(raw: separator)
            separator = ","
            try body(&self, element)
        }
        write(raw: "]")
    }

    private mutating func write(
        map entries: [String: Value],
        _ body: (inout JSONWriter, Value) throws -> Void
    ) throws {
        write(raw: "{")
        var separator = ""
        for (name, value) in entries {
            // One that passed could turn a map into another kind of value.
            if name.hasPrefix("@") {
                throw EchoError.invalidArgument(
                    "the name \"\(name)\" is reserved: names may not begin with \"@\"")
            }
            write(raw: separator)
            separator = ","
            write(string: name)
            write(raw: ":")
            try body(&self, value)
        }
        write(raw: "}")
    }

    private mutating func tagged(_ tag: String, _ body: (inout JSONWriter) -> Void) {
        write(raw: "{\"\(tag)\":")
        body(&self)
        write(raw: "}")
    }

    /// Writes text that is JSON already.
    mutating func write(raw json: String) {
        bytes.append(contentsOf: json.utf8)
    }

    /// Writes a string between quotation marks.
    mutating func write(string: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: String(format: "\\u%04x", byte).utf8)
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
