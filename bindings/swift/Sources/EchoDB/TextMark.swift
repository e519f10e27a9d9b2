internal import EchoDBNative

/// Whether a mark grows when text is inserted at its ends.
public enum MarkExpand: Hashable, Sendable, CaseIterable {
    /// At neither end, as of a link.
    case none
    /// At its start.
    case before
    /// At its end, as of bold text, which goes on when one types on.
    case after
    /// At both.
    case both

    var native: EchoDBNative.MarkExpand {
        switch self {
        case .none: .none
        case .before: .before
        case .after: .after
        case .both: .both
        }
    }
}

/// A mark on a stretch of a text.
public struct TextMark: Hashable, Sendable {
    /// Where it begins, in UTF-16 units.
    public let start: Int
    /// Where it ends, likewise.
    public let end: Int
    /// Its name.
    public let name: String
    /// Its value.
    public let value: Value

    init(native: EchoDBNative.TextMark) throws {
        start = Int(native.start)
        end = Int(native.end)
        name = native.name
        value = try JSONReader.value(from: native.value)
    }
}
