internal import EchoDBNative

/// What objects are grouped by.
public struct GroupKey: Hashable, Sendable, ExpressibleByStringLiteral {
    let key: String

    private init(key: String) {
        self.key = key
    }

    /// By a field, a name or a JSON Pointer. Missing and null are one group, `1` and `1.0` another.
    public static func field(_ field: String) -> GroupKey {
        GroupKey(key: pointer(to: field))
    }

    /// ``field(_:)``.
    public init(stringLiteral field: String) {
        self = .field(field)
    }

    /// By type.
    public static let type = GroupKey(key: "type")
    /// By parent.
    public static let parent = GroupKey(key: "parent")
    /// By a relation's source.
    public static let source = GroupKey(key: "source")
    /// By a relation's target.
    public static let target = GroupKey(key: "target")
    /// By tag: an object counts in the group of each of its tags, one without tags in a group of
    /// null.
    public static let tag = GroupKey(key: "tag")
}

/// What is measured of the objects of a group.
public struct Measure: Hashable, Sendable {
    let name: String
    let of: String?

    private init(_ name: String, _ of: String? = nil) {
        self.name = name
        self.of = of
    }

    /// How many there are.
    public static let count = Measure("count")

    /// How many have the field, null left out.
    public static func count(_ field: String) -> Measure {
        Measure("count", pointer(to: field))
    }

    /// The first of the field's numbers and strings, in the order of results; null of none.
    public static func min(_ field: String) -> Measure {
        Measure("min", pointer(to: field))
    }

    /// The earliest time, in milliseconds since 1970.
    public static func min(_ time: ObjectTime) -> Measure {
        Measure("min", time.name)
    }

    /// The last of the field's numbers and strings, in the order of results; null of none.
    public static func max(_ field: String) -> Measure {
        Measure("max", pointer(to: field))
    }

    /// The latest time, in milliseconds since 1970.
    public static func max(_ time: ObjectTime) -> Measure {
        Measure("max", time.name)
    }

    /// The sum of the field's numbers, other kinds left out; 0 of none. Exact for integers while it
    /// fits 64 bits, else a double.
    public static func sum(_ field: String) -> Measure {
        Measure("sum", pointer(to: field))
    }

    /// The mean of the field's numbers, a double; null of none.
    public static func avg(_ field: String) -> Measure {
        Measure("avg", pointer(to: field))
    }
}

/// A sort key of groups: one of the measures.
public struct MeasureOrder: Hashable, Sendable {
    let name: String
    let isDescending: Bool

    /// By the measure of this name, the smallest first.
    public static func ascending(_ name: String) -> MeasureOrder {
        MeasureOrder(name: name, isDescending: false)
    }

    /// By the measure of this name, the largest first.
    public static func descending(_ name: String) -> MeasureOrder {
        MeasureOrder(name: name, isDescending: true)
    }
}

/// What to count, add up and compare of the objects that a query finds.
///
/// ```swift
/// Aggregation(
///     type: "Order", by: ["status", .tag],
///     measures: ["n": .count, "total": .sum("price"), "latest": .max(.created)],
///     order: [.descending("total")], limit: 10)
/// ```
public struct Aggregation: Hashable, Sendable {
    /// The type of the objects; `nil` for every type.
    public var type: String?
    /// What they must satisfy.
    public var filter: Filter
    /// Steps from there, as of a ``Query``.
    public var follow: [Link]
    /// What they are grouped by, at most 4 keys. Of none, all are one group, which is there even
    /// when nothing is found.
    public var group: [GroupKey]
    /// What is measured, by names of the caller's, at most 16; of none, `count`.
    public var measures: [String: Measure]
    /// Sort keys of the groups, the weightiest first. Of none, and among equals, groups come in the
    /// order of their keys.
    public var order: [MeasureOrder]
    /// How many groups there are at most.
    public var limit: Int?
    /// How many are left out at the beginning.
    public var skip: Int
    private var json: String?

    /// An aggregation.
    public init(
        type: String? = nil, where filter: Filter = .all, follow: [Link] = [],
        by group: [GroupKey] = [], measures: [String: Measure] = [:],
        order: [MeasureOrder] = [], limit: Int? = nil, skip: Int = 0
    ) {
        self.type = type
        self.filter = filter
        self.follow = follow
        self.group = group
        self.measures = measures
        self.order = order
        self.limit = limit
        self.skip = skip
    }

    /// An aggregation in the library's own JSON form, which alone counts then.
    public static func json(_ json: String) -> Aggregation {
        var aggregation = Aggregation()
        aggregation.json = json
        return aggregation
    }

    func text() throws -> String {
        try json ?? JSONWriter.aggregation(self)
    }
}

/// A group of objects.
public struct Group: Hashable, Sendable {
    /// What its objects have in common: the values of the keys that were grouped by.
    public let keys: [Value]
    /// The measures, by their names.
    public let values: [String: Value]

    /// A measure; `nil` if there is none of that name.
    public subscript(name: String) -> Value? {
        values[name]
    }
}

extension Space {
    /// Counts, sums and extremes over the objects that a query finds, whole or by groups.
    ///
    /// ```swift
    /// let groups = try await space.aggregate(
    ///     Aggregation(type: "Task", by: ["owner"], measures: ["hours": .sum("hours")]))
    /// for group in groups { print(group.keys[0], group["hours"] ?? 0) }
    /// ```
    public func aggregate(_ aggregation: Aggregation) async throws -> [Group] {
        let text = try aggregation.text()
        let json = try await translating { try await native.aggregate(query: text) }
        return try JSONReader.groups(from: json)
    }
}
