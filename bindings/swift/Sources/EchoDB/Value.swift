import Foundation

/// What a field of an object holds.
///
/// Literals stand for the plain kinds, so that fields read as one writes them:
///
/// ```swift
/// ["title": "Tea", "rank": 3, "share": 0.5, "done": false, "tags": ["home"], "due": nil]
/// ```
///
/// The kinds that literals lack are named: `.text("…")`, `.counter(0)`, `.date(.now)`,
/// `.bytes(data)`, `.reference(other.ref)`. A variable is wrapped: `Value(count)`.
///
/// Integers and doubles are different kinds, and both come back exactly as they went in: `1` as an
/// integer, `1.0` as a double, bit for bit.
public enum Value: Hashable, Sendable {
    /// Nothing.
    case null
    /// True or false.
    case bool(Bool)
    /// A signed 64-bit integer.
    case int(Int64)
    /// An IEEE 754 double, infinities and NaN included.
    case double(Double)
    /// A string that is replaced as a whole.
    case string(String)
    /// Text that merges character by character; see ``Space/spliceText(_:_:at:delete:insert:)``.
    case text(String)
    /// Bytes that are replaced as a whole.
    case bytes(Data)
    /// A point in time. The database keeps whole milliseconds; finer parts are
    /// rounded.
    case date(Date)
    /// A point in time so far away that `Date` cannot tell its milliseconds apart: milliseconds
    /// since 1970. Only such a time is read back in this form.
    case timestamp(Int64)
    /// An integer to which concurrent increments add up; see ``Transaction/increment(_:_:_:)``.
    case counter(Int64)
    /// A weak reference to an object.
    case reference(Ref)
    /// A blob, which this keeps from being collected; see ``Space/putBlob(_:)``.
    case blob(BlobRef)
    /// An ordered list. Lists merge element by element.
    case list([Value])
    /// A map from names to values. Maps merge entry by entry. Names may not begin with `@`.
    case map([String: Value])

    /// Wraps something that has a form in the database, a variable for example.
    public init(_ value: some ValueConvertible) {
        self = value.databaseValue
    }
}

/// Something that has a form in the database: the plain types of Swift and Foundation that
/// ``Value`` has a kind for. Filters compare with these, too.
public protocol ValueConvertible: Sendable {
    /// The form in the database.
    var databaseValue: Value { get }
}

extension Value: ValueConvertible {
    /// The value itself.
    public var databaseValue: Value { self }
}

extension Bool: ValueConvertible {
    /// ``Value/bool(_:)``.
    public var databaseValue: Value { .bool(self) }
}

extension Int: ValueConvertible {
    /// ``Value/int(_:)``.
    public var databaseValue: Value { .int(Int64(self)) }
}

extension Int64: ValueConvertible {
    /// ``Value/int(_:)``.
    public var databaseValue: Value { .int(self) }
}

extension Double: ValueConvertible {
    /// ``Value/double(_:)``.
    public var databaseValue: Value { .double(self) }
}

extension String: ValueConvertible {
    /// ``Value/string(_:)``.
    public var databaseValue: Value { .string(self) }
}

extension Data: ValueConvertible {
    /// ``Value/bytes(_:)``.
    public var databaseValue: Value { .bytes(self) }
}

extension Date: ValueConvertible {
    /// ``Value/date(_:)``.
    public var databaseValue: Value { .date(self) }
}

extension Ref: ValueConvertible {
    /// ``Value/reference(_:)``.
    public var databaseValue: Value { .reference(self) }
}

extension Array: ValueConvertible where Element: ValueConvertible {
    /// ``Value/list(_:)``.
    public var databaseValue: Value { .list(map(\.databaseValue)) }
}

extension Dictionary: ValueConvertible where Key == String, Value: ValueConvertible {
    /// ``Value/map(_:)``.
    public var databaseValue: EchoDB.Value { .map(mapValues(\.databaseValue)) }
}

extension Optional: ValueConvertible where Wrapped: ValueConvertible {
    /// ``Value/null`` for `nil`.
    public var databaseValue: Value { self?.databaseValue ?? .null }
}

/// The fields of an object.
public typealias Fields = [String: Value]

extension Value {
    /// Whether it is ``null``.
    public var isNull: Bool { self == .null }

    /// The boolean, if it is one.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number of an integer or a counter.
    public var intValue: Int64? {
        switch self {
        case .int(let value), .counter(let value): value
        default: nil
        }
    }

    /// The number of a double, or of an integer or counter that a double holds exactly.
    public var doubleValue: Double? {
        switch self {
        case .double(let value): value
        case .int(let value), .counter(let value): Double(exactly: value)
        default: nil
        }
    }

    /// The characters of a string or text.
    public var stringValue: String? {
        switch self {
        case .string(let value), .text(let value): value
        default: nil
        }
    }

    /// The bytes, if it is bytes.
    public var dataValue: Data? {
        if case .bytes(let value) = self { value } else { nil }
    }

    /// The point in time, to the nearest one that `Date` knows.
    public var dateValue: Date? {
        switch self {
        case .date(let value): value
        case .timestamp(let milliseconds): Date(millisecondsSince1970: milliseconds)
        default: nil
        }
    }

    /// The reference, if it is one.
    public var refValue: Ref? {
        if case .reference(let value) = self { value } else { nil }
    }

    /// The blob, if it names one.
    public var blobValue: BlobRef? {
        if case .blob(let value) = self { value } else { nil }
    }

    /// The elements of a list.
    public var listValue: [Value]? {
        if case .list(let value) = self { value } else { nil }
    }

    /// The entries of a map.
    public var mapValue: [String: Value]? {
        if case .map(let value) = self { value } else { nil }
    }

    /// An entry of a map; `nil` if there is none of that name, or this is no map.
    public subscript(name: String) -> Value? {
        mapValue?[name]
    }

    /// An element of a list; `nil` if there is none at that index, or this is no list.
    public subscript(index: Int) -> Value? {
        guard let list = listValue, list.indices.contains(index) else { return nil }
        return list[index]
    }
}

extension Value: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// ``null``.
    public init(nilLiteral: ()) {
        self = .null
    }

    /// ``bool(_:)``.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    /// ``int(_:)``.
    public init(integerLiteral value: Int64) {
        self = .int(value)
    }

    /// ``double(_:)``.
    public init(floatLiteral value: Double) {
        self = .double(value)
    }

    /// ``string(_:)``.
    public init(stringLiteral value: String) {
        self = .string(value)
    }

    /// ``list(_:)``.
    public init(arrayLiteral elements: Value...) {
        self = .list(elements)
    }

    /// ``map(_:)``; of two entries with one name the latter counts.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self = .map(Dictionary(elements, uniquingKeysWith: { _, latter in latter }))
    }
}
