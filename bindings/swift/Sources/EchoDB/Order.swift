import Foundation

/// A sort key.
public struct Order: Hashable, Sendable {
    let key: String
    let isDescending: Bool

    /// By a field, a name or a JSON Pointer, the smallest first.
    public static func ascending(_ field: String) -> Order {
        Order(key: pointer(to: field), isDescending: false)
    }

    /// By a field, a name or a JSON Pointer, the largest first.
    public static func descending(_ field: String) -> Order {
        Order(key: pointer(to: field), isDescending: true)
    }

    /// By the time of creation, the oldest first.
    public static let created = Order(key: "created", isDescending: false)
    /// By the time of the last change, the oldest first.
    public static let updated = Order(key: "updated", isDescending: false)
    /// By id: in the order of creation, roughly.
    public static let id = Order(key: "id", isDescending: false)
    /// By the name of the type.
    public static let type = Order(key: "type", isDescending: false)
    /// By the parent's id, those without one first.
    public static let parent = Order(key: "parent", isDescending: false)
    /// By how well it fits the ``Filter/search(_:in:)`` that all results satisfy, the best first.
    public static let rank = Order(key: "rank", isDescending: false)

    /// The other way round.
    public func reversed() -> Order {
        Order(key: key, isDescending: !isDescending)
    }
}

/// The JSON Pointer to a field. A bare name could be taken for one of the keys that every object
/// has.
func pointer(to field: String) -> String {
    if field.hasPrefix("/") {
        return field
    }
    let escaped = field.replacingOccurrences(of: "~", with: "~0")
    return "/" + escaped.replacingOccurrences(of: "/", with: "~1")
}
