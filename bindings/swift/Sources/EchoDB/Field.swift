/// A place in an object to compare with: a field by its name, or a place inside one by its JSON
/// Pointer (`"/address/city"`).
///
/// Values of different kinds are never equal and never in order, and a missing field satisfies only
/// `!=`, `!` and ``isMissing``. Texts compare as strings, counters and times as numbers, bytes by
/// their hexadecimal form; a list or map equals nothing.
public struct Field: Sendable {
    /// The name or JSON Pointer.
    public let path: String

    /// A field by its name or JSON Pointer.
    public init(_ path: String) {
        self.path = path
    }

    /// Whether the field is there and equals the value.
    public static func == (field: Field, value: some ValueConvertible) -> Filter {
        field.compare("eq", value)
    }

    /// Whether `==` does not hold: another value, another kind, or no field at all.
    public static func != (field: Field, value: some ValueConvertible) -> Filter {
        field.compare("ne", value)
    }

    /// Whether the field has the value's kind and comes before it.
    public static func < (field: Field, value: some ValueConvertible) -> Filter {
        field.compare("lt", value)
    }

    /// Whether the field has the value's kind and does not come after it.
    public static func <= (field: Field, value: some ValueConvertible) -> Filter {
        field.compare("le", value)
    }

    /// Whether the field has the value's kind and comes after it.
    public static func > (field: Field, value: some ValueConvertible) -> Filter {
        field.compare("gt", value)
    }

    /// Whether the field has the value's kind and does not come before it.
    public static func >= (field: Field, value: some ValueConvertible) -> Filter {
        field.compare("ge", value)
    }

    /// Whether it equals one of the values.
    public func isIn(_ values: [some ValueConvertible]) -> Filter {
        compare("in", values)
    }

    /// Whether a list has the value as an element, or a string or text as a part.
    public func contains(_ value: some ValueConvertible) -> Filter {
        compare("contains", value)
    }

    /// Whether a list has one of the values as an element, or a string or text one as a part.
    public func containsAny(_ values: [some ValueConvertible]) -> Filter {
        compare("contains_any", values)
    }

    /// Whether a list has each of the values as an element, or a string or text each as a part.
    public func containsAll(_ values: [some ValueConvertible]) -> Filter {
        compare("contains_all", values)
    }

    /// Whether the field has the values' kind and lies between them, both included.
    public func between(_ first: some ValueConvertible, _ last: some ValueConvertible) -> Filter {
        compare("between", [first.databaseValue, last.databaseValue])
    }

    /// Whether the field has a value of a kind.
    public func isKind(_ kind: FieldKind) -> Filter {
        compare("kind", kind.rawValue)
    }

    /// Whether a string or text begins with `prefix`.
    public func hasPrefix(_ prefix: String) -> Filter {
        compare("prefix", prefix)
    }

    /// Whether the field is there at all, null included.
    public var exists: Filter {
        compare("exists", true)
    }

    /// Whether the field is not there.
    public var isMissing: Filter {
        compare("exists", false)
    }

    private func compare(_ test: String, _ value: some ValueConvertible) -> Filter {
        Filter(.field(path, test, value.databaseValue))
    }
}

/// The kinds that comparisons tell apart.
public enum FieldKind: String, Hashable, Sendable, CaseIterable {
    /// Null.
    case null
    /// True and false.
    case boolean
    /// Integers, doubles, counters and times.
    case number
    /// Strings, texts, bytes, references and blobs.
    case string
    /// Lists.
    case list
    /// Maps.
    case map
}
