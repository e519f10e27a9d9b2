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
        case tag([String])
        case key(String, String?)
        case branch(Bool)
        case relation(Bool)
        case time(String, String, Date)
        case search(String, [String])
        case linked(Link)
        case without(String)
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

    /// Objects with one of these tags.
    public static func tag(_ tags: String...) -> Filter {
        Filter(.tag(tags))
    }

    /// Objects that have the name `key` in another system, `source`, or any name there; see
    /// ``Transaction/setKey(_:_:_:)``. The source of natural keys is `natural`.
    public static func key(_ source: String, _ key: String? = nil) -> Filter {
        Filter(.key(source, key))
    }

    /// Objects in whose strings and texts the words occur; ``Space/search(_:type:where:in:limit:skip:snippetLength:)``
    /// says what may be typed.
    ///
    /// - Parameters:
    ///   - words: The words.
    ///   - paths: The fields or JSON Pointers to look at, with what is below them, at most 8; of
    ///     none, everything is looked at.
    public static func search(_ words: String, in paths: [String] = []) -> Filter {
        Filter(.search(words, paths))
    }

    /// Branches of other objects, or those that are none. Branches are left out by a filter that
    /// does not say this.
    public static func branch(_ isBranch: Bool = true) -> Filter {
        Filter(.branch(isBranch))
    }

    /// Relations: objects with a source or a target; or those that are none.
    public static func relation(_ isRelation: Bool = true) -> Filter {
        Filter(.relation(isRelation))
    }

    /// Objects from which a link leads to at least one object that it asks for.
    ///
    /// ```swift
    /// .linked(.refersTo("author").where(Field("name") == "Ada"))
    /// .linked(.ancestor.to(folder))
    /// ```
    public static func linked(_ link: Link) -> Filter {
        Filter(.linked(link))
    }

    /// Objects that have no parent, source or target: the link is one of these three, without
    /// options.
    public static func without(_ link: Link) -> Filter {
        Filter(.without(link.name))
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
