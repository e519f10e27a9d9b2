import Foundation

/// What objects must satisfy. Combine with `&&`, `||` and `!`.
///
/// ```swift
/// Field("done") == false && Field("tags").contains("home") || .type("Note")
/// ```
///
/// Deleted objects are left out by a filter that does not say ``deleted(_:)``.
public struct Filter: Hashable, Sendable {
    /// A condition in the library's JSON form.
    indirect enum Condition: Hashable, Sendable {
        case everything
        case type([String?])
        case id([String])
        case parent(String?)
        case deleted(Bool)
        case time(String, String, Date)
        case field(String, String, Value)
        case and([Condition])
        case or([Condition])
        case not(Condition)
        case json(String)
    }

    let condition: Condition

    init(_ condition: Condition) {
        self.condition = condition
    }

    /// Every object that is not deleted.
    public static let all = Filter(.everything)

    /// Objects of one of these types; `nil` for those without.
    public static func type(_ names: String?...) -> Filter {
        Filter(.type(names))
    }

    /// The objects of these ids.
    public static func id(_ ids: String...) -> Filter {
        Filter(.id(ids))
    }

    /// The objects of these ids.
    public static func id(in ids: some Sequence<String>) -> Filter {
        Filter(.id(Array(ids)))
    }

    /// The objects whose parent is `parent`; `nil` for those without one.
    public static func child(of parent: String?) -> Filter {
        Filter(.parent(parent))
    }

    /// Deleted objects, or those that are not.
    public static func deleted(_ isDeleted: Bool = true) -> Filter {
        Filter(.deleted(isDeleted))
    }

    /// A filter in the library's own JSON form, for example `{"type": "Task"}`. A malformed one
    /// makes the call it is given to throw ``EchoError/Kind/invalidArgument``.
    public static func json(_ json: String) -> Filter {
        Filter(.json(json))
    }

    /// What satisfies both.
    public static func && (left: Filter, right: Filter) -> Filter {
        // a && b && c is one list, not a tree.
        var operands: [Condition] = []
        for filter in [left, right] {
            if case .and(let inner) = filter.condition {
                operands += inner
            } else {
                operands.append(filter.condition)
            }
        }
        return Filter(.and(operands))
    }

    /// What satisfies either.
    public static func || (left: Filter, right: Filter) -> Filter {
        var operands: [Condition] = []
        for filter in [left, right] {
            if case .or(let inner) = filter.condition {
                operands += inner
            } else {
                operands.append(filter.condition)
            }
        }
        return Filter(.or(operands))
    }

    /// What does not satisfy it.
    public static prefix func ! (filter: Filter) -> Filter {
        Filter(.not(filter.condition))
    }
}
