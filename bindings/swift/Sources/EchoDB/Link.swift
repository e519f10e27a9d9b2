/// Where related objects stand, seen from an object.
public enum RelationDirection: String, Hashable, Sendable, CaseIterable {
    /// The object is the relation's source, and the link leads to its target.
    case out
    /// The object is the relation's target, and the link leads to its source.
    case `in`
    /// Either.
    case both
}

/// A link that leads from an object to others: a condition in ``Filter/linked(_:)``, or a step that a
/// ``Query`` takes.
///
/// It leads to every object at its other end, unless ``where(_:)`` or `to` narrow that.
public struct Link: Hashable, Sendable {
    /// What a link leads to.
    enum Destination: Hashable, Sendable {
        /// Every object at the other end.
        case anything
        /// The objects of these ids, or references.
        case ids([String])
        /// Those that satisfy a filter.
        case satisfying(Filter)
    }

    let name: String
    private(set) var path: String?
    private(set) var direction: RelationDirection?
    private(set) var types: [String] = []
    private(set) var via: Filter?
    private(set) var destination = Destination.anything

    private init(_ name: String) {
        self.name = name
    }

    /// To the parent.
    public static let parent = Link("parent")
    /// To the children.
    public static let child = Link("child")
    /// To the parent and its parents, at any depth.
    public static let ancestor = Link("ancestor")
    /// To the children and their children, at any depth.
    public static let descendant = Link("descendant")
    /// From a relation to where it begins.
    public static let source = Link("source")
    /// From a relation to where it ends.
    public static let target = Link("target")
    /// To the relations that begin at the object.
    public static let sourceOf = Link("source_of")
    /// To the relations that end at the object.
    public static let targetOf = Link("target_of")

    /// To what the object refers to, in any field or at one place and below it.
    ///
    /// - Parameter path: A field's name or a JSON Pointer.
    public static func refersTo(_ path: String? = nil) -> Link {
        var link = Link("refers_to")
        link.path = path
        return link
    }

    /// To what refers to the object, in any field or at one place and below it.
    ///
    /// - Parameter path: A field's name or a JSON Pointer.
    public static func referredBy(_ path: String? = nil) -> Link {
        var link = Link("referred_by")
        link.path = path
        return link
    }

    /// To the other ends of the object's relations.
    ///
    /// - Parameters:
    ///   - direction: Where these stand.
    ///   - types: The types of the relations; none for all.
    ///   - via: What the relations must satisfy.
    public static func related(
        _ direction: RelationDirection = .both, type types: String..., via: Filter? = nil
    ) -> Link {
        var link = Link("related")
        link.direction = direction
        link.types = types
        link.via = via
        return link
    }

    /// Leads only to objects that satisfy a filter.
    public func `where`(_ filter: Filter) -> Link {
        leading(to: .satisfying(filter))
    }

    /// Leads only to the objects of these ids. They may be deleted, and where a link may dangle they
    /// need not exist. Not for the steps of a query: ``where(_:)`` with ``Filter/id(_:)`` is.
    public func to(_ ids: String...) -> Link {
        leading(to: .ids(ids))
    }

    /// Leads only to these objects, which for ``refersTo(_:)`` may be in other spaces.
    public func to(_ references: Ref...) -> Link {
        leading(to: .ids(references.map { $0.space == nil ? $0.id : $0.description }))
    }

    private func leading(to destination: Destination) -> Link {
        var link = self
        link.destination = destination
        return link
    }

    /// Whether it says more than what it leads to.
    var hasOptions: Bool {
        path != nil || (direction ?? .both) != .both || !types.isEmpty || via != nil
    }
}
