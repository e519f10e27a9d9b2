internal import EchoDBNative
import Foundation

/// What is asked of a space: a filter, steps from there, an order and a window.
///
/// ```swift
/// // The people to whom tasks in open projects are assigned.
/// Query(
///     type: "Project", where: .tag("open"),
///     follow: [.descendant.where(.type("Task")), .refersTo("assignee")],
///     order: [.ascending("name")])
/// ```
public struct Query: Hashable, Sendable {
    /// The type of the objects to begin with; `nil` for every type.
    public var type: String?
    /// What the objects to begin with must satisfy.
    public var filter: Filter
    /// Steps from there, at most 16: each goes on from what was found, and the result is where the
    /// last one ends, each object once.
    public var follow: [Link]
    /// Sort keys, the weightiest first; objects are sorted by id after that.
    public var order: [Order]
    /// How many results there are at most.
    public var limit: Int?
    /// How many are left out at the beginning.
    public var skip: Int
    private var json: String?

    /// A query. Deleted objects are left out unless the filter says ``Filter/deleted(_:)``.
    public init(
        type: String? = nil, where filter: Filter = .all, follow: [Link] = [],
        order: [Order] = [], limit: Int? = nil, skip: Int = 0
    ) {
        self.type = type
        self.filter = filter
        self.follow = follow
        self.order = order
        self.limit = limit
        self.skip = skip
    }

    /// A query in the library's own JSON form, which alone counts then. A malformed one makes the
    /// call it is given to throw ``EchoError/Kind/invalidArgument``.
    public static func json(_ json: String) -> Query {
        var query = Query()
        query.json = json
        return query
    }

    func text() throws -> String {
        if let json { return json }
        return try JSONWriter.query(
            type: type, where: filter, follow: follow, order: order, limit: limit, skip: skip)
    }
}

/// One page of a query's results.
public struct QueryPage: Hashable, Sendable {
    /// The objects.
    public let objects: [Object]
    /// What to hand over for the next page; `nil` after the last one.
    public let next: String?
}

/// The pages of a query's results; made by ``Space/pages(of:)``.
public struct QueryPages: AsyncSequence, Sendable {
    fileprivate let space: Space
    fileprivate let query: Query

    /// What is gone through.
    public typealias Element = [Object]

    /// Begins with the first page.
    public func makeAsyncIterator() -> Iterator {
        Iterator(pages: self)
    }

    /// Hands out the pages.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        private let pages: QueryPages
        private var cursor: String?
        private var isAtEnd = false

        fileprivate init(pages: QueryPages) {
            self.pages = pages
        }

        /// The next page; `nil` at the end.
        public mutating func next() async throws -> [Object]? {
            guard !isAtEnd else { return nil }
            let page = try await pages.space.queryPage(pages.query, after: cursor)
            cursor = page.next
            isAtEnd = cursor == nil
            return page.objects
        }
    }
}

extension Space {
    /// The objects that a query finds.
    public func query(_ query: Query) async throws -> [Object] {
        try JSONReader.objects(from: try await queryJSON(query.text()))
    }

    /// One page of a query's results, as large as its limit says (1 to 10,000; 100 without one). A
    /// query for pages has no `skip`.
    ///
    /// Pages follow each other by the order's keys, not by counting: an object whose keys stay is on
    /// exactly one page, whatever else comes, goes or changes between.
    ///
    /// - Parameters:
    ///   - query: What is asked.
    ///   - cursor: Another page's ``QueryPage/next``: text to keep as it is. It is good for the same
    ///     filter, steps and order in the same space, also later and with another limit; any other
    ///     throws ``EchoError/Kind/invalidArgument``. `nil` for the first page.
    public func queryPage(_ query: Query, after cursor: String? = nil) async throws -> QueryPage {
        let text = try query.text()
        let page = try await translating {
            try await native.queryPage(query: text, after: cursor)
        }
        return QueryPage(objects: try JSONReader.objects(from: page.objects), next: page.next)
    }

    /// All pages of a query's results, one after the other, as ``queryPage(_:after:)`` gives them.
    ///
    /// ```swift
    /// for try await page in space.pages(of: Query(type: "Note", limit: 1000)) {
    ///     print(page.count)
    /// }
    /// ```
    public func pages(of query: Query) -> QueryPages {
        QueryPages(space: self, query: query)
    }

    /// How a query is answered. For people and tests: what it says may change.
    public func explain(_ query: Query) async throws -> Explanation {
        try await explain(text: query.text())
    }

    /// How an aggregation is answered, likewise.
    public func explain(_ aggregation: Aggregation) async throws -> Explanation {
        try await explain(text: aggregation.text())
    }

    private func explain(text: String) async throws -> Explanation {
        let json = try await translating { try await native.explain(query: text) }
        return Explanation(try JSONReader.value(from: json))
    }
}

extension Client {
    /// The objects that a query finds in several spaces, or in all open ones: in the query's order,
    /// limit and skip counting over all. Each says its ``Object/space``. Links are followed within
    /// each space.
    ///
    /// Throws ``EchoError/Kind/notFound`` for a space that the profile lacks, and
    /// ``EchoError/Kind/invalidState`` for one that is closed.
    ///
    /// - Parameters:
    ///   - query: What is asked.
    ///   - spaces: The spaces' ids; none for all that are open.
    public func query(_ query: Query, in spaces: [String] = []) async throws -> [Object] {
        let text = try query.text()
        return try JSONReader.objects(
            from: try await translating {
                try await native.query(spaces: spaces, query: text)
            })
    }
}

/// How a query or an aggregation is answered.
public struct Explanation: Hashable, Sendable {
    /// The statement.
    public let sql: String
    /// What stands for the question marks in it.
    public let parameters: [Value]
    /// SQLite's plan, a line a step; those within others are set in.
    public let plan: [String]
    /// The indexes that are used.
    public let indexes: [String]
    /// Whether every object is read.
    public let readsEverything: Bool
    /// The plan for people, a line a step.
    public let words: [String]

    fileprivate init(_ json: Value) {
        func strings(_ name: String) -> [String] {
            json[name]?.listValue?.compactMap(\.stringValue) ?? []
        }
        sql = json["sql"]?.stringValue ?? ""
        parameters = json["parameters"]?.listValue ?? []
        plan = strings("plan")
        indexes = strings("indexes")
        readsEverything = json["scans"] == true
        words = strings("words")
    }
}
